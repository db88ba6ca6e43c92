"""What is in an image, as it is printed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

from trimtab.cli.json_text import json_text

if TYPE_CHECKING:
    from rich.table import Table

    from trimtab.images import Contents
    from trimtab.images.documents.legacy import Circumstances

__all__ = ["print_contents", "print_json", "print_rows"]

WIDE = 200


def print_contents(contents: "Contents", circumstances: "Circumstances", output: str) -> None:
    """As a table, or as one of the documents."""
    from trimtab.images.documents import analysis, document

    if output == "table":
        _print_tables(contents)
    elif output == "json":
        print_json(document(contents))
    elif output == "cyclonedx":
        from trimtab.images.documents.cyclonedx import cyclonedx

        print_json(cyclonedx(contents))
    elif output == "spdx":
        from trimtab.images.documents.spdx import spdx

        print_json(spdx(contents))
    else:
        print_json(analysis(contents, circumstances))


def print_json(value: Any) -> None:
    """As JSON; what is no text of Unicode in a path is escaped, never refused."""
    typer.echo(json_text(value))


def print_rows(*rows: tuple[str, ...], header: tuple[str, ...] = ()) -> None:
    """A plain table: text from an image is shown as it is, without markup and without control characters."""
    table = _table(header)
    for row in rows:
        table.add_row(*map(_harmless, row))
    _print(table)


def _print_tables(contents: "Contents") -> None:
    release, image = contents.os_release, contents.image
    facts = {
        "Image": image.reference,
        "Digest": image.digest,
        "System": release.get("pretty_name") or release.get("name"),
        "Layers": f"{len(image.layers)}, {image.size / 1e6:.1f} MB" if image.size else None,
        "Python": ", ".join(
            f"{each.version} ({each.path})" for each in contents.interpreters if not each.link
        ),
        "CUDA": _joined(contents.cuda),
    }
    print_rows(*((name, value) for name, value in facts.items() if value))
    rows = [
        (each.type, each.name, each.version, each.location or each.place.path) for each in contents.packages
    ]
    print_rows(*rows, header=("TYPE", "PACKAGE", "VERSION", "PLACE"))
    for finding in contents.findings:
        place = f"{finding.path}: " if finding.path else ""
        typer.echo(_harmless(f"{finding.kind}: {place}{finding.message}"), err=True)


def _joined(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{version} ({path})" for path, version in versions.items())


def _harmless(text: str) -> str:
    from rich.markup import escape

    return escape("".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text))


def _table(header: tuple[str, ...]) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD if header else None, show_header=bool(header), pad_edge=False)
    for name in header or ("", ""):
        table.add_column(name, overflow="fold")
    return table


def _print(table: "Table") -> None:
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console.width = WIDE
    console.print(table)
