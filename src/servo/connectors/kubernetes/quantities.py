"""Processor cores and bytes, as people, Kubernetes and optimizers write them."""

from __future__ import annotations

import re
from decimal import Decimal, DecimalException
from typing import Any, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

__all__ = ["GIBIBYTE", "Core", "ShortByteSize"]

GIBIBYTE = 1024**3

_CORES = re.compile(r"(?P<number>[0-9]{1,19}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})(?P<unit>[mun]?)")
_CORE_UNITS = {"": Decimal(1), "m": Decimal("1e-3"), "u": Decimal("1e-6"), "n": Decimal("1e-9")}
_BYTES = re.compile(r"(?P<number>[0-9]{1,19}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})\s*(?P<unit>[a-zA-Z]{0,3})")
_BINARY = {"Ei": 1024**6, "Pi": 1024**5, "Ti": 1024**4, "Gi": GIBIBYTE, "Mi": 1024**2, "Ki": 1024}
_DECIMAL = {"E": 1000**6, "P": 1000**5, "T": 1000**4, "G": 1000**3, "M": 1000**2, "k": 1000}
_BYTE_UNITS = {unit.lower(): size for unit, size in (_BINARY | _DECIMAL).items()}
_EXACT = Decimal("0.001")
_FINEST = Decimal("1e-9")
_LARGEST = 2**63 - 1


class _Quantity:
    """What both have: read from any form, written as text."""

    @classmethod
    def parse(cls, value: Any) -> Any:
        raise NotImplementedError

    def human_readable(self, **_: Any) -> str:
        raise NotImplementedError

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Validate any of the forms; JSON is the text."""
        return core_schema.no_info_plain_validator_function(
            cls.parse,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value: value.human_readable(), when_used="json"
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the forms."""
        return {"anyOf": [{"type": "string"}, {"type": "number"}]}


class Core(_Quantity, Decimal):
    """Processor cores: ``"250m"``, ``"0.25"`` or a number of cores. Prints itself with the largest unit that fits."""

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Return the cores of a text or number.

        Raises:
            ValueError: It is neither.
        """
        if isinstance(value, cls):
            return value
        text = _text(value, "cpu")
        if (match := _CORES.fullmatch(text)) is None:
            raise ValueError(f"{value!r} is no number of cores: write it as 250m or 0.25")
        return cls(Decimal(match["number"]) * _CORE_UNITS[match["unit"]])

    def __str__(self) -> str:
        for unit, size in _CORE_UNITS.items():
            count = Decimal(self) / size
            if count == count.to_integral_value():
                return f"{int(count)}{unit}"
        return f"{Decimal(self).normalize():f}"

    def __repr__(self) -> str:
        return f"Core('{self}')"

    def human_readable(self, **_: Any) -> str:
        """The text that ``str`` gives."""
        return str(self)

    def __opsani_repr__(self) -> float:
        """Cores, as optimizers read them."""
        return float(self)


class ShortByteSize(_Quantity, int):
    """Bytes: ``"128Mi"``, ``"1.5GiB"``, ``"1G"``; a text or number with a decimal point and no unit is GiB; else bytes."""

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Return the bytes of a text or number.

        Raises:
            ValueError: It is neither, or has a unit that is none of bytes.
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST:
            return cls(value)
        if isinstance(value, float) and 0 <= value * GIBIBYTE <= _LARGEST:
            return cls(round(value * GIBIBYTE))
        text = _text(value, "memory")
        if (match := _BYTES.fullmatch(text)) is None:
            raise ValueError(f"{value!r} is no amount of memory: write it as 256Mi or 1.5Gi")
        size = Decimal(match["number"]) * cls._unit(match["number"], match["unit"], value)
        if size > _LARGEST:
            raise ValueError(f"{value!r} is more memory than there can be")
        return cls(size.to_integral_value())

    @staticmethod
    def _unit(number: str, unit: str, value: Any) -> int:
        if not unit:
            return GIBIBYTE if "." in number else 1
        if unit == "m":
            raise ValueError(f"{value!r} is a number of thousandths of bytes: write Mi or M for millions")
        if unit.lower() == "b":
            return 1
        if (size := _BYTE_UNITS.get(unit.lower().removesuffix("b"))) is None:
            raise ValueError(f"{value!r} has the unknown unit {unit}: use one of {', '.join(_BINARY)}")
        return size

    def __str__(self) -> str:
        for unit, size in _BINARY.items():
            count = Decimal(int(self)) / size
            if count >= 1 and count == count.quantize(_EXACT):
                return f"{count.normalize():f}{unit}"
        return f"{int(self)}"

    def __repr__(self) -> str:
        return f"ShortByteSize('{self}')"

    def human_readable(self, **_: Any) -> str:
        """The size with one decimal, ``"256.0Mi"``; exactly where one decimal is not enough."""
        for unit, size in _BINARY.items():
            if int(self) >= size:
                short = f"{int(self) / size:.1f}"
                return f"{short}{unit}" if Decimal(short) * size == int(self) else str(self)
        return str(self)

    def __opsani_repr__(self) -> float:
        """GiB, as optimizers read it."""
        return int(self) / GIBIBYTE


def _text(value: Any, what: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError(f"{value!r} is no quantity of {what}")  # noqa: TRY004  validators raise ValueError
    if isinstance(value, str):
        return value.strip()
    try:
        number = Decimal(str(value))
        # 0.05 + 0.01 is 0.060000000000000005 to who reckons in binary, and Kubernetes counts no finer.
        text = f"{number.quantize(_FINEST).normalize() if isinstance(value, float) else number:f}"
    except (DecimalException, ValueError):
        raise ValueError(f"{value!r} is no quantity of {what}") from None
    return text if "." in text or not isinstance(value, float) else f"{text}.0"
