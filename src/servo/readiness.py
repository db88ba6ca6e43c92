"""Whether a servo is ready to run: its checks, again and again while there is time.

Each pass asks the selected connectors for their checks. What passes is said once, what fails is said with its hint, and
its remedy is run; then there is a pause, and another pass.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from servo.errors import ConnectorNotFoundError, EventHandlersNotFoundError
from servo.logging import logger
from servo.standard_events import Events
from servo.types.checks import Check, CheckFilter
from servo.types.core import Duration
from servo.utilities import join_to_series, parse_id, parse_re
from servo.utilities.strings import parse_csv

if TYPE_CHECKING:
    from servo.connector import BaseConnector
    from servo.servo import Servo

__all__ = ["check_servo"]

FIRST_DELAY = 8.0
REMEDY_SECONDS = 10.0
FOREVER_DOUBLING = 16

Key = tuple[str, str]


async def check_servo(servo: Servo, print_callback: Callable[[str], Any] | None = None) -> bool:
    """Run the checks that the servo's configuration selects until they pass or its time is over.

    Args:
        servo: Whose checks.
        print_callback: Called with the table of each pass unless ``progressive`` or ``quiet`` is set.

    Returns:
        Whether everything passed.

    Raises:
        ConnectorNotFoundError: The configuration names a connector that is not active.
        EventHandlersNotFoundError: Nobody, or one that is named, has no checks.
    """
    config = servo.config.checks
    connectors = _selected(servo, config.connectors)
    wanted = CheckFilter(name=parse_re(config.name), id=parse_id(config.id), tags=_tags(config.tag))
    patience = Duration(config.wait or 0).total_seconds()
    clock = asyncio.get_running_loop().time
    started, passed = clock(), set[Key]()
    for delay in _delays(config.delay):
        results = await _checks_of(servo, connectors, wanted)
        if await _judge(servo, results, passed):
            return True
        if print_callback is not None and not config.progressive and not config.quiet:
            _print(results, print_callback, verbose=config.verbose)
        if clock() + delay - started > patience:
            return False
        logger.info("waiting {} before the failed checks are tried again", Duration(delay), connector=servo)
        await asyncio.sleep(delay)
    raise AssertionError("delays are endless")


def _selected(servo: Servo, names: Sequence[str] | None) -> list[BaseConnector]:
    """Return the connectors to check: those that are named, else all that answer."""
    if not names:
        responders = [each for each in servo.all_connectors if each.responds_to_event(Events.check)]
        if not responders:
            raise EventHandlersNotFoundError("no active connector has any checks", connector=servo)
        return responders
    found = servo.connectors_named(names)
    missing = sorted(set(names) - {each.name for each in found})
    if missing:
        active = join_to_series([each.name for each in servo.all_connectors])
        raise ConnectorNotFoundError(
            f"no active connector is named {join_to_series(missing)}; active are {active}"
        )
    silent = [each.name for each in found if not each.responds_to_event(Events.check)]
    if silent:
        raise EventHandlersNotFoundError(
            f"no checks are defined by {join_to_series(silent)}", connector=servo
        )
    return found


def _tags(tags: list[str] | None) -> set[str] | None:
    parsed = parse_csv(tags)
    return set(parsed) if parsed else None


def _delays(delay: str) -> Iterator[float]:
    if delay != "expo":
        return itertools.repeat(Duration(delay or 0).total_seconds())
    # Doubling stops when a pause is days long: no float grows forever.
    return (FIRST_DELAY * 2 ** min(attempt, FOREVER_DOUBLING) for attempt in itertools.count())


async def _checks_of(
    servo: Servo, connectors: Sequence[BaseConnector], wanted: CheckFilter
) -> list[tuple[str, list[Check]]]:
    results = await servo.dispatch_event(
        Events.check,
        wanted if wanted.any else None,
        servo.config.checks.halt_on,
        include=connectors,
        return_exceptions=True,
    )
    return [(result.connector.name, as_checks(result.value)) for result in results]


def as_checks(value: Any) -> list[Check]:
    """Return what a connector answered; an error, or anything that is no check, is a failed check."""
    if isinstance(value, list) and all(isinstance(each, Check) for each in value):
        return value
    problem = (
        f"caught exception ({type(value).__name__}): {value}"
        if isinstance(value, BaseException)
        else f"answered with {type(value).__name__}, not with a list of checks"
    )
    exception = value if isinstance(value, Exception) else None
    return [Check(name="Run checks", success=False, message=problem, exception=exception)]


async def _judge(servo: Servo, results: Sequence[tuple[str, list[Check]]], passed: set[Key]) -> bool:
    """Say what is new, run remedies, and return whether everything passed."""
    ready = True
    for connector, check in ((name, check) for name, checks in results for check in checks):
        key = connector, check.id
        if check.passed:
            if key not in passed:
                _say_passed(connector, check)
            passed.add(key)
            continue
        ready = False
        passed.discard(key)
        await _say_failed(connector, check, remedy=servo.config.checks.remedy)
        if servo.config.checks.check_halting:
            break
    return ready


def _say_passed(connector: str, check: Check) -> None:
    if check.success:
        logger.success("✅ Check '{}' passed", check.escaped_name, component=check.id, connector=connector)
    else:
        logger.warning("❗ Check '{}' failed: {}", check.escaped_name, check.message, component=check.id)


async def _say_failed(connector: str, check: Check, *, remedy: bool) -> None:
    sayer = logger.bind(component=check.id, connector=connector)
    sayer.warning("❌ Check '{}' failed: {}", check.escaped_name, check.message or "no message")
    if check.hint:
        sayer.info("Hint: {}", check.hint)
    if check.exception is not None:
        sayer.opt(exception=check.exception).debug("Check '{}' raised", check.escaped_name)
    if check.remedy is not None and remedy:
        await _remedy(check, sayer)


async def _remedy(check: Check, sayer: Any) -> None:
    sayer.info("💡 Remedying '{}'", check.escaped_name)
    try:
        async with asyncio.timeout(REMEDY_SECONDS):
            outcome = check.remedy() if callable(check.remedy) else check.remedy
            if inspect.isawaitable(outcome):
                await outcome
    except TimeoutError:
        sayer.warning("the remedy of '{}' took longer than {:g} s", check.escaped_name, REMEDY_SECONDS)
    except Exception as error:  # noqa: BLE001 - a remedy that fails leaves the check failed, and no more
        sayer.warning("the remedy of '{}' failed: {}", check.escaped_name, error)


def _print(
    results: Sequence[tuple[str, list[Check]]], print_callback: Callable[[str], Any], *, verbose: bool
) -> None:
    from servo.check_tables import check_table

    print_callback(check_table(dict(results), verbose=verbose))
