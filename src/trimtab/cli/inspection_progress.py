"""An inspection as it goes on, for people: on standard error."""

import sys
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from trimtab.inspection import Specification
from trimtab.workflows import Event

__all__ = ["Progress"]

BAR = 30
SHOWN = 200
STYLES = {"built": "green", "ran": "green", "retrying": "yellow", "over": "bold"}


class Progress:
    """A line for each step; on a terminal, a live line of what is being done below them.

    Args:
        specification: What is built and run.
        follow: Show what is printed as it comes, in place of the live line.
    """

    def __init__(self, specification: Specification, *, follow: bool) -> None:
        self._batch = specification.batch_size
        self._console = Console(stderr=True)
        self._follow = follow
        self._done = 0
        self._began = time.monotonic()
        self._doing = "starting"
        self._last = ""
        live = self._console.is_terminal and not follow
        self._live = Live(get_renderable=self._panel, console=self._console, transient=True) if live else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.stop()

    def warn(self, warnings: Iterable[str]) -> None:
        """What a user has to know of the engine."""
        for each in warnings:
            self._console.print(Text(f"note: {each}", style="dim"), soft_wrap=True)

    def event(self, event: Event) -> None:
        """A step."""
        self._doing = self._words(event)
        self._last = ""
        if event.kind in {"building", "running"} and self._live:
            return
        if event.kind == "ran" and not event.warmup:
            self._done += 1
        style = "red" if event.text and event.kind in {"ran", "built"} else STYLES.get(event.kind, "")
        self._console.print(Text(self._doing, style=style), soft_wrap=True)

    def output(self, item: int | None, data: bytes) -> None:
        """What the build or a run printed; what is no text does not reach the terminal."""
        text = data.decode(errors="replace")
        if self._follow:
            sys.stderr.write("".join(each for each in text if each.isprintable() or each in "\n\t"))
            sys.stderr.flush()
        elif self._live and item is None and (lines := text.split("\n")[-2:]):
            self._last = max(lines, key=len)[:SHOWN]

    def _words(self, event: Event) -> str:
        text = f": {' '.join(event.text.split())[:SHOWN]}" if event.text else ""
        if event.kind == "over":
            return f"{event.inspection} {event.text}"
        if event.kind == "accepted":
            return event.inspection
        what = "build" if event.item is None else self._run(event.item, warmup=event.warmup)
        verbs = {"building": "is being made", "running": "is under way", "built": "is done", "ran": "is done"}
        failed = event.kind in {"built", "ran"} and text
        return f"{what} {'failed' if failed else verbs.get(event.kind, 'is tried again')}{text}"

    def _run(self, item: int, *, warmup: bool) -> str:
        return f"warm-up {item - self._batch + 1}" if warmup else f"run {item + 1} of {self._batch}"

    def _panel(self) -> Group:
        grid = Table.grid(padding=(0, 1))
        bar = ProgressBar(total=self._batch, completed=self._done, width=BAR)
        grid.add_row(Spinner("dots"), bar, Text(self._doing), Text(self._elapsed(), style="dim"))
        last = Text(self._last, style="dim", overflow="ellipsis", no_wrap=True)
        return Group(grid, last) if self._last else Group(grid)

    def _elapsed(self) -> str:
        return f"{time.monotonic() - self._began:.0f} s"
