"""`trimtab inspections` against a server: a real one, in a thread, that accepts and does not make."""

import json
import threading
import time

import pytest
import uvicorn
from typer.testing import CliRunner

from trimtab.cli import app as commands
from trimtab.cli.connection import Connection
from trimtab.server.app import create_app
from trimtab.settings import ServerSettings

FIRST = "inspection-matmul-260101000000-0000000000000001"
SECOND = "inspection-matmul-260101000001-0000000000000002"
ALICE, BOB = "alice-0123456789abcdef", "bob-0123456789abcdef"


@pytest.fixture
def address(place, tmp_path):
    """Where the server is."""
    file = tmp_path / "tokens"
    file.write_text(f"alice:submit:{ALICE}\nbob:read:{BOB}\n")
    app = create_app(ServerSettings(token_file=file, worker=False), place=place)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def run(address, monkeypatch, tmp_path):
    monkeypatch.setenv("TRIMTAB_SERVER", address)
    monkeypatch.setenv("TRIMTAB_TOKEN", ALICE)
    monkeypatch.setenv("TRIMTAB_HOME", str(tmp_path / "unused"))

    def invoke(*arguments, code=0, **options):
        result = CliRunner().invoke(commands, list(arguments), **options)
        assert result.exit_code == code, result.output
        return result

    yield invoke
    assert not (tmp_path / "unused").exists()


def test_what_a_server_has_is_listed_shown_and_deleted(run, conclude, queue, place):
    conclude(FIRST, owner="alice")
    queue(SECOND, owner="alice")
    listed = json.loads(run("inspections", "list", "-o", "json").stdout)
    assert [(each["id"], each["state"]) for each in listed] == [(FIRST, "succeeded"), (SECOND, "queued")]
    narrowed = run("inspections", "list", "--state", "queued", "--words", "matmul").stdout
    assert SECOND in narrowed
    assert FIRST not in narrowed
    shown = json.loads(run("inspections", "show", FIRST, "-o", "json").stdout)
    assert shown == place.inspections[FIRST].retrieve_report()
    assert "succeeded" in run("inspections", "show", FIRST).stdout
    assert run("inspections", "log", FIRST).stdout == "building\n"
    assert run("inspections", "log", FIRST, "--run", "1").stdout.startswith("beside\n{")
    results = json.loads(run("inspections", "result", FIRST).stdout)
    assert [each["stdout"]["@result"]["elapsed"] for each in results] == [1.0, 1.1]
    assert json.loads(run("inspections", "result", FIRST, "--run", "0").stdout) == results[0]
    assert run("inspections", "delete", "-y", FIRST).stdout == f"deleted {FIRST}\n"
    assert "No inspection" in run("inspections", "show", FIRST, code=1).stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", SECOND], "No inspection"),
        (["show", "../x"], "no id"),
        (["log", FIRST, "--run", "9"], "item 9"),
        (["cancel", FIRST], "is over already"),
        (["retry", SECOND], "No inspection"),
        (["delete", "-y", SECOND], "No inspection"),
    ],
)
def test_what_a_server_refuses_is_said_in_its_words(run, conclude, arguments, said):
    conclude(FIRST, owner="alice")
    assert said in run("inspections", *arguments, code=1).stderr


def test_what_is_under_way_is_not_deleted(run, queue):
    queue(SECOND, owner="alice", state="running")
    assert "cancel it first" in run("inspections", "delete", "-y", SECOND, code=1).stderr


def test_a_token_that_is_missing_or_for_something_else(run, conclude, monkeypatch, tmp_path):
    conclude(FIRST, owner="bob")
    assert json.loads(run("inspections", "list", "-o", "json").stdout) == []
    monkeypatch.setenv("TRIMTAB_TOKEN", BOB)
    assert FIRST in run("inspections", "list").stdout
    assert "scope submit" in run("inspections", "delete", "-y", FIRST, code=1).stderr
    (tmp_path / "spec.json").write_text('{"base": "a"}')
    assert "scope submit" in run("inspect", str(tmp_path / "spec.json"), code=1).stderr
    monkeypatch.delenv("TRIMTAB_TOKEN")
    assert "set TRIMTAB_TOKEN" in run("inspections", "list", code=1).stderr
    assert "set TRIMTAB_TOKEN" in run("inspect", str(tmp_path / "spec.json"), code=1).stderr


def test_options_of_this_machine_are_refused(run, tmp_path):
    (tmp_path / "spec.json").write_text('{"base": "a"}')
    option = ["--engine", "podman"]
    assert "a server has its own" in run("inspect", str(tmp_path / "spec.json"), *option, code=2).stderr


def test_a_log_is_followed_to_its_end(run, queue, conclude, place):
    """A build that prints while it is followed, and is stored then."""
    conclude(FIRST, owner="alice")
    assert run("inspections", "log", FIRST, "--follow").stdout == "building\n"
    assert run("inspections", "log", FIRST, "--follow", "--run", "1").stdout.startswith("beside\n{")
    queue(SECOND, owner="alice", state="building")
    log = place.work / SECOND / "context.log"
    log.parent.mkdir(parents=True)
    log.write_bytes(b"begun\n")

    def go_on():
        time.sleep(1)
        place.inspections[SECOND].build.store_build(b"begun\nand done\n", "FROM a\n")

    thread = threading.Thread(target=go_on)
    thread.start()
    assert run("inspections", "log", SECOND, "--follow").stdout == "begun\nand done\n"
    thread.join()


def test_a_script_by_its_url_is_the_servers_business(run, tmp_path):
    (tmp_path / "spec.json").write_text('{"base": "a", "script": "http://127.0.0.1:1/script"}')
    error = run("inspect", str(tmp_path / "spec.json"), code=1).stderr
    assert "Failed to obtain script from http://127.0.0.1:1/script" in error


@pytest.mark.parametrize(
    ("server", "said"),
    [("localhost:8080", "write it as http://host:port"), ("http://127.0.0.1:1", "cannot be reached")],
)
def test_a_server_out_of_reach(run, server, said):
    assert said in run("inspections", "list", "--server", server, code=1).stderr


def test_what_a_server_has_is_reported_compared_and_exported(run, conclude, queue, tmp_path):
    """Of copies of its documents, one inspection at a time; what is not over is no part of it."""
    for name in (FIRST, SECOND):
        conclude(name, owner="alice")
    queue("inspection-matmul-260101000002-0000000000000003", owner="alice")
    page = tmp_path / "page.html"
    assert run("inspections", "report", FIRST, "--file", str(page)).stdout == f"{page}\n"
    assert "All 2 runs succeeded" in page.read_text()
    compared = json.loads(run("inspections", "compare", FIRST, SECOND, "-o", "json", code=3).stdout)
    assert (compared["verdict"], compared["counts"][0]["counted"]) == ("too few runs", 2)
    rows = run("inspections", "export", "--format", "jsonl").stdout.splitlines()
    found = [
        (row["inspection_document_id"], row["stdout__@result__elapsed"]) for row in map(json.loads, rows)
    ]
    assert sorted(found) == [(FIRST, 1.0), (FIRST, 1.1), (SECOND, 1.0), (SECOND, 1.1)]
    assert len(run("inspections", "export", FIRST, "--format", "jsonl").stdout.splitlines()) == 2
    assert run("inspections", "export", "--format", "jsonl", "--state", "failed").stdout == ""


@pytest.fixture
def together(monkeypatch):
    """Asking for what has this in its path waits for another who does: one after the other never comes to an end."""

    def make(path):
        meeting, ask = threading.Barrier(2, timeout=20), Connection.ask

        def waiting(connection, method, address, **options):
            if path in address:
                meeting.wait()
            return ask(connection, method, address, **options)

        monkeypatch.setattr(Connection, "ask", waiting)

    return make


def test_results_of_a_server_are_asked_for_several_at_a_time(run, conclude, together):
    conclude(FIRST, owner="alice")
    together("/job/")
    results = json.loads(run("inspections", "result", FIRST).stdout)
    assert [each["stdout"]["@result"]["elapsed"] for each in results] == [1.0, 1.1]
    rows = run("inspections", "export", FIRST, "--format", "jsonl").stdout.splitlines()
    assert [json.loads(row)["stdout__@result__elapsed"] for row in rows] == [1.0, 1.1]


def test_inspections_of_a_server_are_exported_several_at_a_time_in_their_order(run, conclude, together):
    for name in (FIRST, SECOND):
        conclude(name, owner="alice")
    together("/report")
    rows = run("inspections", "export", SECOND, FIRST, "--format", "jsonl").stdout.splitlines()
    assert [json.loads(row)["inspection_document_id"] for row in rows] == [SECOND, SECOND, FIRST, FIRST]


def test_an_export_asks_for_no_text_of_a_build(run, conclude, monkeypatch):
    """A log may be long, and no table has it."""
    conclude(FIRST, owner="alice")
    asked, ask = [], Connection.ask

    def noting(connection, method, address, **options):
        asked.append(address.rpartition(FIRST)[2])
        return ask(connection, method, address, **options)

    monkeypatch.setattr(Connection, "ask", noting)
    run("inspections", "export", FIRST, "--format", "jsonl")
    assert sorted(asked) == ["/job/0/result", "/job/1/result", "/report", "/specification"]


def test_what_a_server_has_not_or_is_not_over_is_said(run, queue):
    queue(SECOND, owner="alice", state="running")
    assert "No inspection" in run("inspections", "report", FIRST, code=1).stderr
    assert "that is over" in run("inspections", "report", SECOND, code=1).stderr
    assert "that is over" in run("inspections", "compare", SECOND, SECOND, code=1).stderr
