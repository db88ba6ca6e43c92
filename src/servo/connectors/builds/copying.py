"""Copies images to the intermediate registry, by skopeo."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from servo.connectors.builds.build import Image
from servo.connectors.builds.credentials import Credentials, authfile
from servo.connectors.builds.errors import PartError, PassingError
from servo.connectors.builds.references import Reference

__all__ = ["Registry", "Skopeo", "is_gone"]

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LOCAL = re.compile(
    r"(?:containers-storage|docker-daemon|oci|dir|docker-archive|oci-archive):[^\s\0-][^\s\0]{0,900}"
)
_DOCKER = "docker-daemon:"
_SHOWN = 400
_OUTPUT = 64 * 1024
# What will not be otherwise the next time; else a copy is tried again with its build.
_LASTING = (
    "manifest unknown", "manifest mime type", "invalid reference", "not found", "no such image", "does not exist",
    "unauthorized", "denied", "authentication required", "unsupported", "no image found", "name unknown",
    "invalid username", "certificate",
)  # fmt: skip
_GONE = ("manifest unknown", "not found", "name unknown", "name invalid")
_NO_REGISTRY = "pinging container registry"  # something else answers there, with "404 page not found"


class Registry:
    """How a registry is reached.

    Args:
        credentials: For it; what the user of the agent is logged in with, if None.
        verify: Whether its certificate has to be good.
    """

    def __init__(self, credentials: Credentials | None = None, *, verify: bool = True) -> None:
        self.credentials, self.verify = credentials, verify


class Skopeo:
    """Runs skopeo, never through a shell, with no secret among its arguments.

    Args:
        program: Its path, or name.
        timeout: Seconds of each call.
    """

    def __init__(self, program: str = "skopeo", *, timeout: float = 900.0) -> None:
        self.program, self._timeout = program, timeout

    def found(self) -> str | None:
        """Return where the program is."""
        return shutil.which(self.program)

    async def copy(self, image: Image, target: str, source: Registry, push: Registry) -> str:
        """Copy an image and return the digest of what is at the target, as the target says.

        Args:
            image: What to copy; from this machine if it is there.
            target: Repository and tag.
            source: How its registry is reached.
            push: How the target's is.

        Raises:
            PartError: It cannot be copied.
        """
        place, reference = _place(image)
        options = ["--remove-signatures", "--retry-times", "2"]
        if reference is not None:
            options += [] if source.verify else ["--src-tls-verify=false"]
            options += ["--preserve-digests"] if reference.digest else []
        elif place.startswith(_DOCKER) and (host := image.host or os.environ.get("DOCKER_HOST")):
            options += ["--src-daemon-host", host]  # skopeo itself reads no variable
        options += [] if push.verify else ["--dest-tls-verify=false"]
        with ExitStack() as stack:
            files = stack.enter_context(tempfile.TemporaryDirectory(prefix="servo-builds-"))
            told = Path(files, "digest")
            if reference is not None and (
                file := stack.enter_context(authfile(source.credentials, reference.registry))
            ):
                options += ["--src-authfile", str(file)]
            if file := stack.enter_context(authfile(push.credentials, _registry(target))):
                options += ["--dest-authfile", str(file)]
            await self._run(["copy", *options, "--digestfile", str(told), place, f"docker://{target}"])
            pushed = told.read_text().strip() if told.exists() else ""
        there = await self.digest(target, push)
        if not _DIGEST.fullmatch(pushed) or there != pushed:
            raise PassingError("what arrived in the intermediate registry is not what was copied")
        return there

    async def digest(self, reference: str, registry: Registry) -> str:
        """Return the digest of an image in a registry.

        Raises:
            PartError: It cannot be had.
        """
        found = await self._remote(["inspect", "--no-tags", "--format", "{{.Digest}}"], reference, registry)
        if not _DIGEST.fullmatch(found):
            raise PassingError("the registry tells no digest")
        return found

    async def delete(self, reference: str, registry: Registry) -> None:
        """Delete an image of a registry; one that is gone is no error.

        Raises:
            PartError: It cannot be deleted.
        """
        try:
            await self._remote(["delete"], reference, registry)
        except PartError as error:
            if not (is_gone(error) or await self._is_gone(reference, registry)):
                raise

    async def _is_gone(self, reference: str, registry: Registry) -> bool:
        """Whether there is no such image: of one that cannot be deleted skopeo only says that this may be so."""
        try:
            await self.digest(reference, registry)
        except PartError as error:
            return is_gone(error)
        return False

    async def _remote(self, command: Sequence[str], reference: str, registry: Registry) -> str:
        with authfile(registry.credentials, _registry(reference)) as file:
            options = [
                *([] if registry.verify else ["--tls-verify=false"]),
                *(["--authfile", str(file)] if file else []),
            ]
            return await self._run([*command, *options, f"docker://{reference}"])

    async def _run(self, arguments: Sequence[str]) -> str:
        try:
            process = await asyncio.create_subprocess_exec(
                self.program, "--insecure-policy", *arguments,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise PartError(
                f"skopeo cannot be run ({error.strerror}): install it, or name it with `skopeo`"
            ) from error
        try:
            async with asyncio.timeout(self._timeout):
                out, told = await asyncio.gather(_tail(process.stdout), _tail(process.stderr))
                code = await process.wait()
        except TimeoutError:
            raise PassingError(f"skopeo took longer than {self._timeout:g} s") from None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if code == 0:
            return out.strip()
        raise _failure(told)


def is_gone(error: PartError) -> bool:
    """Whether a registry said that it has no such image."""
    text = str(error).lower()
    return _NO_REGISTRY not in text and any(word in text for word in _GONE)


def _place(image: Image) -> tuple[str, Reference | None]:
    if image.local is not None:
        if not _LOCAL.fullmatch(image.local):
            raise PartError("no place that skopeo knows")
        return image.local, None
    try:
        reference = Reference.parse(image.name or "")
    except ValueError as error:
        raise PartError(str(error)) from error
    # skopeo takes a tag or a digest, and the digest is what was built.
    named = reference.pinned(reference.digest) if reference.digest else str(reference)
    return f"docker://{named}", reference


def _registry(reference: str) -> str:
    return Reference.parse(reference).registry


async def _tail(stream: asyncio.StreamReader | None) -> str:
    kept = b""
    while stream is not None and (piece := await stream.read(_OUTPUT)):
        kept = (kept + piece)[-_OUTPUT:]
    return kept.decode("utf-8", "replace")


def _failure(told: str) -> PartError:
    lines = [
        line for line in told.splitlines() if "level=fatal" in line or "Error" in line
    ] or told.splitlines()
    text = " ".join((lines[-1] if lines else "skopeo failed and said nothing").split())
    text = re.sub(r'^time="[^"]*" level=\w+ msg="?', "", text).rstrip('"').replace('\\"', '"')[:_SHOWN]
    kind = PartError if any(word in text.lower() for word in _LASTING) else PassingError
    return kind(text)
