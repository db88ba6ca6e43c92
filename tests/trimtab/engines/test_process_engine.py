"""Environments and runs of this machine, with real processes."""

import asyncio
import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest

from trimtab.engines import (
    BuildFailedError,
    BuildGoneError,
    Engine,
    FailureKind,
    Lock,
    RefusedError,
    Resources,
)
from trimtab.engines.process.groups import Groups
from trimtab.engines.process.interpreter import find

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]
MIB = 2**20
SAMPLE = "import trimtab_sample; print(trimtab_sample.VERSION)"
SANDBOXES = [True, False]


@pytest.fixture
def index(sample_index, monkeypatch):
    """The only index that uv is told of."""
    for name in ("UV_INDEX", "UV_EXTRA_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "UV_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("trimtab.engines.index._ETC", Path("/nonexistent"))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("UV_DEFAULT_INDEX", sample_index.url)
    return sample_index


@pytest.fixture(params=SANDBOXES, ids=["sandbox", "bare"])
def process(request, make_process, index):
    """The engine with bubblewrap and without."""
    if request.param and not shutil.which("bwrap"):
        pytest.skip("bubblewrap is not installed (scripts/system-packages)")
    return make_process(sandbox=request.param)


@pytest.fixture
def bare(make_process, index):
    return make_process(sandbox=False)


def lock(index, version="1.0"):
    return Lock("pipfile", {"Pipfile": b"", "Pipfile.lock": index.pipfile(version)})


async def test_a_stack_is_built_once_and_run(process, index):
    assert isinstance(process.engine, Engine)
    build = await process.build(SAMPLE + "\nprint(open('data.txt').read())", lock=lock(index))
    assert not build.cached
    assert build.digest
    assert "the base image localhost/python:3.11 is not used" in build.left_out[0]
    assert build.left_out[0] in build.log.read_text()
    for item in (0, 1):
        run = await process.run(build, item)
        assert (run.exit_code, run.signal, run.lost, run.timed_out) == (0, None, None, False)
        assert process.result(item) == "1.0\ndata\n\n"
    await until(lambda: not any((process.state / "runs").iterdir()))
    again = await process.build(SAMPLE, lock=lock(index))
    assert again.cached
    assert again.size == build.size > 1000


@pytest.mark.parametrize("kind", ["pipfile", "requirements", "pylock", "uv"])
async def test_locks_of_every_kind(bare, index, kind):
    files = {
        "pipfile": {"Pipfile.lock": index.pipfile()},
        "requirements": {"requirements.txt": index.requirements()},
        "pylock": {"pylock.toml": index.pylock()},
        "uv": index.uv(),
    }
    build = await bare.build(SAMPLE, lock=Lock(kind, files[kind]))
    await bare.run(build)
    assert bare.result() == "1.0\n"
    home = Path(build.reference) / "home"
    for name, content in files[kind].items():
        assert (home / name).read_bytes() == content


async def test_the_environment_is_clean_and_the_home_is_the_runs_own(process, index, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of ours")
    build = await process.build(
        "import json, os\nopen('written', 'w').close()\nprint(json.dumps([dict(os.environ), os.getcwd(), sorted(os.listdir('.'))]))",
        environment={"GREETING": "a b;$(c)\nd"},
    )
    run = await process.run(build, environment={"MORE": "x"})
    variables, directory, files = json.loads(process.result())
    assert run.exit_code == 0
    assert "AWS_SECRET_ACCESS_KEY" not in variables
    assert variables["GREETING"] == "a b;$(c)\nd"
    assert variables["MORE"] == "x"
    assert variables["HOME"] == directory
    assert variables["TRIMTAB_RUN_TIMEOUT"] == "60"
    assert {"data.txt", "script", "written"} <= set(files)
    assert sorted(path.name for path in (Path(build.reference) / "home").iterdir()) == [
        "data.txt",
        "entrypoint",
        "script",
    ]


async def test_a_sandbox_hides_this_machines_files_and_cuts_off_the_network(process, index, tmp_path):
    if not process.engine._settings.sandbox:
        pytest.skip("of the sandbox only")
    secret = tmp_path / "secret"
    secret.write_text("of ours")
    script = f"""\
import json, os, socket
def refused(action):
    try:
        action()
    except OSError as error:
        return error.strerror
    return None
s = socket.socket()
print(json.dumps([
    refused(lambda: open({str(secret)!r})), refused(lambda: open("/usr/written", "w")), os.getuid(), os.getcwd(),
    refused(lambda: s.connect(("192.0.2.1", 80))), [n for _, n in socket.if_nameindex()], len(os.listdir("/proc")) < 100,
    refused(lambda: open("/tmp/x", "w")),
]))
"""
    run = await process.run(await process.build(script))
    assert run.notes == ()
    assert json.loads(process.result()) == [
        "No such file or directory", "Read-only file system", 1042, "/home/amun", "Network is unreachable", ["lo"], True, None,
    ]  # fmt: skip


async def test_without_a_sandbox_it_is_said_what_is_not_enforced(bare):
    found = await bare.engine.prepare()
    assert (found.network, found.filesystem, found.images) == (None, None, False)
    assert "is no sandbox" in found.warnings[0]
    assert any("the network is not cut off" in text for text in found.warnings)
    run = await bare.run(await bare.build("print(1)"))
    assert run.notes == ("the network was not cut off",)


async def test_a_run_out_of_time_is_asked_to_end_then_killed(process):
    build = await process.build("#!/bin/sh\nsleep 600 & sleep 600")
    began = time.monotonic()
    run = await process.run(build, timeout=0.5)
    assert run.timed_out
    assert run.signal in {signal.SIGTERM, signal.SIGKILL}
    assert time.monotonic() - began < 20


async def test_the_wrapper_may_say_something_when_time_is_up(process):
    """It is the wrapper that is asked first, also inside a sandbox."""
    build = await process.build("print()")
    entry = Path(build.reference) / "home/entrypoint"
    entry.write_text(
        "#!/bin/sh\ntrap 'echo late >\"$THOTH_OUTPUT_PATH\"; exit 9' TERM\nwhile :; do sleep 0.05; done\n"
    )
    run = await process.run(build, timeout=0.8)
    assert (run.exit_code, run.timed_out) == (9, True)
    assert process.result() == "late\n"


async def test_nothing_that_a_run_starts_outlives_it(process):
    """Daemons that left their session and their parents are ended with the run."""
    mark = f"7{os.getpid()}"
    build = await process.build(
        f"#!/bin/sh\n(setsid sh -c 'sleep {mark} & sleep {mark}' &)\nsleep 0.2; exit 5"
    )
    run = await process.run(build)
    assert run.exit_code == 5
    assert not running(mark)


async def test_a_run_by_its_signal(bare):
    build = await bare.build("print()")
    (Path(build.reference) / "home/entrypoint").write_text("#!/bin/sh\nkill -SEGV $$\n")
    run = await bare.run(build)
    assert (run.exit_code, run.signal, run.oom_killed) == (128 + signal.SIGSEGV, signal.SIGSEGV, False)
    (Path(build.reference) / "home/entrypoint").write_text("#!/bin/sh\nexit 137\n")
    run = await bare.run(build)
    assert (run.exit_code, run.signal, run.oom_killed) == (137, None, False)


async def test_the_memory_limit_of_a_control_group(process):
    with_groups("memory")
    build = await process.build("#!/bin/sh\npython3 -c 'bytearray(10**9)'; exit $?")
    run = await process.run(build, memory=64 * MIB)
    assert run.exit_code == 137
    assert run.lost is None
    assert run.oom_killed or "the memory limit killed a process of it" in run.notes


async def test_a_run_sees_its_own_control_group(process):
    """There its wrapper reads what it used."""
    with_groups("memory")
    build = await process.build("print(open('/proc/self/cgroup').read())")
    await process.run(build)
    assert f"/{process.engine._mark}-run-" in process.result()


async def test_the_memory_limit_without_control_groups_is_of_each_process(make_process, index):
    bench = make_process(sandbox=False, groups=False)
    assert (await bench.engine.prepare()).memory == "rlimit of each process"
    build = await bench.build("try:\n    bytearray(10**9)\nexcept MemoryError:\n    print('no')")
    await bench.run(build, memory=128 * MIB)
    assert bench.result() == "no\n"


async def test_the_cpu_limit(process):
    with_groups("cpu")
    build = await process.build(
        "import time\nend = time.monotonic() + 1\nwhile time.monotonic() < end: pass\nprint(time.process_time())"
    )
    run = await process.run(build, cpu=0.2)
    assert run.exit_code == 0
    assert float(process.result()) < 0.6


async def test_without_control_groups_a_run_has_whole_cores(make_process, index):
    bench = make_process(sandbox=False, groups=False)
    build = await bench.build("import os\nprint(len(os.sched_getaffinity(0)))")
    await bench.run(build, cpu=0.5)
    assert bench.result() == "1\n"


async def test_the_number_of_processes_is_limited(make_process, index):
    with_groups("pids")
    bench = make_process(sandbox=False, pids=40)
    build = await bench.build(
        "import os, time\ncount = 0\ntry:\n    while count < 300:\n        if os.fork() == 0: time.sleep(60); os._exit(0)\n"
        "        count += 1\nexcept OSError as error:\n    print(count, error.strerror)"
    )
    run = await bench.run(build)
    count, _, problem = bench.result().partition(" ")
    assert 20 < int(count) < 40
    assert problem.strip() == "Resource temporarily unavailable"
    assert any("were still there" in note for note in run.notes)


async def test_no_control_group_is_left(process):
    groups = Groups.find()
    build = await process.build("print()")
    await process.run(build)
    for parent in groups.parents.values():
        assert list(parent.glob(f"{process.engine._mark}-*")) == []


async def test_what_it_prints_is_bounded(make_process, index):
    bench = make_process(log_limit=50_000)
    build = await bench.build("#!/bin/sh\nhead -c 20000000 /dev/zero | tr '\\0' x >&2")
    run = await bench.run(build)
    assert run.exit_code == 0
    assert run.log.stat().st_size < 60_000
    assert "it printed more than is kept of a log" in run.notes


async def test_a_run_that_fills_the_disk_is_ended(make_process, index):
    bench = make_process(disk=20 * MIB)
    build = await bench.build("#!/bin/sh\nhead -c 50000000 /dev/zero >big; sleep 600")
    run = await bench.run(build)
    assert any(note.startswith("it was ended for having written more than") for note in run.notes)
    assert run.lost is None


async def test_what_a_run_leaves_is_safe_to_read(process):
    build = await process.build('#!/bin/sh\nln -s /etc/shadow "$(dirname "$THOTH_OUTPUT_PATH")/hwinfo"')
    run = await process.run(build)
    assert [path.name for path in (process.directory / "results/0").iterdir()] == ["result"]
    assert any("'hwinfo' was removed" in note for note in run.notes)


# What it refuses, and what it leaves out where that is wanted.


async def test_what_this_machine_would_have_to_change_for_is_refused_all_at_once(bare, tmp_path):
    (tmp_path / "motd").touch()
    changes = {
        "packages": ("gcc", "make"),
        "update": True,
        "files": (("/etc/motd", tmp_path / "motd"), ("/home/amun/../x", tmp_path / "motd")),
    }
    with pytest.raises(RefusedError) as caught:
        await bare.build(**changes)
    assert len(caught.value.reasons) == 4
    assert "the file '/etc/motd' is not below /home/amun" in str(caught.value)
    assert "packages of the operating system are not installed: gcc make" in str(caught.value)
    build = await bare.build(**changes, best_effort=True)
    assert set(caught.value.reasons) <= set(build.left_out)
    assert not (Path(build.reference) / "x").exists()


async def test_what_has_no_hash_is_refused_or_left_out(bare, index):
    document = json.loads(index.pipfile())
    document["default"]["other"] = {"git": "https://git.example.com/other.git"}
    stack = Lock("pipfile", {"Pipfile.lock": json.dumps(document).encode()})
    with pytest.raises(RefusedError, match="other: comes from a git repository"):
        await bare.build(SAMPLE, lock=stack)
    build = await bare.build(SAMPLE, lock=stack, best_effort=True)
    assert any("other: comes from a git repository" in text for text in build.left_out)
    await bare.run(build)
    assert bare.result() == "1.0\n"


async def test_another_python_is_refused_or_left_out(bare):
    with pytest.raises(RefusedError, match=r"there is no Python 3\.99 here"):
        await bare.build(python_version="3.99")
    build = await bare.build(python_version="3.99", best_effort=True)
    assert any("there is no Python 3.99 here" in text for text in build.left_out)


async def test_the_python_of_a_version_is_found(bare):
    interpreter, problem = await find(bare.engine._uv, f"3.{sys.version_info.minor}", None)
    assert problem is None
    assert interpreter.version == ".".join(map(str, sys.version_info[:3]))


async def test_python_packages_are_installed_without_a_lock_and_listed_beside_one(bare, index):
    build = await bare.build(SAMPLE, python_packages=("trimtab-sample>=2",))
    await bare.run(build)
    assert bare.result() == "2.0\n"
    build = await bare.build(SAMPLE, python_packages=("micropipenv[toml]",), lock=lock(index))
    assert any("micropipenv[toml]" in text for text in build.left_out)
    with pytest.raises(RefusedError, match="is no requirement"):
        await bare.build(python_packages=("--index-url=https://x.example.com", "x @ file:///etc"))


# How a build fails.


async def test_a_wrong_hash_fails_the_build(bare, index):
    wrong = Lock("pipfile", {"Pipfile.lock": index.pipfile(hashes=["sha256:" + "0" * 64])})
    with pytest.raises(BuildFailedError) as caught:
        await bare.build(lock=wrong)
    assert caught.value.kind is FailureKind.STACK
    assert "hash" in caught.value.excerpt.lower()


async def test_a_package_that_is_not_there_fails_the_build(bare):
    text = b"trimtab-nowhere==1 --hash=sha256:" + b"0" * 64
    with pytest.raises(BuildFailedError) as caught:
        await bare.build(lock=Lock("requirements", {"requirements.txt": text}))
    assert caught.value.kind is FailureKind.STACK
    assert "trimtab-nowhere" in caught.value.excerpt


@pytest.mark.parametrize(
    ("stack", "problem"),
    [
        (Lock("pipfile", {"Pipfile.lock": b"{"}), "Pipfile.lock is no JSON"),
        (Lock("pipfile", {"Pipfile": b""}), "needs the file Pipfile.lock"),
        (Lock("uv", {"pyproject.toml": b"[project]", "uv.lock": b"x"}), "uv cannot read uv.lock"),
        (Lock("requirements", {"requirements.txt": b"x" * (33 * MIB)}), "has more than"),
    ],
)
async def test_a_lock_that_cannot_be_read_fails_the_build(bare, stack, problem):
    with pytest.raises(BuildFailedError, match=problem):
        await bare.build(lock=stack)


async def test_a_build_out_of_time(bare, index):
    with pytest.raises(BuildFailedError) as caught:
        await bare.build(lock=lock(index), timeout=0.001)
    assert caught.value.kind is FailureKind.TIMEOUT


async def test_a_build_that_is_gone_has_to_be_built_again(bare, index):
    build = await bare.build(lock=lock(index))
    shutil.rmtree(bare.state / "environments")
    with pytest.raises(BuildGoneError, match="build it again"):
        await bare.run(build)
    await bare.engine.clean(bare.inspection)
    with pytest.raises(BuildGoneError, match="build it again"):
        await bare.run(build)


# What environments share.


async def test_builders_of_one_environment_wait_for_each_other(bare, index, tmp_path):
    requests = [bare.request(SAMPLE, lock=lock(index), id=f"inspection-{number}") for number in range(3)]
    builds = await asyncio.gather(*(bare.engine.build(request, lambda _: None) for request in requests))
    assert sorted(build.cached for build in builds) == [False, True, True]
    assert len({build.digest for build in builds}) == 1


async def test_an_environment_that_was_changed_is_built_anew(bare, index):
    build = await bare.build(
        "open(__import__('trimtab_sample').__file__, 'a').write('VERSION = 0')", lock=lock(index)
    )
    await bare.run(build)
    build = await bare.build(SAMPLE, lock=lock(index))
    assert not build.cached
    await bare.run(build)
    assert bare.result() == "1.0\n"


async def test_the_cache_is_bounded_and_spares_what_is_used(make_process, index):
    bench = make_process(sandbox=False, cache_limit=1000)
    first = await bench.build("#!/bin/sh\nsleep 600", lock=lock(index))
    task = asyncio.create_task(bench.run(first))
    await until(lambda: list((bench.state / "runs").glob("*/home/venv")))
    await bench.engine.build(bench.request(SAMPLE, lock=lock(index, "2.0"), id="other"), lambda _: None)
    await bench.engine.build(bench.request(SAMPLE, id="third"), lambda _: None)
    left = [path.name for path in (bench.state / "environments").iterdir() if path.is_dir()]
    assert len(left) == 2  # the one in use, and the one just built
    assert first.digest.removeprefix("sha256:") in left
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


# What happens when something is killed.


async def test_a_cancelled_run_leaves_nothing(process):
    mark = f"8{os.getpid()}"
    build = await process.build(f"#!/bin/sh\ntrap '' TERM\nsetsid sleep {mark} &\nsleep {mark}")
    task = asyncio.create_task(process.run(build))
    await until(lambda: running(mark))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not running(mark)
    await until(lambda: not any((process.state / "runs").iterdir()))


async def test_nothing_outlives_a_killed_engine(process, tmp_path):
    """Its supervisor ends the run; the next expire removes the run's directory."""
    mark = f"9{os.getpid()}"
    build = await process.build(f"#!/bin/sh\n(setsid sleep {mark} &)\nsleep {mark}")
    process.engine._claims.release(process.inspection)
    program = f"""
import asyncio
from pathlib import Path
from trimtab.engines import *
engine = ProcessEngine(Path({str(process.state)!r}), ProcessSettings(grace=0.5, sandbox={process.engine._settings.sandbox}))
build = Build({build.reference!r}, None, (), Path("/log"), 0.0, False)
output = Path({str(tmp_path / "output")!r}); output.mkdir()
asyncio.run(engine.run(RunRequest({process.inspection!r}, 0, build, Resources(1, 2**27), None, False, output), lambda data: None))
"""
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    await until(lambda: running(mark))
    assert await process.engine.expire(0) == []
    child.kill()
    await child.wait()
    await until(lambda: not running(mark))
    assert await process.engine.expire(3600) == [process.inspection]
    assert list((process.state / "runs").iterdir()) == []
    assert not gone(build)
    assert await process.engine.expire(0) == [process.inspection]
    assert gone(build)


async def test_a_run_is_lost_with_its_supervisor(bare):
    mark = f"5{os.getpid()}"
    build = await bare.build(f"#!/bin/sh\n(setsid sleep {mark} &)\nsleep {mark}")
    task = asyncio.create_task(bare.run(build))
    await until(lambda: running(mark))
    os.kill(supervisor_of(mark), signal.SIGKILL)
    run = await task
    assert (run.exit_code, run.lost) == (None, "its supervisor was killed")
    assert not running(mark)


async def test_what_it_cannot_is_refused(bare):
    with pytest.raises(RefusedError, match="no GPU"):
        await bare.build(resources=Resources(1, MIB, gpus=1))
    with pytest.raises(RefusedError, match="more than letters"):
        await bare.engine.clean("../x")


def gone(build) -> bool:
    return not Path(build.reference).exists()


def with_groups(controller):
    if Groups.find().how(controller) is None:
        pytest.skip(f"no control group of {controller} can be made here")


def running(mark: str) -> bool:
    """Whether `sleep MARK` runs somewhere."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes() == f"sleep\0{mark}\0".encode():
                return True
        except OSError:
            continue
    return False


def supervisor_of(mark: str) -> int:
    """The supervisor that the processes of a run descend from, or were adopted by."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes() != f"sleep\0{mark}\0".encode():
                continue
            pid = int(path.parent.name)
            while b"supervisor" not in Path(f"/proc/{pid}/cmdline").read_bytes():
                pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        return pid
    raise AssertionError("it does not run")


async def until(found, seconds=30):
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end, "it did not come about"
        await asyncio.sleep(0.05)
