"""Two inspections, one against the other."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trimtab.cli.inspection_copies import Server, library
from trimtab.cli.place import NOTHING, USAGE, fail
from trimtab.cli.session_options import Output

if TYPE_CHECKING:
    from trimtab.inspection.comparison import Comparison, MeasureComparison, Shift
    from trimtab.store import InspectionStore

__all__ = ["compare"]

# Without one of these there is nothing that could be said of the two.
_UNANSWERED = frozenset({"too few runs", "not comparable", "not measured"})


def compare(
    first: Annotated[str, typer.Argument(help="Id of what there was.", metavar="INSPECTION")],
    second: Annotated[str, typer.Argument(help="Id of what is new.", metavar="INSPECTION")],
    *,
    measure: Annotated[
        str | None,
        typer.Option(help="What the verdict rests on, such as usage__ru_utime; by default the time taken."),
    ] = None,
    confidence: Annotated[float, typer.Option(help="Of the verdict and the intervals.")] = 0.99,
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print.")] = Output.table,
    server: Server = None,
) -> None:
    """Compare two inspections: by how much the second differs from the first, and whether chance would do as much.

    Exit codes: 0 there is an answer, which "no difference shown" is, too; 1 one of them cannot be read; 3 there are too few
    runs, or they cannot be compared.
    """
    if not 0 < confidence < 1:
        fail(f"--confidence: {confidence} is not between 0 and 1, such as 0.99", USAGE)
    with library(server) as inspections:
        stored = [inspections.get(each) for each in (first, second)]
        results, engines = [_results(each) for each in stored], [_engine(each) for each in stored]
    from trimtab.inspection import compare as compared

    found = compared(*results, primary=measure, confidence=confidence, engines=(engines[0], engines[1]))
    _print(found, first, second, output)
    if found.verdict in _UNANSWERED:
        raise typer.Exit(NOTHING)


def _results(stored: "InspectionStore") -> dict[int, Mapping[str, Any] | None]:
    """The result of each run, with its hardware; None for one that was lost."""
    from trimtab.store import NotFoundError

    if not stored.exists():
        fail(f"there is no {stored.inspection_id} that is over; see `trimtab inspections list`")
    found: dict[int, Mapping[str, Any] | None] = dict.fromkeys(_told(stored))

    def read(item: int) -> Mapping[str, Any]:
        result = stored.results.retrieve_result(item)
        try:
            return {**result, "hwinfo": stored.results.retrieve_hwinfo(item)}
        except NotFoundError:
            return result

    return found | dict(stored.results.each(read))


def _engine(stored: "InspectionStore") -> str | None:
    """Name of the engine that made it, if its report tells."""
    from trimtab.store import NotFoundError, engine_of

    try:
        return engine_of(stored.retrieve_report())
    except NotFoundError:
        return None


def _told(stored: "InspectionStore") -> Iterable[int]:
    """The runs that the report tells of."""
    from trimtab.inspection.attempts import attempts
    from trimtab.store import NotFoundError

    try:
        return attempts(stored.retrieve_report())
    except NotFoundError:
        return ()


def _print(found: "Comparison", first: str, second: str, output: Output) -> None:
    from trimtab.cli.inspection_output import print_document

    if output is not Output.table:
        print_document({"first": first, "second": second, **found.to_dict()}, output)
        return
    typer.echo(f"{found.verdict[0].upper()}{found.verdict[1:]}{_size(found.primary)}")
    for note in found.notes:
        typer.echo(f"  {note}")
    if found.primary is not None:
        _print_measures([found.primary, *found.others.values()], found.confidence)


def _size(primary: "MeasureComparison | None") -> str:
    """By how much, with its interval."""
    if primary is None:
        return ""
    shift = primary.shift
    if shift.ratio is None or shift.ratio_low is None or shift.ratio_high is None:
        return f": {primary.name}"
    ends = f"{_change(shift.ratio_low)} to {_change(shift.ratio_high)}"
    return f": {primary.name} {_change(shift.ratio)} ({ends} with {shift.confidence:.0%} confidence)"


def _change(ratio: float) -> str:
    return f"{(ratio - 1) * 100:+.1f} %"


def _print_measures(measures: "list[MeasureComparison]", confidence: float) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in (
        "MEASURE",
        "VERDICT",
        "RUNS",
        "FIRST",
        "SECOND",
        f"DIFFERENCE ({confidence:.0%})",
        "DELTA",
        "P",
    ):
        table.add_column(name, overflow="fold")
    for each in measures:
        shift = each.shift
        cells = (
            each.name,
            each.verdict,
            "{} / {}".format(*shift.n),
            f"{shift.medians[0]:.4g}",
            f"{shift.medians[1]:.4g}",
            _difference(shift),
            f"{shift.delta:+.2f}",
            f"{each.p_adjusted:.2g}",
        )
        table.add_row(*(escape(cell) for cell in cells))
    console = Console()
    (console if console.is_terminal else Console(width=200)).print(table)


def _difference(shift: "Shift") -> str:
    if shift.low is None or shift.high is None:
        return f"{shift.shift:+.3g}"
    return f"{shift.shift:+.3g} ({shift.low:+.3g} to {shift.high:+.3g})"
