"""A campaign as it goes on, for people: on standard error."""

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

from trimtab.stacks import Candidate, Evidence, Ground, Verdict
from trimtab.workflows.campaigns import Campaign

__all__ = ["CampaignProgress"]

BAR, SHOWN, DIGEST = 30, 160, 12
STYLES = {Verdict.PASS: "green", Verdict.FAIL: "red", Verdict.UNKNOWN: "yellow"}


class CampaignProgress:
    """A line for each verdict; on a terminal, a live line of what is being tried below them.

    Args:
        campaign: Which.
    """

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign
        self._total = campaign.budget.stacks
        self._console = Console(stderr=True)
        self._done = 0
        self._began = time.monotonic()
        self._doing: dict[int, str] = {}
        terminal = self._console.is_terminal
        self._live = (
            Live(get_renderable=self._panel, console=self._console, transient=True) if terminal else None
        )

    def __enter__(self) -> Self:
        self._print(self._campaign.id, "bold")
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def warn(self, warnings: Iterable[str]) -> None:
        """What a user has to know of the engine."""
        for each in warnings:
            self._print(f"note: {each}", "dim")

    def looked(self, ground: Ground) -> None:
        """How much there is to search."""
        if ground.survey is not None:
            space = ground.survey.space
            self._print(f"{space.size:,} combinations of {len(space.variables)} packages", "dim")

    def began(self, candidate: Candidate, inspection: str, attempt: int) -> None:
        """What is being tried."""
        again = f", attempt {attempt}" if attempt > 1 else ""
        self._doing[candidate.number] = f"{candidate.number} {candidate.reason}{again}"
        if attempt > 1:
            self._print(
                f"stack {candidate.number} is tried again in {inspection}: the infrastructure failed",
                "yellow",
            )

    def ended(self, candidate: Candidate, evidence: Evidence) -> None:
        """What a stack showed."""
        self._doing.pop(candidate.number, None)
        self._done += 1
        why = f": {evidence.failure.message}" if evidence.failure else ""
        text = f"{candidate.number} {candidate.stack.digest[:DIGEST]} {evidence.verdict} ({candidate.reason}){why}"
        self._print(text, STYLES[evidence.verdict])

    def _print(self, text: str, style: str) -> None:
        line = "".join(each if each.isprintable() else " " for each in text)
        self._console.print(Text(line, style=style), soft_wrap=True)

    def _panel(self) -> Group:
        grid = Table.grid(padding=(0, 1))
        bar = ProgressBar(total=self._total, completed=min(self._done, self._total), width=BAR)
        doing = "; ".join(self._doing.values())[:SHOWN] or "looking for stacks"
        elapsed = Text(f"{time.monotonic() - self._began:.0f} s", style="dim")
        grid.add_row(Spinner("dots"), bar, Text(f"{self._done}/{self._total}"), elapsed)
        return Group(grid, Text(doing, style="dim", overflow="ellipsis", no_wrap=True))
