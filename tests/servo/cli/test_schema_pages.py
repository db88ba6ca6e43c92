"""Schemas for people."""

from hypothesis import given
from hypothesis import strategies as st

from servo.cli.schema_pages import schema_html, schema_text

SCHEMA = {
    "title": "Example",
    "type": "object",
    "required": ["rate"],
    "properties": {
        "rate": {"type": "integer", "description": "How  often\nper second", "env_names": ["E_RATE", "E_R"]},
        "mode": {"anyOf": [{"enum": ["a", "b"]}, {"type": "null"}], "default": "a"},
        "inner": {"$ref": "#/$defs/Inner"},
        "many": {"type": "array", "items": {"$ref": "#/$defs/Inner"}},
        "pause": {"type": "string", "format": "duration"},
        "fixed": {"const": 3},
        "whatever": {},
    },
    "$defs": {
        "Inner": {
            "type": "object",
            "properties": {"again": {"$ref": "#/$defs/Inner"}, "x": {"type": "number"}},
        }
    },
}


def test_text_has_a_line_per_field_with_what_is_known_of_it():
    lines = schema_text(SCHEMA).splitlines()
    assert lines[:4] == [
        "Example",
        "=======",
        "rate: integer, required, env E_RATE or E_R",
        "    How often per second",
    ]
    assert 'mode: "a" | "b", default "a"' in lines
    assert "inner: object" in lines
    assert "  x: number" in lines
    assert "many: list of object" in lines
    assert "pause: duration" in lines
    assert "fixed: 3" in lines
    assert "whatever: anything" in lines


def test_a_schema_that_refers_to_itself_ends():
    assert len(schema_text(SCHEMA)) < 10_000


@given(st.text())
def test_nothing_of_a_schema_is_markup_in_html(text):
    page = schema_html({"title": text, "properties": {text: {"description": f"<script>{text}</script>"}}})
    assert "<script" not in page
    assert page.startswith("<!doctype html>")
