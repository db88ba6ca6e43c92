"""What tests with real processes share: an optimizer that follows a script, and the ``servo`` program."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

PATIENCE = 40  # seconds: other tests run beside this one
SLEEP = {"cmd": "SLEEP", "param": {"duration": 60, "data": {"reason": "the script is over"}}}


class ScriptedOptimizer:
    """Answers WHATS_NEXT with one command of its script after the other, everything else with ok, and remembers."""

    def __init__(self):
        self.script = []
        self.answers = {}
        self.posts = []
        self._changed = threading.Condition()
        optimizer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                optimizer.handle(self)

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}"

    def handle(self, request):
        message = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
        with self._changed:
            self.posts.append((message["event"], message["param"]))
            self._changed.notify_all()
        status, body = self._answer(message["event"])
        content = json.dumps(body).encode()
        try:
            request.send_response(status)
            request.send_header("Content-Type", "application/json")
            request.send_header("Content-Length", str(len(content)))
            request.end_headers()
            request.wfile.write(content)
        except OSError:
            pass  # the servo may be gone already

    def _answer(self, event):
        answer = self.answers.get(event)
        if answer is not None:
            return answer() if callable(answer) else answer
        if event != "WHATS_NEXT":
            return 200, {"status": "ok"}
        with self._changed:
            return 200, self.script.pop(0) if self.script else SLEEP

    def events(self):
        with self._changed:
            return [event for event, _ in self.posts]

    def params(self, event):
        with self._changed:
            return [param for name, param in self.posts if name == event]

    def results(self, event):
        """The results of an operation, without progress."""
        return [param for param in self.params(event) if "status" in param]

    def wait_for(self, event, count=1, found=None):
        """Wait until an event was posted; ``found`` narrows it to posts for whose parameter it is true."""
        deadline = time.monotonic() + PATIENCE
        with self._changed:
            while True:
                matching = [
                    param for name, param in self.posts if name == event and (found is None or found(param))
                ]
                if len(matching) >= count:
                    return matching
                remaining = deadline - time.monotonic()
                assert remaining > 0, f"no {event} came, only {[name for name, _ in self.posts]}"
                self._changed.wait(remaining)

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def scripted_optimizer():
    optimizer = ScriptedOptimizer()
    yield optimizer
    optimizer.close()


class Program:
    """A ``servo`` process."""

    def __init__(self, process, log):
        self.process = process
        self.log = log

    def signal(self, number):
        self.process.send_signal(number)

    def wait_for_line(self, text):
        deadline = time.monotonic() + PATIENCE
        while text not in self.log.read_text():
            assert self.process.poll() is None, (
                f"it ended with {self.process.returncode}:\n{self.log.read_text()}"
            )
            assert time.monotonic() < deadline, f"no line has {text!r}:\n{self.log.read_text()}"
            time.sleep(0.02)

    def end(self):
        """Wait for the end and give back the exit code and the log."""
        code = self.process.wait(timeout=PATIENCE)
        return code, self.log.read_text()


@pytest.fixture
def servo_environment(tmp_path):
    """The environment of ``servo`` processes; tests add to it."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SERVO_", "OPSANI_", "APPD_", "COV_", "COVERAGE_"))
    }
    return {**kept, "NO_COLOR": "1", "COLUMNS": "100"}


@pytest.fixture
def servo_run(tmp_path, servo_environment):
    """Run ``servo`` to its end."""

    def run(*args, typed=None, env=None):
        return subprocess.run(
            [sys.executable, "-c", MAIN, *args],
            cwd=tmp_path,
            env={**servo_environment, **(env or {})},
            input=typed,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    return run


@pytest.fixture
def servo_start(tmp_path, servo_environment):
    """Start ``servo`` and leave it running; what is left at the end of the test is killed."""
    started = []

    def start(*args, env=None):
        log = tmp_path / f"servo-{len(started)}.log"
        with log.open("w") as stream:
            process = subprocess.Popen(
                [sys.executable, "-c", MAIN, *args],
                cwd=tmp_path,
                env={**servo_environment, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started.append(Program(process, log))
        return started[-1]

    yield start
    for program in started:
        if program.process.poll() is None:
            os.killpg(program.process.pid, signal.SIGKILL)
            program.process.wait()


MAIN = "import sys; sys.argv[0] = 'servo'; from servo.cli import main; main()"
REPOSITORY = Path(__file__).parents[2]
