"""A small application to run, and where its processes are."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from servo.connectors.process.configuration import ProcessConfiguration

APPLICATION = """
import http.server, json, os, signal, subprocess, sys, time

def say(*words):
    print(*words, flush=True)

def child(code):
    subprocess.Popen([sys.executable, "-c", code])

mode = os.environ.get("MODE", "plain")
say("starting with", mode, *sys.argv[1:])
if mode == "broken":
    say("cannot \\x1b[31mwork\\x1b[0m like this")
    sys.exit(3)
if mode == "silent":
    time.sleep(600)
if mode == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if mode == "family":
    child("import time; time.sleep(600)")
    child("import os, signal, time; os.setsid(); signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)")
    # A daemon: forked twice, in a session of its own, its parents gone.
    child("import os, time; os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0); time.sleep(600)")

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path == "/crash":
            os._exit(7)
        found = {"pid": os.getpid(), "argv": sys.argv[1:], "environment": dict(os.environ), "directory": os.getcwd()}
        body = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
say("ready")
if mode == "brief":
    import threading
    threading.Timer(0.3, lambda: os._exit(9)).start()
server.serve_forever()
"""

MODES = ["plain", "other", "broken", "silent", "stubborn", "family", "brief"]


@pytest.fixture
def marked() -> Iterator[str]:
    """A variable that all processes of the test's application inherit; none of them may be left at the end."""
    mark = f"TEST_{os.getpid()}_{time.monotonic_ns()}"
    yield mark
    for process in carrying(mark):
        process.kill()


@pytest.fixture
def make_config(tmp_path: Path, free_port: int, marked: str) -> Callable[..., ProcessConfiguration]:
    """Makes a configuration that runs the application."""
    program = tmp_path / "app.py"
    program.write_text(APPLICATION)

    def make(**values: Any) -> ProcessConfiguration:
        fields: dict[str, Any] = {
            "command": [sys.executable, str(program)],
            "directory": str(tmp_path),
            "port": free_port,
            "environment": {marked: "1"},
            "readiness": {"http": "http://127.0.0.1:${port}/", "timeout": "20s", "interval": "20ms"},
            "settlement": "50ms",
            "drain": {"grace": "2s"},
            "settings": [
                {"name": "mode", "type": "enum", "values": MODES, "default": "plain", "environment": "MODE"},
                {
                    "name": "size",
                    "min": 1,
                    "max": 9,
                    "default": 2,
                    "argument": ["--size", "${value}"],
                    "type": "range",
                },
            ],
        }
        return ProcessConfiguration(**(fields | values))

    return make


def carrying(mark: str) -> list[psutil.Process]:
    """Processes that have a variable, those that have ended excepted."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if mark in process.environ() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


@pytest.fixture
def alive(marked: str) -> Callable[[], list[psutil.Process]]:
    """Processes of the application under test."""
    return lambda: carrying(marked)


@pytest.fixture
def wait_until_gone(marked: str) -> Callable[..., list[psutil.Process]]:
    """Waits until no process of the application is left, at most some seconds; returns what still is."""

    def wait(seconds: float = 15.0) -> list[psutil.Process]:
        deadline = time.monotonic() + seconds
        while (left := carrying(marked)) and time.monotonic() < deadline:
            time.sleep(0.05)
        return left

    return wait
