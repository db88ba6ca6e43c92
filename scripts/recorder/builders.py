"""podman, buildah, Docker's classic builder and BuildKit: builds and pushes."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from recorder.recording import ROOT, WORK, fresh, record

__all__ = ["builders", "pushes"]

_FROM = "FROM localhost/python:3.11\n"
_PIP = "RUN python3 -m pip install --break-system-packages --no-cache-dir --index-url {index}/simple "
_CASES = {
    "success": "WORKDIR /srv\nRUN echo built > mark\nRUN cat mark\n",
    "step-fails": "RUN echo before\nRUN echo it breaks >&2; exit 7\nRUN echo after\n",
    "command-not-found": "RUN micropipenv install\n",
    "no-matching-distribution": "RUN python3 -m pip install --break-system-packages --no-index galley==0.5\n",
    "apt-no-package": "RUN apt-get install -y no-such-package-here\n",
    "killed": "RUN python3 -c 'import os; os.kill(os.getpid(), 9)'\n",
    "terminated": "RUN python3 -c 'import os; os.kill(os.getpid(), 15)'\n",
    "disk-full": "RUN dd if=/dev/zero of=/dev/full bs=1k count=1\n",
    "disk-full-of-a-real-disk": "RUN dd if=/dev/zero of=/dev/shm/full bs=1M count=200\n",
    "apt-success": "RUN apt-get update && apt-get install -y --no-install-recommends hello libyaml-0-2\n",
    "apt-unresolvable": "RUN echo 'deb http://mirror.invalid/debian bookworm main' > /etc/apt/sources.list && apt-get update && apt-get install -y hello\n",
    "multi-stage": "AS build\nRUN echo 1 > /one\nFROM localhost/python:3.11\nCOPY --from=build /one /one\nLABEL a=b\n",
    "syntax": "RUNN true\n",
    "externally-managed": "RUN python3 -m pip install --index-url {index}/simple galley\n",
    "pip-success": _PIP + "harbour galley==0.5\n",
    "pip-sdist-without-a-compiler": _PIP + "keel\n",
    "pip-conflict": _PIP + "anchor buoy\n",
    "pip-failure-that-is-survived": _PIP + "galley==9.9 || true\nRUN echo on\n",
    "copy-of-nothing": "COPY no-such-file /srv/\n",
    "no-such-executable": 'RUN ["/srv/no-such-program"]\n',
}  # fmt: skip
_BASES = {
    "no-such-base": "localhost/no-such-image:1.0", "base-of-no-host": "registry.invalid/base:1", "base-without-a-tag": "{registry}/no-such-image:1.0",
    "base-certificate": "{secure}/base:1", "base-unauthorized": "{closed}/base:1",
}  # fmt: skip


# Docker trusts every registry on the loopback; buildah's chroot has the machine's own /dev/shm.
_MEANT_FOR_OTHERS = {
    ("docker", "base-certificate"), ("buildkit", "base-certificate"), ("docker", "push-certificate"), ("buildah", "disk-full-of-a-real-disk"),
}  # fmt: skip


def _commands() -> Iterator[tuple[str, list[str], dict[str, str]]]:
    containers = {
        "CONTAINERS_CONF": os.environ.get("CONTAINERS_CONF", str(ROOT / "scripts" / "containers.conf"))
    }
    host, program = (
        os.environ.get("TRIMTAB_TEST_DOCKER_HOST", ""),
        os.environ.get("TRIMTAB_TEST_DOCKER", "/usr/bin/docker"),
    )
    yield "podman", ["podman"], containers
    yield "buildah", ["buildah"], containers
    if host and shutil.which(program):
        yield "docker", [program], {"DOCKER_HOST": host, "DOCKER_BUILDKIT": "0"}
        yield "buildkit", [program], {"DOCKER_HOST": host, "DOCKER_BUILDKIT": "1"}
    else:
        print("docker, buildkit: not here")


_BUILD = {
    "podman": ["build", "--no-cache", "--network", "host"], "buildah": ["bud", "--no-cache", "--isolation", "chroot"], "docker": ["build", "--no-cache", "--network", "host"],
    "buildkit": ["build", "--no-cache", "--progress", "plain", "--network", "host"],
}  # fmt: skip


def builders(index: str, secure: str) -> None:
    """Dockerfiles, built by each."""
    for tool, program, env in _commands():
        if shutil.which(program[0]) is None:
            print(f"{tool}: not here")
            continue
        _image(tool, program, env)
        for name, text in _CASES.items():
            if (tool, name) in _MEANT_FOR_OTHERS:
                continue
            _build(
                tool,
                program,
                env,
                name,
                (_FROM.strip() + (" " if text.startswith("AS") else "\n") + text).replace("{index}", index),
            )
        with _registry("open") as registry, _registry("closed", closed=True) as closed:
            names = {"registry": registry, "closed": closed, "secure": secure.removeprefix("https://")}
            for name, base in _BASES.items():
                if (tool, name) in _MEANT_FOR_OTHERS:
                    continue
                _build(
                    tool,
                    program,
                    env,
                    name,
                    f"FROM {base.format(**names)}\nRUN true\n",
                    tls=name == "base-certificate",
                )
        _more(tool, program, env)


def _build(
    tool: str,
    program: list[str],
    env: Mapping[str, str],
    name: str,
    text: str,
    *options: str,
    tls: bool = True,
) -> None:
    place = fresh(f"{tool}-{name}")
    (place / "Dockerfile").write_text(text)
    insecure = [] if tls or tool in {"docker", "buildkit"} else ["--tls-verify=false"]
    record(
        tool,
        name,
        [*program, *_BUILD[tool], *insecure, *options, "--tag", "localhost/recorded", str(place)],
        env=env,
        cwd=place,
    )


def _more(tool: str, program: list[str], env: Mapping[str, str]) -> None:
    """What is of one builder only, or needs another command."""
    hog = _FROM + "RUN python3 -c 'bytearray(10**9); print(1)'\n"
    if tool in {"podman", "docker"}:
        _build(tool, program, env, "out-of-memory", hog, "--memory", "64m", "--memory-swap", "64m")
    cached = fresh(f"{tool}-cached")
    (cached / "Dockerfile").write_text(_FROM + "RUN echo once\nRUN echo twice\n")
    command = [
        *program,
        *(each for each in _BUILD[tool] if each != "--no-cache"),
        *(["--layers"] if tool == "buildah" else []),
        str(cached),
    ]
    subprocess.run(command, env=os.environ | env, check=False, capture_output=True, cwd=cached)
    record(tool, "cached", command, env=env, cwd=cached)


def _image(tool: str, program: list[str], env: Mapping[str, str]) -> None:
    archive = subprocess.run(
        [ROOT / "scripts/test-image"], capture_output=True, text=True, check=True
    ).stdout.strip()
    if not archive:
        archive = str(
            Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
            / "trimtab-test"
            / "python-3.11.tar"
        )
    if tool in {"docker", "buildkit"}:
        subprocess.run([*program, "load", "--quiet", "--input", archive], check=True, env=os.environ | env)


def pushes(_: str, secure: str) -> None:
    """Pushes to a registry, and what keeps one from it."""
    for tool, program, env in _commands():
        if tool == "buildkit" or shutil.which(program[0]) is None:
            continue
        _build(tool, program, env, "success", _FROM + "WORKDIR /srv\nRUN echo built > mark\nRUN cat mark\n")
        insecure = [] if tool == "docker" else ["--tls-verify=false"]
        with _registry("open") as registry, _registry("closed", closed=True) as closed:
            for name, target, options in (
                ("push-success", f"{registry}/ns/app:v1", insecure), ("push-unauthorized", f"{closed}/ns/app:v1", insecure), ("push-refused", "127.0.0.1:10999/app:v1", insecure),
                ("push-unresolvable", "registry.invalid/ns/app:v1", []), ("push-certificate", f"{secure.removeprefix('https://')}/ns/app:v1", []),
            ):  # fmt: skip
                if (tool, name) in _MEANT_FOR_OTHERS:
                    continue
                _push(tool, program, env, name, target, options)


def _push(
    tool: str, program: list[str], env: Mapping[str, str], name: str, target: str, options: list[str]
) -> None:
    if tool == "docker":
        subprocess.run([*program, "tag", "localhost/recorded", target], check=True, env=os.environ | env)
        record(tool, name, [*program, "push", target], env=env)
    else:
        record(tool, name, [*program, "push", *options, "localhost/recorded", f"docker://{target}"], env=env)


@contextlib.contextmanager
def _registry(name: str, *, closed: bool = False) -> Iterator[str]:
    """Debian's registry on the loopback; a closed one wants a password."""
    place, address = fresh(f"registry-{name}"), f"127.0.0.1:{_port()}"
    (place / "users").write_text("")
    auth = f"auth: {{htpasswd: {{realm: closed, path: {place}/users}}}}\n" if closed else ""
    (place / "config.yml").write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {place}/data}}}}\nhttp: {{addr: {address}}}\n{auth}"
    )
    with (place / "log").open("wb") as log:
        server = subprocess.Popen(["docker-registry", "serve", place / "config.yml"], stdout=log, stderr=log)
    _wait(address)
    try:
        yield address
    finally:
        server.terminate()
        server.wait()


def _port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait(address: str) -> None:
    host, _, port = address.partition(":")
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
            return
        time.sleep(0.05)
    raise OSError(f"no registry at {address}; its log is in {WORK}")
