"""The shell's reading and writing of JSON against Python's, on the same texts."""

import json
import subprocess
from pathlib import Path

import pytest

import trimtab.inspection.wrapper

CODE = (Path(trimtab.inspection.wrapper.__file__).parent / "shell" / "json.sh").read_text()
TEXTS = [
    b"", b"{}", b"[]", b"0", b"-0.0e5", b"null", b"true", b"false", b'""', b" 1 ", b"1 2", b"01", b"1.", b".5", b"-", b"--1",
    b"1e5", b"1e", b"1E+5", b"truefalse", b"nulll", b"nan", b'"a', b'"a"b"', b'"a\\"b"', b'"\\x"', b'"\\u12"', b'"\\u1234"',
    b'"\\ud800"', b'"\\ud83d\\ude00"', b'"\\ude00"', b'{"a": 1, "b": [1, 2.5, {"c": null}], "d": "x, y"}', b'{"a" 1}',
    b'{"a": }', b"{1: 2}", b"[1,]", b"[,1]", b"[1 2]", b'{"a":1,}', b"[[[[]]]]", b"[" * 90 + b"]" * 90, b"[1]]", b"{} {}",
    b'["[", "]", "{", "\\\\"]', b'"\xc3\xa9 \xe2\x82\xac"', b'{"a": "' + b"x" * 5000 + b'"}', b"hello", b'[1,\n "two"\n]\n',
]  # fmt: skip


@pytest.fixture(params=["sh", "busybox"])
def call(request):
    if request.param == "sh":
        command, path = ["/bin/sh"], "/usr/bin:/bin"
    else:
        directory = request.getfixturevalue("applets")
        command, path = [str(directory / "sh")], str(directory)

    def run(code: str, data: bytes, *arguments: str) -> tuple[int, bytes]:
        done = subprocess.run(
            [*command, "-c", CODE + code, "sh", *arguments],
            input=data,
            capture_output=True,
            env={"PATH": path},
            timeout=50,
            check=False,
        )
        assert done.stderr == b""
        return done.returncode, done.stdout

    return run


def test_knows_what_is_json(call, tmp_path):
    for number, text in enumerate(TEXTS):
        (tmp_path / str(number)).write_bytes(text)
    code = 'for f in $(seq 0 "$2"); do is_json "$1/$f"; printf "%s " $?; done'
    _, said = call(code, b"", str(tmp_path), str(len(TEXTS) - 1))
    assert [int(word) for word in said.split()] == [_kind(text) for text in TEXTS]


def _kind(text: bytes) -> int:
    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False).encode()  # not half a pair of surrogates
    except ValueError:
        return 1
    return 0 if value else 2


@pytest.mark.parametrize(
    "data",
    [
        b"", b"plain", bytes(range(1, 128)), "é€😀\u07ff\u0800\uffff".encode(), b"\0", b"\xff\xfe", b"\xc3", b"\xe2\x82",
        b"\xf0\x9f\x98", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"a\xc3(b", b"\x80\x80", b"%s %% \\n '\"$(ls)`",
    ],
)  # fmt: skip
def test_writes_any_bytes(call, data):
    code, said = call("encode", data)
    text = json.loads(said)
    try:
        assert text == data.decode()
        assert code in {0, 12}
    except UnicodeDecodeError:
        assert code in {11, 13}
        assert [c for c in text if c != "\ufffd"] == [
            c for c in data.decode("utf-8", "replace") if c != "\ufffd"
        ]


def test_a_text_of_many_lines_is_read_in_time(call, tmp_path):
    (tmp_path / "text").write_bytes(b"[" + b"1,\n" * 60_000 + b"2]")
    assert call('is_json "$1"', b"", str(tmp_path / "text"))[0] == 0
