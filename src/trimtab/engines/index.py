"""Where packages come from on this machine: what pip and uv are configured to use, handed on to a build.

uv reads its own configuration, pip reads its own; a build in a container sees neither, and uv knows nothing of pip's.
So both are read here. What pip is told holds for uv, unless uv is told otherwise.
"""

import configparser
import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

__all__ = ["Index"]

_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
_CERTIFICATES = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_ETC = Path("/etc")
_CONFIG_LIMIT = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Index:
    """The configured sources of packages. URLs may hold passwords: they belong in files and environments, nowhere else.

    Attributes:
        default: URL of the main index; None: the tools' own.
        extra: URLs of further indexes.
        find_links: Directories and pages with links to packages.
        trusted_hosts: Hosts whose certificates are not verified.
        certificate: File of certificate authorities; None: the tools' own.
        proxies: The variables that name proxies, in lower case.
    """

    default: str | None = None
    extra: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    trusted_hosts: tuple[str, ...] = ()
    certificate: Path | None = None
    proxies: Mapping[str, str] | None = None

    @classmethod
    def of_this_machine(cls, environment: Mapping[str, str] | None = None) -> "Index":
        """Read the variables and files of uv and pip.

        Args:
            environment: The variables; by default this process's.
        """
        variables = os.environ if environment is None else environment
        pip, uv = _pip(variables), _uv(variables)
        default = uv.get("default") or pip.get("index-url", "")
        certificate = next(
            (value for name in _CERTIFICATES if (value := variables.get(name))), pip.get("cert")
        )
        return cls(
            default=default.strip() or None,
            extra=_unique(uv.get("extra", ""), pip.get("extra-index-url", "")),
            find_links=_unique(uv.get("links", ""), pip.get("find-links", "")),
            trusted_hosts=_unique(uv.get("insecure", ""), pip.get("trusted-host", "")),
            certificate=Path(certificate) if certificate and Path(certificate).is_file() else None,
            proxies={
                name: value for name in _PROXIES
                if (value := variables.get(name) or variables.get(name.upper()))
            },
        )  # fmt: skip

    def remote(self) -> "Index":
        """The same without what is a path of this machine: a container does not see it."""
        return Index(
            self.default if self.default and _is_remote(self.default) else None,
            tuple(filter(_is_remote, self.extra)),
            tuple(filter(_is_remote, self.find_links)),
            self.trusted_hosts,
            self.certificate,
            self.proxies,
        )

    def with_sources(self, sources: tuple[str, ...], insecure: tuple[str, ...] = ()) -> "Index":
        """The same with the indexes that a lock names. The pins have hashes, so it does not matter which one answers.

        Args:
            sources: URLs; those of documentation hosts (`….example`) stand for the default and are left out.
            insecure: Those whose certificate is not verified.
        """
        known = {self.default, *self.extra}
        added = tuple(
            url for url in dict.fromkeys(sources) if url not in known and not _stands_for_default(url)
        )
        hosts = tuple(host for url in insecure if url in added and (host := urlsplit(url).hostname))
        return Index(
            self.default,
            (*self.extra, *added),
            self.find_links,
            (*self.trusted_hosts, *hosts),
            self.certificate,
            self.proxies,
        )

    def uv_environment(self) -> dict[str, str]:
        """What tells uv."""
        found = {
            "UV_DEFAULT_INDEX": self.default or "",
            "UV_INDEX": " ".join(self.extra),
            "UV_FIND_LINKS": ",".join(self.find_links),
            "UV_INSECURE_HOST": " ".join(self.trusted_hosts),
            "SSL_CERT_FILE": os.fspath(self.certificate) if self.certificate else "",
            # Any index may have the file of a hash; a name alone, of python_packages, comes from the first that has it.
            "UV_INDEX_STRATEGY": "unsafe-best-match",
        } | self.proxy_environment()
        return {name: value for name, value in found.items() if value}

    def proxy_environment(self) -> dict[str, str]:
        """The proxies, in both spellings."""
        proxies = self.proxies or {}
        return {**proxies, **{name.upper(): value for name, value in proxies.items()}}

    def pip_conf(self) -> str:
        """What tells pip, but for the certificate, as a `pip.conf`."""
        lines = {
            "index-url": self.default or "",
            "extra-index-url": " ".join(self.extra),
            "find-links": " ".join(self.find_links),
            "trusted-host": " ".join(self.trusted_hosts),
        }
        # configparser of pip does not interpolate; a value cannot hold a line break, for it was split at blanks.
        return "[global]\n" + "".join(f"{name} = {value}\n" for name, value in lines.items() if value)

    def uv_toml(self, cache_control: Mapping[str, str] | None = None) -> str:
        """What tells uv, but for the certificate, as a `uv.toml`.

        Args:
            cache_control: How long what an index answers is fresh, by `api` and `files`, instead of what it says itself.
        """
        lists = (("find-links", self.find_links), ("allow-insecure-host", self.trusted_hosts))
        text = "".join(f"{name} = {json.dumps(list(values))}\n" for name, values in lists if values)
        text += 'index-strategy = "unsafe-best-match"\n' if self.extra else ""
        pairs = ", ".join(f"{name} = {json.dumps(value)}" for name, value in (cache_control or {}).items())
        fresh = f"cache-control = {{ {pairs} }}\n" if pairs else ""
        text += "".join(f"\n[[index]]\nurl = {json.dumps(url)}\n{fresh}" for url in self.extra)
        return text + (
            f"\n[[index]]\nurl = {json.dumps(self.default)}\ndefault = true\n{fresh}" if self.default else ""
        )


def _is_remote(text: str) -> bool:
    return urlsplit(text).scheme in {"http", "https"}


def _stands_for_default(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host == "example" or host.endswith(".example")


def _unique(*texts: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for text in texts for word in text.split()))


def _pip(variables: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in _pip_files(variables):
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read_string(_read(path))
        except configparser.Error:
            continue  # pip itself will say what is wrong with it
        for section in ("global", "install"):
            if parser.has_section(section):
                found |= {name.replace("_", "-"): value for name, value in parser.items(section)}
    for name in ("index-url", "extra-index-url", "find-links", "trusted-host", "cert"):
        if value := variables.get("PIP_" + name.upper().replace("-", "_")):
            found[name] = value
    return found


def _pip_files(variables: Mapping[str, str]) -> list[Path]:
    """In the order of pip: a later one wins."""
    home = Path(variables.get("HOME") or "/nonexistent")
    system = [
        Path(base) / "pip/pip.conf"
        for base in variables.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":")
        if base
    ]
    user = [
        home / ".pip/pip.conf",
        Path(variables.get("XDG_CONFIG_HOME") or home / ".config") / "pip/pip.conf",
    ]
    own = variables.get("PIP_CONFIG_FILE")
    if own == os.devnull:
        return []
    return [*system, _ETC / "pip.conf", *user, *([Path(own)] if own else [])]


def _uv(variables: Mapping[str, str]) -> dict[str, str]:
    found = _uv_file(variables)
    names = (
        ("default", ("UV_DEFAULT_INDEX", "UV_INDEX_URL")),
        ("extra", ("UV_INDEX", "UV_EXTRA_INDEX_URL")),
        ("links", ("UV_FIND_LINKS",)),
        ("insecure", ("UV_INSECURE_HOST",)),
    )
    for key, candidates in names:
        value = next((value for name in candidates if (value := variables.get(name))), None)
        if value:
            found[key] = value.replace(",", " ") if key == "links" else value
    # An index may be written `name=URL`.
    return {key: " ".join(_nameless(word) for word in value.split()) for key, value in found.items()}


def _nameless(word: str) -> str:
    name, separator, url = word.partition("=")
    return url if separator and name.replace("-", "").replace("_", "").isalnum() else word


def _uv_file(variables: Mapping[str, str]) -> dict[str, str]:
    home = Path(variables.get("HOME") or "/nonexistent")
    user = Path(variables.get("XDG_CONFIG_HOME") or home / ".config") / "uv/uv.toml"
    own = variables.get("UV_CONFIG_FILE")
    found: dict[str, str] = {}
    for path in [Path(own)] if own else [_ETC / "uv/uv.toml", user]:
        try:
            document = tomllib.loads(_read(path))
        except tomllib.TOMLDecodeError:
            continue  # uv itself will say what is wrong with it
        found |= _of_uv_toml({**document.get("pip", {}), **document})
    return found


def _of_uv_toml(document: Mapping[str, object]) -> dict[str, str]:
    found: dict[str, str] = {}
    indexes = document.get("index")
    for entry in indexes if isinstance(indexes, list) else []:
        if isinstance(entry, dict) and isinstance(entry.get("url"), str):
            key = "default" if entry.get("default") else "extra"
            found[key] = f"{found.get(key, '')} {entry['url']}".strip()
    if isinstance(document.get("index-url"), str):
        found.setdefault("default", str(document["index-url"]))
    for key, name in (
        ("extra", "extra-index-url"),
        ("links", "find-links"),
        ("insecure", "allow-insecure-host"),
    ):
        values = document.get(name)
        if isinstance(values, list):
            found[key] = " ".join([found.get(key, ""), *(str(value) for value in values)]).strip()
    return found


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_CONFIG_LIMIT).decode(errors="replace")
    except OSError:
        return ""
