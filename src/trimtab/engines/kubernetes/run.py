"""Runs: a Job each, from its start to what is known of its end."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime

from servo.kubernetes import JOBS, Client, KubernetesError
from trimtab.engines.engine import LogSink
from trimtab.engines.errors import EngineLostError
from trimtab.engines.home import log_path
from trimtab.engines.kubernetes import status
from trimtab.engines.kubernetes.belongings import Belongings
from trimtab.engines.kubernetes.following import JobPod
from trimtab.engines.kubernetes.labels import NETWORK, Labels
from trimtab.engines.kubernetes.logs import CopiedLog
from trimtab.engines.kubernetes.pods import RUN, job, run_pod
from trimtab.engines.kubernetes.results import fetch
from trimtab.engines.kubernetes.settings import KubernetesSettings
from trimtab.engines.kubernetes.waiting import until_over, until_started
from trimtab.engines.log import Log
from trimtab.engines.request import Run, RunRequest
from trimtab.engines.verdict import Verdict

__all__ = ["Runner"]

_TIMED_OUT = Verdict(None)


class Runner:
    """Runs in one cluster.

    Args:
        labels: What is ours.
        belongings: Makes and removes it.
        settings: Limits.
    """

    def __init__(self, labels: Labels, belongings: Belongings, settings: KubernetesSettings) -> None:
        self._labels = labels
        self._belongings = belongings
        self._settings = settings

    async def run(self, client: Client, request: RunRequest, sink: LogSink) -> Run:
        """Run a build once."""
        started = datetime.now(UTC)
        with Log(log_path(request), sink, self._settings.log_limit) as log:
            try:
                verdict = await self._verdict(client, request, log)
            except (KubernetesError, EngineLostError) as error:
                verdict = Verdict(None, lost=str(error))
        notes = ("it printed more than is kept of a log",) if log.cut else ()
        return Run(
            verdict.exit_code,
            verdict.signal,
            verdict.oom_killed,
            verdict is _TIMED_OUT,
            verdict.lost,
            started,
            datetime.now(UTC),
            log.path,
            (*verdict.notes, *notes),
        )

    async def _verdict(self, client: Client, request: RunRequest, log: Log) -> Verdict:
        await self._belongings.remove_left(client, request.id, request.item)
        if not request.network:
            await self._belongings.isolate(client, request.id)
        name = self._labels.name_of(request.id, request.item)
        try:
            await self._start(client, request, name)
            async with JobPod.followed(client, name) as pod:
                return await self._finished(client, request, pod, log)
        finally:
            await asyncio.shield(self._remove(client, name))

    async def _start(self, client: Client, request: RunRequest, name: str) -> None:
        metadata = self._labels.metadata(name, request.id, request.item)
        metadata["labels"] |= {} if request.network else {NETWORK: "none"}
        settings = self._settings
        lifetime = None
        if request.timeout is not None:
            lifetime = request.timeout + settings.slack + settings.grace + settings.patience + settings.keep
        body = job(run_pod(request, settings), metadata, lifetime=lifetime, ttl=settings.ttl)
        await self._belongings.make(client, JOBS, body, request.id)

    async def _finished(self, client: Client, request: RunRequest, pod: JobPod, log: Log) -> Verdict:
        await until_started(pod, RUN, self._settings.patience)
        if pod.gone or pod.pod is None:
            return Verdict(None, lost="its pod was deleted before it was started")
        allowed = (
            None if request.timeout is None else request.timeout + self._settings.slack + self._settings.grace
        )
        async with CopiedLog(client, pod.name, RUN, log):
            over = await until_over(pod, RUN, allowed)
            if not over:
                await self._remove(client, pod.job)  # its log is followed until it has ended
        if not over:
            return _TIMED_OUT
        if (why := status.lost(pod.pod, RUN, gone=pod.gone)) is not None:
            return Verdict(None, lost=why)
        return await self._judged(client, request, pod)

    async def _judged(self, client: Client, request: RunRequest, pod: JobPod) -> Verdict:
        assert pod.pod is not None
        verdict = status.verdict(pod.pod, RUN, self._settings.disk)
        if (
            verdict.lost is not None or pod.pod["status"].get("phase") == "Failed"
        ):  # its keeper has ended, too
            return verdict
        try:
            notes = await fetch(client, pod.name, request.output)
        except KubernetesError as error:
            return Verdict(None, lost=f"it ended, and its results could not be fetched: {error}")
        return Verdict(verdict.exit_code, verdict.signal, verdict.oom_killed, None, (*verdict.notes, *notes))

    async def _remove(self, client: Client, name: str) -> None:
        with suppress(KubernetesError):  # `clean` or `expire` finds it by its label
            await self._belongings.remove_job(client, name)
