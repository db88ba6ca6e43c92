"""What `trimtab monkey` does."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import typer

from trimtab.cli.counting import Count, counting
from trimtab.cli.json_text import UNSEEN, json_text
from trimtab.cli.monkey_sinks import Sink, SinkError, SkippedError, post, sink_of
from trimtab.cli.options import read_settings
from trimtab.cli.place import FAILURE, USAGE, fail
from trimtab.pages import write_whole
from trimtab.settings import ClientSettings
from trimtab.stacks import PlanError, RequirementsError, StacksError
from trimtab.stacks.monkey import (
    MonkeyQuestion,
    MonkeyReport,
    fresh_seed,
    new_document_id,
    products,
    read_text_or_table,
    report_document,
)
from trimtab.stacks.sources.text import read_text

__all__ = ["Asked", "run_monkey"]

_INTERRUPTED = 130
_IN_A_ROW = 5
_LONGEST_PATH = 1024


@dataclass(frozen=True)
class Asked:
    """The options, as they were given."""

    requirements: str
    requirements_format: str
    context: str | None
    count: int
    seed: int | None
    decision_type: str
    predictor: str
    predictor_config: str | None
    pipeline: str | None
    runtime_environment: str | None
    limit_latest_versions: int
    dry_run: bool
    stack_output: str
    report_output: str
    parallel: int | None
    home: Path | None


@dataclass
class _Run:
    """One run, and what came of it so far."""

    asked: Asked
    question: MonkeyQuestion
    context: Mapping[str, Any] | None
    document_id: str
    started: datetime
    report: MonkeyReport

    def document(self, error: str | None) -> dict[str, Any]:
        question = self.question
        parameters = {
            "count": question.count,
            "seed": question.seed,
            "decision_type": question.decision,
            "predictor": question.predictor,
            "predictor_config": question.predictor_config,
            "pipeline": question.pipeline,
            "context": self.context,
            "runtime_environment": question.runtime_environment,
            "limit_latest_versions": self.asked.limit_latest_versions,
            "dry_run": self.asked.dry_run,
            "requirements_format": question.format,
            "project": {"requirements": question.requirements},
        }
        arguments = {
            name: value if isinstance(value, str | int | bool | None) else str(value)
            for name, value in vars(self.asked).items()
            if name not in {"parallel", "home"}
        }
        return report_document(
            self.report, parameters, document_id=self.document_id, started=self.started,
            arguments={**arguments, "seed": question.seed}, error=error,
        )  # fmt: skip


def run_monkey(asked: Asked, *, pretty: bool) -> int:
    """Make stacks, hand them on, and report; the exit code."""
    try:
        run = _read(asked)
        settings = read_settings(ClientSettings, {"home": asked.home})
        sink = sink_of(asked.stack_output, run.context, settings.token, run.document_id, dry=asked.dry_run)
    except (RequirementsError, SinkError) as error:
        fail(str(error), USAGE)
    for each in run.question.notes:
        typer.echo(f"Note: {each}.", err=True)
    cache = settings.home.expanduser().absolute() / "engines" / "uv"  # the process engine's
    code, problem = _go(run, sink, cache)
    _write(asked.report_output, run.document(problem), pretty=pretty)
    if problem is not None:
        typer.echo(f"Error: {problem}", err=True)
    elif run.report.skipped:
        typer.echo(f"{run.report.skipped} were skipped: {run.report.errors[0]}", err=True)
    return code


def _go(run: _Run, sink: Sink, cache: Path) -> tuple[int, str | None]:
    try:
        with counting("stacks") as progress:
            asyncio.run(_made(run, sink, cache, progress))
    except (RequirementsError, PlanError) as error:
        return USAGE, str(error)
    except (StacksError, SinkError) as error:
        return FAILURE, str(error)
    except KeyboardInterrupt:
        return (
            _INTERRUPTED,
            f"interrupted, after {len(run.report.responses)} stacks: {', '.join(run.report.ids)}",
        )
    return 0, None


async def _made(run: _Run, sink: Sink, cache: Path, progress: Count) -> None:
    skipped = 0
    made = products(run.question, cache, parallel=run.asked.parallel)
    async with sink, aclosing(cast("Any", made)):
        async for product in made:
            try:
                run.report.took(product, await sink.take(product))
                skipped = 0
            except SkippedError as error:
                run.report.skip(str(error))
                skipped += 1
                if skipped >= _IN_A_ROW and not run.report.responses:
                    raise SinkError(f"{skipped} stacks were refused, and none was taken; {error}") from None
            progress(product.number, run.question.count)


def _read(asked: Asked) -> _Run:
    question = MonkeyQuestion(
        _text(asked.requirements, "--requirements"),
        asked.requirements_format,
        asked.count,
        fresh_seed() if asked.seed is None else asked.seed,
        cast("Any", asked.decision_type),
        asked.predictor,
        _table(asked.predictor_config, "--predictor-config"),
        _table(asked.pipeline, "--pipeline"),
        _table(asked.runtime_environment, "--runtime-environment"),
        asked.limit_latest_versions if asked.limit_latest_versions > 0 else None,
    )
    context = _table(asked.context, "--context")
    if context is not None:
        context = _checked(context)
    return _Run(asked, question, context, new_document_id(), datetime.now(UTC), MonkeyReport())


def _checked(context: Mapping[str, Any]) -> Mapping[str, Any]:
    """Refuse here what the server would refuse for each stack."""
    from trimtab.inspection import Specification, SpecificationError

    context = {name: value for name, value in context.items() if name != "python"}
    try:
        Specification.parse(json.dumps(context).encode())
    except SpecificationError as error:
        raise RequirementsError("--context: " + "; ".join(str(error).splitlines())) from None
    return context


def _table(text: str | None, option: str) -> Mapping[str, Any] | None:
    return None if text is None else read_text_or_table(_text(text, option), option)


def _text(given: str, option: str) -> str:
    """What a file has, if there is one of this name; else what was given."""
    lines = "\n" in given or given.lstrip().startswith(("{", "["))
    try:
        is_file = not lines and len(given) < _LONGEST_PATH and Path(given).is_file()
    except (OSError, ValueError):
        is_file = False
    if is_file:
        return read_text(Path(given))
    if not lines and ("/" in given or Path(given).suffix or given == "Pipfile") and " " not in given:
        raise RequirementsError(f"{option}: there is no file {given[:200]!r}")
    return given


def _write(output: str, document: Mapping[str, Any], *, pretty: bool) -> None:
    text = json_text(document) if pretty else _line(document)
    try:
        if output == "-":
            typer.echo(text)
        elif output.startswith(("http://", "https://")):
            post(output, text)
        else:
            write_whole(Path(output), text + "\n")
    except OSError as error:
        fail(f"--report-output: {output}: {error.strerror}; name a file that can be written")
    except SinkError as error:
        fail(str(error))


def _line(document: Mapping[str, Any]) -> str:
    return UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(document, ensure_ascii=False))
