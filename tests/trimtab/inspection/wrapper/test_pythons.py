"""One file for every Python from 3.6 on, and for none."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from trimtab.inspection import wrapper
from trimtab.inspection.wrapper.bundle import MODULES, SHELL

FOUND = sorted({*Path.home().glob(".pyenv/versions/3.*/bin/python3"), Path("/usr/bin/python3")})
OLD = Path.home() / ".pyenv/versions/2.7.18/bin/python2.7"


@pytest.mark.parametrize(
    "interpreter", [path for path in FOUND if path.exists()], ids=lambda path: path.parent.parent.name
)
def test_runs_on_every_python_found_here(python, interpreter):
    """With `-W error`, so that nothing in it is old or in the way of being removed."""
    version = subprocess.run(
        [interpreter, "-c", "import platform; print(platform.python_version())"],
        capture_output=True,
        check=True,
    )
    (python.path / "python").write_text(f'#!/bin/sh\nexec {interpreter} -W error "$@"\n')
    (python.path / "python").chmod(0o755)
    for name in python.path.glob("entrypoint.*"):
        name.unlink()
    outcome = python.run(
        '#!/bin/sh\necho \'{"a": [1.5, "é"]}\'; exit 4\n', TRIMTAB_PYTHON=str(python.path / "python")
    )
    assert outcome.complaint == ""
    assert (outcome.code, outcome.document["stdout"]) == (4, {"a": [1.5, "é"]})
    assert outcome.document["wrapper"]["python"] == version.stdout.decode().strip()
    assert outcome.document["wrapper"]["adopts_orphans"]


def test_what_was_compiled_gives_the_same(python):
    script = "#!/bin/sh\necho hello\n"
    compiled = python.run(script).document
    for path in python.path.glob("entrypoint.*"):
        path.unlink()
    plain = python.run(script).document
    assert {**plain, "x": 0}.keys() == {**compiled, "x": 0}.keys()
    assert compiled["wrapper"]["prepared"] > 0


def test_who_knows_a_python_needs_no_shell(python):
    python.command = [sys.executable, "-I", "-S", "-B", str(python.path / "entrypoint.start")]
    outcome = python.run("#!/bin/sh\necho hello\nexit 3\n", PATH="/nonexistent:/bin")
    assert (outcome.code, outcome.document["stdout"]) == (3, "hello\n")
    assert outcome.document["wrapper"]["name"] == "python"


@pytest.mark.parametrize("damage", [b"", b"no code", b"\0" * 1000])
def test_what_was_compiled_of_another_program_is_not_taken(python, damage):
    for path in python.path.glob("entrypoint.*"):
        path.write_bytes(damage)
    assert python.run("#!/bin/sh\necho hello\n").document["stdout"] == "hello\n"


def test_a_python_that_lacks_modules_leaves_it_to_the_shell(python):
    """As of some minimal images, or of one that is too old."""
    (python.path / "python").write_text(
        f'#!/bin/sh\nshift 3\nexec {sys.executable} -I -S "$1" "import sys; sys.modules[\'_signal\'] = None\n$2" "$3"\n'
    )
    (python.path / "python").chmod(0o755)
    document = python.run("#!/bin/sh\necho hello\n", TRIMTAB_PYTHON=str(python.path / "python")).document
    assert (document["stdout"], document["wrapper"]["name"]) == ("hello\n", "sh")


def test_the_same_bytes_each_time():
    code = "import hashlib; from trimtab.inspection import wrapper; print([hashlib.sha256(d).hexdigest() for d in wrapper.files().values()])"
    said = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in range(2)
    }
    assert len(said) == 1


def test_all_parts_are_in_it():
    here = Path(wrapper.__file__).parent
    names = {
        f"trimtab.inspection.{path.parent.name}.{path.stem}"
        for folder in (here, here.parent / "hwinfo")
        for path in folder.glob("*.py")
    }
    outside = {
        f"trimtab.inspection.{name}" for name in ("wrapper.__init__", "wrapper.bundle", "hwinfo.__init__")
    }
    assert names - outside == set(MODULES)
    assert {path.stem for path in (here / "shell").glob("*.sh")} == set(SHELL)


@pytest.mark.integration
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to change the root directory")
def test_an_image_without_python_or_os_release(tmp_path, applets):
    """B24 too: the first process of its own namespace, with busybox and nothing else."""
    image, home = tmp_path / "image", tmp_path / "image" / "home" / "amun"
    for name in ("bin", "proc", "dev", "tmp", "home/amun/results"):
        (image / name).mkdir(parents=True)
    _install(shutil.which("busybox"), image)
    for name in {link.name for link in applets.iterdir()} - {"busybox"}:
        (image / "bin" / name).symlink_to("busybox")
    (home / "entrypoint").write_bytes(wrapper.entrypoint())
    (home / "script").write_text("#!/bin/sh\necho $$; (sleep 50 &) ; head -c 5 /dev/urandom >&2\n")
    (image / "dev" / "urandom").write_bytes(b"\xff1234")
    (image / "dev" / "null").write_bytes(b"")
    command = [
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        f"--mount-proc={image}/proc",
        "chroot",
        str(image),
        "/bin/sh",
        "/home/amun/entrypoint",
    ]
    environment = {
        "PATH": "/bin:/usr/bin:/sbin:/usr/sbin",
        "THOTH_OUTPUT_PATH": "/home/amun/results/0/result",
    }
    done = subprocess.run(command, env=environment, capture_output=True, timeout=50, check=False)
    if done.returncode == 1 and b"unshare" in done.stderr:
        pytest.skip(f"no namespaces here: {done.stderr.decode()}")
    document = json.loads((home / "results" / "0" / "result").read_bytes())
    assert (done.returncode, document["os_release"]) == (0, None)
    assert document["runtime_environment"]["operating_system"] == {"name": None, "version": None}
    assert (document["wrapper"]["name"], document["wrapper"]["first_process"]) == ("sh", True)
    assert document["stderr"] == "\ufffd1234"
    assert document["left_processes"] == 1
    assert document["interpreter"]["path"] == "/bin/sh"


def _install(program, image):
    (image / "bin" / "busybox").write_bytes(Path(program).read_bytes())
    (image / "bin" / "busybox").chmod(0o755)
    needed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    for word in needed.split():
        if word.startswith("/"):
            place = image / word.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(Path(word).read_bytes())
            place.chmod(0o755)
