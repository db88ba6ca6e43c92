"""How values reach an application."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servo.connectors.process import rendering
from servo.connectors.process.rendering import (
    TemplateError,
    arguments,
    environment,
    placeholders,
    read_template,
    substitute,
    write_whole,
)
from servo.connectors.process.settings import EnumSettingConfiguration, RangeSettingConfiguration

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,8}", fullmatch=True)


def test_known_names_in_braces_are_replaced_and_nothing_else():
    found = substitute("a=${a} b=${b} $a ${unknown} $$ $${a} ${} $(x) $1", {"a": "1", "b": "2"})
    assert found == "a=1 b=2 $a ${unknown} $ ${a} ${} $(x) $1"


def test_what_a_value_contains_is_not_looked_at_again():
    assert substitute("${a}${b}", {"a": "${b}", "b": "$$"}) == "${b}$$"


@given(st.text(), st.dictionaries(names, st.text(), max_size=4))
def test_any_text_can_be_rendered_and_without_dollars_stays_as_it_is(text, values):
    found = substitute(text, values)
    if "$" not in text:
        assert found == text


@given(
    st.lists(st.one_of(st.text().map(lambda t: ("text", t)), names.map(lambda n: ("name", n))), max_size=8)
)
def test_a_template_of_escaped_text_and_names_gives_text_and_values(parts):
    template = "".join(part.replace("$", "$$") if kind == "text" else f"${{{part}}}" for kind, part in parts)
    values = {part: f"<{part}>" for kind, part in parts if kind == "name"}
    assert substitute(template, values) == "".join(p if k == "text" else f"<{p}>" for k, p in parts)
    assert placeholders(template) == set(values)


def test_values_go_into_variables_and_arguments():
    settings = [
        RangeSettingConfiguration(
            name="n", min=0, max=9, default=2, environment="N", argument="--n=${value}"
        ),
        EnumSettingConfiguration(
            name="fast",
            type="enum",
            values=[True, False],
            default=True,
            arguments={"true": ["--fast", "${value}"]},
        ),
        RangeSettingConfiguration(
            name="f", min=0, max=1, step=0.25, default=0.5, argument=["-f", "${value}"], environment="F"
        ),
    ]
    values = {"n": 3, "fast": "true", "f": 0.75}
    assert environment(settings, values) == {"N": "3", "F": "0.75"}
    assert arguments(settings, values) == ["--n=3", "--fast", "true", "-f", "0.75"]
    assert arguments(settings, values | {"fast": "false"}) == ["--n=3", "-f", "0.75"]


def test_a_file_is_replaced_as_a_whole(tmp_path):
    target = tmp_path / "deep" / "file"
    write_whole(target, "one")
    write_whole(target, "two")
    assert target.read_text() == "two"
    assert [path.name for path in target.parent.iterdir()] == ["file"]


def test_a_template_that_cannot_be_read_says_why(tmp_path, monkeypatch):
    with pytest.raises(TemplateError, match="No such file"):
        read_template(tmp_path / "missing")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TemplateError, match="not UTF-8"):
        read_template(tmp_path / "binary")
    monkeypatch.setattr(rendering, "MAX_TEMPLATE", 3)
    (tmp_path / "long").write_text("four")
    with pytest.raises(TemplateError, match="more than 3 bytes"):
        read_template(tmp_path / "long")
