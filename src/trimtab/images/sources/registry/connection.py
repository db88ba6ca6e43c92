"""The HTTP client of a registry: certificates, and an end to waiting for an answer that comes byte by byte."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any

from trimtab.images.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import httpx2

__all__ = ["Connection"]

PATIENCE = 30.0  # seconds without a byte
ANSWER = 90.0  # seconds until an answer begins, redirects and all
MOST_SOCKETS = 100


class Connection:
    """Sends requests, and ends those whose answer does not begin in time.

    A client's own time limit is one between two bytes: a registry that sends one now and then could hold somebody for
    days. So the sockets are remembered as they are opened, and shut when the time is over.

    Parameters:
        verify_tls: Whether certificates are verified.
        authority: A file of certificates that are trusted besides the system's.
        answer: Seconds until an answer begins.

    Raises:
        UnavailableError: The file of certificates cannot be read.
    """

    def __init__(self, *, verify_tls: bool, authority: Path | None, answer: float = ANSWER) -> None:
        import ssl

        import httpx2

        verify: ssl.SSLContext | bool = verify_tls
        if verify_tls:
            verify = ssl.create_default_context()
            if authority:
                try:
                    verify.load_verify_locations(authority)
                except OSError as error:
                    raise UnavailableError(f"the file of certificates {authority}: {error}") from None
        self.client = httpx2.Client(verify=verify, timeout=PATIENCE, headers={"User-Agent": "trimtab"})
        self._answer = answer
        self._sockets: list[socket.socket] = []

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        follow: bool = False,
    ) -> httpx2.Response:
        """The answer, its body unread.

        Raises:
            UnavailableError: It does not begin in time.
            httpx2.HTTPError: There is none.
        """
        import httpx2

        request = self.client.build_request(
            method, url, headers=headers, params=params, data=data, extensions={"trace": self._trace}
        )
        with self._deadline() as over:
            try:
                return self.client.send(request, stream=True, follow_redirects=follow)
            except httpx2.HTTPError:
                if not over.is_set():
                    raise
                host = request.url.host
                late = f"{host} does not answer within {self._answer:g} seconds"
                raise UnavailableError(late, transient=True) from None

    def close(self) -> None:
        """Give the sockets back."""
        self.client.close()

    @contextlib.contextmanager
    def _deadline(self) -> Iterator[threading.Event]:
        over = threading.Event()

        def end() -> None:
            over.set()
            for each in self._sockets:
                with contextlib.suppress(OSError):
                    # That of the class below TLS: what TLS knows is left to the thread that reads.
                    socket.socket.shutdown(each, socket.SHUT_RDWR)

        timer = threading.Timer(self._answer, end)
        timer.daemon = True
        timer.start()
        try:
            yield over
        finally:
            timer.cancel()

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            opened = info["return_value"].get_extra_info("socket")
            self._sockets = [each for each in self._sockets if each.fileno() >= 0][-MOST_SOCKETS:]
            self._sockets.append(opened)
