"""How registries are reached for somebody else: with whose credentials, and which registries at all.

A secret by reference is a file of a directory, as `podman login` writes it: it says itself which registries it is for, so
that nobody who may only name it can have it sent elsewhere.
"""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from trimtab.images import Access, Credentials, ImageError, Reference, Retries, stored_credentials

__all__ = ["CredentialsError", "Named", "Registries", "Secret", "strangers_access"]

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


class CredentialsError(ImageError, ValueError):
    """Credentials that cannot be used: half of them, or a name that the server does not know."""


@dataclass(frozen=True, slots=True)
class Named:
    """A secret that the server's settings know.

    Attributes:
        name: Its name.
    """

    name: str


Secret = Credentials | Named


def strangers_access(credentials: Credentials | None, authority: Path | None, *, verify_tls: bool) -> Access:
    """How an image is reached that somebody else named: with their credentials, and with none of this machine.

    It is asked once: the queue tries again, with longer waits, and whatever ends meanwhile.
    """
    return Access(
        credentials=credentials,
        verify_tls=verify_tls,
        authority=authority,
        retries=Retries(attempts=1),
        stored=False,
    )


@dataclass(frozen=True, slots=True)
class Registries:
    """What an operator says of registries.

    Attributes:
        hosts: Which may be asked, as patterns of their names: `*.registry.example`, `localhost:*`; none: any.
        secrets: Directory of files of credentials, named `<name>.json`.
        authority: A file of certificates that are trusted besides the system's.
    """

    hosts: tuple[str, ...] = ()
    secrets: Path | None = None
    authority: Path | None = None

    def access(self, image: str, secret: Secret | None, *, verify_tls: bool) -> Access:
        """How an image is reached.

        Raises:
            ImageReferenceError: It is no name of an image.
            CredentialsError: The secret is not known, or not for this registry; or the registry may not be asked.
        """
        reference = Reference.parse(image)
        if self.hosts and not any(fnmatchcase(reference.host.lower(), each.lower()) for each in self.hosts):
            raise CredentialsError(
                f"this server does not ask the registry {reference.host}: TRIMTAB_REGISTRY_HOSTS"
            )
        credentials = self._known(secret.name, reference) if isinstance(secret, Named) else secret
        return strangers_access(credentials, self.authority, verify_tls=verify_tls)

    def _known(self, name: str, reference: Reference) -> Credentials:
        path = self.secrets / f"{name}.json" if self.secrets and NAME.fullmatch(name) else None
        if path is None or not path.is_file():
            raise CredentialsError(
                "no such secret is known to this server; TRIMTAB_REGISTRY_SECRETS names their directory"
            )
        found = stored_credentials(reference.host, reference.repository, path)
        if found is None:
            raise CredentialsError(f"the secret {name} has no credentials for {reference.host}")
        return found
