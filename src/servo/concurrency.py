"""Coroutines side by side, each in a task of its own, at the price of a function call while they do not wait.

Most handlers answer at once: a description, a check that does not apply, a setting that is already there. To schedule
a task costs more than they do. So each coroutine runs up to where it first has to wait *before* anything is scheduled,
and whoever gets that far never costs the event loop anything. What a coroutine can see of this is nothing:

- `asyncio.current_task()` is a task of its own, the same one from its first line to its last. So `asyncio.timeout`,
  `asyncio.TaskGroup`, anyio's cancel scopes and whatever else remembers "the task I am in" work, also when entered
  before the first wait.
- It runs in a copy of the context: what it sets is not seen by its siblings.
- All are started before the first failure cancels the others.

Python 3.12 has this as eager tasks. On 3.11 :class:`_Unborn` is a task that exists but is not yet initialised: it is
the current task while the coroutine takes its first step, and whatever first reads any of its attributes, or the end
of the first step if the coroutine has to wait, initialises it. Between the two it never changes its identity. It uses
what asyncio documents for authors of tasks (``_enter_task``, ``_leave_task``), and the layout of 3.11's task, which
gets security fixes only.

Microseconds on one machine under 3.11, the least of many runs:

===========================  ====  ============  =========  ========
coroutines                   this  real tasks¹   TaskGroup  gather
===========================  ====  ============  =========  ========
one that does not wait        2.0           7.5        8.0       9.1
ten that do not wait          6.7          26.5       27.8      32.4
one that waits once          11.4           9.4        9.5      10.5
ten that wait once           52.8          37.8       37.6      78.5
===========================  ====  ============  =========  ========

¹ joined by the counter below. Who waits costs 1.5 µs more than a task of asyncio's: little beside what it waits for.

Rejected:

- to run the first step under the caller's task and to start a task only for what waits (ten: 3.2 µs): a timeout that is
  entered in the first step remembers the wrong task, and cancels the caller;
- to await a single coroutine in the caller's task (0.4 µs): what it sets in the context leaks into the caller, and a
  coroutine that cancels its own task cancels the caller;
- a loop with a patched ``call_soon`` that hands over the first step of a real task: breaks with uvloop.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
import types
from asyncio import CancelledError
from collections.abc import Callable, Coroutine, Generator, Sequence
from contextvars import Context, copy_context
from functools import partial
from sys import getrefcount
from typing import Any, Final, Generic, TypeVar, cast

T = TypeVar("T")
Handled = Coroutine[Any, Any, T]


class Outcome(Generic[T]):
    """What became of coroutines that ran side by side.

    Attributes:
        values: What each returned, in their order; None of one that failed or was cancelled.
        errors: What they raised, in the order in which it was noticed.
    """

    __slots__ = ("errors", "values")

    def __init__(self, size: int) -> None:
        self.values: list[T] = [None] * size  # type: ignore[list-item] # read only if there are no errors
        self.errors: list[Exception] = []

    def substitute(self, index: int, cancelled: Callable[[int], T]) -> None:
        """Record what stands for a coroutine that somebody else cancelled."""
        try:
            self.values[index] = cancelled(index)
        except Exception as error:  # noqa: BLE001  raised to be recorded
            self.errors.append(error)


async def run_together(
    coroutines: Sequence[Handled[T]], name: str, cancelled: Callable[[int], T]
) -> Outcome[T]:
    """Run coroutines side by side until all have ended; the first error cancels those that still run.

    Args:
        coroutines: What to run, each in a task and a context of its own.
        name: The name of the tasks.
        cancelled: What stands for the n-th coroutine if somebody else cancelled it; returned or, if an error, raised.

    Raises:
        CancelledError: The caller was cancelled; the coroutines were, too, and have ended.
    """
    outcome: Outcome[T] = Outcome(len(coroutines))
    waiting: dict[int, asyncio.Task[T]] = {}
    try:
        _start(coroutines, name, outcome, waiting, cancelled)
    except BaseException:  # an interrupt from the keyboard, an exit: leave nothing behind half-way
        _give_up(coroutines, waiting)
        raise
    if waiting:
        await _Join(waiting, outcome, cancelled).wait()
    return outcome


def _give_up(coroutines: Sequence[Handled[T]], waiting: dict[int, asyncio.Task[T]]) -> None:
    for task in waiting.values():
        task.cancel()
    for coroutine in coroutines:
        if inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
            coroutine.close()


class _Join(Generic[T]):
    """Waits for tasks: a counter and one future for all, instead of one wake-up of the caller for each."""

    def __init__(
        self,
        tasks: dict[int, asyncio.Task[T]],
        outcome: Outcome[T],
        cancelled: Callable[[int], T],
    ) -> None:
        self._outcome = outcome
        self._cancelled = cancelled
        self._aborting = False
        self._indices = {task: index for index, task in tasks.items()}
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        for task in tasks.values():
            task.add_done_callback(self._done)
        if outcome.errors:
            self._abort()

    async def wait(self) -> None:
        interruption: CancelledError | None = None
        while self._indices:
            try:
                await self._ended
            except CancelledError as error:
                interruption = interruption or error
                self._ended = asyncio.get_running_loop().create_future()
                self._abort()
        if interruption is not None:
            # The caller has to end, whatever the handlers made of it; what they raised stays to be seen.
            if self._outcome.errors:
                interruption.__context__ = ExceptionGroup("raised while cancelled", self._outcome.errors)
            raise interruption

    def _done(self, task: asyncio.Task[T]) -> None:
        index = self._indices.pop(task)
        if task.cancelled():
            if not self._aborting:
                self._outcome.substitute(index, self._cancelled)
        elif (error := task.exception()) is None:
            self._outcome.values[index] = task.result()
        elif isinstance(error, Exception):
            self._outcome.errors.append(error)
        # Any other base exception has already been raised out of the loop by the task itself.
        if self._outcome.errors and not self._aborting:
            self._abort()
        if not self._indices and not self._ended.done():
            self._ended.set_result(None)

    def _abort(self) -> None:
        self._aborting = True
        for task in tuple(self._indices):
            task.cancel()


if sys.version_info >= (3, 12):

    def _start(
        coroutines: Sequence[Handled[T]],
        name: str,
        outcome: Outcome[T],
        waiting: dict[int, asyncio.Task[T]],
        cancelled: Callable[[int], T],
    ) -> None:
        loop = asyncio.get_running_loop()
        for index, coroutine in enumerate(coroutines):
            task = asyncio.Task(coroutine, loop=loop, name=name, eager_start=True)
            if not task.done():
                waiting[index] = task
            elif task.cancelled():
                outcome.substitute(index, cancelled)
            elif (error := task.exception()) is None:
                outcome.values[index] = task.result()
            else:
                outcome.errors.append(error)  # type: ignore[arg-type] # others are raised by the constructor

else:
    _enter: Final = asyncio.tasks._enter_task  # noqa: SLF001  documented for authors of tasks
    _leave: Final = asyncio.tasks._leave_task  # noqa: SLF001  the same

    class HandlerTask(asyncio.Task[Any]):
        """A task whose coroutine has already taken its first step when it is scheduled."""

        __slots__ = ("cancelled_itself", "context", "coroutine", "family", "finished", "waits_for")

        cancelled_itself: bool
        context: Context
        coroutine: Handled[Any]
        family: tuple[asyncio.AbstractEventLoop, str]
        finished: Callable[[], Any]
        waits_for: Any

        def get_coro(self) -> Any:
            """Return the handler's coroutine, not what resumes it."""
            return self.coroutine

    class _Unborn(HandlerTask):
        """A task that nobody has looked at yet: only memory, until somebody does.

        Whoever reads an attribute, awaits it or prints it gets a :class:`HandlerTask`, in the same place. What
        works without being born, because it never looks inside: to compare, to hash, to refer weakly.
        """

        __slots__ = ()

        def __getattribute__(self, name: str) -> Any:
            return getattr(_bear(self), name)

        def __repr__(self) -> str:
            return repr(_bear(self))

        def __await__(self) -> Generator[Any, None, Any]:
            return _bear(self).__await__()

        __iter__ = __await__

    def _bear(task: HandlerTask) -> HandlerTask:
        task.__class__ = HandlerTask  # from here on reading is harmless
        resumption: Any = _resume(task)
        resumption.send(None)
        loop, name = task.family
        asyncio.Task.__init__(task, resumption, loop=loop, name=name, context=task.context)
        return task

    @types.coroutine
    def _resume(task: HandlerTask) -> Generator[Any, Any, Any]:
        """Be the coroutine of a task whose first step was taken before."""
        interruption: CancelledError | None = None
        try:
            yield  # to :func:`_bear`; continued by the task's first turn in the loop
        except CancelledError as cancellation:
            interruption = cancellation
        finished = getattr(task, "finished", None)
        if finished is None:
            if interruption is not None and _cancel(task.waits_for, interruption):
                interruption = None
            return (yield from _continue(task.coroutine, task.waits_for, interruption))
        # What came after the end cannot cancel any more; whoever cancelled itself before did.
        if interruption is not None and task.cancelled_itself:
            raise interruption
        return finished()

    def _continue(
        coroutine: Handled[T], waits_for: Any, error: BaseException | None
    ) -> Generator[Any, Any, T]:
        """Go on with a coroutine that waits for something, or throw an error into it."""
        while True:
            if error is not None:
                try:
                    waits_for = coroutine.throw(error)
                except StopIteration as stop:
                    return cast("T", stop.value)
            try:
                yield waits_for
            except GeneratorExit:
                coroutine.close()
                raise
            except BaseException as thrown:  # noqa: BLE001  the coroutine's to handle
                error = thrown
            else:
                return (yield from coroutine.__await__())

    def _cancel(waits_for: Any, cancellation: CancelledError) -> bool:
        # What Task.cancel does when the task already waits: the cancellation arrives through what it waits for.
        message = cancellation.args[0] if cancellation.args else None
        return waits_for is not None and bool(waits_for.cancel(msg=message))

    def _start(  # noqa: C901  each branch is a way for a first step to end; a call per step would cost a tenth
        coroutines: Sequence[Handled[T]],
        name: str,
        outcome: Outcome[T],
        waiting: dict[int, asyncio.Task[T]],
        cancelled: Callable[[int], T],
    ) -> None:
        loop = asyncio.get_running_loop()
        family = loop, name
        parent = asyncio.current_task(loop)
        if parent is not None:
            _leave(loop, parent)
        task: Any = None
        try:
            for index, coroutine in enumerate(coroutines):
                task = _Unborn.__new__(_Unborn)
                task.coroutine = coroutine
                task.context = context = copy_context()
                task.family = family
                _enter(loop, task)
                try:
                    task.waits_for = context.run(coroutine.send, None)
                except StopIteration as stop:
                    if type(task) is _Unborn and getrefcount(task) <= _OUR_REFERENCES:
                        outcome.values[index] = stop.value
                        continue
                    task.finished = partial(_give, stop.value)
                except Exception as error:  # noqa: BLE001  it goes to the caller
                    if type(task) is _Unborn and getrefcount(task) <= _OUR_REFERENCES:
                        outcome.errors.append(error)
                        continue
                    task.finished = partial(_throw, error)
                except CancelledError as cancellation:
                    if type(task) is _Unborn and getrefcount(task) <= _OUR_REFERENCES:
                        outcome.substitute(index, cancelled)
                        continue
                    task.finished = partial(_throw, cancellation)
                finally:
                    _leave(loop, task)
                if type(task) is _Unborn:
                    _bear(task)
                task.cancelled_itself = task.cancelling() > 0
                waiting[index] = task
        finally:
            task = None  # the frames of an error must not show anybody a task that was never born
            if parent is not None:
                _enter(loop, parent)

    # This frame, the argument of getrefcount and asyncio's table of current tasks. Who else refers to a task that
    # ended in its first step shall find it a real one, that has ended.
    _OUR_REFERENCES: Final = 3

    def _give(value: T) -> T:
        return value

    def _throw(error: BaseException) -> None:
        raise error
