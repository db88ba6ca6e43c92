"""requirements.txt is read as pins with hashes; options of pip that name something else are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.engines.process.pins import LockError
from trimtab.engines.process.requirements import read_requirements

ONE, TWO = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"


def test_as_uv_writes_it():
    text = f"""\
--index-url https://own.example.com/simple
# a comment
anyio==4.0 ; sys_platform != 'emscripten' \\
    --hash={ONE} \\
    --hash={TWO}
    # via something
colorama==0.4.6 --hash={ONE} # another
"""
    pins = read_requirements(text.encode())
    assert pins.refused == ()
    assert pins.sources == ("https://own.example.com/simple",)
    assert pins.text() == (
        f'anyio==4.0 ; sys_platform != "emscripten" --hash={ONE} --hash={TWO}\ncolorama==0.4.6 --hash={ONE}\n'
    )


def test_a_byte_order_mark_and_windows_line_ends():
    (pin,) = read_requirements(f"\ufeffa==1 \\\r\n  --hash={ONE}\r\n".encode()).pins
    assert str(pin) == f"a==1 --hash={ONE}"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a==1", "a has no SHA-256 or longer hash"),
        (f"a>=1 --hash={ONE}", "is not pinned to one version"),
        (f"a==1,!=2 --hash={ONE}", "is not pinned to one version"),
        ("-e ./here", "comes from a path of the machine"),
        ("-r other.txt", "the option -r names what is not part of the lock"),
        ("--find-links /wheels", "the option --find-links"),
        ("--index-url file:///x", "is no http(s) URL"),
        (f"a @ git+https://x.example.com/a.git --hash={ONE}", "is a repository"),
        (f"a @ file:///a.whl --hash={ONE}", "is no http(s) URL"),
        ("./a.whl", "is no requirement"),
        ("$(touch x)==1", "is no requirement"),
    ],
)
def test_what_cannot_be_proved_is_refused_with_its_line(line, reason):
    (refused,) = read_requirements(f"\n{line}\n".encode()).refused
    assert refused.startswith("requirements.txt, line 2: ")
    assert reason in refused


def test_what_is_no_text_is_an_error():
    with pytest.raises(LockError, match="is no UTF-8"):
        read_requirements(b"\xff\xfe")


@given(st.text(alphabet=st.sampled_from("ab=1.,;@#\\\n -e[]'\"$(){}/:hs"), max_size=200))
def test_whatever_is_there_only_pins_with_hashes_come_out(text):
    for pin in read_requirements(text.encode()).pins:
        assert pin.hashes
