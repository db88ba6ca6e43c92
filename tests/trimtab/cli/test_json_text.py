"""Documents of strangers as JSON on a terminal."""

import json

from hypothesis import given
from hypothesis import strategies as st

from trimtab.cli.json_text import json_text

TEXTS = st.text(st.characters(exclude_categories=()), max_size=20)


@given(
    st.recursive(TEXTS | st.integers() | st.none(), lambda inner: st.dictionaries(TEXTS, inner, max_size=3))
)
def test_any_document_can_be_written_and_is_read_as_it_was(document):
    text = json_text(document)
    assert json.loads(text) == document
    assert json.loads(text.encode()) == document


def test_what_moves_a_terminal_is_an_escape_and_other_languages_stay_as_they_are():
    """C1 controls, which JSON lets stand, begin escape sequences as ESC does."""
    assert json_text("\x9b2J \x1b[2J \u202e \udc80 ä 語") == r'"\u009b2J \u001b[2J \u202e \udc80 ä 語"'
