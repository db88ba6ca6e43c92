"""What a registry says of an image, before anything of it is read; and what it means if it refuses."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from trimtab.builds.access import CredentialsError, Registries, Secret
from trimtab.images import (
    AccessError,
    CertificateError,
    ImageError,
    ImageReferenceError,
    NotFoundError,
    Reference,
    in_registry,
    tags,
)
from trimtab.images.documents import metadata

__all__ = ["Known", "answer_of", "look", "pinned"]


MEANING: Mapping[type[ImageError], tuple[int, str]] = {
    CredentialsError: (400, ""),
    ImageReferenceError: (400, "Invalid reference format: "),
    CertificateError: (401, "The certificate of the registry could not be verified: "),
    NotFoundError: (400, "Manifest unknown: "),
    ImageError: (400, "The image cannot be had: "),
}


@dataclass(frozen=True, slots=True)
class Known:
    """An image as its registry knows it.

    Attributes:
        digest: Of its manifest.
        metadata: What the original's `/image/metadata` answers.
    """

    digest: str
    metadata: dict[str, Any]


def look(
    image: str, registries: Registries, secret: Secret | None, *, verify_tls: bool, with_tags: bool = False
) -> Known:
    """Ask a registry for an image's manifest and configuration. Blocks.

    Args:
        image: Which.
        registries: How they are reached.
        secret: Who asks.
        verify_tls: Whether certificates are verified.
        with_tags: Whether the repository's tags are asked for, too; where they cannot be had, there are none.

    Raises:
        ImageError: It cannot be had; no message holds a secret.
    """
    access = registries.access(image, secret, verify_tls=verify_tls)
    reference = Reference.parse(image)
    with in_registry(image, access) as found:
        listed: list[str] = []
        if with_tags:
            with suppress(ImageError):
                listed = tags(image, access)
        told = metadata(found, f"{reference.host}/{reference.repository}", reference.tag, listed)
        return Known(found.digest or "", told)


def pinned(image: str, digest: str | None) -> str:
    """The same image by its digest: a tag may be another one's by the time it is read."""
    if digest is None:
        return image
    reference = Reference.parse(image)
    return f"{reference.host}/{reference.repository}@{digest}"


def answer_of(error: ImageError, secret: Secret | None) -> tuple[int, str]:
    """Status and text of the answer to whoever asked, as the original's clients know them.

    Args:
        error: What is wrong.
        secret: With which it was asked.
    """
    if isinstance(error, AccessError):
        if secret is None:
            return 401, f"Authentication required: {error}"
        return 403, f"The credentials are invalid, or do not allow it: {error}"
    status, said = next((told for kind, told in MEANING.items() if isinstance(error, kind)))
    return status, f"{said}{error}"
