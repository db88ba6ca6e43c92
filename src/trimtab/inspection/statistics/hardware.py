"""Kinds of machines: runs are compared with runs on the same kind only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Hardware"]


@dataclass(frozen=True, slots=True)
class Hardware:
    """What a run was on, as far as its document tells.

    Args:
        digest: The catalog's digest of the machine's kind; None if there is no hardware document.
        brand: The processor's.
        family: The processor's.
        model: The processor's.
        ncpus: Logical processors of the machine, whatever the run was allowed.
    """

    digest: str | None
    brand: str | None
    family: int | None
    model: int | None
    ncpus: int | None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Hardware":
        """Of a result document; old ones without `hwinfo` tell family and model in `runtime_environment`."""
        told = _part(document, "hwinfo")
        if not told:
            processor = _part(document, "runtime_environment", "hardware")
            return cls(None, None, _whole(processor, "cpu_family"), _whole(processor, "cpu_model"), None)
        from trimtab.catalog.hardware import hardware_digest

        processor = _part(told, "cpu_info")
        brand = processor.get("brand_raw")
        return cls(
            digest=hardware_digest(told),
            brand=brand if isinstance(brand, str) else None,
            family=_whole(processor, "family"),
            model=_whole(processor, "model"),
            ncpus=_whole(_part(told, "cpu_type"), "ncpus") or _whole(processor, "count"),
        )

    @property
    def is_known(self) -> bool:
        """Whether anything is known of it."""
        return self != Hardware(None, None, None, None, None)

    def matches(self, other: "Hardware") -> bool:
        """Whether both are of one kind: by digest, or where one has none, by what both tell of the processor."""
        if self == other:
            return True
        if self.digest and other.digest:
            return self.digest == other.digest
        pairs = (
            (self.brand, other.brand),
            (self.family, other.family),
            (self.model, other.model),
            (self.ncpus, other.ncpus),
        )
        told = [mine == theirs for mine, theirs in pairs if mine is not None and theirs is not None]
        return bool(told) and all(told) and self.model is not None and other.model is not None

    def __str__(self) -> str:
        if not self.is_known:
            return "unknown hardware"
        named = self.brand or f"family {self.family}, model {self.model}"
        counted = f"{named}, {self.ncpus} processors" if self.ncpus else named
        return f"{counted} ({self.digest[:8]})" if self.digest else counted

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "digest": self.digest,
            "brand": self.brand,
            "family": self.family,
            "model": self.model,
            "ncpus": self.ncpus,
        }


def _part(document: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    value: Any = document
    for key in path:
        value = value.get(key) if isinstance(value, (dict, Mapping)) else None  # the first is told at once
    return value if isinstance(value, Mapping) else {}


def _whole(document: Mapping[str, Any], key: str) -> int | None:
    value = document.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
