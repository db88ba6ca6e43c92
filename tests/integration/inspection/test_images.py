"""Images of podman, buildah and Docker have exactly what a specification says."""

import base64
import hashlib
import json
import random

import pytest

from trimtab.inspection import Specification, write_context

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

BASE = "localhost/python:3.11"
ALPHABET = "ab01 \t\\\"'$`{}()[]<>|&;*?!~#%=:,.-_+@^é✓\u2028\x7f\x01\x0b\r"
CHOSEN = [
    "a b", "x;touch /pwned", "$(touch /pwned)", "`touch /pwned`", "${HOME}", "$HOME", "numpy>=1.20", "<<EOF", "#x", "\\", "\\\\",
    'a"b', "a'b", "a\\", "é✓", "*", "&& id", "| id", "%s", "{x,y}", "~", "a=1", "\\n", "${x:-y}", "x # y",
]  # fmt: skip
# Keeps the arguments of each call, a byte that no argument has between them.
DNF = '#!/bin/sh\nprintf "%s\\036" "$@" >>/recorded-dnf\nprintf "\\035" >>/recorded-dnf\n'
PYTHON = '#!/bin/sh\n[ "$2" = pip ] || exec /usr/bin/python3 "$@"\nprintf "%s\\036" "$@" >>/recorded-pip\n'
SCRIPT = """#!/usr/bin/python3
import hashlib, json, os, sys
# `touch /pwned` $(touch /pwned) ${HOME} \\d \\\\ %s %% "'
def record(name):
    try:
        return open(name, encoding="utf-8", newline="").read()
    except FileNotFoundError:
        return None
found = {}
for top in ("/srv", "/home/amun", "/x y"):
    for directory, _, names in os.walk(top):
        for name in names:
            path = os.path.join(directory, name)
            found[path] = hashlib.sha256(open(path, "rb").read()).hexdigest()
            os.utime(path) if path.startswith("/home") and "script" not in name and "entry" not in name else None
os.makedirs("/home/amun/results/0")
print(json.dumps({
    "files": found, "environment": dict(os.environ), "pwned": os.path.exists("/pwned"),
    "dnf": record("/recorded-dnf"), "pip": record("/recorded-pip"),
    "user": [os.getuid(), os.getgid()], "directory": os.getcwd(), "arguments": sys.argv[1:],
}))
"""


def texts(count, seed, alphabet=ALPHABET):
    """Words of what means something to somebody."""
    dice = random.Random(seed)
    return ["".join(dice.choices(alphabet, k=dice.randint(1, 30))) for _ in range(count)]


def recorder(builder, directory):
    """A base whose dnf and pip keep their arguments; an entry point of its own is no part of what is run."""
    (directory / "dnf").write_text(DNF)
    (directory / "python3").write_text(PYTHON)
    (directory / "Containerfile").write_text(
        f'FROM {BASE}\nENTRYPOINT ["/bin/false"]\nCOPY --chmod=755 dnf /usr/bin/dnf\nCOPY --chmod=755 python3 /usr/local/bin/python3\n'
        if builder.name != "docker"
        else f'FROM {BASE}\nENTRYPOINT ["/bin/false"]\nCOPY dnf /usr/bin/dnf\nCOPY python3 /usr/local/bin/python3\n'
    )
    for name in ("dnf", "python3"):
        (directory / name).chmod(0o755)
    return builder.build(directory)[0]


def test_b5_b6_b7_metacharacters_in_every_field_give_exactly_those_bytes(builder, tmp_path):
    (tmp_path / "base").mkdir()
    base = recorder(builder, tmp_path / "base")
    names = [
        name
        for name in [*CHOSEN, *texts(40, 1)]
        if name.strip() and name[0] != "-" and all(c >= " " and c != "\x7f" for c in name)
    ]
    values = [*CHOSEN, "", " ", "\t", "\n", "a\n'b'\n$x\n\n", *texts(60, 2), *texts(10, 3, ALPHABET + "\n")]
    paths = [part.strip(".") or "x" for part in texts(8, 4, ALPHABET + "\n")]
    contents = [value.encode() for value in [*texts(20, 5, ALPHABET + "\n"), "\n\n", "x\r\n"]] + [
        bytes(range(256)),
        b"\xff\0",
    ]
    files = {
        **{f"/srv/{path}/{path}": content for path, content in zip(paths, contents, strict=False)},
        **{
            f"/home/amun/{path}/x/{path}": content
            for path, content in zip(paths[:4], contents[8:], strict=False)
        },
        "/x y/$HOME": b"$HOME",
        "/var/run/through/a link": b"x",
    }
    environment = {f"V{number}": value for number, value in enumerate(values)}
    specification = Specification.load(
        {
            "base": base,
            "packages": names,
            "python_packages": names,
            "environment": [{"name": name, "value": value} for name, value in environment.items()],
            "files": [
                {"path": path, "content": base64.b64encode(content).decode(), "encoding": "base64"}
                for path, content in files.items()
            ],
            "script": SCRIPT,
        }
    )
    wrapper = {"entrypoint": b'#!/bin/sh\nexec /home/amun/script "$@"\n'}
    context = write_context(specification, tmp_path / "context", wrapper=wrapper)
    image, _ = builder.build(context.directory)
    found = json.loads(builder.run(image))
    assert {name: found["environment"].get(name) for name in environment} == environment
    hashes = {
        path: hashlib.sha256(content).hexdigest() for path, content in files.items() if "link" not in path
    }
    assert {path: found["files"].get(path) for path in hashes} == hashes
    assert found["files"]["/home/amun/script"] == hashlib.sha256(SCRIPT.encode()).hexdigest()
    assert (
        found["dnf"]
        == "".join(f"{name}\x1e" for name in ["-y", "install", *names]) + "\x1dclean\x1eall\x1e\x1d"
    )
    assert found["pip"].endswith(
        "".join(f"{name}\x1e" for name in ["--force-reinstall", "--upgrade", "--", *names])
    )
    assert found["pwned"] is False
    assert (found["user"], found["directory"], found["environment"]["HOME"]) == (
        [1042, 0],
        "/home/amun",
        "/home/amun",
    )
    assert found["arguments"] == []
    assert builder.run(image, "cat", "/run/through/a link") == b"x"
    assert builder.run(image, "stat", "-c", "%a", "/tmp", "/home", "/home/amun") == b"1777\n755\n777\n"


def test_an_arbitrary_user_of_group_0_can_work_in_home(builder, tmp_path):
    """As OpenShift runs images."""
    script = "#!/bin/sh\nset -e\nmkdir results\necho x >>script.stdout\necho x >data\nid -u\n"
    document = {"base": BASE, "script": script, "files": [{"path": "data", "content": "y"}]}
    context = write_context(
        Specification.load(document),
        tmp_path / "context",
        wrapper={"entrypoint": b"#!/bin/sh\nexec ./script\n"},
    )
    image, _ = builder.build(context.directory)
    assert builder.run(image, options=("--user", "1000660000:0")) == b"1000660000\n"


def test_the_cache_of_the_builder_is_used(podman, tmp_path):
    """The same specification is the same image; with another script nothing is installed again."""
    document = {
        "base": BASE,
        "packages": ["x"],
        "files": [{"path": "/a b/c", "content": "x"}],
        "script": "#!/bin/sh\n",
    }
    (tmp_path / "base").mkdir()
    document["base"] = recorder(podman, tmp_path / "base")
    built = []
    for number, script in enumerate(["#!/bin/sh\n", "#!/bin/sh\n", "#!/bin/sh\n# other\n"]):
        context = write_context(
            Specification.load({**document, "script": script}),
            tmp_path / f"{number}",
            wrapper={"entrypoint": b"#!x\n"},
        )
        image, printed = podman.build(context.directory, "--layers=true")
        built.append((podman.inspect(image, "{{.Id}}"), printed))
    assert built[0][0] == built[1][0] != built[2][0]
    assert "trimtab: packages are installed by dnf" in built[0][1]
    assert "trimtab: packages are installed by dnf" not in built[1][1] + built[2][1]
    layers = json.loads(podman.inspect(built[2][0], "{{json .RootFS.Layers}}"))
    below = json.loads(podman.inspect(document["base"], "{{json .RootFS.Layers}}"))
    assert len(set(layers) - set(below)) <= 5  # tools, packages, home, a directory, the script


@pytest.fixture
def empty(podman, tmp_path):
    """An image of nothing."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/nothing").touch()
    (tmp_path / "empty/Containerfile").write_text("FROM scratch\nCOPY nothing /nothing\n")
    return podman.build(tmp_path / "empty")[0]


def test_a_base_without_a_shell_takes_files_and_a_script(podman, empty, tmp_path):
    document = {
        "base": empty,
        "script": "#!/x\n",
        "files": [{"path": "/etc/a b", "content": "x"}, {"path": "y", "content": "z"}],
    }
    context = write_context(
        Specification.load(document), tmp_path / "context", wrapper={"entrypoint": b"#!x\n"}
    )
    image, _ = podman.build(context.directory)
    name = f"{image.rpartition('/')[2]}-container"
    podman.call("podman", "create", "--name", name, image)
    try:
        listing = (
            podman.call("bash", "-o", "pipefail", "-c", f"podman export {name} | tar -t")
            .stdout.decode()
            .splitlines()
        )
    finally:
        podman.call("podman", "rm", name)
    assert {"etc/a b", "home/amun/y", "home/amun/script", "home/amun/entrypoint"} <= set(listing)


def test_a_base_without_a_shell_says_what_packages_need(podman, empty, tmp_path):
    context = write_context(Specification.load({"base": empty, "packages": ["x"]}), tmp_path / "context")
    _, printed = podman.build(context.directory, check=False)
    assert "/bin/sh" in printed
    assert "no such file or directory" in printed
