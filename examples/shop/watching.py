"""Builds of the shop's stack, watched: one that is good and one that fails are sent to a server, taken apart there, and asked about.

python examples/shop/watching.py
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

HERE = Path(__file__).resolve().parent
PROGRAMS = Path(sys.executable).parent
PATIENCE = 60.0
SIGNALLED = 128

Run = Callable[[Sequence[str], Mapping[str, str]], int]


@contextmanager
def server(port: str, environment: Mapping[str, str], log: Path) -> Iterator[str]:
    """A server that takes builds apart; its address."""
    command = [str(PROGRAMS / "trimtab"), "serve", "--port", port]
    with (
        log.open("w") as output,
        subprocess.Popen(command, env=environment, stdout=output, stderr=output) as process,  # noqa: S603  our own command line
    ):
        try:
            until(lambda: answers(f"http://127.0.0.1:{port}/healthz", process))
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    """Whether the server is there yet."""
    if process.poll() is not None:
        raise SystemExit("the server that takes builds apart ended while it started")
    try:
        with urlopen(url, timeout=5) as answer:  # noqa: S310  our own address
            return bool(answer.status)
    except (URLError, TimeoutError):
        return False


def until(there: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE
    while not there():
        if time.monotonic() > deadline:
            raise SystemExit(f"nothing came of it in {PATIENCE:g} s")
        time.sleep(0.1)


def steps(folder: Path, address: str) -> Iterator[list[str]]:
    """The commands: what a good build made and said, and another one that fails, both sent to the server."""
    trimtab, servo, stack = str(PROGRAMS / "trimtab"), str(PROGRAMS / "servo"), folder / "stack"
    install = [str(PROGRAMS / "uv"), "pip", "install", "--target", str(stack)]
    sent = ["--name", "shop", "--backend", address, "--journal", str(folder / "builds.sqlite")]
    log = folder / "build.log"
    with log.open("w") as output:
        good = [*install, "--requirement", str(HERE / "requirements.txt")]
        subprocess.run(good, stdout=output, stderr=output, check=True)  # noqa: S603  our own command line
    yield [trimtab, "packages", str(stack)]
    yield [trimtab, "parse-log", str(log)]
    yield [servo, "builds", "submit", *sent, "--log", str(log), "--exit-code", "0"]
    yield [servo, "builds", "run", *sent, "--", *install, "starlette==99.0"]


def analysed(address: str) -> bool:
    """Whether the server knows of the failure."""
    with urlopen(f"{address}/api/v1/ask/breakers", timeout=30) as answer:  # noqa: S310  our own address
        return bool(json.load(answer)["items"])


def watch(folder: Path, port: str, environment: Mapping[str, str], run: Run) -> int:
    """Build twice, and ask what fails most often. Returns the exit code; that a build fails is no failure of ours."""
    with server(port, environment, folder / "server.log") as address:
        for command in steps(folder, address):
            code = run(command, environment)
            if code < 0 or code >= SIGNALLED:
                return code
        until(lambda: analysed(address))
        return run([str(PROGRAMS / "trimtab"), "ask", "breakers", "--server", address], environment)


if __name__ == "__main__":
    import os

    from demo import free_port

    def called(command: Sequence[str], environment: Mapping[str, str]) -> int:
        return subprocess.call(command, env=environment)  # noqa: S603  our own command line

    with tempfile.TemporaryDirectory(prefix="trimtab-watching-") as name:
        own = {**os.environ, "TRIMTAB_HOME": name}
        sys.exit(watch(Path(name), free_port(), own, called))
