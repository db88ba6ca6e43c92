"""Real builds of podman, seen, written down, copied to a real registry with TLS and passwords, sent to a real server."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

NEEDED = ("podman", "runc", "docker-registry", "htpasswd", "skopeo", "openssl", "busybox")
MISSING = [each for each in NEEDED if not shutil.which(each)]

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(900),
    pytest.mark.skipif(bool(MISSING), reason=f"no {', '.join(MISSING)}: run scripts/system-packages"),
    pytest.mark.skipif(os.geteuid() != 0, reason="podman with a storage of its own is tried as root"),
]

BIN = Path(sys.executable).parent
STORAGE = """
[storage]
driver = "overlay"
graphroot = "{directory}/graph"
runroot = "{directory}/run"
"""
CONTAINERS = """
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "{directory}/tmp"
events_logfile_path = "{directory}/events.log"
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
"""
GOOD = (
    "FROM scratch\nCOPY root /\nRUN echo pip install --index-url https://me:{secret}@pypi.example/simple x\n"
)
BAD = "FROM localhost/trimtab-base:1\nRUN echo to fail && exit 3\n"
SLOW = "FROM localhost/trimtab-base:1\nRUN echo slowly; /usr/bin/busybox sleep 100\n"


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options)


def _libraries(program):
    """What ldd says; nothing of a program that is linked statically."""
    return subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout


def wait(condition, seconds=240):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.2)
    raise AssertionError("it did not become true")


@pytest.fixture(scope="module")
def server(secured_registry, tmp_path_factory):
    """`trimtab serve`; its URL."""
    home = tmp_path_factory.mktemp("home")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRIMTAB_")}
    environment = kept | {"TRIMTAB_HOME": str(home), "TRIMTAB_REGISTRY_CA": str(secured_registry.certificate)}
    log = home / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [BIN / "trimtab", "serve", "--port", "0", "--engine", "docker"],
            stdout=file,
            stderr=file,
            env=environment,
        )
    try:
        found = wait(lambda: re.search(r"running on (http://\S+:\d+)", log.read_text()) or process.poll())
        assert process.poll() is None, log.read_text()
        yield found[1]
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def machine(secured_registry, server, tmp_path_factory):
    """A podman with a storage of its own, and the environment in which agent and builds run."""
    directory = tmp_path_factory.mktemp("podman")
    (directory / "storage.conf").write_text(STORAGE.format(directory=directory))
    (directory / "containers.conf").write_text(CONTAINERS.format(directory=directory))
    context = directory / "context"
    for each in (
        shutil.which("busybox"),
        *re.findall(r"(/\S+) \(0x", _libraries(shutil.which("busybox"))),
    ):
        target = context / "root" / each.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(each, target)
    (context / "root" / "bin").mkdir(exist_ok=True)
    (context / "root" / "bin" / "sh").symlink_to("/usr/bin/busybox")
    bundle = directory / "ca.pem"
    bundle.write_bytes(secured_registry.certificate.read_bytes())
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("TRIMTAB_", "SERVO_"))
    } | {
        "CONTAINERS_STORAGE_CONF": str(directory / "storage.conf"),
        "CONTAINERS_CONF": str(directory / "containers.conf"),
        "SSL_CERT_FILE": str(bundle),
        "THOTH_USER_API_HOST": server,
        "THOTH_PUSH_REGISTRY": f"{secured_registry.host}/builds",
        "THOTH_DST_REGISTRY_USER": secured_registry.user,
        "THOTH_DST_REGISTRY_PASSWORD": secured_registry.password,
        "THOTH_WATCHED_NAMESPACE": "team",
        "SERVO_BUILDS_JOURNAL": str(directory / "journal.sqlite"),
    }
    yield directory, environment
    subprocess.run(["podman", "rmi", "--all", "--force"], env=environment, capture_output=True, check=False)
    # podman leaves its storage mounted, and pytest could not remove it.
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for each in sorted((each for each in mounts if each.startswith(f"{directory}/")), reverse=True):
        subprocess.run(["umount", each], capture_output=True, check=False)


@pytest.fixture(scope="module")
def agent(machine, server):
    """`servo builds watch` on podman; where its metrics are, and what it said."""
    directory, environment = machine
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = directory / "agent.log"
    with log.open("wb") as file:
        command = [BIN / "servo", "builds", "watch", "--source", "podman", "--metrics-port", str(port)]
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=file, cwd=directory)
    try:
        wait(lambda: "watches podman" in log.read_text() or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        time.sleep(1)  # podman itself listens to its events a little later, and tells nobody
        yield port, log
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 143


def podman(machine, text, *options, check=True):
    """The command line of a build."""
    directory, environment = machine
    file = directory / f"Containerfile-{abs(hash(text))}"
    file.write_text(text)
    return [
        "podman",
        "build",
        "--network=none",
        "--file",
        str(file),
        *options,
        str(directory / "context"),
    ], environment


def listed(machine):
    directory, environment = machine
    found = run(BIN / "servo", "builds", "list", "--output", "json", env=environment, cwd=directory)
    return json.loads(found.stdout)


def shown(machine, identity):
    directory, environment = machine
    return json.loads(run(BIN / "servo", "builds", "show", identity, env=environment, cwd=directory).stdout)


def over(machine, name):
    """What the journal says of the build of a name, when it is sent or given up."""
    builds = [
        each
        for each in listed(machine)
        if each["name"] == name and each["state"] in {"submitted", "tombstone"}
    ]
    return shown(machine, builds[0]["identity"]) if builds else None


def fetched(url):
    with urllib.request.urlopen(url, timeout=30) as response:
        return response.status, json.loads(response.read())


def analysed(server, answer, part="build_analysis", path="build-analysis"):
    url = f"{server}/api/v1/{path}/{answer[part]['analysis_id']}"

    def finished():
        status, document = fetched(url)
        return document if status == 200 else None

    return wait(finished)


def wrapped(machine, name, text, *options):
    command, environment = podman(machine, text, *options)
    whole = [BIN / "servo", "builds", "run", "--name", name, "--", *command]
    return subprocess.Popen(
        whole, env=environment, cwd=machine[0], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_builds_of_podman_come_to_be_known(machine, agent, server, secured_registry):
    """A good one, a failing one, a cancelled one, by `servo builds run`; one that only podman's events tell of."""
    port, log = agent
    good = wrapped(
        machine, "good", GOOD.format(secret="hunter2-hunter2"), "--tag", "localhost/trimtab-base:1"
    )
    said, _ = good.communicate(timeout=120)
    assert good.returncode == 0, said
    bad = wrapped(machine, "bad", BAD)
    assert bad.wait(120) == 3 or bad.returncode == 1  # podman's own code, whatever it is
    slow = wrapped(machine, "slow", SLOW)
    lines = []
    while "slowly\n" not in lines:
        lines.append(slow.stdout.readline())
        assert lines[-1], lines
    slow.send_signal(signal.SIGTERM)
    assert slow.wait(60) != 0
    slow.stdout.close()
    bad.stdout.close()
    # Seen by the event alone.
    command, environment = podman(
        machine, "FROM localhost/trimtab-base:1\nCOPY root/bin /other\n", "--tag", "localhost/only-event:1"
    )
    subprocess.run(command, env=environment, check=True, capture_output=True)

    known = {
        name: wait(lambda name=name: over(machine, name))
        for name in ("good", "bad", "slow", "localhost/only-event:1")
    }
    assert {name: each["build"]["phase"] for name, each in known.items()} == {
        "good": "complete", "bad": "failed", "slow": "cancelled", "localhost/only-event:1": "complete",
    }  # fmt: skip
    assert {each["state"] for each in known.values()} == {"submitted"}, known

    answer = known["good"]["answer"]
    document = analysed(server, answer)
    assert document["build"]["phase"] == "complete"
    image = analysed(server, answer, "output_image_analysis", "analyze")
    assert image["result"] is not None
    _, raw = fetched(f"{server}/api/v1/buildlog/{answer['buildlog_document_id']}")
    assert "pip install" in raw["log"]
    assert "hunter2" not in json.dumps(raw)
    parsed = analysed(server, known["bad"]["answer"], "buildlog_analysis", "buildlog-analysis")
    assert parsed["result"]
    event = known["localhost/only-event:1"]["answer"]
    assert event["base_image_analysis"] is not None
    assert [each["part"] for each in event["missing"]] == ["build_log"]

    # Each once, though podman told of the wrapped ones, too.
    time.sleep(2)
    mine = [each["name"] for each in listed(machine)]
    assert sorted(mine) == sorted(known), mine
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as page:
        metrics = page.read().decode()
    assert (
        'build_watcher_image_pushed_registry_total{namespace="team",kind="output",outcome="copied"}'
        in metrics
    )
    assert secured_registry.password not in log.read_text()
