"""Dependency Monkey as a service: paths, keys and codes of the original's `/api/v1/dependency-monkey`."""

import json
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from trimtab.catalog import AnalysisState, analyses
from trimtab.inspection import Specification
from trimtab.server.answer import answer
from trimtab.server.builds import models
from trimtab.server.builds.library import Standing
from trimtab.server.caller import Asking, Caller, Scope, needs
from trimtab.server.depth import is_deeper
from trimtab.server.errors import Problem
from trimtab.server.inspections import Desk
from trimtab.stacks import RequirementsError
from trimtab.stacks.monkey import MonkeyQuestion, fresh_seed, project_of, read_text_or_table
from trimtab.workflows.monkey import MonkeyRuns

__all__ = ["create_router"]

MISSING: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "There is none such"}}
OVER: dict[int | str, dict[str, Any]] = {
    **MISSING,
    202: {"model": models.Underway, "description": "It is not over"},
}
READ, SUBMIT = needs(Scope.READ), needs(Scope.SUBMIT)
DEEPEST = 32
MOST = 10_000
Id = Annotated[str, Path(max_length=200, examples=["dependency-monkey-261127061500-0123456789abcdef"])]
Table = dict[str, Any]
UNDER_WAY = {
    AnalysisState.PENDING: "It is being scheduled",
    AnalysisState.RUNNING: "It is still in progress",
}


class Asked(BaseModel):
    """What stacks are wanted, and how each is inspected."""

    model_config = ConfigDict(hide_input_in_errors=True)

    requirements: Annotated[
        Table | str,
        Field(description="A Pipfile, as JSON or its text; or requirements, if the format says so"),
    ]
    requirements_format: Literal["pipenv", "requirements"] = "pipenv"
    context: Annotated[
        Table | str | None, Field(description="A specification without `python`, as JSON or its text")
    ] = None
    runtime_environment: Annotated[
        Table | None, Field(description="`python_version` and `platform` are the target's")
    ] = None
    pipeline: Annotated[
        Table | None, Field(description="The original's units; `OneVersionStride` holds a package")
    ] = None
    predictor: Annotated[str | None, Field(max_length=50)] = None
    predictor_config: Annotated[
        Table | str | None, Field(description="`package_combinations`: names of packages that vary alone")
    ] = None


class Wanted(BaseModel):
    """The query, as the original has it."""

    seed: Annotated[int | None, Field(ge=0, lt=2**63)] = None
    dry_run: bool = False
    decision: Literal["random", "all"] = "all"
    count: Annotated[int, Field(ge=1, le=MOST)] = 1
    limit_latest_versions: Annotated[int | None, Field(ge=1, le=MOST)] = None
    debug: Annotated[bool, Field(description="Taken as the original did; it changes nothing")] = False


class Accepted(BaseModel):
    """The answer to a submission."""

    analysis_id: str
    parameters: Table
    cached: Literal[False]


def create_router(runs: MonkeyRuns, desk: Desk) -> APIRouter:
    """The routes that the original has.

    Args:
        runs: Accepts runs, and knows how they stand.
        desk: Reads specifications, and fetches their scripts.
    """
    router = APIRouter(prefix="/api/v1/dependency-monkey/python", tags=["dependency monkey"])
    _add_submission(router, runs, desk)
    _add_standing(router, runs)
    return router


def _add_submission(router: APIRouter, runs: MonkeyRuns, desk: Desk) -> None:
    @router.post("", status_code=202, response_model=Accepted, dependencies=[SUBMIT])
    async def post_dependency_monkey_python(
        caller: Asking, asked: Annotated[Asked, Body()], wanted: Annotated[Wanted, Query()]
    ) -> Response:
        """Make many valid stacks for the same requirements, and inspect each."""
        if is_deeper(asked.model_dump(), DEEPEST):
            raise HTTPException(400, f"the body is nested deeper than {DEEPEST} levels")
        try:
            question = _question(asked, wanted)
            await run_in_threadpool(project_of, question, foreign=False)
            context = {} if wanted.dry_run and asked.context is None else await _context(asked, desk)
        except RequirementsError as error:
            raise HTTPException(400, str(error)) from None
        told = {name: value for name, value in asdict(question).items() if name != "notes"}
        request = {"question": told, "context": context, "dry_run": wanted.dry_run}
        run_id = await runs.submit(request, caller.name)
        parameters = {**wanted.model_dump(exclude={"seed"}), "seed": question.seed, **asked.model_dump()}
        return answer({"analysis_id": run_id, "parameters": parameters, "cached": False}, status=202)


def _add_standing(router: APIRouter, runs: MonkeyRuns) -> None:
    @router.get(
        "/{analysis_id}/log", response_model=models.AnalysisLog, responses=MISSING, dependencies=[READ]
    )
    def get_dependency_monkey_log(analysis_id: Id, caller: Asking) -> Response:
        """Show what happened to a run."""
        row = _find(runs, caller, analysis_id)
        return answer({"log": row["log"], "parameters": {"analysis_id": analysis_id}})

    @router.get(
        "/{analysis_id}/status", response_model=models.AnalysisStatus, responses=MISSING, dependencies=[READ]
    )
    def get_dependency_monkey_status(analysis_id: Id, caller: Asking) -> Response:
        """Tell how a run stands."""
        row = _find(runs, caller, analysis_id)
        return answer({"status": _standing(row).told(), "parameters": {"analysis_id": analysis_id}})

    @router.get("/{analysis_id}/report", response_model=models.Findings, responses=OVER, dependencies=[READ])
    async def get_dependency_monkey_report(analysis_id: Id, caller: Asking) -> Response:
        """Show which inspections a run led to; 202 while it is made. Of one that failed, the report says why."""
        row = await run_in_threadpool(_find, runs, caller, analysis_id)
        standing = _standing(row)
        if not standing.over:
            body = {"error": UNDER_WAY[standing.state], "status": standing.told()}
            return answer({**body, "parameters": {"analysis_id": analysis_id}}, status=202)
        return answer(await run_in_threadpool(runs.report, analysis_id))


def _question(asked: Asked, wanted: Wanted) -> MonkeyQuestion:
    config = asked.predictor_config
    return MonkeyQuestion(
        asked.requirements,
        asked.requirements_format,
        wanted.count,
        fresh_seed() if wanted.seed is None else wanted.seed,
        wanted.decision,
        asked.predictor or "AUTO",
        read_text_or_table(config, "predictor_config") if isinstance(config, str) else config,
        asked.pipeline,
        asked.runtime_environment,
        wanted.limit_latest_versions,
    )


async def _context(asked: Asked, desk: Desk) -> Table:
    """The context with its script, checked: what no inspection would accept is refused before any stack is made.

    Raises:
        RequirementsError: There is none.
        SpecificationError, ScriptError: It is none.
    """
    given = asked.context
    if given is None:
        raise RequirementsError("context: it is missing; give a specification without python")
    table = read_text_or_table(given, "context") if isinstance(given, str) else given
    text = json.dumps({name: value for name, value in table.items() if name != "python"}, default=str)
    whole: Specification = await desk.with_script(desk.read(text.encode()))
    return whole.document()


def _find(runs: MonkeyRuns, caller: Caller, run_id: str) -> analyses.Row:
    row = runs.row(run_id)
    if row is None or not caller.sees(row["owner"]):
        raise HTTPException(404, f"Requested result for analysis {run_id[:200]!r} was not found")
    return row


def _standing(row: analyses.Row) -> Standing:
    return Standing(AnalysisState(row["state"]), row["reason"], row["started_at"], row["ended_at"])
