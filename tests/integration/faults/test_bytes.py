"""Shell metacharacters in every field that an engine hands on: exactly those bytes arrive, and none is run."""

import base64
import json

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

NASTY = [
    "a b", "x;touch /tmp/pwned", "$(touch /tmp/pwned)", "`touch /tmp/pwned`", "${HOME}", "$HOME", "<<EOF", "#x", "\\", "\\\\",
    'a"b', "a'b", "a\\", "é✓", "*", "&& id", "| id", "%s", "{x,y}", "~", "a=1", "\\n", "\n'b'\n$x\n\n", "", " ", "\t", "--option",
]  # fmt: skip
SCRIPT = """\
#!/usr/bin/env python3
# `touch /tmp/pwned` $(touch /tmp/pwned) ${HOME} \\d \\\\ %s "'
import base64, json, os
home, found = os.environ["HOME"], {}
for directory, _, names in os.walk(os.path.join(home, "files")):
    for name in names:
        path = os.path.join(directory, name)
        found[os.path.relpath(path, home)] = base64.b64encode(open(path, "rb").read()).decode()
print(json.dumps({
    "files": found, "environment": {n: v for n, v in os.environ.items() if n.startswith("V_")},
    "script": open(os.path.join(home, "script")).read(), "pwned": os.path.exists("/tmp/pwned"),
}))
"""


async def test_b6_b7_metacharacters_in_every_field_are_bytes(laboratory):
    environment = {f"V_{number}": value for number, value in enumerate(NASTY)}
    contents = [value.encode() or b"\0" for value in NASTY] + [bytes(range(256)), b"\r\n\0"]
    names = [value.replace("/", "_").strip() or "blank" for value in [*NASTY, "bytes", "ends"]]
    files = {
        f"files/{number}/{name}/{name}": data
        for number, (name, data) in enumerate(zip(names, contents, strict=True))
    }
    report = await laboratory.inspect(
        script=SCRIPT,
        environment=[{"name": name, "value": value} for name, value in environment.items()],
        files=[
            {"path": path, "content": base64.b64encode(data).decode(), "encoding": "base64"}
            for path, data in files.items()
        ],
    )
    assert report["state"] == "succeeded", report
    found = laboratory.result()["stdout"]
    assert found["environment"] == environment
    assert {path: base64.b64decode(data) for path, data in found["files"].items()} == files
    assert (found["script"], found["pwned"]) == (SCRIPT, False)
    stored = laboratory.works[-1].stored.retrieve_specification()
    assert json.dumps(stored).count("touch /tmp/pwned") >= 3
