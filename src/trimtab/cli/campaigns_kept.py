"""Campaigns that are kept, here or at a server: listed, shown, cancelled, deleted."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from trimtab.cli.campaigns_output import print_campaign, print_campaigns
from trimtab.cli.campaigns_source import Remote, open_source
from trimtab.cli.connection import SourceError, connect
from trimtab.cli.inspection_output import print_document
from trimtab.cli.place import FAILURE, fail
from trimtab.cli.session_options import Output

if TYPE_CHECKING:
    from trimtab.settings import ClientSettings

__all__ = ["cancel_there", "delete_kept", "list_kept", "show_kept"]


def list_kept(settings: "ClientSettings", limit: int, output: Output) -> None:
    """`trimtab campaigns list`."""
    with _problems(), open_source(settings) as source:
        found = source.list(limit)
    if output is Output.table:
        print_campaigns(found)
    else:
        print_document(list(found), output)


def show_kept(settings: "ClientSettings", campaign_id: str, output: Output) -> None:
    """`trimtab campaigns show`."""
    with _problems(), open_source(settings) as source:
        found = source.report(campaign_id)
    print_campaign(found, output)


def cancel_there(settings: "ClientSettings", campaign_id: str) -> None:
    """`trimtab campaigns cancel` at a server, which ends it within a second or two."""
    with _problems(), connect(settings.server or "", settings.token) as connection:
        Remote(connection).cancel(campaign_id)
    typer.echo(f"{campaign_id} is being ended by the server.", err=True)


def delete_kept(settings: "ClientSettings", ids: Sequence[str]) -> None:
    """`trimtab campaigns delete`."""
    with _problems(), open_source(settings) as source:
        for each in ids:
            source.delete(each)
            typer.echo(f"{each} is deleted.", err=True)


@contextmanager
def _problems() -> Iterator[None]:
    try:
        yield
    except SourceError as error:
        fail(str(error), FAILURE)
