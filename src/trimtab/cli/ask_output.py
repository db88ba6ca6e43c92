"""Answers of `trimtab ask`: asked for here or at a server, and printed as tables, JSON or YAML."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import typer

from trimtab.cli.place import FAILURE, USAGE, fail
from trimtab.cli.session_options import Output

__all__ = ["seen", "show"]

SINGLE = ("first-bad-version", "drift", "neighbours")  # whose answer is in one key of the server's
Table = tuple[Sequence[str], list[Sequence[Any]]]


def show(question: str, server: str | None, output: Output, **parameters: Any) -> None:
    """Ask, and print the answer.

    Exit codes: 0 there is an answer, be it that there are not enough builds to say; 1 nothing is known of what is asked about, or it could
    not be asked; 2 the question cannot be understood.
    """
    asked = {name: _value(each) for name, each in parameters.items() if each is not None}
    answer = _answer(question, server, asked)
    if output is Output.table:
        _print(question, answer)
        return
    from trimtab.cli.inspection_output import print_document

    print_document(_plain(answer), output)


def _value(given: Any) -> Any:
    return given.value if isinstance(given, StrEnum) else given


def _plain(value: Any) -> Any:
    """With lists for tuples, which YAML would mark as Python's."""
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _answer(question: str, server: str | None, asked: dict[str, Any]) -> dict[str, Any]:
    from trimtab.cli.options import read_settings
    from trimtab.settings import ClientSettings

    settings = read_settings(ClientSettings, {"server": server})
    return _remote(question, settings, asked) if settings.server else _local(question, settings, asked)


def _local(question: str, settings: Any, asked: dict[str, Any]) -> dict[str, Any]:
    from trimtab.builds import QuestionError, UnknownError, ask
    from trimtab.catalog import CatalogError, Database

    try:
        database = Database(settings.url)
        try:
            return ask(database, question, **asked)
        finally:
            database.close()
    except QuestionError as error:
        fail(str(error), USAGE)
    except (UnknownError, CatalogError) as error:
        fail(str(error), FAILURE)


def _remote(question: str, settings: Any, asked: dict[str, Any]) -> dict[str, Any]:
    from trimtab.cli.connection import SourceError, connect

    try:
        with connect(settings.server, settings.token) as connection:
            told = connection.ask("GET", f"/api/v1/ask/{question}", params=asked)
    except SourceError as error:
        fail(str(error), FAILURE)
    answer: dict[str, Any] = told["answer"] if question in SINGLE else told
    answer.pop("parameters", None)
    return answer


def _print(question: str, answer: Mapping[str, Any]) -> None:
    from trimtab.cli.inspection_output import print_rows

    for line in HEADS.get(question, _nothing)(answer):
        typer.echo(seen(line))
    names, rows = TABLES[question](answer)
    if rows:
        print_rows(names, [[seen(cell) for cell in row] for row in rows])
    elif question not in HEADS:
        typer.echo("Nothing is known of that.")
    total = answer.get("total")
    if total is not None and len(answer["items"]) < total:
        typer.echo(f"{len(answer['items'])} of {total}; --page and --limit show the others")


def seen(value: Any) -> str:
    """A text that moves no terminal, whatever a stranger called a package."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in str(value)
    )


def _nothing(_: Mapping[str, Any]) -> Iterator[str]:
    return iter(())


def _share(found: Mapping[str, Any]) -> str:
    if not found["m"]:
        return "0 of 0"
    return f"{found['n']} of {found['m']} ({found['low']:.0%} to {found['high']:.0%})"


def _package(row: Mapping[str, Any]) -> str:
    version = f" {row['version']}" if row.get("version") else ""
    return f"{row['name']}{version}" + ("" if row["kind"] == "pypi" else f" ({row['kind']})")


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def _only_in_failures(answer: Mapping[str, Any]) -> Table:
    names = ("PACKAGE", "FAILED", "AT IT", "USUALLY", "VERDICT", "FOR EXAMPLE")
    return names, [
        (
            _package(row),
            _share(row["failures"]),
            row["broke"],
            _share(row["usual"]),
            row["verdict"],
            _example(row),
        )
        for row in answer["items"]
    ]


def _example(row: Mapping[str, Any]) -> str:
    return row["sources"][0] if row["sources"] else ""


def _first_bad_version(answer: Mapping[str, Any]) -> Table:
    names = ("VERSION", "BUILT", "BROKE", "")
    bad = set((answer["bad"] or {}).get("versions", ()))
    return names, [
        (row["version"], row["held"], row["broke"], "bad" if row["version"] in bad else "")
        for row in answer["tried"]
    ]


def _first_bad_head(answer: Mapping[str, Any]) -> Iterator[str]:
    base = f" on {answer['base']}" if answer["base"] else ""
    bad = answer["bad"]
    if not bad:
        yield f"{answer['name']}{base}: {answer['verdict']}"
        return
    classes = ", ".join(f"{name or 'no class'} {number}" for name, number in answer["classes"].items())
    yield f"{answer['name']}{bad['specifier']}{base}: {answer['verdict']}"
    yield f"broke {_share(bad['inside'])}, other versions {_share(bad['outside'])}: {classes}"
    if answer["sources"]:
        yield f"for example {', '.join(answer['sources'][:3])}"


def _drift(answer: Mapping[str, Any]) -> Table:
    rows: list[Sequence[Any]] = [(name, "", *both) for name, both in answer["environment"].items()]
    rows += [
        (row["kind"], row["name"], " ".join(row["before"]), " ".join(row["after"]))
        for row in answer["changes"]
    ]
    rows += [
        ("symbols", row["library"], _few("-", row["lost"]), _few("+", row["gained"]))
        for row in answer["symbols"]
    ]
    return ("KIND", "NAME", "BEFORE", "AFTER"), rows


def _few(sign: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""  # noqa: PLR2004 # that many are shown
    return " ".join(sign + each for each in names[:3]) + more


def _drift_head(answer: Mapping[str, Any]) -> Iterator[str]:
    for name in ("before", "after"):
        image = answer[name]
        yield f"{name}: {image['reference'] or image['identity']} ({image['identity']})"
    if not (answer["environment"] or answer["changes"] or answer["symbols"]):
        yield "nothing changed"


def _images(answer: Mapping[str, Any]) -> Table:
    names = ("IMAGE", "DIGEST", "VERSIONS", "SYSTEM", "PYTHON", "CUDA", "ANALYSED")
    return names, [
        (
            *(row["reference"], row["identity"][:19], " ".join(row["versions"])),
            *(
                f"{row['os_name']} {row['os_version']}",
                row["python_version"],
                row["cuda_version"],
                _moment(row["at"]),
            ),
        )
        for row in answer["items"]
    ]


def _failure_rates(answer: Mapping[str, Any]) -> Table:
    names = ("BASE", "FAILED", "SUCCEEDED", "VERDICT", "WHY")
    return names, [
        (
            row["base"],
            _share(row["failures"]),
            row["builds"]["succeeded"],
            row["verdict"],
            _why(row["builds"]),
        )
        for row in answer["items"]
    ]


def _why(builds: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in builds.items() if count and name != "succeeded")


def _breakers(answer: Mapping[str, Any]) -> Table:
    names = ("BREAKER", "FAILURES", "FOR EXAMPLE")
    return names, [
        (
            _package(row) if row["name"] else f"{row['failure_class'] or 'no class'} ({row['failure_kind']})",
            _share(row["failures"]),
            _example(row),
        )
        for row in answer["items"]
    ]


def _neighbours(answer: Mapping[str, Any]) -> Table:
    names = ("DIFFERENCES", "SAME", "BUILT", "ON", "FOR EXAMPLE")
    return names, [
        (_differences(row), row["same"], _share(row["builds"]), " ".join(row["bases"]), _example(row))
        for row in answer["items"]
    ]


def _differences(row: Mapping[str, Any]) -> str:
    found = [
        f"{each['name']} {each['failing'] or 'none'} → {each['good'] or 'none'}"
        for each in row["differences"]
    ]
    return ", ".join(found[:10]) + (f" and {len(found) - 10} more" if len(found) > 10 else "") or "none"  # noqa: PLR2004  # as many as fit a line


def _neighbours_head(answer: Mapping[str, Any]) -> Iterator[str]:
    breaker = f", broke at {answer['breaker']}" if answer["breaker"] else ""
    yield f"{len(answer['packages'])} packages{breaker}"
    if not answer["items"]:
        yield "no stack that built shares a package version with it"
    elif not answer["complete"]:
        yield f"{answer['looked_at']} stacks were compared, and there are more"


def _rules(answer: Mapping[str, Any]) -> Table:
    names = ("BASE", "PACKAGE", "VERSIONS", "CLASS", "BROKE", "OTHERS", "VERDICT")
    return names, [
        (
            *(row["base"] or "any", row["package"]["name"], row["versions"], row["failure"]["class"]),
            *(_of(row["inside"]), _of(row["outside"]), row["verdict"]),
        )
        for row in answer["rules"]
    ]


def _of(counts: Mapping[str, Any]) -> str:
    return _share({"n": counts["failed"], "m": counts["builds"], **counts})


def _rules_head(answer: Mapping[str, Any]) -> Iterator[str]:
    if not answer["rules"]:
        yield f"no rule: {answer['looked_at']} packages broke enough builds to be looked at; --unsure shows them"


def _observations(answer: Mapping[str, Any]) -> Table:
    names = ("SUBJECT", "RELATION", "KIND", "NAME", "VALUE", "HOW")
    return names, [tuple(row[name] for name in ("subject", "relation", "kind", "name", "value", "how")) for row in answer["items"]]  # fmt: skip


TABLES: Mapping[str, Callable[[Mapping[str, Any]], Table]] = {
    "only-in-failures": _only_in_failures,
    "first-bad-version": _first_bad_version,
    "drift": _drift,
    "images": _images,
    "failure-rates": _failure_rates,
    "breakers": _breakers,
    "neighbours": _neighbours,
    "rules": _rules,
    "observations": _observations,
}
HEADS: Mapping[str, Callable[[Mapping[str, Any]], Iterator[str]]] = {
    "first-bad-version": _first_bad_head,
    "drift": _drift_head,
    "neighbours": _neighbours_head,
    "rules": _rules_head,
}
