"""Exec plugins: programs that a kubeconfig names to get credentials from.

The protocol is ``client.authentication.k8s.io``, v1 and v1beta1: the program is told of the cluster by
``KUBERNETES_EXEC_INFO`` and prints an ``ExecCredential``.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from servo.kubernetes.credentials import Credential
from servo.kubernetes.errors import CredentialsError

__all__ = ["Plugin", "PluginCredentials"]

TIMEOUT = 60.0
MAX_OUTPUT = 1 << 20
MAX_TOLD = 512
EARLY = 10.0
"""How many seconds before they expire credentials are no longer used."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """A program and how it is called.

    Attributes:
        command: The program: on the path, or an absolute path.
        arguments: Its arguments.
        environment: Variables beside those of this process.
        api_version: Of the protocol.
        cluster: What it is told of the cluster, if it wants to be.
        hint: How to install it, told when it is not there.
        user: Whose credentials, for messages.
    """

    command: str
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    api_version: str = "client.authentication.k8s.io/v1"
    cluster: Mapping[str, Any] | None = field(default=None, repr=False)
    hint: str = ""
    user: str = ""

    @property
    def title(self) -> str:
        """What messages call it."""
        return f"the exec plugin {self.command} of user {self.user!r}"

    def variables(self) -> dict[str, str]:
        """Return its environment."""
        spec: dict[str, Any] = {"interactive": False}
        if self.cluster is not None:
            spec["cluster"] = self.cluster
        info = {"apiVersion": self.api_version, "kind": "ExecCredential", "spec": spec}
        return {**os.environ, **self.environment, "KUBERNETES_EXEC_INFO": json.dumps(info)}


class PluginCredentials:
    """What a plugin printed, kept until it expires or the server refuses it.

    Args:
        plugin: What to run.
        timeout: How many seconds it may take.
    """

    def __init__(self, plugin: Plugin, *, timeout: float = TIMEOUT) -> None:
        self._plugin = plugin
        self._timeout = timeout
        self._kept: Credential | None = None
        self._expires = 0.0
        self._lock = asyncio.Lock()

    async def get(self, *, renew: bool = False) -> Credential:
        """Return what it printed last, or prints now."""
        refused = self._kept if renew else None
        async with self._lock:
            # Whoever waited here while another ran the plugin has what that one got.
            if self._kept is None or self._kept is refused or time.time() >= self._expires:
                self._kept, self._expires = self._read(await self._run())
            return self._kept

    async def _run(self) -> bytes:
        plugin = self._plugin
        try:
            process = await asyncio.create_subprocess_exec(
                plugin.command,
                *plugin.arguments,
                env=plugin.variables(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            hint = f"; {plugin.hint[:MAX_TOLD]}" if plugin.hint else ""
            raise CredentialsError(
                f"{plugin.title} cannot be started: {error.strerror or error}{hint}"
            ) from error
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            async with asyncio.timeout(self._timeout):
                out, err = await asyncio.gather(_bounded(process.stdout), _bounded(process.stderr))
                code = await process.wait()
        except TimeoutError:
            raise CredentialsError(f"{plugin.title} did not end within {self._timeout:g} s") from None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if code:
            said = err[-MAX_TOLD:].decode(errors="replace").strip() or "it said nothing"
            raise CredentialsError(f"{plugin.title} ended with {code}: {said}")
        return out

    def _read(self, output: bytes) -> tuple[Credential, float]:
        """Return the credential and until when it holds, in seconds of the epoch."""
        try:
            status = json.loads(output)["status"]
            version = json.loads(output).get("apiVersion")
            token, certificate, key = (
                status.get(name) for name in ("token", "clientCertificateData", "clientKeyData")
            )
            expires = _moment(status.get("expirationTimestamp"))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise CredentialsError(f"{self._plugin.title} printed no ExecCredential") from None
        if version != self._plugin.api_version:
            raise CredentialsError(
                f"{self._plugin.title} speaks {version!r}, the kubeconfig says {self._plugin.api_version!r}"
            )
        if not (token or (certificate and key)):
            raise CredentialsError(
                f"{self._plugin.title} printed neither a token nor a certificate with its key"
            )
        pair = (str(certificate).encode(), str(key).encode()) if certificate and key else None
        return Credential(f"Bearer {token}" if token else None, pair), expires


def _moment(timestamp: str | None) -> float:
    if not timestamp:
        return float("inf")
    moment = datetime.fromisoformat(timestamp)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - EARLY


async def _bounded(stream: asyncio.StreamReader) -> bytes:
    """Return what a stream holds, the first part of it if it is endless."""
    content = bytearray()
    while chunk := await stream.read(1 << 16):
        if len(content) <= MAX_OUTPUT:
            content += chunk
    return bytes(content)
