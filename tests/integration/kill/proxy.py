"""A proxy between an agent and its server, which kills one of them at a message of choice."""

import http.client
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

Moment = Literal["before", "amid", "after"]


@dataclass(frozen=True)
class Kill:
    """Who dies, and when.

    Args:
        who: The agent or the server.
        moment: Before the message is passed on; while the one it is for works on it; or when the server has answered,
            but the agent has not heard.
        message: Which one, from 1 for HELLO.
    """

    who: Literal["agent", "server"]
    moment: Moment
    message: int

    def __str__(self) -> str:
        return f"{self.who}-{self.moment}-{self.message}"


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_args: object) -> None:
        """Say nothing: connections of the dead break, which is the point."""


class Proxy:
    """Listens on a free port of this machine.

    Args:
        kill: What is to happen, once.
        strike: Kills the agent or the server with SIGKILL, and returns when it is dead.
        upstream: Port of the server; None while it is dead.
    """

    def __init__(
        self, kill: Kill | None, strike: Callable[[str], None], upstream: Callable[[], int | None]
    ) -> None:
        self.kill = kill
        self.strike = strike
        self.upstream = upstream
        self.count = 0
        self.struck = threading.Event()
        self.asleep = threading.Event()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.port = self._server.server_address[1]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def due(self, moment: Moment, number: int) -> bool:
        """Whether the kill is due now; it is but once."""
        due = self.kill is not None and (self.kill.moment, self.kill.message) == (moment, number)
        return due and not self.struck.is_set()

    @property
    def is_done(self) -> bool:
        """Whether nobody is to die any more."""
        return self.kill is None or self.struck.is_set()

    def hit(self) -> None:
        self.strike(self.kill.who)
        self.struck.set()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                # One message at a time: the number of each is its place in the conversation.
                with proxy._lock:
                    answer = proxy.pass_on(self.path, body)
                    if answer is None:  # the connection breaks
                        self.close_connection = True
                        return
                    self.answer(*answer)
                    if proxy.due("amid", proxy.count) and proxy.kill.who == "agent":
                        # The command is out; give the agent the time to get half of it done.
                        threading.Event().wait(0.04)
                        proxy.hit()

            def answer(self, status: int, content: bytes) -> None:
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                except OSError:
                    self.close_connection = True

            def log_message(self, *_args: object) -> None:
                pass

        return Handler

    def pass_on(self, path: str, body: bytes) -> tuple[int, bytes] | None:
        """Bring a message to the server and its answer back; None if one of them is dead."""
        self.count += 1
        number = self.count
        if self.due("before", number):
            self.hit()
            return None
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream() or 1, timeout=20)
        try:
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            if self.due("amid", number) and self.kill.who == "server":
                self.hit()
                return None
            response = connection.getresponse()
            status, content = response.status, response.read()
        except OSError:
            self.count -= 1  # it was never heard
            return None
        finally:
            connection.close()
        if self.due("after", number):
            self.hit()
            return None
        if status == 200 and json.loads(content).get("cmd") == "SLEEP":
            self.asleep.set()
        return status, content
