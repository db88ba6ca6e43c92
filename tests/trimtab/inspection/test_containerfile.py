"""The Containerfile: the order of its instructions, and that it holds exactly what was asked for."""

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.inspection import Specification, SpecificationError, containerfile

sys.path.insert(0, str(Path(__file__).parent))
from grammar import copies, environment, instructions, runs

BASE = "registry.example/python:3.11"
PINS = "six==1.16.0 --hash=sha256:00\n"
INSTALL = ["/bin/sh", "/opt/trimtab/install"]
NASTY = "a b;c&&d|e>f<g<<EOF $HOME ${X} $(touch /pwned) `id` 'q' \"d\" \\ \\n %s # é\\"


def make(**fields):
    return containerfile(Specification.load({"base": BASE, **fields}))


def test_all_instructions_are_in_the_order_of_the_original():
    text = make(
        update=True,
        packages=["which", "tree"],
        upgrade_pip=True,
        python_packages=["micropipenv[toml]"],
        files=[
            {"path": "data", "content": "x"},
            {"path": "/etc/a b", "content": "y"},
            {"path": "/etc/c", "content": "z"},
        ],
        environment=[{"name": "OMP_NUM_THREADS", "value": "1"}, {"name": "EMPTY", "value": ""}],
        python={"lock": {"requirements.txt": PINS}, "version": "3.11"},
        script="#!/bin/sh\n",
    )
    assert (
        text
        == f"""\
FROM {BASE}
USER 0
ENV OMP_NUM_THREADS="1" \\
    EMPTY=""
COPY ["tools/", "/opt/trimtab/"]
RUN ["/bin/sh", "/opt/trimtab/install", "system", "--update", "--", \\
    "which", \\
    "tree"]
RUN ["/bin/sh", "/opt/trimtab/install", "python", "--upgrade-pip", "--", \\
    "micropipenv[toml]"]
COPY --chown=1042:0 ["home/", "/home/"]
COPY ["files/0/", "/etc/"]
COPY --chown=1042:0 ["lock/", "/home/amun/"]
RUN ["/bin/sh", "/opt/trimtab/install", "stack", "uv", "requirements", "3.11", "1"]
COPY --chown=1042:0 ["run/", "/home/amun/"]
ENTRYPOINT []
CMD ["/home/amun/entrypoint"]
ENV HOME="/home/amun"
USER 1042
WORKDIR /home/amun
"""
    )


def test_a_base_without_a_shell_needs_none_for_files_and_a_script():
    text = make(
        files=[{"path": "/etc/x", "content": "x"}], script="#!/x\n", environment=[{"name": "A", "value": "b"}]
    )
    assert runs(text) == []
    assert "/opt/trimtab" not in text


def test_without_a_script_the_base_keeps_its_command():
    """B15's cause is elsewhere: nothing is run then. An image is still what the base was."""
    names = [name for name, _ in instructions(make())]
    assert names == ["FROM", "USER", "COPY", "ENV", "USER", "WORKDIR"]


def test_a_stack_of_nothing_installs_nothing():
    assert make(python={}) == make()


def test_a_home_of_the_user_wins():
    assert environment(make(environment=[{"name": "HOME", "value": "/x"}])) == {"HOME": "/x"}


def test_no_trusted_host_is_configured():
    """The original wrote an /etc/pip.conf with a trusted host that is long gone."""
    text = make(python={"lock": {"requirements.txt": PINS}})
    assert "pip.conf" not in text
    assert "trusted" not in text


def test_what_is_stored_is_held_to_the_rules_before_it_is_built():
    stored = Specification.load({"base": "x\nRUN id"}, stored=True)
    with pytest.raises(SpecificationError, match="base: it is no reference"):
        containerfile(stored)


TEXTS = st.text(st.characters(exclude_characters="\0\n", exclude_categories=["Cs"])) | st.sampled_from(
    [NASTY, "\\", '"', "$", "\\\\\\", "#x", "'", " ", "\t", "\r", "\x0b", "<<EOF"]
)


@given(st.dictionaries(st.from_regex(r"[A-Z_]{1,5}", fullmatch=True), TEXTS, max_size=6))
def test_b7_values_of_variables_are_exact(values):
    text = make(environment=[{"name": name, "value": value} for name, value in values.items()])
    assert environment(text) == {"HOME": "/home/amun", **values}


def _is_name(text):
    return bool(text.strip()) and not text.startswith("-") and all(c >= " " and c != "\x7f" for c in text)


NAMES = TEXTS.filter(_is_name).filter(lambda text: len(text.encode()) <= 512)


@given(st.lists(NAMES, min_size=1, max_size=4))
@pytest.mark.parametrize(("field", "what"), [("packages", "system"), ("python_packages", "python")])
def test_b7_names_of_packages_are_arguments(field, what, names):
    """`numpy>=1.20` made a file called `=1.20`, and `x; rm -rf /` did what it says."""
    text = make(**{field: names})
    assert runs(text) == [[*INSTALL, what, "--", *names]]
    # No parser may see a here document, a comment or a line that goes on in what comes before it sees JSON.
    lines = [line for line in text.split("\n") if line.startswith("    ")]
    assert len(lines) == len(names)
    assert all(line.isascii() and "<" not in line and "#" not in line for line in lines)


PARTS = st.text(
    st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1, max_size=40
).filter(lambda part: part not in {".", ".."} and len(part.encode()) < 200)


@given(st.lists(PARTS, min_size=2, max_size=4), TEXTS.filter(bool))
def test_b7_paths_are_exact(parts, content):
    """A file's name is its name in the context; the directory is in the Containerfile."""
    path = "/" + "/".join(parts)
    try:
        specification = Specification.load({"base": BASE, "files": [{"path": path, "content": content}]})
    except SpecificationError:
        return
    if not path.startswith("/home/amun/"):
        directory = path.rpartition("/")[0] + "/"
        assert copies(containerfile(specification))[-1] == (["files/0/"], directory, "")


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
def test_b6_b12_b20_contents_are_no_part_of_the_containerfile(text):
    """What is not in it needs no escaping, has no limit of a line, and holds no variable that somebody might expand."""
    contents = {
        "script": f"#!/bin/sh\n{text}",
        "files": [{"path": "x", "content": text}],
        "python": {"lock": {"requirements.txt": f"{PINS}#{text}"}},
    }
    plain = {
        "script": "#!/bin/sh\n",
        "files": [{"path": "x", "content": "x"}],
        "python": {"lock": {"requirements.txt": PINS}},
    }
    assert make(**contents) == make(**plain)


def test_b12_no_line_reaches_the_limit_of_a_builder():
    """BuildKit reads no line of more than 64 KiB."""
    text = make(
        environment=[{"name": f"X{n}", "value": '"' * 16_384} for n in range(15)],
        packages=["é" * 256] * 1000,
        files=[{"path": f"/{'$' * 250}/{'$' * 250}/{n}/x", "content": "x"} for n in range(32)],
    )
    assert max(map(len, text.split("\n"))) < 64 * 1024
    assert [len(run) for run in runs(text)] == [1004]
