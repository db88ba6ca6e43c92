"""What every run in a container finds: its home, where it leaves its results, and what its wrapper is told."""

from pathlib import Path

from trimtab.engines.request import RunRequest

__all__ = ["HOME", "log_path", "results_of", "variables_of"]

HOME = "/home/amun"
"""Where script and stack are in an image (reference: Amun, 3.1)."""


def log_path(request: RunRequest) -> Path:
    """The file beside the output that takes what the run prints."""
    return request.output.with_name(request.output.name + ".log")


def results_of(request: RunRequest) -> str:
    """The directory in the container in which a run leaves its documents."""
    return f"{HOME}/results/{request.item}"


def variables_of(request: RunRequest) -> dict[str, str]:
    """The variables of a run's wrapper."""
    place = results_of(request)
    timeout = {} if request.timeout is None else {"TRIMTAB_RUN_TIMEOUT": f"{request.timeout:g}"}
    return {
        "THOTH_OUTPUT_PATH": f"{place}/result",
        "THOTH_AMUN_HWINFO_PATH": f"{place}/hwinfo",
        **timeout,
        **request.environment,
    }
