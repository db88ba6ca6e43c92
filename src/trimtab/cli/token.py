"""`trimtab token`."""

import hashlib
import secrets

import typer

from trimtab.cli.application import application

__all__ = ["app"]

app = application()


@app.command()
def token() -> None:
    """Make a token: its first line is for agents and people, its second for the server's token file.

    \b
    The server keeps the digest alone, from which the token cannot be found again:
      trimtab token | tee >(head -1 > agent.token) >(tail -1 >> tokens) > /dev/null
      trimtab serve --host 0.0.0.0 --token-file tokens
    """  # noqa: D301 # \b is Click's mark of a paragraph not to be wrapped
    value = secrets.token_urlsafe(32)
    typer.echo(value)
    typer.echo(f"sha256:{hashlib.sha256(value.encode()).hexdigest()}")
