"""TLS to an API server: whom it trusts, and what it shows."""

from __future__ import annotations

import os
import ssl

from servo.kubernetes.access import Access
from servo.kubernetes.errors import ConfigurationError, CredentialsError

__all__ = ["tls"]


def tls(access: Access, certificate: tuple[bytes, bytes] | None) -> ssl.SSLContext:
    """Return the context for connections to a server.

    Args:
        access: Whom to trust: the named authority alone, the system's where none is named, anybody where it says so.
        certificate: The client's certificate and key as PEM.

    Raises:
        ConfigurationError: The authority is no certificate.
        CredentialsError: The client's certificate or key cannot be used.
    """
    if access.authority is None:
        from httpx2 import create_ssl_context

        context = create_ssl_context()
    else:
        context = _trusting(access.authority, access.source)
    if access.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate is not None:
        _show(context, certificate)
    return context


def _trusting(authority: bytes, source: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cadata=authority.decode())
    except (ssl.SSLError, ValueError) as error:
        raise ConfigurationError(
            "is no certificate in PEM", file=source, field="certificate-authority"
        ) from error


def _show(context: ssl.SSLContext, certificate: tuple[bytes, bytes]) -> None:
    # The library reads files only. This one is in memory: a key is never on the disk.
    descriptor = os.memfd_create("certificate", os.MFD_CLOEXEC)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(b"\n".join(certificate))
        context.load_cert_chain(f"/proc/self/fd/{descriptor}", password=_no_password)
    except (ssl.SSLError, ValueError) as error:
        raise CredentialsError(f"the client's certificate or its key cannot be used: {error}") from error
    finally:
        os.close(descriptor)


def _no_password() -> str:
    raise ValueError("the key is encrypted, and there is nobody to ask for its password")
