"""The report of a campaign: a page, its data, and the lock to ship."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from trimtab.cli.campaigns_source import open_source
from trimtab.cli.connection import SourceError
from trimtab.cli.place import FAILURE, USAGE, fail
from trimtab.workflows.campaigns import evidence_of_report

if TYPE_CHECKING:
    from trimtab.cli.campaigns_source import Source
    from trimtab.settings import ClientSettings
    from trimtab.stacks import Evidence, Stack
    from trimtab.stacks.answers import Answers, Objective
    from trimtab.stacks.locking import LockFile
    from trimtab.stacks.question import Question
    from trimtab.stacks.report import Heading

__all__ = ["write_report"]

_MOST = 20


def write_report(
    settings: "ClientSettings",
    campaign_id: str,
    objective: str | None,
    folder: Path | None,
    like: Path | None,
) -> None:
    """`trimtab campaigns report`."""
    from trimtab.stacks import StacksError
    from trimtab.stacks.answers import answer
    from trimtab.stacks.report import write

    folder = folder or settings.home / "reports" / campaign_id
    try:
        with open_source(settings) as source:
            report, question = source.report(campaign_id), source.question(campaign_id)
            answers = answer(evidence_of_report(report), _objective(objective, question))
            stack = _shipped(answers, source)
        lock = _lock(question, stack, like, settings.home / "engines" / "uv")
        written = write(answers, _heading(report, question), folder, lock)
    except SourceError as error:
        fail(str(error), FAILURE)
    except StacksError as error:
        fail(str(error), USAGE)
    except OSError as error:
        fail(
            f"the report cannot be written to {folder}: {error.strerror or error}; name another by --directory"
        )
    typer.echo(str(written.html))
    if written.lock:
        typer.echo(str(written.lock))


def _shipped(answers: "Answers", source: "Source") -> "Stack | None":
    """The stack to ship, with the lock that its inspection installed."""
    from trimtab.stacks import Stack

    best = _best(answers)
    if best is None or best.inspection is None:
        return None
    return Stack(source.lock(best.inspection))


def _best(answers: "Answers") -> "Evidence | None":
    """The first where one is known to be best, else the newest candidate that passed."""
    from trimtab.stacks import Verdict

    for found in answers.best:
        if found.verdict not in {"not enough runs", "no difference shown"} and found.ranking:
            return found.ranking[0].evidence
    return next((each for each in answers.evidence if each.verdict is Verdict.PASS), None)


def _objective(text: str | None, question: "Question") -> "Objective":
    from trimtab.stacks.answers import Objective

    return Objective.parse(text or question.objective or f"minimize {question.metric}")


def _lock(question: "Question", stack: "Stack | None", like: Path | None, cache: Path) -> "LockFile | None":
    from trimtab.stacks import open_search
    from trimtab.stacks.locking import LockFile, lock_like

    if stack is None:
        return None
    if like is None:
        return LockFile("requirements.txt", stack.lock)
    path = like

    async def locked() -> LockFile:
        async with open_search(question, cache) as search:
            return await lock_like(search.oracle, stack, path)

    return asyncio.run(locked())


def _heading(report: Mapping[str, Any], question: "Question") -> "Heading":
    from trimtab.stacks.report import Heading

    wanted = ", ".join(question.requirements[:_MOST])
    more = len(question.requirements) - _MOST
    facts = {
        "Requirements": wanted + (f" and {more} more" if more > 0 else ""),
        "Plan": f"{question.plan}, seed {question.seed}",
        "Engine": str(report["engine"]),
    }
    ended = f"{report['state']}: {report['reason']}" if report.get("reason") else str(report["state"])
    return Heading(
        str(report["id"]), f"Which versions of {question.origin} break, and which are best?", facts, ended
    )
