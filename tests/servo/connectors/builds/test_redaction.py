"""Secrets leave no log, wherever a stream is cut."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servo.connectors.builds.redaction import (
    HEAD,
    MARK,
    MAX_BLOCK,
    MAX_VALUE,
    RULES,
    STEMS,
    Redactor,
    Secrets,
)

SECRETS = {
    "github": "ghp_" + "a1B2" * 9,
    "fine-grained": "github_pat_" + "a1B2" * 20,
    "gitlab": "glpat-" + "a1B2" * 5,
    "index": "pypi-AgEIcHlwaS5vcmc" + "x" * 100,
    "npm": "npm_" + "a1B2" * 9,
    "slack": "xoxb-123456789012-abcdefABCDEF",
    "aws id": "AKIAIOSFODNN7EXAMPLE",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
    "google": "AIza" + "x" * 35,
}
LINES = {
    "bearer": ("Authorization: Bearer {}\n", "abc.def-ghi_jkl="),
    "basic": ('curl -H "authorization: basic {}" x\n', "dXNlcjpwYXNz"),
    "json header": ('{{"Authorization": "Bearer {}"}}\n', "t0ken-of-mine"),
    "cookie": ("Set-Cookie: {}\n", "session=12345; path=/"),
    "url": ("Looking in indexes: https://{}@pypi.example/simple\n", "user:pa%21ss"),
    "url with a token alone": ("git clone https://{}@git.example/a/b\n", "0123456789abcdef"),
    "url with an at sign": ("https://{}@pypi.example/simple\n", "user:p@ss"),
    "aws key": ("AWS_SECRET_ACCESS_KEY={}\n", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    "variable": ("export DB_PASSWORD='{}'\n", "hunter2hunter2"),
    "yaml": ("  api_key: {}\n", "0123456789"),
    "option": ("twine upload --password {} dist/*\n", "hunter2!"),
    "npmrc": ("//registry.example/:_authToken={}\n", "abcdef-12345"),
    "gitlab header": ("PRIVATE-TOKEN: {}\n", "a-b-c-d-e-f"),
}
KEY = "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEow/IBAAKCAQEA\n" * 30 + "-----END RSA PRIVATE KEY-----"


def redacted(text, size=None, secrets=None):
    data = text if isinstance(text, bytes) else text.encode()
    redactor = Redactor(secrets or Secrets())
    size = size or len(data) or 1
    pieces = [each for at in range(0, len(data), size) for each in redactor.feed(data[at : at + size])]
    return b"".join([*pieces, *redactor.finish()]).decode()


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_tokens_are_known_by_how_they_begin(secret):
    assert redacted(f"using {secret} for it\n") == "using [redacted] for it\n"


@pytest.mark.parametrize(("line", "secret"), LINES.values(), ids=LINES)
def test_secrets_are_known_by_what_stands_before_them(line, secret):
    found = redacted("first\n" + line.format(secret) + "last\n")
    assert secret not in found
    assert found.startswith("first\n")
    assert found.endswith("\nlast\n")
    assert "[redacted]" in found


def test_a_private_key_goes_as_a_whole_also_with_times_before_its_lines():
    stamped = "\n".join(f"2026-11-27T01:02:03Z {line}" for line in KEY.split("\n"))
    found = redacted(f"before\n{stamped}\nafter\n")
    assert found == "before\n2026-11-27T01:02:03Z [redacted]\nafter\n"


def test_a_private_key_that_never_ends_is_not_the_whole_log():
    found = redacted("-----BEGIN PRIVATE KEY-----\n" + "x" * MAX_BLOCK + "\nthe rest\n", 1000)
    assert found.endswith("the rest\n")


@pytest.mark.parametrize(
    "line",
    [
        "Collecting tokenizers==0.20.1\n",
        "Collecting secretstorage==3.3.3 (from keyring)\n",
        "Successfully installed passlib-1.7.4 python-keycloak-4.0\n",
        "Cloning https://git.example/a/b@v1 to /tmp/x\n",
        "Cloning ssh://git@git.example/a/b\n",
        "ERROR: unexpected key type in Pipfile\n",
        "mail to someone@site.example\n",
        "STEP 3/4: RUN pip install requests==2.32.0\n",
    ],
)
def test_what_builds_usually_say_stays(line):
    assert redacted(line) == line


@pytest.mark.parametrize("size", [1, 7, 64, HEAD - 1, HEAD, HEAD + 1])
def test_a_secret_that_crosses_chunks_is_found(size):
    filler = "x" * (HEAD - 11) + "\n"
    for secret in SECRETS.values():
        found = redacted(filler + f"a {secret}\n" + filler, size)
        assert found == filler + "a [redacted]\n" + filler


def test_a_secret_longer_than_any_buffer_is_found():
    found = redacted("Authorization: Bearer " + "a" * (5 * HEAD) + "\nnext\n", 1000)
    assert found == "Authorization: Bearer [redacted]\nnext\n"


PIECES = st.sampled_from(
    [
        *SECRETS.values(),
        *(line.format(secret) for line, secret in LINES.values()),
        KEY,
        KEY[:60],
        "x" * 9000,
        " ",
        "\n",
        "://",
        "@",
        "token=",
        "-----END",
        "gh",
        "ghp_",
        "hunter2-named",
    ]
) | st.text(max_size=20)


@given(st.lists(PIECES, max_size=12), st.integers(1, 12_000))
def test_what_is_found_does_not_depend_on_where_chunks_end(pieces, size):
    text = "".join(pieces)
    data = text.encode("utf-8", "surrogatepass")
    secrets = Secrets(["hunter2-named"])
    whole = Redactor(secrets)
    expected = b"".join([*whole.feed(data), *whole.finish()])
    assert b"hunter2-named" not in expected
    cut = Redactor(secrets)
    found = [each for at in range(0, len(data), size) for each in cut.feed(data[at : at + size])]
    assert b"".join([*found, *cut.finish()]) == expected


@given(
    st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=6, max_size=200),
    st.integers(0, 5),
)
def test_named_values_are_found_in_each_form_they_take(value, before):
    if len(value.strip()) < 6:
        return
    value = value.strip()
    secrets = Secrets([value], patterns=False)
    assert redacted(f"a {value} b", secrets=secrets) == "a [redacted] b"
    assert redacted(f"a {quote(value, safe='')} b", secrets=secrets) == "a [redacted] b"
    packed = base64.b64encode(b"u" * before + value.encode()).decode()
    assert len(redacted(packed, secrets=secrets).replace("[redacted]", "")) <= 4 * before + 4


def test_each_line_of_a_named_value_counts():
    secrets = Secrets(["first line\n  second line  \nx\n"], patterns=False)
    assert redacted("1 first line 2 second line 3 x", secrets=secrets) == "1 [redacted] 2 [redacted] 3 x"


@pytest.mark.parametrize("value", ["", "short", "x" * (MAX_VALUE + 1)])
def test_a_value_that_would_hide_everything_is_refused(value):
    with pytest.raises(ValueError, match="characters"):
        Secrets([value])


def test_what_is_found_is_counted():
    redactor = Redactor(Secrets())
    list(redactor.feed(b"https://a:b@c ghp_" + b"x" * 40))
    list(redactor.finish())
    assert redactor.found == 2


def test_a_text_is_redacted_as_a_stream_is():
    assert Secrets().redact("at https://a:b@c") == "at https://[redacted]@c"
    assert MARK == b"[redacted]"


def test_bytes_that_are_no_text_pass():
    redactor = Redactor(Secrets())
    data = bytes(range(256)) * 100
    assert b"".join([*redactor.feed(data), *redactor.finish()]) == data


def test_each_trigger_has_a_stem():
    """Else its rule would never be tried."""
    triggers = [trigger for rule in RULES for trigger in rule.triggers]
    assert [each for each in triggers if not any(stem in each for stem in STEMS)] == []


@given(st.lists(PIECES, max_size=12))
def test_rules_that_are_not_worth_trying_would_find_nothing(pieces):
    data = "".join(pieces).encode("utf-8", "surrogatepass")
    worth = Secrets().worth(data)
    lowered = data.lower()
    tried = [rule for rule in RULES if any(trigger in lowered for trigger in rule.triggers)]
    assert worth == tried
