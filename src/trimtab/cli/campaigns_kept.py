"""Campaigns that are kept: listed, shown, deleted."""

from collections.abc import Sequence
from pathlib import Path

import typer

from trimtab.catalog import CatalogError
from trimtab.cli.campaigns_output import print_campaign, print_campaigns
from trimtab.cli.inspection_output import print_document
from trimtab.cli.options import read_settings
from trimtab.cli.place import FAILURE, fail
from trimtab.cli.session_options import Output
from trimtab.settings import Settings
from trimtab.store import StoreError
from trimtab.workflows import Place
from trimtab.workflows.campaigns import UnknownCampaignError, delete, listing, standing

__all__ = ["delete_kept", "list_kept", "show_kept"]


def list_kept(limit: int, output: Output, home: Path | None) -> None:
    """`trimtab campaigns list`."""
    try:
        with Place.open(read_settings(Settings, {"home": home})) as place:
            found = listing(place, limit=limit)
    except (StoreError, CatalogError) as error:
        fail(str(error), FAILURE)
    if output is Output.table:
        print_campaigns(found)
    else:
        print_document(found, output)


def show_kept(campaign_id: str, output: Output, home: Path | None) -> None:
    """`trimtab campaigns show`."""
    try:
        with Place.open(read_settings(Settings, {"home": home})) as place:
            found = standing(place, campaign_id)
    except (StoreError, CatalogError, UnknownCampaignError) as error:
        fail(str(error), FAILURE)
    print_campaign(found, output)


def delete_kept(ids: Sequence[str], home: Path | None) -> None:
    """`trimtab campaigns delete`."""
    try:
        with Place.open(read_settings(Settings, {"home": home})) as place:
            for each in ids:
                delete(place, each)
                typer.echo(f"{each} is deleted.", err=True)
    except (StoreError, CatalogError, UnknownCampaignError) as error:
        fail(str(error), FAILURE)
