"""What the commands of `trimtab stacks` do."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from trimtab.cli.counting import Count as Progress
from trimtab.cli.counting import counting
from trimtab.cli.inspection_output import print_document
from trimtab.cli.place import NOTHING
from trimtab.cli.session_options import Output
from trimtab.cli.stacks_options import PlanName, Question
from trimtab.cli.stacks_output import (
    candidate_document,
    check_directory,
    print_candidates,
    print_count,
    search_document,
    write_locks,
)
from trimtab.cli.stacks_plan import Chosen, Locks, Verdicts, choose, read_verdicts
from trimtab.cli.stacks_search import opened, run
from trimtab.stacks import CONFIDENCE, Bisect, Candidate, Candidates, Evidence, Newest, Verdict, count, survey

__all__ = ["count_stacks", "make_candidates"]


def count_stacks(question: Question, *, samples: int, seed: int, output: Output) -> None:
    """`trimtab stacks count`."""

    async def work(progress: Progress) -> None:
        async with opened(question) as search:
            found = await survey(
                search.oracle, search.releases, search.sieves, vary=question.vary, newest=question.newest
            )
            counted = await count(
                search.oracle, found.space, search.sieves, samples=samples, seed=seed, tried=progress
            )
            if output is Output.table:
                print_count(found, counted)
                return
            numbers = asdict(counted) | {"exact": counted.exact, "estimate": counted.estimate}
            document = search_document(search, found, found.space.exclusions)
            print_document({"count": numbers | {"confidence": CONFIDENCE, "seed": seed}, **document}, output)

    with counting("combinations resolved") as progress:
        run(work(progress))


def make_candidates(
    question: Question,
    plan: PlanName,
    locks: Locks,
    *,
    number: int,
    seed: int,
    verdicts: Path | None,
    directory: Path | None,
    output: Output,
) -> None:
    """`trimtab stacks candidates`."""
    check_directory(directory)

    async def work(progress: Progress) -> list[Candidate]:
        told = read_verdicts(verdicts)
        async with opened(question) as search:
            chosen = await choose(search, question, plan, seed, locks)
            source = Candidates(search.oracle, chosen.plan, search.sieves)
            found = await _collect(source, told, number, progress)
            survey_exclusions = chosen.found.space.exclusions if chosen.found else ()
            exclusions = [*survey_exclusions, *source.tally.exclusions.values()]
            if output is Output.table:
                print_candidates(found, source.tally, exclusions, chosen.base)
                _print_conclusion(chosen)
                return found
            document = search_document(search, chosen.found, exclusions)
            print_document(
                {
                    "plan": str(plan),
                    "seed": seed,
                    **document,
                    "tally": _tally(source),
                    "conclusion": _conclusion(chosen),
                    "candidates": [candidate_document(each) for each in found],
                },
                output,
            )
            return found

    with counting("candidates") as progress:
        found = run(work(progress))
    if directory is not None:
        write_locks(found, directory)
    if not found:
        raise typer.Exit(NOTHING)


async def _collect(source: Candidates, told: Verdicts, number: int, progress: Progress) -> list[Candidate]:
    """Candidates that nobody tried; those with a verdict tell the plan."""
    found: list[Candidate] = []
    while len(found) < number and (candidate := await source.ask()):
        if verdict := told.of(candidate.stack):
            source.tell(Evidence(candidate.stack, verdict))
            continue
        found.append(candidate)
        progress(len(found), number)
    return found


def _tally(source: Candidates) -> dict[str, Any]:
    tally = source.tally
    names = ("proposed", "found", "unsatisfiable", "excluded", "duplicates", "explanation")
    return {name: getattr(tally, name) for name in names} | {"impatient": source.impatient}


def _conclusion(chosen: Chosen) -> dict[str, Any] | None:
    plan = chosen.plan
    if isinstance(plan, Bisect) and plan.culprit:
        versions: Sequence[tuple[str, str]] = plan.culprit.versions
        return {"culprits": [list(each) for each in versions], "alone": plan.culprit.alone}
    if isinstance(plan, Newest) and plan.found:
        return {"verdict": str(Verdict.PASS), "stack": plan.found.digest, "packages": dict(plan.found.pins)}
    return None


def _print_conclusion(chosen: Chosen) -> None:
    plan = chosen.plan
    if isinstance(plan, Bisect) and plan.culprit:
        what = ", ".join(" ".join(each) for each in plan.culprit.versions)
        alone = {True: "; it fails alone", False: "; alone it passes: it needs others of the bad lock"}
        typer.echo(f"It breaks at {what}{alone.get(plan.culprit.alone, '')}.")  # type: ignore[arg-type] # None, too
    if isinstance(plan, Newest) and plan.found:
        typer.echo(f"The newest that passes is {plan.found.digest}.")
