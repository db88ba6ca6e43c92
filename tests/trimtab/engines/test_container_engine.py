"""Builds and runs with podman and Docker, as they are."""

import asyncio
import json
import os
import shutil
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from trimtab.engines import (
    BuildFailedError,
    BuildGoneError,
    ContainerEngine,
    ContainerSettings,
    EngineUnavailableError,
    FailureKind,
    RefusedError,
    Resources,
    choose,
)

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]
MIB = 2**20

LOOK_AROUND = """\
import json, os, socket
def refused(action):
    try:
        action()
    except OSError as error:
        return error.strerror
    return None
open("written", "w").close()
open("/tmp/written", "w").close()
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
s = socket.socket()
print(json.dumps({
    "user": os.getuid(), "home": os.environ["HOME"], "cwd": os.getcwd(), "data": open("data.txt").read(),
    "root": refused(lambda: open("/opt/written", "w")), "capabilities": int(status["CapBnd"], 16),
    "privileges": status["NoNewPrivs"].strip(), "interfaces": [name for _, name in socket.if_nameindex()],
    "network": refused(lambda: s.connect(("192.0.2.1", 80))), "ours": sorted(k for k in os.environ if "TRIMTAB" in k),
    "files": sorted(os.listdir(".")),
}))
"""


async def test_a_build_and_its_runs_confined(container):
    """Each run sees the image's home and writes over it; nothing else can be written, nobody reached, nothing left."""
    build = await container.build(LOOK_AROUND)
    assert build.reference.startswith("sha256:")
    assert build.digest
    assert build.digest.startswith("sha256:")
    assert b"COPY entrypoint" in build.log.read_bytes()
    assert build.log.read_bytes() == bytes(container.printed)
    for item in (0, 1):
        run = await container.run(build, item)
        assert (run.exit_code, run.signal, run.lost, run.oom_killed, run.timed_out) == (
            0,
            None,
            None,
            False,
            False,
        )
        assert run.notes == ()
        assert run.started < run.ended
        found = json.loads(container.result(item))
        assert found["user"] == 1042
        assert found["home"] == found["cwd"] == "/home/amun"
        assert found["data"] == "data\n"
        assert found["root"] == "Read-only file system"
        assert found["capabilities"] == 0
        assert found["privileges"] == "1"
        assert found["interfaces"] == ["lo"]
        assert found["network"] == "Network is unreachable"
        assert found["ours"] == ["TRIMTAB_RUN_TIMEOUT"]
        assert found["files"] == ["data.txt", "entrypoint", "results", "script", "script.stdout", "written"]
    again = await container.build(LOOK_AROUND)
    assert again.cached
    assert again.size > 1_000_000
    changed = await container.build(LOOK_AROUND + "# changed")
    assert not changed.cached
    await container.engine.clean(container.inspection)
    assert container.left() == ""
    await container.engine.clean(container.inspection)


async def test_the_memory_limit_ends_a_run_and_is_told_from_other_ends_by_137(runner):
    run = await runner.sh("python3 -c 'bytearray(10**9)'; exit $?", memory=64 * MIB)
    assert (run.exit_code, run.signal, run.oom_killed, run.timed_out, run.lost) == (137, 9, True, False, None)
    other = await runner.sh("exit 137", memory=64 * MIB)
    assert (other.exit_code, other.oom_killed, other.lost) == (137, False, None)


async def test_the_next_attempt_of_a_run_waits_until_the_container_before_is_gone(runner):
    """It has the same name, which Docker gives away only then; what removes it does not hold up the run before."""
    runs = [await runner.sh("exit 7", memory=64 * MIB) for _ in range(4)]
    assert [(each.exit_code, each.lost) for each in runs] == [(7, None)] * 4


async def test_a_run_out_of_time_is_asked_to_end_then_killed(runner):
    began = time.monotonic()
    run = await runner.sh("sleep 600 & sleep 600", timeout=0.8)
    assert (run.exit_code, run.timed_out, run.oom_killed, run.lost) == (137, True, False, None)
    assert time.monotonic() - began < 30


async def test_the_cpu_quota_throttles(runner):
    script = """\
import glob, json, time
(path,) = [p for p in ("/sys/fs/cgroup/cpu.stat", "/sys/fs/cgroup/cpu/cpu.stat") if glob.glob(p)]
def throttled(): return int(dict(line.split() for line in open(path))["nr_throttled"])
began, before = time.monotonic(), time.process_time()
while throttled() < 3 or time.monotonic() < began + 1: pass
print(json.dumps({"wall": time.monotonic() - began, "used": time.process_time() - before, "throttled": throttled()}))
"""
    # On a busy machine it takes a while until a period's quota is used up.
    run = await runner.sh(f"exec python3 -c '{script}'", cpu=0.2)
    assert run.exit_code == 0
    found = json.loads(runner.result())
    assert found["throttled"] >= 3
    assert found["used"] < 0.25 * found["wall"] + 0.2


async def test_the_number_of_processes_is_limited(runner):
    script = """\
import os, time
count = 0
try:
    while count < 500:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        count += 1
except OSError as error:
    print(count, error.strerror)
"""
    limit(runner, pids=50)
    run = await runner.sh(f"exec python3 -c '{script}'")
    assert run.exit_code == 0  # and its children end with it
    count, _, problem = runner.result().partition(" ")
    assert 20 < int(count) < 50
    assert problem.strip() == "Resource temporarily unavailable"


async def test_one_container_for_all_runs_where_asked(runner):
    """What one run leaves the next one sees; a run out of time takes the container with it, and the next has a new one."""
    first = await runner.sh("echo x >>marks; cat marks; exit 7", 0, reuse=True)
    second = await runner.sh("echo x >>marks; cat marks; exit 7", 1, reuse=True)
    assert (first.exit_code, second.exit_code, second.lost) == (7, 7, None)
    assert (runner.result(0), runner.result(1)) == ("x\n", "x\nx\n")
    assert len(runner.containers().split()) == 1
    late = await runner.sh("sleep 600", 2, reuse=True, timeout=0.5)
    assert (late.timed_out, late.lost) == (True, None)
    third = await runner.sh("cat marks; python3 -c 'bytearray(10**9)'; exit $?", 3, reuse=True)
    assert (third.exit_code, third.oom_killed, runner.result(3)) == (137, True, "")
    await runner.engine._keeper.drop(runner.inspection)
    assert runner.containers("--all") == ""


async def test_what_a_run_prints_is_bounded(runner):
    limit(runner, log_limit=100_000)
    run = await runner.sh("head -c 20000000 /dev/zero | tr '\\0' x >&2")
    assert run.exit_code == 0
    assert run.log.stat().st_size < 110_000
    assert len(runner.printed) <= 100_000
    assert run.notes == ("it printed more than is kept of a log",)


async def test_what_a_run_leaves_is_safe_to_read(runner):
    run = await runner.sh("cd results/0; ln -s /etc/shadow hwinfo; mkfifo pipe; mkdir -p d/e")
    assert run.exit_code == 0
    assert [path.name for path in (runner.directory / "results/0").iterdir()] == ["result"]
    assert len(run.notes) == 3


async def test_a_run_that_fills_the_disk_is_ended(podman_run):
    limit(podman_run, disk=20 * MIB)
    run = await podman_run.sh("for i in 1 2 3 4 5; do head -c 10000000 /dev/zero >big$i; done; sleep 600")
    assert run.lost is None
    assert run.notes[0].startswith("it was ended for having written more than")


async def test_files_are_limited_in_size(docker_run):
    limit(docker_run, disk=5 * MIB)
    await docker_run.sh("head -c 10000000 /dev/zero >big; stat -c %s big")
    assert int(docker_run.result()) == 5 * MIB


@pytest.mark.parametrize(
    ("instruction", "changes", "kind", "code"),
    [
        ("RUN echo the reason >&2; exit 3", {}, FailureKind.STACK, 3),
        ("RUN sleep 600", {"timeout": 3.0}, FailureKind.TIMEOUT, None),
        ("COPY nothing /", {}, FailureKind.STACK, None),
    ],
)
async def test_a_build_that_fails(container, instruction, changes, kind, code):
    with pytest.raises(BuildFailedError) as caught:
        await container.build(containerfile=f"FROM localhost/python:3.11\n{instruction}\n", **changes)
    assert caught.value.kind is kind
    if code:
        assert caught.value.exit_code == code
        assert "the reason" in caught.value.excerpt
    assert container.left() == ""


async def test_a_build_without_its_base(container):
    with pytest.raises(BuildFailedError) as caught:
        await container.build(containerfile="FROM localhost/there-is-none:1\nRUN true\n")
    assert caught.value.kind is FailureKind.BASE


async def test_the_memory_of_a_build_is_limited(podman):
    with pytest.raises(BuildFailedError) as caught:
        await podman.build(
            containerfile="FROM localhost/python:3.11\nRUN python3 -c 'bytearray(10**9)'\n",
            resources=Resources(1, 64 * MIB),
        )
    assert caught.value.kind is FailureKind.OOM


async def test_a_cancelled_build_leaves_nothing_that_works_on(podman):
    mark = f"6{os.getpid()}"
    task = asyncio.create_task(podman.build(containerfile=f"FROM localhost/python:3.11\nRUN sleep {mark}\n"))
    await until(lambda: running(f"sleep\0{mark}"))
    working = podman.ask("ps", "--all", "--external", "--format", "{{.ID}} {{.Status}}")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not running(f"sleep\0{mark}")
    left = podman.ask("ps", "--all", "--external", "--format", "{{.ID}} {{.Status}}")
    assert len(left.splitlines()) < len(working.splitlines())


async def test_a_cancelled_run_leaves_nothing(runner):
    task = asyncio.create_task(runner.sh("trap '' TERM; sleep 600"))
    await until(runner.containers)
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - began < 15
    assert runner.containers("--all") == ""


async def test_what_a_killed_build_left_is_removed_by_the_next_expire(podman, tmp_path):
    """Its supervisor ends the build; should that be killed as well, the working containers remain."""
    state, mark = tmp_path / "state", f"4{os.getpid()}"
    podman.engine = ContainerEngine("podman", state, podman.engine._settings)
    request = podman.request("", containerfile=f"FROM localhost/python:3.11\nRUN true\nRUN sleep {mark}\n")
    program = f"""
import asyncio
from pathlib import Path
from trimtab.engines import *
engine = ContainerEngine("podman", Path({str(state)!r}), ContainerSettings(environment={podman.environment!r}, build_network="host"))
request = BuildRequest({request.id!r}, Path({str(request.context)!r}), {request.base!r}, Resources(1, 2**29))
asyncio.run(engine.build(request, lambda data: None))
"""
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    await until(lambda: running(f"sleep\0{mark}"))
    await podman.engine.expire(0)
    assert running(f"sleep\0{mark}")
    (builder,) = [
        int(path.parent.name) for path in command_lines() if f"{state}/build-".encode() in path.read_bytes()
    ]
    os.kill(builder, signal.SIGKILL)
    child.kill()
    await child.wait()
    await until(lambda: not running(f"sleep\0{mark}"))
    working = podman.ask("ps", "--all", "--external", "--quiet")
    await podman.engine.expire(0)
    assert (
        len(podman.ask("ps", "--all", "--external", "--quiet").splitlines()) <= len(working.splitlines()) - 2
    )
    assert list(state.glob("build-*")) == []


async def test_secrets_reach_a_build_and_stay_in_no_image(container, tmp_path):
    container.engine._builder._index = replace(
        container.engine._builder._index, default="https://user:pass-word@mirror.example.com/simple"
    )
    await container.build(
        containerfile="FROM localhost/python:3.11\nRUN pip config list | sed s/pass-/PASS-/; ls -l /run/secrets\n",
        script="",
    )
    assert b"PASS-word@mirror.example.com" in container.printed
    build = await container.build(
        containerfile="FROM localhost/python:3.11\nRUN pip config list >/dev/null\n", script=""
    )
    for text in (
        container.ask("history", "--no-trunc", build.reference),
        container.ask("image", "inspect", build.reference),
    ):
        assert "pass-word" not in text
    listed = container.ask(
        "run",
        "--rm",
        "--network",
        "none",
        "--entrypoint",
        "",
        build.reference,
        "sh",
        "-c",
        "env; find /run/secrets -type f",
    )
    assert "PIP_" not in listed
    assert "trimtab" not in listed


async def test_an_image_that_was_removed_has_to_be_built_again(container):
    build = await container.build()
    container.ask("rmi", "--force", build.reference)
    with pytest.raises(BuildGoneError, match="build it again"):
        await container.run(build)


async def test_a_volume_that_was_removed_has_to_be_built_again(podman):
    build = await podman.build()
    podman.ask("volume", "rm", "--force", podman.engine._remover._labels.name(podman.inspection))
    with pytest.raises(BuildGoneError, match="build it again"):
        await podman.run(build)


async def test_a_container_without_its_program(container):
    build = await container.build(containerfile='FROM localhost/python:3.11\nCMD ["/not/there"]\n')
    run = await container.run(build)
    assert (run.exit_code, run.lost) == (127, None)
    assert run.notes[0].startswith("it could not be started: ")


async def test_a_container_whose_program_names_another_that_is_not_there(container):
    """As a base without a shell: the engine ends as the program would, with what it says for all output."""
    build = await container.build(
        containerfile="FROM localhost/python:3.11\nCOPY data.txt /home/amun/entrypoint\n"
        'RUN printf "#!/not/there\\n" >/home/amun/entrypoint && chmod 755 /home/amun/entrypoint\n'
        'CMD ["/home/amun/entrypoint"]\n'
    )
    run = await container.run(build)
    assert (run.exit_code, run.lost) == (127, None)
    assert run.notes[0].startswith("it could not be started: ")


async def test_a_run_is_lost_with_the_monitor_of_its_container(podman_run):
    task = asyncio.create_task(podman_run.sh("sleep 600"))
    await until(podman_run.containers)
    monitor = podman_run.ask("inspect", "--format", "{{.State.ConmonPid}}", podman_run.containers())
    os.kill(int(monitor), signal.SIGKILL)
    run = await task
    assert (run.exit_code, run.timed_out) == (None, False)
    assert run.lost == "podman's monitor of the container was killed"


async def test_a_run_is_lost_with_its_engine(docker_run):
    """The connection to the engine breaks in the middle of a run."""
    writers = []

    async def relay(reader, writer):
        other_reader, other_writer = await asyncio.open_unix_connection(
            docker_run.environment["DOCKER_HOST"].removeprefix("unix://")
        )
        writers.extend([writer, other_writer])

        async def pump(source, target):
            while data := await source.read(65536):
                target.write(data)
            if target.can_write_eof():
                target.write_eof()

        await asyncio.gather(pump(reader, other_writer), pump(other_reader, writer), return_exceptions=True)

    socket = Path("/tmp") / f"trimtab-relay-{os.getpid()}.sock"
    server = await asyncio.start_unix_server(relay, socket)
    settings = replace(docker_run.engine._settings, environment={"DOCKER_HOST": f"unix://{socket}"})
    docker_run.engine = ContainerEngine("docker", docker_run.state, settings)
    task = asyncio.create_task(docker_run.sh("sleep 600"))
    await until(docker_run.containers)
    server.close()
    socket.unlink()
    for writer in writers:
        writer.transport.abort()
    run = await task
    assert run.exit_code is None
    assert run.lost
    assert run.lost.startswith("docker")
    docker_run.ask("rm", "--force", docker_run.containers())


async def test_what_a_killed_process_left_is_removed_by_the_next_expire(podman, tmp_path):
    """Also what it left running, although it is young; and nothing that a living process works on."""
    podman.engine = ContainerEngine(
        "podman", tmp_path / "state", podman.engine._settings
    )  # whose state is its own
    build = await podman.build("#!/bin/sh\ntrap '' TERM; sleep 600")
    podman.engine._claims.release(podman.inspection)
    program = f"""
import asyncio, sys
from pathlib import Path
from trimtab.engines import *
engine = ContainerEngine("podman", Path({str(tmp_path / "state")!r}), ContainerSettings(environment={podman.environment!r}))
build = Build({build.reference!r}, None, (), Path("/log"), 0.0, False)
output = Path({str(tmp_path / "output")!r}); output.mkdir()
request = RunRequest({podman.inspection!r}, 0, build, Resources(1, 2**27), None, False, output)
asyncio.run(engine.run(request, lambda data: None))
"""
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    await until(podman.containers)
    assert await podman.engine.expire(0) == []
    child.kill()
    await child.wait()
    await podman.engine.expire(3600)
    assert podman.containers("--all") == ""
    assert podman.ask("image", "inspect", "--format", "{{.Id}}", build.reference)
    assert await podman.engine.expire(0) == [podman.inspection]
    assert podman.left() == ""


async def test_nothing_of_another_inspection_is_removed(container):
    build = await container.build("print('hello')")
    other = await container.engine.build(
        replace(container.request("print()"), id="inspection-other"), lambda _: None
    )
    await container.engine.clean("inspection-other")
    assert (
        container.ask(
            "images", "--quiet", "--no-trunc", "--filter", "label=trimtab.inspection=inspection-other"
        )
        == ""
    )
    assert other.reference != build.reference
    run = await container.run(build)
    assert (run.exit_code, container.result()) == (0, "hello\n")


async def test_a_run_that_is_repeated_takes_the_place_of_what_was_left(runner):
    name = runner.engine._remover._labels.name(runner.inspection, 0)
    runner.ask("create", "--name", name, runner.shared.reference)
    run = await runner.sh("echo hello")
    assert (run.exit_code, runner.result()) == (0, "hello\n")


async def test_what_it_can_is_told(container):
    found = await container.engine.prepare()
    assert found.name == container.flavour
    assert found.images
    assert found.memory
    assert found.cpu
    assert found.pids
    assert found.version[0].isdigit()


async def test_what_it_cannot_is_refused_before_anything_is_started(container):
    with pytest.raises(RefusedError, match="no GPU"):
        await container.build(resources=Resources(1, MIB, gpus=1))
    with pytest.raises(RefusedError, match="more than letters"):
        await container.build(id="a b")


async def test_no_such_engine(tmp_path):
    for flavour in ("podman", "docker"):
        engine = ContainerEngine(flavour, tmp_path, ContainerSettings(program="/not/there"))
        with pytest.raises(EngineUnavailableError, match="choose another engine"):
            await engine.prepare()
    engine = ContainerEngine(
        "docker", tmp_path, ContainerSettings(environment={"DOCKER_HOST": "unix:///not/there"})
    )
    if shutil.which("docker"):
        with pytest.raises(EngineUnavailableError, match="start the Docker engine"):
            await engine.prepare()


async def test_the_choice(podman, tmp_path):
    settings = ContainerSettings(environment=podman.environment)
    engine, capabilities = await choose("auto", tmp_path, container=settings)
    assert engine.name == capabilities.name == "podman"
    engine, _ = await choose("process", tmp_path)
    assert engine.name == "process"
    with pytest.raises(EngineUnavailableError, match="there is no engine 'nope'"):
        await choose("nope", tmp_path)
    with pytest.raises(EngineUnavailableError, match="the engine process is not allowed here"):
        await choose("process", tmp_path, allowed=("podman", "docker"))


def limit(bench, **changes):
    """Change settings of an engine that has started already."""
    bench.engine._runner._settings = replace(bench.engine._runner._settings, **changes)


async def until(found, seconds=30):
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end, "it did not come about"
        await asyncio.sleep(0.1)


def command_lines():
    """The files with the command lines of all processes that there are and stay."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            path.read_bytes()
        except OSError:
            continue
        yield path


def running(part: str) -> bool:
    """Whether a process has this in its command line."""
    for path in command_lines():
        try:
            if part.encode() in path.read_bytes():
                return True
        except OSError:
            continue
    return False
