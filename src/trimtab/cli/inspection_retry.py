"""An inspection made once more: here, or by a server."""

from trimtab.cli.connection import SourceError, connect
from trimtab.cli.inspection_source import Remote, open_source
from trimtab.cli.session_options import Output
from trimtab.inspection import Specification, SpecificationError
from trimtab.settings import ClientSettings

__all__ = ["retry_inspection"]


def retry_inspection(settings: ClientSettings, inspection_id: str, output: Output) -> int:
    """Make a new inspection of what another was asked for; the exit code is that of `trimtab inspect`.

    Raises:
        SourceError: There is no such inspection, or the server cannot be reached.
    """
    if settings.server:
        from trimtab.cli.inspecting_there import follow_there

        with connect(settings.server, settings.token) as connection:
            remote = Remote(connection)
            again = remote.retry(inspection_id)
            specification = Specification.load(remote.specification(again), stored=True)
            return follow_there(remote, again, specification, output)
    from trimtab.cli.inspecting import Wish, inspect_here

    with open_source(settings) as source:
        document, report = source.specification(inspection_id), source.report(inspection_id)
    try:
        wish = Wish(Specification.load(document), (report.get("engine") or {}).get("name") or "auto")
    except SpecificationError as error:
        raise SourceError(f"{inspection_id} cannot be made again: {error}") from error
    return inspect_here(settings, wish, output, follow=False)
