"""The configuration of `servo builds`: the section of servo.yaml, if there is one, and options above it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from servo.configuration import environment
from servo.configuration.document import Document, read_documents
from servo.configuration.problems import explain
from servo.connectors.builds.configuration import BuildsConfiguration

__all__ = ["configuration", "journal", "unused"]

SECTION = "builds"
PREFIX = "SERVO_BUILDS_"
_SOURCES = ("podman", "docker")
_PLACES = ("directory", "pipe")
_CLUSTER = ("openshift-builds", "tekton-taskruns", "tekton-pipelineruns", "shipwright-buildruns")
_LABELLED = ("jobs", "pods")
_UNUSED = {
    "PROMETHEUS_PUSHGATEWAY_HOST": "metrics are scraped, not pushed: see --metrics-port",
    "PROMETHEUS_PUSHGATEWAY_PORT": "metrics are scraped, not pushed: see --metrics-port",
    "SENTRY_DSN": "nothing is sent to Sentry",
    "THOTH_LOG_BUILD_WATCHER": "the log's level is that of --log-level or SERVO_LOG_LEVEL",
    "THOTH_LOGGING_NO_JSON": "the log's form is that of --log-format or SERVO_LOG_FORMAT",
    "THAMOS_DISABLE_TLS_WARNING": "there is no such warning",
}


def configuration(file: Path, given: Mapping[str, Any]) -> BuildsConfiguration:
    """Return what file, variables and options say together; an option wins over the file.

    Args:
        file: The servo.yaml, which need not be there.
        given: Options by dotted key; None where one was not given.

    Raises:
        ValueError: It is no configuration; the text says what to do.
    """
    document, values = _section(file)
    values = environment.fill(BuildsConfiguration, values, os.environ, prefix=PREFIX).values
    if (program := os.environ.get("SKOPEO_EXEC_PATH")) and "copy_to.registry" in given:
        given = {
            **given,
            "copy_to.skopeo": program if given["copy_to.registry"] or "copy_to" in values else None,
        }
    for key, value in given.items():
        if value is not None:
            _put(values, key.split("."), _sources(value) if key == "sources" else value)
    if "url" not in (values.get("backend") or {}):
        raise ValueError(
            "no backend: give --backend (THOTH_USER_API_HOST), or `backend: {url: ...}` in the `builds` section of servo.yaml"
        )
    try:
        return BuildsConfiguration.model_validate(values)
    except ValidationError as error:
        raise explain(error, BuildsConfiguration, document) from None


def journal(file: Path) -> Path:
    """Return where the journal is."""
    _, values = _section(file)
    default: Path = BuildsConfiguration.model_fields["journal"].default
    return Path(os.environ.get(f"{PREFIX}JOURNAL") or values.get("journal") or default)


def unused() -> list[str]:
    """Return what to tell of variables of the original that are set and mean nothing here."""
    return [f"{name} is not used: {why}" for name, why in _UNUSED.items() if os.environ.get(name)]


def _section(file: Path) -> tuple[Document, dict[str, Any]]:
    if file.is_file():
        for document in read_documents(file):
            section = document.data.get(SECTION) if isinstance(document.data, dict) else None
            if isinstance(section, dict):
                return document, dict(section)
    return Document.of({}), {}


def _put(values: dict[str, Any], path: list[str], value: Any) -> None:
    for key in path[:-1]:
        inner = values.get(key)
        values[key] = dict(inner) if isinstance(inner, Mapping) else {}
        values = values[key]
    values[path[-1]] = value


def _sources(texts: list[str]) -> list[dict[str, str]]:
    return [source for text in texts for source in _sources_of(text)]


def _sources_of(text: str) -> list[dict[str, str]]:
    kind, _, place = text.partition(":")
    if kind == "kubernetes" and not place:
        return [{"type": each} for each in _CLUSTER]
    return [_source(text)]


def _source(text: str) -> dict[str, str]:
    kind, _, place = text.partition(":")
    if kind in _SOURCES:
        return {"type": kind, **({"host": place} if place else {})}
    if kind in _PLACES and place:
        return {"type": kind, "path": place}
    if kind in _CLUSTER:
        return {"type": kind, **({"labels": place} if place else {})}
    if kind in _LABELLED and place:
        return {"type": kind, "labels": place}
    raise ValueError(
        f"no source {text!r}: there are podman, docker, directory:PATH, pipe:PATH, kubernetes (each of"
        f" {', '.join(_CLUSTER)}), jobs:LABELS and pods:LABELS"
    )
