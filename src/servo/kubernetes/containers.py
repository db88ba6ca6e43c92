"""What is done with the containers of pods: their logs are read, and commands run in them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime

from servo.kubernetes.connection import Connection
from servo.kubernetes.discovery import Discovery
from servo.kubernetes.execution import Execution, execute
from servo.kubernetes.logs import follow_log, read_log

__all__ = ["Containers"]


class Containers:
    """The part of a client that speaks of containers.

    Attributes:
        namespace: Where pods are if nothing else is said.
    """

    namespace: str
    _connection: Connection
    _discovery: Discovery

    async def log(
        self,
        name: str,
        namespace: str | None = None,
        *,
        container: str | None = None,
        previous: bool = False,
        tail: int | None = None,
        limit: int = 1 << 20,
        timestamps: bool = False,
    ) -> bytes:
        """Return what a container has printed.

        Args:
            name: Of the pod.
            namespace: Where.
            container: Which one; needed where the pod has several.
            previous: Whether that of the container before the last restart is wanted.
            tail: How many lines from the end.
            limit: How many bytes at most, from the first line that is wanted on.
            timestamps: Whether each line begins with its time.
        """
        return await read_log(
            self._connection,
            namespace or self.namespace,
            name,
            container=container,
            previous=previous,
            tail=tail,
            limit=limit,
            timestamps=timestamps,
        )

    def follow_log(
        self,
        name: str,
        namespace: str | None = None,
        *,
        container: str | None = None,
        since: datetime | None = None,
        timestamps: bool = False,
    ) -> AsyncGenerator[bytes, None]:
        """Yield what a container prints, as it comes, until it ends; close it by ``contextlib.aclosing``.

        Args:
            name: Of the pod.
            namespace: Where.
            container: Which one; needed where the pod has several.
            since: From when on, to a second; from the beginning if None.
            timestamps: Whether each line begins with its time, by which one can go on after the stream broke off.

        Raises:
            UnreachableError: The stream broke off.
        """
        return follow_log(
            self._connection,
            namespace or self.namespace,
            name,
            container=container,
            since=since,
            timestamps=timestamps,
        )

    async def exec(
        self,
        name: str,
        command: Sequence[str],
        namespace: str | None = None,
        *,
        container: str | None = None,
        stdin: bytes | None = None,
        timeout: float,  # noqa: ASYNC109 - the command's
    ) -> Execution:
        """Run a command in a container, without a shell, and return what it printed.

        Needs ``trimtab[kubernetes]``; and, for ``stdin`` before Kubernetes 1.30, ``sh`` and ``head`` in the container.

        Args:
            name: Of the pod.
            command: Program and arguments.
            namespace: Where.
            container: Which one; the pod's first if None.
            stdin: What it reads.
            timeout: How many seconds it may take. What is still running then goes on in the container.

        Raises:
            CommandTimeoutError: It took longer.
            AnswerError: It printed more than 16 MiB.
            ApiError: It could not be started.
        """
        return await execute(
            self._connection,
            self._discovery,
            namespace or self.namespace,
            name,
            command,
            container=container,
            stdin=stdin,
            timeout=timeout,
        )
