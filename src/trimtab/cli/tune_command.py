"""What `trimtab tune` does, from its options to its exit code."""

import asyncio
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trimtab.cli import tune_output as output
from trimtab.cli.agent import Agent, application_of, attached, read_configuration
from trimtab.cli.options import read_settings
from trimtab.cli.progress import show_progress
from trimtab.cli.specification import SpecificationError, parse_prices, parse_spec
from trimtab.cli.tuning import Ending, run_session
from trimtab.optimizer.session_document import Session
from trimtab.settings import Settings

if TYPE_CHECKING:
    from servo.configuration.document import Document
    from trimtab.optimizer.session_spec import SessionSpec
    from trimtab.optimizer.sessions import Sessions

__all__ = ["Refused", "Request", "run"]

OK, FAILURE, USAGE, NOTHING = 0, 1, 2, 3
LATEST = "latest"
NAP = 1.0
SIGNALLED = 128


class Refused(Exception):  # noqa: N818 - it is what ends the command, with its code
    """The command cannot do what it is asked; the message says why and what to do."""

    def __init__(self, problem: str, code: int = FAILURE) -> None:
        super().__init__(problem)
        self.code = code


@dataclass(frozen=True, slots=True)
class Request:
    """The options; see the command.

    Args:
        config: The servo.yaml.
        goal: Objective, SLOs and prices as texts; None with `resume` or a dry run.
        spec: The other fields of a `SessionSpec`.
        resume: Id of the session to continue, "latest", or None.
        dry_run: Whether only the checks are run.
        report: Folder of the report.
        output: "table", "json" or "yaml".
        home: Directory of the embedded state.
        verbose: Whether the agent's log is shown.
    """

    config: Path
    goal: Mapping[str, Any] | None
    spec: Mapping[str, Any]
    resume: str | None = None
    dry_run: bool = False
    report: Path | None = None
    output: str = "table"
    home: Path | None = None
    verbose: bool = False


def run(request: Request) -> int:
    """Do what is asked.

    Returns:
        The exit code.

    Raises:
        Refused: It cannot be done.
    """
    import servo.logging
    from servo.errors import ConfigurationError

    servo.logging.configure(level="INFO" if request.verbose else "CRITICAL")
    try:
        document = read_configuration(request.config)
        application = application_of(document, request.config)
        spec = _spec(request, application)
        settings = read_settings(Settings, {"home": request.home})
        with _sessions(settings) as sessions, asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(_run(request, document, application, spec, sessions, settings))
    except (ConfigurationError, SpecificationError) as error:
        raise Refused(str(error), USAGE) from None
    except KeyboardInterrupt:
        return SIGNALLED + signal.SIGINT


def _spec(request: Request, application: str) -> "SessionSpec | None":
    if request.goal is None:
        return None
    goal = {**request.goal, "prices": parse_prices(request.goal["prices"])}
    return parse_spec(application=application, goal=goal, **request.spec)


@contextmanager
def _sessions(settings: Settings) -> Iterator["Sessions"]:
    from trimtab.catalog import CatalogError, Database
    from trimtab.optimizer.sessions import Sessions

    try:
        database = Database(settings.url)
    except CatalogError as error:
        raise Refused(str(error)) from None
    try:
        yield Sessions(database, nap=NAP)
    finally:
        database.close()


async def _run(
    request: Request,
    document: "Document",
    application: str,
    spec: "SessionSpec | None",
    sessions: "Sessions",
    settings: Settings,
) -> int:
    from servo.errors import ConfigurationError, ServoError

    try:
        async with attached(document, application, sessions) as agent:
            if request.dry_run:
                return await _check(agent, spec, request)
            session = await _session(agent, application, spec, request, sessions)
            with show_progress(session) as show:
                ending = await run_session(agent, sessions, session.id, show)
    except ConfigurationError:
        raise
    except ServoError as error:
        raise Refused(str(error)) from None
    return _finish(ending, request, sessions, settings)


async def _check(agent: Agent, spec: "SessionSpec | None", request: Request) -> int:
    if spec is not None:
        await _require_fit(agent, spec)
    found = await agent.check()
    output.print_checks(found, request.output)
    failed = [each for checks in found.values() for each in checks if not each.passed]
    return FAILURE if failed else OK


async def _session(
    agent: Agent, application: str, spec: "SessionSpec | None", request: Request, sessions: "Sessions"
) -> Session:
    """The session to serve: the one to be continued, or a new one."""
    from trimtab.optimizer.session_errors import ActiveSessionError

    if spec is None:
        return _unfinished(application, request.resume or LATEST, sessions)
    await _require_fit(agent, spec)
    try:
        return sessions.create(spec)
    except ActiveSessionError as error:
        active = next(iter(sessions.list(application=application, active=True, limit=1)), None)
        which = active.id if active else "ID"
        raise Refused(
            f"{application} has the unfinished session {which}; continue it with "
            f"`trimtab tune {request.config} --resume`, or give it up with `trimtab sessions delete {which}`"
        ) from error


def _unfinished(application: str, wanted: str, sessions: "Sessions") -> Session:
    from trimtab.optimizer.session_errors import UnknownSessionError

    if wanted == LATEST:
        active = sessions.list(application=application, active=True, limit=1)
        if not active:
            raise Refused(
                f"{application} has no unfinished session to continue; start one with --objective", USAGE
            )
        return active[0]
    try:
        session = sessions.get(wanted)
    except UnknownSessionError as error:
        raise Refused(str(error), USAGE) from None
    if session.application != application:
        raise Refused(f"the session {wanted} is one of {session.application}, not of {application}", USAGE)
    if session.over:
        raise Refused(f"the session {wanted} is {session.state}: there is nothing to continue", USAGE)
    return session


async def _require_fit(agent: Agent, spec: "SessionSpec") -> None:
    """Refuse a goal that the application cannot be measured by, before anything is touched."""
    from trimtab.optimizer.errors import OptimizerError
    from trimtab.optimizer.session_description import Description
    from trimtab.optimizer.session_search import Search

    try:
        Search(spec, Description.parse(await agent.describe()))
    except OptimizerError as error:
        raise Refused(str(error), USAGE) from None


def _finish(ending: Ending, request: Request, sessions: "Sessions", settings: Settings) -> int:
    from trimtab.optimizer import report

    document = {**sessions.export(ending.session.id), "machine": report.machine_card()}
    if ending.failure:
        document["session"]["message"] = ending.failure
    folder = request.report or settings.home.expanduser() / "reports" / ending.session.id
    try:
        written = report.write(document, folder)
    except OSError as error:
        raise Refused(f"the report cannot be written to {folder}: {error.strerror or error}") from None
    code = _code(ending)
    output.print_result(report.read(document), written, request.output, code)
    return code


def _code(ending: Ending) -> int:
    session = ending.session
    if ending.interrupted is not None:
        return SIGNALLED + ending.interrupted
    if session.state == "failed" or not session.over or ending.failure:
        return FAILURE
    verdict = session.result.recommendation["verdict"] if session.result else "not measured"
    return NOTHING if verdict == "not measured" else OK


def _loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:  # it has no Windows version
        return None
    return uvloop.new_event_loop
