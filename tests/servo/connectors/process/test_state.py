"""The last good settings, and what may have become of their file."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servo.connectors.process import state
from servo.connectors.process.settings import EnumSettingConfiguration, RangeSettingConfiguration

SETTINGS = [
    RangeSettingConfiguration(name="n", min=1, max=9, default=2),
    EnumSettingConfiguration(name="e", type="enum", values=["a", "b"], default="a"),
    RangeSettingConfiguration(name="p", min=1, max=9, default=5, pinned=True),
]
DEFAULTS = {"n": 2, "e": "a", "p": 5}


def test_what_is_saved_is_loaded(tmp_path):
    state.save(tmp_path / "s" / "state.json", {"n": 7, "e": "b", "p": 5})
    assert state.load(tmp_path / "s" / "state.json", SETTINGS) == {"n": 7, "e": "b", "p": 5}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"settings": []}',
        b"\xff",
        b"[" * 100_000,
        b'{"settings": {"n": 99, "e": [1]}}',
    ],
)
def test_a_damaged_file_gives_the_defaults(tmp_path, content):
    (tmp_path / "state.json").write_bytes(content)
    assert state.load(tmp_path / "state.json", SETTINGS) == DEFAULTS


def test_a_missing_file_gives_the_defaults(tmp_path):
    assert state.load(tmp_path / "missing", SETTINGS) == DEFAULTS


def test_values_that_still_fit_are_kept_and_the_others_are_defaults(tmp_path):
    """The configuration may have changed since; a pinned setting is as it is configured now."""
    (tmp_path / "s").write_text(json.dumps({"settings": {"n": 3, "e": "gone", "p": 9, "old": 1}}))
    assert state.load(tmp_path / "s", SETTINGS) == {"n": 3, "e": "a", "p": 5}


@given(st.binary(max_size=200))
def test_any_file_gives_values_that_fit(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("state") / "s"
    path.write_bytes(content)
    assert state.load(path, SETTINGS).keys() == DEFAULTS.keys()
