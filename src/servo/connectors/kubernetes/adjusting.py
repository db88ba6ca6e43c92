"""One adjustment of several targets: all of it is accepted, or none."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Iterable, Sequence
from uuid import uuid4

from servo.connectors.kubernetes.changes import named_in
from servo.connectors.kubernetes.lease import LeaseHeldError, LeaseLostError
from servo.connectors.kubernetes.logs import with_log
from servo.connectors.kubernetes.manifests import ManifestError
from servo.connectors.kubernetes.options import FailureMode
from servo.connectors.kubernetes.patience import UnfitError
from servo.connectors.kubernetes.pods import Fault
from servo.connectors.kubernetes.target import Request, Target
from servo.errors import AdjustmentFailedError, AdjustmentRejectedError, ServoError
from servo.kubernetes import Client, ForbiddenError, KubernetesError, NotFoundError
from servo.logging import logger
from servo.types.api import Adjustment

__all__ = ["Adjusting", "Teller", "error_of", "fault_of"]

Part = tuple[Target, Client, list[Adjustment]]
"""A target, its cluster, and what is adjusted of it."""

_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (LeaseLostError, "lease-lost"),
    (LeaseHeldError, "lease-held"),
    (NotFoundError, "target-missing"),
    (ManifestError, "target-missing"),
)
_TELL_EVERY = 10.0
_SECONDS_TO_WITHDRAW = 40.0


class Teller:
    """Reports how far an adjustment has come; never less far than before."""

    def __init__(self) -> None:
        self._progress = 0.0
        self._due = time.monotonic() + _TELL_EVERY

    def __call__(self, text: str, percent: float) -> None:
        """Report, if it is time to.

        Args:
            text: What is waited for.
            percent: How much of the time for it has passed; getting ready is the first half of an adjustment.
        """
        whole = 50.0 + percent / 2 if text == "settling" else percent / 2
        self._progress = max(self._progress, min(whole, 99.0))
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + _TELL_EVERY
            logger.info(f"adjusting: {text}", progress=self._progress)


class Adjusting:
    """Carries out adjustments.

    Args:
        wait: Seconds to wait for the right to change a target.
    """

    def __init__(self, wait: float) -> None:
        self._wait = wait

    async def __call__(self, parts: Sequence[Part], settlement: float | None) -> None:
        """Adjust targets; what fails, or is broken off, is taken back.

        Args:
            parts: What to adjust.
            settlement: Seconds that targets must stay ready; None: as each is configured.

        Raises:
            AdjustmentFailedError: It failed, or the settings do not do (``AdjustmentRejectedError``).
        """
        targets = [target for target, _, _ in parts]
        await self._held(targets)
        id_, teller = uuid4().hex[:12], Teller()
        tasks = [asyncio.create_task(self._one(part, id_, settlement, teller)) for part in parts]
        losing = [asyncio.create_task(_lost(target)) for target in targets]
        try:
            await self._until_done(tasks, losing)
            await self._commit(targets)
        except asyncio.CancelledError:
            await _stop(tasks)
            await _through(self._withdraw(targets))
            raise
        except ServoError as error:
            await _stop(tasks)
            raise await self._revert(parts, error) from error
        finally:
            await _stop([*tasks, *losing])

    async def _held(self, targets: Iterable[Target]) -> None:
        try:
            await asyncio.gather(*(target.right.held(self._wait) for target in targets))
        except (LeaseHeldError, UnfitError, KubernetesError, ManifestError) as error:
            raise error_of(error) from error

    @staticmethod
    async def _until_done(tasks: Sequence[asyncio.Task[None]], losing: Sequence[asyncio.Task[None]]) -> None:
        waiting = set(tasks)
        while waiting:
            done, _ = await asyncio.wait([*waiting, *losing], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            waiting -= done

    async def _one(self, part: Part, id_: str, settlement: float | None, teller: Teller) -> None:
        target, client, adjustments = part
        config = target.config
        if settlement is None:
            settlement = config.settlement.total_seconds() if config.settlement else 0.0
        try:
            await target.apply(Request(id_, adjustments, settlement, teller))
        except (UnfitError, KubernetesError, LeaseLostError, ManifestError) as error:
            told = await _told(error, client, part)
            if config.on_failure is not FailureMode.ignore:
                told.target = target  # type: ignore[attr-defined]  # whose failure it is
                raise told from error
            logger.warning(f"{config.label}: {told}; it is left as it is, as on_failure: ignore says")
            await target.revert(FailureMode.ignore)

    async def _commit(self, targets: Iterable[Target]) -> None:
        for target in targets:
            try:
                await target.commit()
            except (UnfitError, KubernetesError, LeaseLostError) as error:
                raise error_of(error) from error

    async def _revert(self, parts: Sequence[Part], error: ServoError) -> ServoError:
        """Take everything back, and return the error to raise: a failure to do so outranks why it was done."""
        if error.reason == "lease-lost":
            await asyncio.gather(*(_hand_over(target) for target, _, _ in parts))
            return error
        failed = getattr(error, "target", None)
        modes = [
            target.config.on_failure if target is failed else FailureMode.rollback for target, _, _ in parts
        ]
        reverts = [
            self._reverted(target, mode, error) for (target, _, _), mode in zip(parts, modes, strict=True)
        ]
        worse = [each for each in await asyncio.gather(*reverts) if each is not None]
        if worse:
            return AdjustmentFailedError(
                f"{worse[0]}; it was taken back because: {error}", reason=worse[0].reason
            )
        return error

    async def _reverted(self, target: Target, mode: FailureMode, why: ServoError) -> ServoError | None:
        try:
            await target.revert(mode)
        except (UnfitError, KubernetesError, LeaseLostError, ManifestError) as error:
            logger.warning(f"{target.config.label}: {error}")
            if isinstance(error, UnfitError):
                cause = error.__cause__
                # If it is not ready as before either, and for the same reason, that is all there is to tell.
                same = isinstance(cause, UnfitError) and cause.fault.reason == why.reason
                return None if same else error_of(error)
            await _hand_over(target)
            if isinstance(error, LeaseLostError):
                return error_of(error)
            return AdjustmentFailedError(
                f"{target.config.label} could not be taken back yet: {error}", reason="restore-failed"
            )
        return None

    async def _withdraw(self, targets: Iterable[Target]) -> None:
        for target in targets:
            try:
                async with asyncio.timeout(_SECONDS_TO_WITHDRAW):
                    await target.withdraw()
            except (UnfitError, KubernetesError, LeaseLostError, ManifestError, TimeoutError) as error:
                logger.warning(
                    f"{target.config.label} could not be taken back yet: {error or 'the cluster is slow'}"
                )
                await _hand_over(target)


async def _hand_over(target: Target) -> None:
    # Whoever takes the lease next, this agent most likely, begins with putting the target in order.
    await target.right.stop()
    target.right.start()


async def _lost(target: Target) -> None:
    await target.right.lost()
    raise AdjustmentFailedError(
        f"the right to change {target.config.label} was lost while it was being adjusted; "
        "who gets it next takes the adjustment back",
        reason="lease-lost",
    )


async def _told(error: Exception, client: Client, part: Part) -> ServoError:
    target, _, adjustments = part
    fault = fault_of(error)
    message = await with_log(
        client, target.config.namespace, fault, whole=target.config.container_logs_in_error_status
    )
    if fault.reason == "unschedulable":
        message += named_in(fault, adjustments)
    return _error(fault, message)


def error_of(error: Exception) -> ServoError:
    """Return what an optimizer is told of an error."""
    fault = fault_of(error)
    return _error(fault, fault.message)


def _error(fault: Fault, message: str) -> ServoError:
    kind = AdjustmentRejectedError if fault.status == "rejected" else AdjustmentFailedError
    return kind(message, reason=fault.reason)


def fault_of(error: Exception) -> Fault:
    """Return what is wrong, as documented, of an error of this package or of the cluster."""
    if isinstance(error, UnfitError):
        return error.fault
    if isinstance(error, ForbiddenError):
        return _forbidden(error)
    if isinstance(error, KubernetesError) and error.transient:
        return Fault("unreachable", str(error), status="failed")
    reason = next((reason for kind, reason in _REASONS if isinstance(error, kind)), "cluster-error")
    return Fault(reason, str(error), status="failed")


def _forbidden(error: ForbiddenError) -> Fault:
    # A role says what somebody cannot do; all else that forbids is about what was to be written.
    if " cannot " in str(error):
        return Fault("forbidden", f"{error}: see the permissions in docs/kubernetes.md", status="failed")
    return Fault("start-failed", f"the cluster does not admit it: {error}")


async def _stop(tasks: Iterable[asyncio.Task[None]]) -> None:
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _through(work: Awaitable[None]) -> None:
    """Await work to its end though this task is cancelled once more."""
    task = asyncio.ensure_future(work)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                return
