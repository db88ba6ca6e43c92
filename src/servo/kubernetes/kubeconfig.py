"""Kubeconfig files: which cluster, as whom.

Files are merged as kubectl does: of two entries of one name the first file's counts, and paths are relative to the file
they stand in.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from servo.kubernetes.access import Access
from servo.kubernetes.credentials import Credentials, StoredCredentials, read_file
from servo.kubernetes.errors import ConfigurationError, CredentialsError
from servo.kubernetes.plugins import Plugin, PluginCredentials

__all__ = ["paths", "read"]

MAX_FILE = 16 << 20
_PROTOCOLS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")


def paths(environment: Mapping[str, str], home: Path) -> list[Path]:
    """Return the files that count where none is named: those of ``KUBECONFIG``, else ``~/.kube/config`` if there is one.

    Raises:
        ConfigurationError: ``KUBECONFIG`` is set, and none of its files is there.
    """
    named = [Path(each).expanduser() for each in environment.get("KUBECONFIG", "").split(os.pathsep) if each]
    if not named:
        default = home / ".kube" / "config"
        return [default] if default.is_file() else []
    found = [path for path in named if path.exists()]
    if not found:
        raise ConfigurationError(
            f"none of its files is there: {', '.join(map(str, named))}",
            field="KUBECONFIG",
            remedy="name a kubeconfig that exists, or unset the variable",
        )
    return found


def read(files: Sequence[Path], context: str | None = None) -> Access:
    """Return what a context says.

    Args:
        files: The kubeconfigs, first of all the one that counts most.
        context: Its name; the current one if None.

    Raises:
        ConfigurationError: A file or an entry cannot be used.
    """
    merged = _merge(files)
    name = context or merged.current
    if not name:
        raise ConfigurationError(
            "it has no current context",
            file=merged.title,
            remedy=_choices("name one by `context`", merged.contexts),
        )
    chosen = merged.entry("contexts", name).content
    cluster = merged.entry("clusters", _text(chosen, "cluster"))
    user_name = _text(chosen, "user")
    user = merged.entry("users", user_name) if user_name else _Entry("", {}, Path())
    return _access(merged, cluster, user, _text(chosen, "namespace") or "default")


@dataclass(frozen=True, slots=True)
class _Entry:
    """A named cluster, user or context, and the file it stands in."""

    name: str
    content: Mapping[str, Any]
    file: Path

    def wrong(self, field: str, problem: str, remedy: str | None = None) -> ConfigurationError:
        return ConfigurationError(problem, file=self.file, field=f"{self.name}.{field}", remedy=remedy)

    def path(self, field: str) -> Path | None:
        said = _text(self.content, field)
        return (self.file.parent / Path(said).expanduser()) if said else None

    def data(self, field: str) -> bytes | None:
        """Return what stands in the file itself, decoded."""
        said = _text(self.content, f"{field}-data")
        if not said:
            return None
        try:
            return base64.b64decode("".join(said.split()), validate=True)
        except (binascii.Error, ValueError):
            raise self.wrong(f"{field}-data", "is not base64") from None

    def bytes(self, field: str) -> bytes | None:
        """Return what stands in the file itself, or in the file that it names."""
        path = self.path(field)
        data = self.data(field)
        if data is not None or path is None:
            return data
        try:
            return read_file(path)
        except CredentialsError as error:
            raise self.wrong(field, str(error)) from error


@dataclass(slots=True)
class _Merged:
    files: Sequence[Path]
    clusters: dict[str, _Entry]
    users: dict[str, _Entry]
    contexts: dict[str, _Entry]
    current: str = ""

    @property
    def title(self) -> str:
        return os.pathsep.join(map(str, self.files))

    def entry(self, section: str, name: str) -> _Entry:
        entries: dict[str, _Entry] = getattr(self, section)
        if name not in entries:
            raise ConfigurationError(
                f"it has no entry {name!r}",
                file=self.title,
                field=section,
                remedy=_choices("there is", entries),
            )
        return entries[name]


def _choices(lead: str, entries: Mapping[str, Any]) -> str:
    return f"{lead}: {', '.join(sorted(entries)[:20])}" if entries else "the file has none"


def _merge(files: Sequence[Path]) -> _Merged:
    merged = _Merged(files, {}, {}, {})
    for file in files:
        document = _load(file)
        merged.current = merged.current or _text(document, "current-context")
        for section, field in (("clusters", "cluster"), ("users", "user"), ("contexts", "context")):
            entries: dict[str, _Entry] = getattr(merged, section)
            for entry in document.get(section) or ():
                if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
                    raise ConfigurationError("an entry has no name", file=file, field=section)
                content = entry.get(field) or {}
                if not isinstance(content, dict):
                    raise ConfigurationError("is no mapping", file=file, field=f"{section}.{entry['name']}")
                entries.setdefault(entry["name"], _Entry(entry["name"], content, file))
    return merged


def _load(file: Path) -> Mapping[str, Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if file.stat().st_size > MAX_FILE:
            raise ConfigurationError("is larger than 16 MiB: it is no kubeconfig", file=file)
        document = yaml.load(file.read_bytes(), Loader=loader)  # noqa: S506 - one of the safe loaders
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror or error}", file=file) from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise ConfigurationError(
            f"is no YAML: {getattr(error, 'problem', None) or type(error).__name__}",
            file=file,
            line=mark.line + 1 if mark else None,
        ) from error
    if document is None:
        return {}
    if not isinstance(document, dict) or any(
        not isinstance(document.get(section) or [], list) for section in ("clusters", "users", "contexts")
    ):
        raise ConfigurationError("is no kubeconfig", file=file, remedy="name a file that kubectl can use")
    return document


def _access(merged: _Merged, cluster: _Entry, user: _Entry, namespace: str) -> Access:
    server = _text(cluster.content, "server").rstrip("/")
    if not _is_address(server):
        raise cluster.wrong("server", f"{server!r} is no URL of an API server")
    insecure = cluster.content.get("insecure-skip-tls-verify") is True
    authority = cluster.bytes("certificate-authority")
    if insecure and authority is not None:
        raise cluster.wrong(
            "insecure-skip-tls-verify",
            "is set beside a certificate authority",
            "remove it, and the server is verified",
        )
    return Access(
        server=server,
        source=merged.title,
        namespace=namespace,
        authority=authority,
        insecure=insecure,
        server_name=_text(cluster.content, "tls-server-name") or None,
        proxy=_text(cluster.content, "proxy-url") or "environment",
        headers=_impersonation(user),
        credentials=_credentials(user, cluster),
    )


def _credentials(user: _Entry, cluster: _Entry) -> Credentials:
    content = user.content
    if "auth-provider" in content:
        raise user.wrong(
            "auth-provider",
            "Kubernetes has removed these",
            "let your cloud's tool write the kubeconfig anew: it will name an exec plugin",
        )
    if "exec" in content:
        return PluginCredentials(_plugin(user, cluster))
    return StoredCredentials(
        _authorization(content), token=user.path("tokenFile"), certificate=_certificate(user)
    )


def _authorization(user: Mapping[str, Any]) -> str | None:
    if token := _text(user, "token"):
        return f"Bearer {token}"
    if name := _text(user, "username"):
        pair = f"{name}:{_text(user, 'password')}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"
    return None


def _certificate(user: _Entry) -> tuple[bytes | Path, bytes | Path] | None:
    """Return certificate and key: what stands in the file itself, else the files that it names."""
    certificate = user.data("client-certificate") or user.path("client-certificate")
    key = user.data("client-key") or user.path("client-key")
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise user.wrong(
            "client-certificate", "certificate and key belong together, and one of them is missing"
        )
    return certificate, key


def _plugin(user: _Entry, cluster: _Entry) -> Plugin:
    spec = user.content["exec"]
    if not isinstance(spec, dict) or not _text(spec, "command"):
        raise user.wrong("exec", "it names no command")
    version = _text(spec, "apiVersion")
    if version not in _PROTOCOLS:
        raise user.wrong(
            "exec.apiVersion", f"{version!r} is not spoken", f"use one of {', '.join(_PROTOCOLS)}"
        )
    if spec.get("interactiveMode") == "Always":
        raise user.wrong("exec.interactiveMode", "an agent has no terminal", "use a plugin that asks nobody")
    command = _text(spec, "command")
    return Plugin(
        command=str(user.file.parent / command) if os.sep in command else command,
        arguments=tuple(map(str, spec.get("args") or ())),
        environment={str(each["name"]): str(each["value"]) for each in spec.get("env") or ()},
        api_version=version,
        cluster=_told(cluster) if spec.get("provideClusterInfo") else None,
        hint=_text(spec, "installHint"),
        user=user.name,
    )


def _told(cluster: _Entry) -> dict[str, Any]:
    """Return what a plugin is told of the cluster."""
    kept = ("server", "tls-server-name", "insecure-skip-tls-verify", "proxy-url")
    told = {name: cluster.content[name] for name in kept if name in cluster.content}
    authority = cluster.bytes("certificate-authority")
    if authority is not None:
        told["certificate-authority-data"] = base64.b64encode(authority).decode()
    for extension in cluster.content.get("extensions") or ():
        if extension.get("name") == "client.authentication.k8s.io/exec":
            told["config"] = extension.get("extension")
    return told


def _impersonation(user: _Entry) -> tuple[tuple[str, str], ...]:
    headers = [
        ("Impersonate-User", _text(user.content, "as")),
        ("Impersonate-Uid", _text(user.content, "as-uid")),
    ]
    headers += [("Impersonate-Group", str(group)) for group in user.content.get("as-groups") or ()]
    for name, values in (user.content.get("as-user-extra") or {}).items():
        headers += [(f"Impersonate-Extra-{name}", str(value)) for value in values or ()]
    return tuple((name, value) for name, value in headers if value)


def _text(content: Mapping[str, Any], field: str) -> str:
    value = content.get(field)
    return "" if value is None else str(value)


def _is_address(server: str) -> bool:
    try:
        parts = urlsplit(server)
        return (
            parts.scheme in {"http", "https"}
            and bool(parts.hostname)
            and parts.port != 0
            and server.isprintable()
        )
    except ValueError:
        return False
