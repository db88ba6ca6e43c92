"""Files that are no specification: `trimtab inspect` says what is wrong in one message, and nothing is begun."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

DEEP = 10_000
CASES = {
    "malformed": (b'{"base": "x",', "line 1"),
    "no text": (b"\xff\xfe\x00", "UTF-8"),
    "empty": (b"", ""),
    "a list": (b"[]", "object"),
    "wrong types": (json.dumps({"base": 1, "batch_size": [], "files": {}, "script": {}}).encode(), "base"),
    "lists in lists": (b'{"base": "x", "y": ' + b"[" * DEEP + b"]" * DEEP + b"}", "nested"),
    "objects in objects": (b'{"base": "x", "y": ' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}", "nested"),
    "a number of many digits": (b'{"base": "x", "batch_size": ' + b"9" * 100_000 + b"}", "digits"),
    "half a pair": (b'{"base": "x", "script": "\\ud800"}', "script"),
    "100 MB": (b'{"base": "x", "script": "' + b"x" * 100_000_000 + b'"}', "bytes"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_no_specification_is_a_usage_error_and_nothing_is_begun(name, tmp_path):
    data, word = CASES[name]
    (tmp_path / "spec.json").write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", "from trimtab.cli import main; main()", "inspect", "spec.json", "--engine", "process"],
        cwd=tmp_path, env={**os.environ, "TRIMTAB_HOME": str(tmp_path / "home")}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert "spec.json" in done.stderr
    assert word in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr) < 2000
    assert not (tmp_path / "home" / "work").exists()
