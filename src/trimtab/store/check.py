"""Look through the inspections and builds of a store: what is torn, missing or belongs to nobody, and how to mend it."""

import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from trimtab.store.check_analyses import check_analyses
from trimtab.store.check_inspection import check_inspection
from trimtab.store.finding import Finding
from trimtab.store.inspection import folder
from trimtab.store.inspections import Inspections
from trimtab.store.keys import is_name, join
from trimtab.store.store import Store

__all__ = ["check"]

# How the library calls a file in a directory while it writes it. On a server such a thing is an upload in parts, which no
# listing shows; a rule of the bucket ends those.
STAGED = re.compile(r"#\d+$")
STALE = 3600.0  # seconds after which nobody writes it any more


def check(
    store: Store,
    deployment: str | None,
    *,
    active: Callable[[str], bool] = lambda _: False,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Iterator[Finding]:
    """Look through the inspections and builds of a deployment. Every document is read, blobs are not.

    Args:
        store: Where.
        deployment: Whose; None if the inspections are right in the store.
        active: Whether an inspection is being worked at, by its id; what such a one lacks is no finding.
        progress: Told how many inspections were looked at, of how many.

    Raises:
        UnavailableError: The store cannot be read.
    """
    top = folder(deployment)
    if store.directory is not None:
        yield from _staged(store.directory, top)
    yield from _foreign(store, top)
    inspections = Inspections(store, deployment)
    begun = inspections.begun()
    for done, inspection_id in enumerate(begun, 1):
        yield from check_inspection(inspections[inspection_id], active=active(inspection_id))
        progress(done, len(begun))
    if deployment is not None:
        yield from check_analyses(store, deployment)


def _staged(directory: Path, top: str) -> Iterator[Finding]:
    now = time.time()
    for folder_path, _, names in os.walk(directory / top):
        for path in (Path(folder_path, name) for name in names if STAGED.search(name)):
            if now - path.stat().st_mtime > STALE:
                key = str(path.relative_to(directory))
                yield Finding(
                    "orphaned", key, "its writer was killed before it was whole", f"delete the file {path}"
                )


def _foreign(store: Store, top: str) -> Iterator[Finding]:
    """What is beside the inspections."""
    if not top:  # a data set has other things, such as a README
        return
    folders, objects = store.children(top)
    names = {each.key.rpartition("/")[2] for each in objects}
    single = {name for name in names if name.startswith("inspection-")}
    for name in sorted((names - single) | {each for each in (*folders, *single) if not is_name(each)}):
        yield Finding("orphaned", join(top, name), "it is no inspection", "move it elsewhere, or delete it")
