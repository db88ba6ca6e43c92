"""The result document of a run, or what stands for it where the wrapper left none."""

from pathlib import Path
from typing import Any

from trimtab.engines import Run
from trimtab.inspection.wrapper.proof import proved
from trimtab.store import DocumentError
from trimtab.store.documents import decode

__all__ = ["FORGED", "MISSING", "result_of"]

LIMIT = 64 << 20
MISSING = "the script ended the run before its result could be written"
FORGED = "the result that was found was not written by the run wrapper, and was not taken"


def result_of(run: Run, output: Path, token: str) -> dict[str, Any] | None:
    """What came of a run.

    Args:
        run: How it ended.
        output: Where the wrapper leaves its documents.
        token: The secret that its proof is made with. What others wrote is not taken for a result.

    Returns:
        The document; one of what the engine knows, with `error` and without `proof`, if there is none that
        can be trusted; None if the infrastructure lost the run.
    """
    if run.lost is not None:
        return None
    path = output / "result"
    try:
        if path.is_symlink() or path.stat().st_size > LIMIT:
            return _own(run, FORGED)
        data = path.read_bytes()
    except OSError:
        return _own(run, MISSING)
    if not proved(data, token):
        return _own(run, FORGED)
    try:
        return decode(data, "the result")
    except DocumentError:
        return _own(run, FORGED)


def _own(run: Run, error: str) -> dict[str, Any]:
    started, ended = (each.replace(tzinfo=None).isoformat() for each in (run.started, run.ended))
    return {
        "exit_code": run.exit_code,
        "signal": run.signal,
        "timed_out": run.timed_out,
        "start_datetime": started,
        "end_datetime": ended,
        "stdout": None,
        "stderr": "",
        "error": error,
        "proof": None,
    }
