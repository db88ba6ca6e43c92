"""Options of a session, as the commands that create one have them."""

from enum import StrEnum
from typing import Annotated

import typer

__all__ = [
    "Apply",
    "Duration",
    "Output",
    "Prices",
    "Seed",
    "Settlement",
    "Slos",
    "Strategy",
    "Time",
    "Trials",
    "WarmStart",
    "Warmup",
]


class Output(StrEnum):
    """How results are printed."""

    table = "table"
    json = "json"
    yaml = "yaml"


Slos = Annotated[
    list[str] | None, typer.Option("--slo", help="Such as 'latency_p99 <= 200ms'; may be repeated.")
]
Prices = Annotated[
    list[str] | None,
    typer.Option("--price", help="Price of a setting's unit, as web.cpu=30; may be repeated."),
]
Trials = Annotated[int, typer.Option(min=1, help="At most this many trials.")]
Time = Annotated[str | None, typer.Option(help="At most this long, such as 2h.", metavar="DURATION")]
Duration = Annotated[str, typer.Option(help="How long each trial is measured.", metavar="DURATION")]
Warmup = Annotated[str, typer.Option(help="Load before that is not measured.", metavar="DURATION")]
Settlement = Annotated[str, typer.Option(help="Wait after settings changed.", metavar="DURATION")]
Strategy = Annotated[str, typer.Option(help="Which search proposes settings.")]
Seed = Annotated[int, typer.Option(min=0, help="Of everything random.")]
Apply = Annotated[bool, typer.Option(help="Leave an improvement in place at the end.")]
WarmStart = Annotated[bool, typer.Option(help="Use the history of the application's earlier sessions.")]
