"""What a program says of a build that it made: an object of JSON, in a file beside the log or as a line of a pipe."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isnan
from typing import Any

from servo.connectors.builds.build import Build, Image, Phase, identity_of

__all__ = ["KEYS", "build_of", "parse"]

KEYS = (
    "identity", "name", "namespace", "phase", "exit_code", "base_image", "output_image", "started_at", "finished_at",
    "labels", "log", "log_file",
)  # fmt: skip
_MAX_TEXT = 2_000
_MAX_LABELS = 100


def parse(text: str | bytes) -> dict[str, Any]:
    """Return a description.

    Raises:
        ValueError: It is none; the text says why.
    """
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"no JSON: {error}") from None
    if not isinstance(values, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - a value of the user
    if unknown := [key for key in values if key not in KEYS]:
        raise ValueError(f"unknown key {unknown[0]!r}: there are {', '.join(KEYS)}")
    for key in ("identity", "name", "namespace", "base_image", "output_image", "log_file"):
        if not isinstance(values.get(key), str | None) or len(values.get(key) or "") > _MAX_TEXT:
            raise ValueError(f"{key} is a text of at most {_MAX_TEXT} characters")
    for key in ("started_at", "finished_at", "exit_code"):
        value = values.get(key)
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, int | float) or isnan(value)
        ):
            raise ValueError(f"{key} is a number")
    labels = values.get("labels")
    if labels is not None and not (isinstance(labels, dict) and len(labels) <= _MAX_LABELS):
        raise ValueError(f"labels is an object of at most {_MAX_LABELS} texts")
    if values.get("phase") is not None and values["phase"] not in set(Phase):
        raise ValueError(f"phase is one of {', '.join(Phase)}")
    return values


def build_of(values: Mapping[str, Any], source: str, *, fallback: str, log: str | None) -> Build:
    """Return the build of a description.

    Args:
        values: What :func:`parse` returned.
        source: Who was told.
        fallback: The name of a build that has none.
        log: Where its log is.
    """
    identity = values.get("identity")
    known = {key: values.get(key) for key in ("namespace", "started_at", "finished_at")}
    exit_code = values.get("exit_code")
    return Build(
        # A foreign identity is unique among those of its source only.
        identity=identity_of(source, identity or fallback),
        name=values.get("name") or fallback,
        source=source,
        phase=_phase(values.get("phase"), exit_code),
        exit_code=None if exit_code is None else int(exit_code),
        labels={str(key): str(value)[:_MAX_TEXT] for key, value in (values.get("labels") or {}).items()},
        base=_image(values.get("base_image")),
        output=_image(values.get("output_image")),
        log=log,
        **known,  # type: ignore[arg-type] # checked by parse()
    )


def _phase(phase: str | None, exit_code: float | None) -> Phase:
    if phase is not None:
        return Phase(phase)
    if exit_code is None:
        return Phase.unknown
    return Phase.failed if exit_code else Phase.complete


def _image(name: str | None) -> Image | None:
    return Image(name=name, shown=name) if name else None
