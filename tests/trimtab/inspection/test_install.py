"""What installs in an image: run here, with a PATH on which package managers and Pythons are what a test puts there.

The real ones of Debian are used in tests/integration; of the others no image can be had where tests run, so here it is
their command lines that are compared with their manuals.
"""

import os
import re
import subprocess
from importlib.resources import files

import pytest

from trimtab.inspection.context.variables import LAUNCHER, encode

SCRIPT = (files("trimtab.inspection.context") / "install").read_text()
SHELLS = [
    shell
    for shell in ("dash", "bash", "busybox")
    if any(os.access(f"{d}/{shell}", os.X_OK) for d in os.get_exec_path())
]
NASTY = [
    "a;touch pwned",
    "$(touch pwned)",
    "`touch pwned`",
    "numpy>=1.20",
    "a b",
    "'",
    '"',
    "\\",
    "*",
    "<<EOF",
    "é",
    "a=1.0",
    "~",
]
RECORDER = """#!/bin/sh
{ printf '%s' "${0##*/}"; for argument in "$@"; do printf '\\036%s' "$argument"; done; printf '\\035'; } >>"$RECORD"
"""


class Image:
    """A directory that stands for an image: only what a test puts into `bin` is on the path."""

    def __init__(self, root, shell):
        self.root = root
        self.shell = [shell, "sh"] if shell == "busybox" else [shell]
        self.record = root / "record"
        (root / "bin").mkdir()
        (root / "home").mkdir()
        for program in ("rm", "mkdir", "chown", "chmod"):
            (root / "bin" / program).symlink_to(f"/bin/{program}")
        places = {"/home/amun": "home", "/opt/trimtab": "opt", "/tmp": "tmp", "/var/lib/apt": "apt"}
        text = re.sub("|".join(places), lambda found: f"{root}/{places[found[0]]}", SCRIPT)
        (root / "install").write_text(text)

    def add(self, name, text=RECORDER):
        (self.root / "bin" / name).write_text(text)
        (self.root / "bin" / name).chmod(0o755)

    def install(self, *arguments, **environment):
        return subprocess.run(
            [*self.shell, self.root / "install", *arguments],
            cwd=self.root,
            env={"PATH": str(self.root / "bin"), "RECORD": str(self.record), **environment},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            executable=next(
                f"{d}/{self.shell[0]}"
                for d in os.get_exec_path()
                if os.access(f"{d}/{self.shell[0]}", os.X_OK)
            ),
        )

    @property
    def calls(self):
        text = self.record.read_text() if self.record.exists() else ""
        return [call.split("\x1e") for call in text.split("\x1d") if call]


@pytest.fixture(params=SHELLS)
def image(request, tmp_path):
    return Image(tmp_path, request.param)


APT = ["apt-get", "-y", "-q", "-o", "Acquire::Retries=3", "-o", "Dpkg::Use-Pty=0"]


class TestSystem:
    @pytest.mark.parametrize(
        ("manager", "calls"),
        [
            ("apt-get", [[*APT, "update"], [*APT, "--no-install-recommends", "install", "--", *NASTY], ["apt-get", "clean"]]),
            ("dnf", [["dnf", "-y", "install", *NASTY], ["dnf", "clean", "all"]]),
            ("microdnf", [["microdnf", "-y", "install", *NASTY], ["microdnf", "clean", "all"]]),
            ("yum", [["yum", "-y", "install", *NASTY], ["yum", "clean", "all"]]),
            ("apk", [["apk", "add", "--no-cache", *NASTY]]),
            ("zypper", [["zypper", "--non-interactive", "install", *NASTY], ["zypper", "clean", "--all"]]),
        ],
    )  # fmt: skip
    def test_b4_b7_each_manager_gets_every_name_as_it_is(self, image, manager, calls):
        """apt-get refreshes its lists first, and asks nothing."""
        image.add(manager)
        result = image.install("system", "--", *NASTY)
        assert result.returncode == 0, result.stderr
        assert image.calls == calls
        assert not (image.root / "pwned").exists()
        assert result.stderr == f"trimtab: packages are installed by {manager}\n"

    @pytest.mark.parametrize(
        ("manager", "update"),
        [
            ("apt-get", [*APT, "--with-new-pkgs", "upgrade"]),
            ("dnf", ["dnf", "-y", "upgrade"]),
            ("microdnf", ["microdnf", "-y", "update"]),
            ("yum", ["yum", "-y", "update"]),
            ("apk", ["apk", "upgrade", "--no-cache"]),
            ("zypper", ["zypper", "--non-interactive", "update"]),
        ],
    )
    def test_b4_update_alone_updates(self, image, manager, update):
        """`apt-cache update`, which the original called, is no command."""
        image.add(manager)
        assert image.install("system", "--update", "--").returncode == 0
        assert update in image.calls
        assert not any({"install", "add"} & set(call) for call in image.calls)

    def test_an_image_without_any_says_what_is_missing(self, image):
        result = image.install("system", "--", "x")
        assert result.returncode == 78
        assert result.stderr.startswith(
            "trimtab: this image has none of dnf, microdnf, yum, apt-get, apk and zypper"
        )

    def test_a_failure_of_the_manager_is_that_of_the_build(self, image):
        image.add("dnf", "#!/bin/sh\nexit 5\n")
        assert image.install("system", "--", "x").returncode == 5

    def test_a_name_that_looks_like_an_option_is_none(self, image):
        """A specification has none; yet what reads arguments says where options end."""
        image.add("apt-get")
        image.install("system", "--", "--update")
        assert image.calls[1][-2:] == ["--", "--update"]
        assert len(image.calls) == 3


PYTHON = """#!/bin/sh
case "$*" in
*version_info*) echo VERSION ;;
*get_path*) echo PURELIB ;;
*"-m venv"*) for last; do :; done; mkdir -p "$last/bin"; /bin/cp "$0" "$last/bin/python" ;;
esac
case "$*" in UNABLE) exit 1 ;; esac
""" + RECORDER.removeprefix("#!/bin/sh\n")  # fmt: skip


def python(version="3.11", unable="nothing"):
    return PYTHON.replace("VERSION", version).replace("UNABLE", unable)


def modules(calls):
    """What was started as `python -m`, without the paths."""
    return [call[2:] for call in calls if call[1:2] == ["-m"]]


class TestPython:
    def test_b7_requirements_are_arguments_of_pip(self, image):
        image.add("python3", python())
        result = image.install("python", "--upgrade-pip", "--", *NASTY)
        assert result.returncode == 0, result.stderr
        assert modules(image.calls) == [
            ["pip", "--version"],
            ["pip", "install", "--upgrade", "pip"],
            ["pip", "install", "--force-reinstall", "--upgrade", "--", *NASTY],
        ]
        assert not (image.root / "pwned").exists()

    def test_an_image_without_python_says_so(self, image):
        result = image.install("python", "--", "x")
        assert (result.returncode, result.stderr) == (
            78,
            "trimtab: this image has no Python 3: choose another base, or add one to packages\n",
        )

    def test_python_2_is_not_taken(self, image):
        image.add("python", python("2.7"))
        assert image.install("python", "--", "x").returncode == 78

    def test_pip_is_made_where_only_ensurepip_is(self, image):
        image.add("python3", python(unable='"-m pip --version"'))
        assert image.install("python", "--", "x").returncode == 0
        assert modules(image.calls)[0] == ["ensurepip"]

    def test_an_image_without_pip_says_so(self, image):
        image.add("python3", python(unable='"-m pip --version" | *ensurepip*'))
        result = image.install("python", "--", "x")
        assert result.returncode == 78
        assert result.stderr.startswith(
            f"trimtab: the Python of this image ({image.root}/bin/python3) has neither pip nor"
        )


class TestStack:
    def test_the_python_of_the_lock_is_taken(self, image):
        image.add("python3", python("3.9"))
        image.add("python3.11", python("3.11"))
        image.add("uv")
        image.install("stack", "uv", "requirements", "3.11", "")
        venv = f"{image.root}/home/venv"
        assert [call for call in image.calls if call[0] == "uv"] == [
            ["uv", "venv", "--quiet", "--allow-existing", "--python", f"{image.root}/bin/python3.11", venv],
            ["uv", "pip", "sync", "--allow-empty-requirements", "--python", f"{venv}/bin/python", "--require-hashes", "requirements.txt"],
        ]  # fmt: skip

    def test_another_python_is_tried_and_told(self, image):
        image.add("python3", python("3.9"))
        image.add("uv")
        result = image.install("stack", "uv", "pylock", "3.11", "1")
        assert "trimtab: this image has no Python 3.11: trying with Python 3.9\n" in result.stderr
        assert image.calls[-1][-1] == "pylock.toml"
        assert "--seed" in image.calls[-2]

    def test_a_uv_lock_is_exported_so_that_any_index_will_do(self, image):
        image.add("python3", python())
        image.add("uv")
        image.install("stack", "uv", "uv", "", "")
        export = next(call for call in image.calls if call[1:2] == ["export"])
        assert {"--frozen", "--no-dev", "--no-emit-project"} <= set(export)
        assert image.calls[-1][-1] == export[-1]

    @pytest.mark.parametrize("installer", ["micropipenv", "pipenv"])
    def test_an_installer_of_the_image_is_taken(self, image, installer):
        image.add("python3", python())
        image.add(installer)
        image.install("stack", installer, "pipfile", "", "")
        assert [call for call in image.calls if call[0] == installer] == [[installer, "install", "--deploy"]]

    @pytest.mark.parametrize(
        ("installer", "requirement"),
        [("micropipenv", "micropipenv[toml]"), ("pipenv", "pipenv"), ("uv", "uv")],
    )
    def test_an_installer_is_brought_along_and_goes(self, image, installer, requirement):
        """thoth-application #2496: "micropipenv: command not found" was the most common failure."""
        image.add("python3", python())
        result = image.install("stack", installer, "pipfile", "", "")
        assert f"trimtab: this image has no {installer}: it comes from the index" in result.stderr
        assert any(
            call[:2] == ["pip", "install"] and call[-1] == requirement for call in modules(image.calls)
        )
        assert not list((image.root / "tmp").iterdir())

    def test_an_environment_is_made_without_ensurepip(self, image):
        """Debian's python3 has venv and no ensurepip."""
        purelib = f"{image.root}/home/venv/lib"
        image.add(
            "python3", python(unable='*"import venv, ensurepip"* | *virtualenv*').replace("PURELIB", purelib)
        )
        image.add("micropipenv")
        result = image.install("stack", "micropipenv", "pipfile", "", "")
        assert result.returncode == 0, result.stderr
        assert modules(image.calls)[:-1] == [
            ["venv", "--without-pip", f"{image.root}/home/venv"],
            ["pip", "--version"],
            ["pip", "install", "--quiet", "--target", purelib, "pip"],
        ]
        assert "has no ensurepip: pip comes from the index" in result.stderr

    def test_files_of_the_user_in_the_cache_stay(self, image):
        image.add("python3", python())
        image.add("uv")
        kept = image.root / "home/.cache/x"
        kept.parent.mkdir()
        kept.touch()
        image.install("stack", "uv", "pylock", "", "")
        assert kept.exists()


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    "value", ["a\nb", "\n", "\n\n\n", "'\"$x`id`\\n\\\\\n", "é\n", "a\n ", "%s\n%%", "x=y\nz=1"]
)
def test_variables_with_line_breaks_are_exact(tmp_path, shell, value):
    """In the steps of the build and in each run alike."""
    (tmp_path / "environment").write_bytes(encode({"X": value, "Y": "2\n"}))
    for name, original in (("launcher", LAUNCHER), ("install", SCRIPT)):
        text = original.replace("/opt/trimtab", str(tmp_path)).replace(
            "/home/amun/entrypoint.wrapper", f"{tmp_path}/print"
        )
        (tmp_path / name).write_text(text.replace('\n"install_$what" "$@"', '\n"$PRINT"'))
    (tmp_path / "print").write_text('#!/bin/sh\nprintf "%s|%s" "$X" "$Y"\n')
    (tmp_path / "print").chmod(0o755)
    command = [shell, "sh"] if shell == "busybox" else [shell]
    for arguments in (["launcher"], ["install", "system"]):
        found = subprocess.run(
            [*command, *arguments], cwd=tmp_path, capture_output=True, timeout=30, check=True,
            env={"PATH": os.environ["PATH"], "PRINT": f"{tmp_path}/print"},
        )  # fmt: skip
        assert found.stdout.decode() == f"{value}|2\n"


def test_the_environment_of_the_build_is_that_of_the_original(image):
    """What the image or the specification says goes before it, but for the cache and home."""
    image.add("python3", python())
    image.add("pipenv", '#!/bin/sh\nexport -p >"$RECORD"\n')
    image.install("stack", "pipenv", "pipfile", "", "", PIPENV_VERBOSITY="7")
    text = image.record.read_text()
    for setting in (
        "LANG=en_US.UTF-8", "PIPENV_COLORBLIND=1", "PIPENV_HIDE_EMOJIS=1", "PIPENV_NOSPIN=1", "PIPENV_VERBOSITY=7",
        f"HOME={image.root}/home/", f"PIPENV_CACHE_DIR={image.root}/home/.cache",
    ):  # fmt: skip
        assert setting in text.replace("'", "").replace('"', "")
    assert not (image.root / "home/.cache").exists()
