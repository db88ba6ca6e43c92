"""What is seen of a session while it runs: live in a terminal, else a line for each trial.

All of it goes to standard error, so that standard output holds the result and nothing else.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from trimtab.optimizer.report.model import named
from trimtab.optimizer.session_document import Session, Trial
from trimtab.pages.numbers import duration, number, signed_percent, value

__all__ = ["Progress", "show_progress"]

Show = Callable[[Session, Sequence[Trial]], None]
BAR = 28
PHASES = {
    "describe": "asking what can be set and measured",
    "adjust": "putting the settings in place",
    "measure": "measuring",
    "restore": "putting the last good settings back",
    "finish": "putting the final settings in place",
}
STYLES = {"ok": "green", "aborted": "yellow", "rejected": "yellow", "failed": "red", "lost": "red"}


@contextmanager
def show_progress(session: Session, *, console: Console | None = None) -> Iterator[Show]:
    """A function that shows a session as it stands, and the trials that ended since."""
    console = console or Console(stderr=True, highlight=False)
    progress = Progress(session, console)
    if not console.is_terminal:
        yield progress.print_lines
        return
    progress.print_header()
    with Live(console=console, refresh_per_second=8, transient=True) as live:

        def show(now: Session, finished: Sequence[Trial]) -> None:
            progress.print_trials(now, finished)
            live.update(progress.panel(now), refresh=True)

        yield show


class Progress:
    """Turns a session into lines.

    Args:
        session: As it was when it began, or was taken up again.
        console: Where to print.
    """

    def __init__(self, session: Session, console: Console) -> None:
        self._console = console
        self._session = session
        self._begun = False
        self._baseline: dict[str, Any] | None = None
        self._measured: Trial | None = None

    def print_lines(self, session: Session, finished: Sequence[Trial]) -> None:
        """A line for what is new."""
        if not self._begun:
            self._begun = True
            self.print_header()
        self.print_trials(session, finished)

    def print_header(self) -> None:
        """What is about to happen."""
        spec = self._session.spec
        goal = "; ".join([spec.goal.objective, *spec.goal.slos])
        self._print(f"[bold]Tuning {escape(self._session.application)}[/]: {escape(goal)}")
        limit = f" or {duration(spec.budget.seconds)}" if spec.budget.seconds else ""
        each = f"{duration(spec.control.duration)} each after {duration(spec.control.warmup)} of warm-up"
        self._print(f"[dim]{self._session.id}, {spec.budget.trials} trials{limit}, {each}[/]")

    def print_trials(self, session: Session, finished: Sequence[Trial]) -> None:
        """The trials that have ended since."""
        for trial in finished:
            if self._baseline is None and trial.purpose == "baseline":
                self._baseline = dict(trial.point)
            if trial.metrics:
                self._measured = trial
            self._print(self.line(trial, session))

    def _print(self, text: Text | str) -> None:
        # Cut to a terminal's width, but never in a file or a pipe.
        self._console.print(text, soft_wrap=not self._console.is_terminal)

    def line(self, trial: Trial, session: Session) -> Text:
        """One trial: number, purpose, how it ended, its settings."""
        text = Text(no_wrap=self._console.is_terminal, overflow="ellipsis")
        text.append(f"{trial.number + 1:>4}/{session.trials_budget} {trial.purpose:<8} ")
        status = trial.status or "unfinished"
        shown = number(trial.value) if status == "ok" else status
        text.append(f"{shown:>10}", style=STYLES.get(status, ""))
        text.append(f"{self._gain(trial, session):>8}  ")
        text.append(self.settings(trial.point), style="dim")
        if why := "; ".join(trial.violations) or trial.reason:
            text.append(f"  {why}", style="yellow")
        return text

    def _gain(self, trial: Trial, session: Session) -> str:
        best = session.best
        if (
            trial.status != "ok"
            or trial.value is None
            or best is None
            or not best.baseline_value
            or trial.purpose == "baseline"
        ):
            return ""
        change = (trial.value - best.baseline_value) / abs(best.baseline_value)
        return signed_percent(change)

    def settings(self, point: dict[str, Any]) -> str:
        """The settings, those that are as in the beginning left out."""
        base = self._baseline or {}
        changed = [
            f"{name.rpartition('.')[2]}={value(each)}"
            for name, each in point.items()
            if base.get(name) != each
        ]
        return " ".join(changed) or "the settings as they were"

    def panel(self, session: Session) -> Group:
        """The live part: how far it is, what is being done, the best so far."""
        budget = max(session.trials_budget, 1)
        grid = Table.grid(padding=(0, 1))
        grid.add_row(
            ProgressBar(total=budget, completed=min(session.trials_done, budget), width=BAR),
            f"{session.trials_done}/{budget} trials",
            Text(self._left(session), style="dim"),
        )
        lines: list[Any] = [grid, Text(self._phase(session), overflow="ellipsis", no_wrap=True)]
        if self._measured is not None:
            lines.append(Text(self._metrics(self._measured), style="dim", overflow="ellipsis", no_wrap=True))
        if session.best is not None and session.best.value is not None:
            lines.append(Text(self._best(session), style="bold", overflow="ellipsis", no_wrap=True))
        return Group(*lines)

    def _phase(self, session: Session) -> str:
        trial, command = session.trial, session.command
        where = f"trial {trial.number + 1} ({trial.purpose}): " if trial else ""
        what = f"  {self.settings(trial.point)}" if trial else ""
        if command is None:
            idle = {"waiting": "starting the application", "running": "choosing settings"}
            return f"{where}{idle.get(str(session.state), str(session.state))}{what}"
        phase = PHASES.get(str(command.step), str(command.step))
        if command.planned:
            phase += f" {min(command.elapsed, command.planned):.1f}/{command.planned:.1f} s"
        return f"{where}{phase}{what}"

    def _metrics(self, trial: Trial) -> str:
        """What was measured last, of what the goal speaks of."""
        goal, metrics = self._session.spec.goal, trial.metrics or {}
        shown = [f"{name} {number(metrics[name])}" for name in named([goal.objective, *goal.slos], metrics)]
        return f"trial {trial.number + 1} measured: {', '.join(shown)}"

    def _best(self, session: Session) -> str:
        best = session.best
        assert best is not None
        text = f"best so far {number(best.value)}"
        if best.value is not None and best.baseline_value:
            change = (best.value - best.baseline_value) / abs(best.baseline_value)
            text += f" ({signed_percent(change) if change else 'the baseline'})"
        return f"{text}  {self.settings(best.point)}"

    def _left(self, session: Session) -> str:
        done = session.trials_done - self._session.trials_done
        if done < 1 or session.over or session.trials_done >= session.trials_budget:
            return ""
        elapsed = (session.updated_at - self._session.updated_at).total_seconds()
        left = elapsed / done * (session.trials_budget - session.trials_done)
        if session.spec.budget.seconds:
            left = min(left, max(0.0, session.spec.budget.seconds - elapsed))
        return f"about {duration(left)} left"
