"""Names as Kubernetes takes them: what an optimizer is called, as the name of an object or the value of a label."""

from __future__ import annotations

__all__ = ["dns_labelize", "dns_subdomainify"]

_LONGEST_SUBDOMAIN = 253
_LONGEST_LABEL = 63


def dns_subdomainify(name: str) -> str:
    """Return a name as that of an object: ``Dev.example.com/app`` becomes ``dev.example.com.app``."""
    return _padded(name.lower().replace("/", ".").replace(" ", "-"), _LONGEST_SUBDOMAIN)


def dns_labelize(name: str) -> str:
    """Return a name as the value of a label: ``dev.example.com/app`` becomes ``dev.example.com_app``."""
    return _padded(name.replace("/", "_").replace(" ", "-"), _LONGEST_LABEL)


def _padded(name: str, longest: int) -> str:
    """Return a name that begins and ends with a letter or digit, no longer than it may be."""
    if not _is_plain(name[:1]):
        name = f"0-{name}"
    if not _is_plain(name[-1:]) or (len(name) > longest and not _is_plain(name[longest - 1])):
        name = f"{name[: longest - 2]}-1"
    return name[:longest]


def _is_plain(character: str) -> bool:
    return character.isascii() and character.isalnum()
