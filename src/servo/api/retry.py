"""Trying again: exponential backoff with full jitter, bounded by time and tries.

Full jitter (a uniformly random share of the exponential delay) keeps thousands of servos that lost the same optimizer
from coming back in step.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import httpx2

from servo.configuration.settings import CONNECT, DEFAULT, BackoffConfigurations

__all__ = ["MAX_DELAY", "MAX_RETRY_AFTER", "full_jitter", "is_fatal_status_code", "retry", "retry_after"]

MAX_DELAY = 60.0
"""The longest pause between two tries, in seconds."""
MAX_RETRY_AFTER = 300.0
"""The longest pause a server may ask for, in seconds."""

T = TypeVar("T")


def is_fatal_status_code(error: BaseException) -> bool:
    """Return whether an HTTP status will not get better by itself: any of 400-499 but 404."""
    if not isinstance(error, httpx2.HTTPStatusError):
        return False
    status = error.response.status_code
    return status < 500 and status != httpx2.codes.NOT_FOUND  # noqa: PLR2004 - the first server error


def full_jitter(attempt: int, *, base: float = 2.0, limit: float = MAX_DELAY) -> float:
    """Return a random pause in seconds before the next try, the first attempt being 0."""
    return random.uniform(0, min(limit, base ** min(attempt, 32)))  # noqa: S311 - no secret depends on it


def retry_after(error: BaseException) -> float | None:
    """Return for how many seconds a response asks to be left alone, at most ``MAX_RETRY_AFTER``."""
    if not isinstance(error, httpx2.HTTPStatusError):
        return None
    value = error.response.headers.get("Retry-After", "").strip()
    if not value:
        return None
    seconds = float(value) if value.isdecimal() and len(value) < 12 else _until(value)  # noqa: PLR2004 - digits
    return None if seconds is None else min(max(seconds, 0.0), MAX_RETRY_AFTER)


async def retry(
    attempt: Callable[[], Awaitable[T]],
    backoff: BackoffConfigurations,
    *,
    fatal: Callable[[BaseException], bool] = is_fatal_status_code,
    errors: tuple[type[Exception], ...] = (httpx2.HTTPError,),
    on_retry: Callable[[Exception, float], None] | None = None,
) -> T:
    """Run ``attempt`` until it succeeds, fails for good, or its time or tries are over.

    Connections that cannot be made follow the context ``connect``, everything else ``__default__``.

    Args:
        attempt: What to try.
        backoff: The limits by context.
        fatal: Whether an error is final.
        errors: What is worth another try at all.
        on_retry: Told of each error and the pause after it.
    """
    clock = asyncio.get_running_loop().time
    started, tries = clock(), 0
    while True:
        try:
            return await attempt()
        except errors as error:
            tries += 1
            delay = _pause(error, tries, clock() - started, backoff, fatal)
            if delay is None:
                raise
            if on_retry is not None:
                on_retry(error, delay)
        await asyncio.sleep(delay)


def _pause(
    error: Exception,
    tries: int,
    elapsed: float,
    backoff: BackoffConfigurations,
    fatal: Callable[[BaseException], bool],
) -> float | None:
    """Return how long to wait before another try, None if there shall be none."""
    context = CONNECT if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout) else DEFAULT
    max_time, max_tries = backoff.max_time(context), backoff.max_tries(context)
    if fatal(error) or (max_tries is not None and tries >= max_tries):
        return None
    delay = max(full_jitter(tries - 1), retry_after(error) or 0.0)
    if max_time is not None and elapsed + delay >= max_time:
        return None
    return delay


def _until(value: str) -> float | None:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime.now(UTC)).total_seconds()
