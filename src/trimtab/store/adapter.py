"""Documents and blobs under a prefix, by the names that the original's storage library has for them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trimtab.store.documents import decode, encode
from trimtab.store.keys import join
from trimtab.store.store import Store

__all__ = ["DocumentStore"]


class DocumentStore:
    """What is below a prefix of a store.

    Args:
        store: Where.
        prefix: Folder of all its keys.
    """

    def __init__(self, store: Store, prefix: str = "") -> None:
        self.store = store
        self.prefix = prefix

    def connect(self) -> None:
        """See whether the store answers; it was opened before. Kept for callers of the original.

        Raises:
            UnavailableError: It does not answer.
        """
        self.check_connection()

    def is_connected(self) -> bool:
        """True: there is no store before it is opened. Kept for callers of the original."""
        return True

    def check_connection(self) -> None:
        """See whether the store answers.

        Raises:
            UnavailableError: It does not.
        """
        self.store.check_connection()

    def key(self, name: str) -> str:
        """The key in the store of what has this name here."""
        return join(self.prefix, name)

    def get_document_listing(self, prefix_addition: str = "") -> Iterator[str]:
        """Names of all objects, relative to the prefix."""
        skipped = len(self.prefix) + 1 if self.prefix else 0
        for entry in self.store.list(join(self.prefix, prefix_addition.strip("/"))):
            yield entry.key[skipped:]

    def store_file(self, path: str | Path, name: str) -> None:
        """Store what a file has."""
        self.store.put(self.key(name), Path(path))

    def store_blob(self, blob: bytes | str, name: str) -> None:
        """Store bytes, or a text as UTF-8."""
        self.store.put(self.key(name), blob.encode() if isinstance(blob, str) else blob)

    def retrieve_blob(self, name: str) -> bytes:
        """What is stored under a name.

        Raises:
            NotFoundError: Nothing.
            TooLargeError: It has more than 64 MiB.
        """
        return self.store.get(self.key(name))

    def store_document(self, document: dict[str, Any], name: str) -> None:
        """Store a document.

        Raises:
            DocumentError: It is no JSON.
        """
        self.store.put(self.key(name), encode(document))

    def retrieve_document(self, name: str) -> dict[str, Any]:
        """The document of a name.

        Raises:
            NotFoundError: There is none.
            DocumentError: What is there is no document.
        """
        return decode(self.retrieve_blob(name), f"{self.store.url} {self.key(name)}")

    def retrieve_text(self, name: str) -> str:
        """The text of a name; bytes that are no UTF-8 become U+FFFD, for logs hold anything."""
        return self.retrieve_blob(name).decode(errors="replace")

    def document_exists(self, name: str) -> bool:
        """Whether there is an object of this name."""
        return self.store.exists(self.key(name))

    def delete(self, name: str) -> None:
        """Delete it, if it is there."""
        self.store.delete(self.key(name))

    def iterate_results(self, prefix_addition: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
        """All documents with their names.

        Raises:
            DocumentError: One of the objects is none.
        """
        for name in self.get_document_listing(prefix_addition):
            yield name, self.retrieve_document(name)
