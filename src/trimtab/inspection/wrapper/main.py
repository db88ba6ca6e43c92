"""The wrapper: runs the script of an inspection once, and leaves a document of it, whatever comes."""

import posix
import sys
import time

from trimtab.inspection.hwinfo.machine import Machine, variables
from trimtab.inspection.wrapper.child import Likelihood
from trimtab.inspection.wrapper.execution import Execution
from trimtab.inspection.wrapper.json_text import members
from trimtab.inspection.wrapper.kernel import adopt_orphans, hide
from trimtab.inspection.wrapper.proof import sealed
from trimtab.inspection.wrapper.settings import Settings
from trimtab.inspection.wrapper.signals import Requests
from trimtab.inspection.wrapper.situation import Situation
from trimtab.inspection.wrapper.writing import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VERSION = 1
CANNOT_WRITE = 73  # EX_CANTCREAT


def main() -> int:
    """Run it; the exit status is the script's, 256 less the signal that ended it, or 73: no document could be written."""
    began = time.monotonic()
    requests = Requests()
    settings = Settings(_environment())
    likelihood = Likelihood()
    hidden, adopts = hide(), adopt_orphans()
    try:
        place = Place(settings.result) if settings.result else None
        if place:
            place.hold_room()
        situation = Situation(settings, Machine())
        _leave_hwinfo(settings, situation)
    except OSError as error:
        return _complain(error)
    execution = Execution(settings, situation, requests, likelihood, adopts=adopts)
    prepared = time.monotonic() - began
    execution.run()
    about = (hidden, adopts, prepared)

    def document(whole: bool) -> "Iterator[bytes]":  # noqa: FBT001 - said by its only callers
        return sealed(_document(settings, situation, execution, about, whole), settings.token)

    return _deliver(place, document) or execution.exit_code % 256


def _document(
    settings: Settings,
    situation: Situation,
    execution: Execution,
    about: "tuple[bool, bool, float]",
    whole: bool,  # noqa: FBT001 - as above
) -> "Iterator[bytes]":
    hidden, adopts, prepared = about
    fields = dict(situation.fields)
    fields.update(execution.fields)
    fields["provenance"] = dict(situation.provenance, **execution.provenance)
    fields["notes"] = settings.notes + execution.notes
    if not whole:
        fields.update(execution.without_output())
        fields["notes"] = [
            *settings.notes,
            *execution.notes,
            "the output is left out: there was no room for it",
        ]
    fields["wrapper"] = {
        "name": "python",
        "version": VERSION,
        "python": ".".join(str(part) for part in sys.version_info[:3]),
        "first_process": posix.getpid() == 1,
        "hidden": hidden,
        "adopts_orphans": adopts,
        "prepared": round(prepared, 6),
        "output_limit": settings.output_limit,
    }
    return members(fields)


def _deliver(place: "Place | None", document: "Callable[[bool], Iterator[bytes]]") -> int:
    """Write it; without the output, should there be no room for that."""
    try:
        if place is None:
            for piece in document(True):
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
            return 0
        try:
            place.write(document(True))
        except OSError:
            place.write(document(False))
    except OSError as error:
        return _complain(error)
    return 0


def _leave_hwinfo(settings: Settings, situation: Situation) -> None:
    if not settings.hwinfo or not situation.hwinfo:
        return
    try:
        Place(settings.hwinfo).write([situation.hwinfo, b"\n"])
    except OSError as error:  # it is in the result, too
        settings.notes.append(f"{settings.hwinfo} cannot be written: {error.strerror}")


def _environment() -> "dict[str, str]":
    """The variables, without the one that Python itself sets in the C locale and a child would inherit."""
    environment = variables()
    given = Machine().data("/proc/self/environ") or b"LC_CTYPE="
    if not given.startswith(b"LC_CTYPE=") and b"\0LC_CTYPE=" not in given:
        environment.pop("LC_CTYPE", None)
    return environment


def _complain(error: OSError) -> int:
    sys.stderr.write(f"trimtab: the result cannot be written: {error}\n")
    return CANNOT_WRITE
