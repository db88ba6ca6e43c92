"""YAML is read with positions and within bounds."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from servo.configuration.document import MAX_BYTES, MAX_DEPTH, MAX_VALUES, parse_documents, read_documents
from servo.errors import ConfigurationError

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def data(text):
    return [document.data for document in parse_documents(text)]


@given(PLAIN)
def test_what_yaml_writes_is_read_back(value):
    text = yaml.dump(value, Dumper=yaml.CSafeDumper, allow_unicode=True)
    assert data(text) == [value]


def refusal(content):
    """Return the error for what is no YAML, None for what is."""
    try:
        parse_documents(content, file="servo.yaml")
    except ConfigurationError as error:
        return error
    return None


@given(st.binary(max_size=200) | st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_any_input_is_read_or_refused_with_a_place(content):
    error = refusal(content)
    assert error is None or (
        str(error).startswith("servo.yaml:") and error.line >= 1 and error.column >= 1 and error.remedy
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [None]),
        ("# nothing but a comment\n", [None]),
        ("a: 1\n---\nb: 2\n", [{"a": 1}, {"b": 2}]),
        ("---\na: 1\n---\n---\nb: 2\n", [{"a": 1}, None, {"b": 2}]),
        ("on: [x]\nyes: y\n1: z\n", [{"on": ["x"], "yes": "y", "1": "z"}]),
        ("version: 2024-01-01\n", [{"version": "2024-01-01"}]),
        ("a: &x {b: [1]}\nc: *x\n", [{"a": {"b": [1]}, "c": {"b": [1]}}]),
        (
            "base: &x {a: 1, b: 2}\nuse:\n  <<: *x\n  b: 3\n",
            [{"base": {"a": 1, "b": 2}, "use": {"b": 3, "a": 1}}],
        ),
        ("a: 0x10\nb: 1_000\nc: ~\nd: .5\ne: 'on'\n", [{"a": 16, "b": 1000, "c": None, "d": 0.5, "e": "on"}]),
        ("a: !!str 12\n", [{"a": "12"}]),
    ],
)
def test_documents_become_plain_values(text, expected):
    assert data(text) == expected


def test_aliased_values_are_copies_so_that_changing_one_changes_no_other():
    document = parse_documents("a: &x [1]\nb: *x\n")[0]
    document.data["a"].append(2)
    assert document.data["b"] == [1]


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("a: [1,\nb: }", "2:4", "this is no YAML"),
        ('a: "open\nb: 1\n', "3:1", "this is no YAML"),
        ("a:\n\tb: 1\n", "2:1", "this is no YAML"),
        ("a: 1\nb:\n  c: 1\n  c: 2\n", "4:3", "the key 'c' is given twice, first on line 3"),
        ("a: *x\n", "1:4", "the alias *x repeats nothing"),
        ("a: &x [*x]\n", "1:8", "the alias *x stands inside the value it repeats"),
        ("a: &x 1\n---\nb: *x\n", "3:4", "the alias *x repeats nothing"),
        ("a: !env TOKEN\n", "1:4", "the tag '!env' is not understood"),
        ("a: !!python/object/apply:os.system [ls]\n", "1:4", "is not understood"),
        ("a: !!set {b}\n", "1:4", "is not understood"),
        ("a: !!int zz\n", "1:4", "the value is no readable int"),
        ("a: " + "9" * 5000, "1:4", "the value is no readable int"),
        ("? [1, 2]\n: 3\n", "1:3", "a key must be a plain text"),
        ("a:\n  <<: 1\n", "2:7", "<< wants a mapping"),
        ("a: \x01", "1:4", "a character that YAML does not allow"),
        (b"a: 1\nb: \xff\xfe", "2:4", "a character that YAML does not allow"),
        ("[" * 5000, f"1:{MAX_DEPTH + 1}", f"nested more than {MAX_DEPTH} deep"),
    ],
)
def test_each_problem_has_its_place(text, place, said):
    with pytest.raises(ConfigurationError) as caught:
        parse_documents(text, file="servo.yaml")
    message = str(caught.value)
    assert message.startswith(f"servo.yaml:{place}: ")
    assert said in message
    assert caught.value.remedy
    assert "\n" not in message


def test_an_anchors_bomb_is_refused_before_it_unfolds():
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    with pytest.raises(ConfigurationError, match=f"more than {MAX_VALUES} values, its aliases expanded"):
        parse_documents("\n".join(lines))


def test_aliases_do_not_nest_deeper_than_the_limit():
    lines = ["a0: &a0 [1]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, MAX_DEPTH + 1)]
    with pytest.raises(ConfigurationError, match=f"nested more than {MAX_DEPTH} deep"):
        parse_documents("\n".join(lines))


def test_many_documents_share_one_limit_of_values():
    document = "---\na: &a [" + ", ".join(["1"] * 900) + "]\nb: [" + ", ".join(["*a"] * 30) + "]\n"
    with pytest.raises(ConfigurationError, match="more than"):
        parse_documents(document * 20)


def test_a_file_of_ten_megabytes_is_refused_without_being_read_whole(tmp_path):
    path = tmp_path / "servo.yaml"
    path.write_bytes(b"#" * 10_000_000)
    with pytest.raises(
        ConfigurationError, match=f"{path}:1:1: the file is larger than {MAX_BYTES >> 20} MiB"
    ):
        read_documents(path)


def test_a_file_that_is_not_there_is_said_so(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_documents(tmp_path / "servo.yaml")


def test_a_directory_is_no_file(tmp_path):
    with pytest.raises(ConfigurationError, match=r"the file cannot be read \(Is a directory\)"):
        read_documents(tmp_path)


def test_values_are_located_by_their_path():
    document = parse_documents("a:\n  b:\n    - x\n    - {c: 1}\n")[0]
    assert document.locate(("a", "b", 1, "c")) == ((4, 8), ("a", "b", 1, "c"))
    assert document.locate(("a", "missing")) == ((1, 1), ("a",))
    assert document.locate(("a", "NameOfAModel", "b")) == ((2, 3), ("a", "b"))
    assert document.locate(()) == ((1, 1), ())
