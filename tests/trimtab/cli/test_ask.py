"""`trimtab ask`."""

import csv
import io
import json

import pyarrow.parquet as pq
import pytest
import yaml
from typer.testing import CliRunner

from trimtab.builds import record_analysis
from trimtab.catalog import Database
from trimtab.cli import app
from trimtab.settings import Settings
from trimtab.workflows import Place

HOSTILE = "<b>[red]x[/red]\x1b[31m\u202e=cmd|'; DROP TABLE facts; --"


def log(number, package, version):
    error = {
        "class": "compile-error",
        "kind": "stack",
        "package": package,
        "version": version,
        "message": "no",
        "line": 3,
    }
    result = {
        "outcome": "failed",
        "installation": [],
        "errors": [error],
        "build_breaker": error,
        "info": {"s2i_builder_image": {"image": "registry.example/base:1", "sha256": None}},
    }
    return {"metadata": {"document_id": f"buildlog-parser-{number}", "timestamp": number}, "result": result}  # fmt: skip


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIMTAB_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "300")
    database = Database(f"sqlite:///{tmp_path / 'trimtab.sqlite'}")
    for number in range(6):
        record_analysis(database, log(number, "lib_a", "2.0"))
    record_analysis(database, log(9, HOSTILE, HOSTILE))
    database.close()

    def run_(*arguments):
        return CliRunner().invoke(app, ["ask", *arguments])

    return run_


QUESTIONS = [
    ["only-in-failures"],
    ["first-bad-version", "lib_a"],
    ["first-bad-version", HOSTILE],
    ["images"],
    ["failure-rates", "--by", "repository"],
    ["breakers", "--by", "version"],
    ["breakers", "--by", "class", "--kind", "stack"],
    ["neighbours", "buildlog-parser-9"],
    ["rules", "--least", "1", "--unsure"],
    ["observations", "buildlog-parser-9"],
]


@pytest.mark.parametrize("arguments", QUESTIONS, ids=lambda each: each[0])
def test_each_question_as_table_json_and_yaml(run, arguments):
    """Whatever a package is called, it moves no terminal and is no markup; and JSON and YAML say the same."""
    table, as_json, as_yaml = (run(*arguments, *options) for options in ([], ["-o", "json"], ["-o", "yaml"]))
    assert [each.exit_code for each in (table, as_json, as_yaml)] == [0, 0, 0], table.output
    for each in (table, as_json, as_yaml):
        assert not {"\x1b", "\u202e"} & set(each.output)
    assert json.loads(as_json.output) == yaml.safe_load(as_yaml.output)
    assert table.output.strip()


def test_hostile_names_are_shown_as_they_are_otherwise(run):
    assert "<b>[red]x[/red]\\x1b[31m" in run("only-in-failures").output


def test_rules_for_a_resolver(run):
    document = yaml.safe_load(run("rules", "--output", "yaml").output)
    (rule,) = document["rules"]
    assert (rule["base"], rule["versions"], rule["verdict"]) == ("registry.example/base:1", ">=2.0", "fails")


def test_pages(run):
    first = run("only-in-failures", "--limit", "1")
    assert "1 of 2; --page and --limit show the others" in first.output
    found = [
        json.loads(run("only-in-failures", "--limit", "1", "--page", page, "-o", "json").output)
        for page in "123"
    ]
    assert [len(each["items"]) for each in found] == [1, 1, 0]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["drift", "a", "b"], 1, "no analysis of the image 'a' is known"),
        (["neighbours", "x"], 1, "nothing is known of the build 'x'"),
        (["neighbours"], 2, "name a build"),
        (["images", "a>=?"], 2, "no version specifier"),
        (["export"], 2, "--format"),
        (["export", "--format", "csv", "--relation", "x"], 2, "there is no 'x'"),
    ],
)
def test_what_goes_wrong_is_told(run, arguments, code, said):
    result = run(*arguments)
    assert result.exit_code == code
    assert said in result.output


def test_export_as_csv_has_no_formulas(run):
    result = run("export", "--format", "csv", "--relation", "failed")
    rows = list(csv.DictReader(io.StringIO(result.output)))
    assert {row["kind"] for row in rows} == {"compile-error"}
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


def test_export_as_parquet(run, tmp_path):
    import pyarrow.parquet as pq

    file = tmp_path / "observations.parquet"
    assert run("export", "--file", str(file)).exit_code == 0
    table = pq.read_table(file)
    assert {"ended", "failed", "derived-from"} <= set(table.column("relation").to_pylist())
    assert HOSTILE in table.column("value").to_pylist()


@pytest.mark.parametrize("question", ["only-in-failures", "rules", "images", "neighbours"])
def test_help_has_examples(run, question):
    result = run(question, "--help")
    assert "Examples:" in result.output
    assert f"trimtab ask {question}" in result.output


@pytest.fixture
def there(run, served):
    """The same, at a server that has the same catalog."""
    with Place.open(Settings()) as place:
        server = served(place=place)
        yield lambda *arguments: run(*arguments, *server)


@pytest.mark.parametrize(
    "arguments",
    [
        *QUESTIONS,
        ["neighbours", "--package", "lib_a==2.0", "--package", "six==1"],
        ["export", "--format", "csv"],
    ],
    ids=lambda each: " ".join(each[:2]),
)
def test_a_server_answers_as_this_machine_does(run, there, arguments):
    options = [] if arguments[0] == "export" else ["-o", "json"]
    here, far = run(*arguments, *options), there(*arguments, *options)
    assert (here.exit_code, far.exit_code) == (0, 0), far.output
    assert far.stdout == here.stdout != ""


@pytest.mark.parametrize(
    "options", [[], ["--relation", "failed", "--relation", "ended"], ["--kind", "compile-error"]]
)
def test_an_export_of_a_server_is_that_of_its_machine_page_by_page(
    run, there, monkeypatch, tmp_path, options
):
    from trimtab.catalog.observations import listing

    monkeypatch.setattr(listing, "AT_ONCE", 2)
    monkeypatch.setattr(listing, "MOST_DOCUMENTS", 2)
    tables = []
    for name, ask in (("here", run), ("there", there)):
        file = tmp_path / f"{name}.parquet"
        asked = ask("export", "--file", str(file), *options)
        assert asked.exit_code == 0, asked.output
        tables.append(pq.read_table(file))
    assert tables[0].equals(tables[1])
    assert tables[0].num_rows > 2


def test_neighbours_of_a_server_need_a_build_or_packages(there):
    refused = there("neighbours")
    assert (refused.exit_code, "name a build" in refused.output) == (1, True)
