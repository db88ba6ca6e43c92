"""What the agent keeps about a target, at the target itself, so that it is never apart from it.

The record is an annotation that is written together with the fields it is about, by one request: whatever dies,
target and record fit. It says what the fields were before the first change (``baseline``), what they were when an
adjustment last succeeded (``accepted``), and, while one is under way, what it has set (``trial``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self

from servo.connectors.kubernetes.manifests import Fields, Manifest

__all__ = ["ANNOTATION", "Record", "RecordError", "Trial"]

ANNOTATION = "servo.trimtab/record"
_LONGEST = 64 * 1024


class RecordError(ValueError):
    """An annotation is no record."""


@dataclass(frozen=True, slots=True)
class Trial:
    """An adjustment that is not accepted yet.

    Attributes:
        id: The same for all targets that are adjusted together.
        fields: What the fields are set to.
        since: When it began.
        left: Whether it failed and was left as it is, as configured.
    """

    id: str
    fields: Fields
    since: str
    left: bool = False

    @classmethod
    def begun(cls, id_: str, fields: Fields) -> Self:
        """Return a trial that begins now."""
        return cls(id_, fields, datetime.now(UTC).isoformat(timespec="seconds"))


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a target.

    Attributes:
        epoch: That of the agent that wrote it last; an agent of a lower one has lost the target to another.
        agent: Its name.
        baseline: The fields before the first change.
        accepted: The fields when an adjustment last succeeded; the baseline before.
        accepted_id: Of which trial these are; empty for the baseline.
        trial: What is being tried.
    """

    epoch: int = 0
    agent: str = ""
    baseline: Fields = field(default_factory=dict)
    accepted: Fields = field(default_factory=dict)
    accepted_id: str = ""
    trial: Trial | None = None

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Self | None:
        """Return the record of an object; None if it has none.

        Raises:
            RecordError: It has something else in its place.
        """
        text = (manifest["metadata"].get("annotations") or {}).get(ANNOTATION)
        return None if text is None else cls.parse(text)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the record that a text is.

        Raises:
            RecordError: It is none.
        """
        if len(text) > _LONGEST:
            raise RecordError(f"a record of more than {_LONGEST} characters")
        try:
            return cls._read(json.loads(text))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise RecordError(f"no record: {error}") from None

    @classmethod
    def _read(cls, data: Any) -> Self:
        trial = data.get("trial") if isinstance(data, dict) else None
        return cls(
            epoch=_number(data["epoch"]),
            agent=_text(data["agent"]),
            baseline=_fields(data["baseline"]),
            accepted=_fields(data["accepted"]),
            accepted_id=_text(data["accepted_id"]),
            trial=None
            if trial is None
            else Trial(
                _text(trial["id"]), _fields(trial["fields"]), _text(trial["since"]), trial.get("left") is True
            ),
        )

    def put(self, manifest: Manifest) -> None:
        """Write the record into an object's manifest."""
        annotations = manifest["metadata"]["annotations"] = manifest["metadata"].get("annotations") or {}
        annotations[ANNOTATION] = json.dumps(asdict(self), separators=(",", ":"), sort_keys=True)

    def trying(self, trial: Trial) -> Self:
        """Return the record with a trial under way."""
        return replace(self, trial=trial)

    def committed(self) -> Self:
        """Return the record with the trial accepted."""
        assert self.trial is not None
        accepted = self.accepted | self.trial.fields
        return replace(self, accepted=accepted, accepted_id=self.trial.id, trial=None)

    def reverted(self) -> Self:
        """Return the record without a trial."""
        return replace(self, trial=None)

    def left(self) -> Self:
        """Return the record with the trial failed, and left as it is."""
        return replace(self, trial=self.trial and replace(self.trial, left=True))

    def overtaken(self, fields: Fields) -> Self:
        """Return the record with fields that somebody else has set; a trial of one of them is over."""
        trial = self.trial if self.trial and not fields.keys() & self.trial.fields.keys() else None
        tried = {} if trial is not None or self.trial is None else self.trial.fields
        return replace(
            self,
            baseline=self.baseline | fields,
            accepted=self.accepted | tried | fields,
            accepted_id="",
            trial=trial,
        )

    @property
    def unfinished(self) -> bool:
        """Whether there is a trial whose end nobody has written."""
        return self.trial is not None and not self.trial.left


def remove(manifest: Manifest) -> bool:
    """Take the record out of an object's manifest; False if there is none."""
    return (manifest["metadata"].get("annotations") or {}).pop(ANNOTATION, None) is not None


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is no number")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _fields(value: Any) -> Fields:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} are no fields")
    for path, each in value.items():
        if path != "replicas" and len(path.split("/", 2)) != len(("container", "group", "key")):
            raise ValueError(f"{path!r} is no path")
        if path == "replicas":
            _number(each)
        elif each is not None:
            _text(each)
    return value
