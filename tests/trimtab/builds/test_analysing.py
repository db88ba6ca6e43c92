"""An analysis of a log, in the process that makes it: whatever the log is, and however that process is used."""

import asyncio
import json
import os
import struct
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.builds import analyse, log_request
from trimtab.workflows.analysers import COMMAND, Analysers

pytestmark = pytest.mark.timeout(300)

ID = "buildlog-parser-261127061500-0123456789abcdef"


def request(text):
    return log_request(
        text, asked="buildlog-1", document_id=ID, deployment="test", metadata={"origin": "here"}
    )


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=300))
def test_any_text_is_a_log(text):
    document = analyse(json.loads(json.dumps(request(text))))["document"]
    assert document["metadata"]["document_id"] == ID
    assert document["metadata"]["arguments"]["parse"] == {"input": "buildlog-1"}
    assert document["metadata"]["arguments"]["thoth-buildlog-parser"]["metadata"] == {"origin": "here"}
    assert document["result"]["outcome"] in {"successful", "failed", "unknown"}
    json.dumps(document, allow_nan=False)


def test_terminal_escapes_and_pages_stay_text():
    log = (
        "\x1b]0;title\x07\x1b[31mERROR: No matching distribution found for <script>alert(1)</script>\x1b[0m\n"
    )
    document = analyse(request(log))["document"]
    assert "\x1b" not in json.dumps(document["result"]["errors"])


def test_a_gigabyte_of_one_line_needs_no_memory_for_it():
    """What an operator lets in is still bounded: one line of 64 MiB stands for more of it."""
    code = (
        "from trimtab.buildlogs import Parser; parser = Parser()\n"
        "for _ in range(1024): parser.feed(b'x' * 65536)\n"
        # Not getrusage: the child of a large process has its parent's peak there.
        "peak = next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM'))\n"
        "print(parser.finish().document['truncated'], peak)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    truncated, peak = done.stdout.split()
    assert truncated == "True"
    assert int(peak) < 100_000  # KiB


@pytest.mark.integration
async def test_a_process_is_used_again_and_ended_when_nothing_is_to_do():
    analysers = Analysers(1)
    async with asyncio.timeout(300):
        for _ in range(3):
            assert "document" in await analysers.analyse(request("one\n"), 300)
        (one,) = analysers._idle
        assert one.uses == 3
        await analysers.expire(1e6)
        assert analysers._idle == [one]
        await analysers.close()
    assert one.process.returncode == -9


@pytest.mark.integration
async def test_a_process_that_died_while_it_waited_is_replaced():
    analysers = Analysers(1)
    await analysers.analyse(request("one\n"), 300)
    (one,) = analysers._idle
    one.process.kill()
    await one.process.wait()
    assert "document" in await analysers.analyse(request("one\n"), 300)
    await analysers.close()


@pytest.mark.integration
def test_the_process_ends_with_whoever_started_it_and_is_told_no_secret_of_ours():
    process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    asked = json.dumps(request("one\n")).encode()
    process.stdin.write(struct.pack(">Q", len(asked)) + asked)
    process.stdin.flush()
    (length,) = struct.unpack(">Q", process.stdout.read(8))
    assert "document" in json.loads(process.stdout.read(length))
    process.stdin.close()
    assert process.wait() == 0
    process.stdout.close()


@pytest.mark.integration
async def test_what_is_ours_is_not_in_its_environment(monkeypatch):
    from trimtab.workflows.analysers import _started

    monkeypatch.setenv("TRIMTAB_DATABASE_URL", "postgresql://geheim@nowhere/")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "geheim")
    one = await _started()
    try:
        with open(f"/proc/{one.process.pid}/environ", "rb") as file:  # noqa: ASYNC230, PTH123 # the kernel answers at once
            environment = file.read()
    finally:
        await one.end()
    assert b"geheim" not in environment
    assert os.environ["AWS_SECRET_ACCESS_KEY"] == "geheim"
