"""Arithmetic over metrics and settings: a tree of values, evaluated without `eval`."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from trimtab.optimizer import units
from trimtab.optimizer.errors import EvaluationError

__all__ = ["FUNCTIONS", "Call", "Expression", "Name", "Negation", "Number", "Operation"]

Environment = Mapping[str, float]

FUNCTIONS: dict[str, tuple[int, int]] = {
    "min": (1, 16),
    "max": (1, 16),
    "log": (1, 1),
    "sqrt": (1, 1),
    "abs": (1, 1),
}
"""Names that are functions, with the least and the greatest number of arguments."""

_APPLY: dict[str, Callable[[Sequence[float]], float]] = {
    "min": min,
    "max": max,
    "log": lambda arguments: math.log(arguments[0]),
    "sqrt": lambda arguments: math.sqrt(arguments[0]),
    "abs": lambda arguments: abs(arguments[0]),
}


@dataclass(frozen=True, slots=True)
class Number:
    """A constant, with the unit it was written with ("" for none)."""

    value: float
    unit: str = ""
    column: int = 0
    depth = 1

    def evaluate(self, environment: Environment) -> float:  # noqa: ARG002 - one signature for all nodes
        """The constant in the canonical unit of its dimension, unless `resolve` has chosen another."""
        known = units.dimension(self.unit)
        return units.convert(self.value, self.unit, known.canonical) if known else self.value

    def resolve(self, known: Mapping[str, str], unit: str | None = None) -> "Number":  # noqa: ARG002 - as above
        """Express the number in `unit`, that of its neighbour, if both measure the same."""
        if unit is None or not self.unit or units.dimension(self.unit) != units.dimension(unit):
            return self
        return replace(self, value=units.convert(self.value, self.unit, unit), unit="")

    def unit_in(self, known: Mapping[str, str]) -> str | None:  # noqa: ARG002 - as above
        """None: a number follows its neighbours' unit and sets none."""
        return None

    def names(self) -> Iterator["Name"]:
        """No names."""
        return iter(())

    def __str__(self) -> str:
        return f"{int(self.value) if self.value.is_integer() else repr(self.value)}{self.unit}"


@dataclass(frozen=True, slots=True)
class Name:
    """A metric, a setting as `component.setting`, or `cost`."""

    name: str
    column: int = 0
    depth = 1

    def evaluate(self, environment: Environment) -> float:
        """The value measured or set.

        Raises:
            EvaluationError: There is none, or it is not finite.
        """
        value = environment.get(self.name)
        if value is None:
            raise EvaluationError(f"there is no value of {self.name!r}; there are {_listed(environment)}")
        if not math.isfinite(value):
            raise EvaluationError(f"the value of {self.name!r} is {value}")
        return value

    def resolve(self, known: Mapping[str, str], unit: str | None = None) -> "Name":  # noqa: ARG002 - as above
        """Itself."""
        return self

    def unit_in(self, known: Mapping[str, str]) -> str | None:
        """The unit of this metric or setting."""
        return known.get(self.name)

    def names(self) -> Iterator["Name"]:
        """Itself."""
        yield self

    def __str__(self) -> str:
        plain = all(part.isidentifier() and part.isascii() for part in self.name.split("."))
        return self.name if plain and self.name not in FUNCTIONS else f"`{self.name}`"


@dataclass(frozen=True, slots=True)
class Negation:
    """The operand with its sign turned."""

    operand: "Expression"
    depth: int = 1

    def evaluate(self, environment: Environment) -> float:
        """Minus the operand's value."""
        return -self.operand.evaluate(environment)

    def resolve(self, known: Mapping[str, str], unit: str | None = None) -> "Negation":
        """With numbers in the units of their neighbours."""
        return replace(self, operand=self.operand.resolve(known, unit))

    def unit_in(self, known: Mapping[str, str]) -> str | None:
        """The operand's unit."""
        return self.operand.unit_in(known)

    def names(self) -> Iterator[Name]:
        """All names in it."""
        return self.operand.names()

    def __str__(self) -> str:
        return f"-{_nested(self.operand)}"


@dataclass(frozen=True, slots=True)
class Operation:
    """Operands joined from left to right by operators of one precedence: `+ -` or `* /`."""

    operators: tuple[str, ...]
    operands: tuple["Expression", ...]
    depth: int = 1

    def evaluate(self, environment: Environment) -> float:
        """The value, from left to right.

        Raises:
            EvaluationError: A division by zero.
        """
        result = self.operands[0].evaluate(environment)
        for operator, operand in zip(self.operators, self.operands[1:], strict=True):
            result = self._apply(operator, result, operand, operand.evaluate(environment))
        return result

    @staticmethod
    def _apply(operator: str, left: float, operand: "Expression", right: float) -> float:
        match operator:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
        if right == 0:
            raise EvaluationError(f"division by zero: {operand} is 0")
        return left / right

    def resolve(self, known: Mapping[str, str], unit: str | None = None) -> "Operation":
        """With numbers in the units of their neighbours."""
        inner = _common_unit(self.operands, known) or unit if self._is_sum else None
        return replace(self, operands=tuple(each.resolve(known, inner) for each in self.operands))

    def unit_in(self, known: Mapping[str, str]) -> str | None:
        """The unit of a sum is that of its terms; that of a product is not known."""
        return _common_unit(self.operands, known) if self._is_sum else None

    @property
    def _is_sum(self) -> bool:
        return self.operators[0] in "+-"

    def names(self) -> Iterator[Name]:
        """All names in it."""
        return (name for operand in self.operands for name in operand.names())

    def __str__(self) -> str:
        rest = zip(self.operators, self.operands[1:], strict=True)
        return _nested(self.operands[0]) + "".join(f" {o} {_nested(operand)}" for o, operand in rest)


@dataclass(frozen=True, slots=True)
class Call:
    """A function of `FUNCTIONS` and its arguments."""

    function: str
    arguments: tuple["Expression", ...]
    depth: int = 1

    def evaluate(self, environment: Environment) -> float:
        """The function's value.

        Raises:
            EvaluationError: The argument is outside the function's domain.
        """
        values = [argument.evaluate(environment) for argument in self.arguments]
        try:
            return float(_APPLY[self.function](values))
        except ValueError:
            raise EvaluationError(f"{self} has no value: its argument is {values[0]:g}") from None

    def resolve(self, known: Mapping[str, str], unit: str | None = None) -> "Call":
        """With numbers in the units of their neighbours."""
        inner = _common_unit(self.arguments, known) or unit if self.function in {"min", "max"} else None
        return replace(self, arguments=tuple(each.resolve(known, inner) for each in self.arguments))

    def unit_in(self, known: Mapping[str, str]) -> str | None:
        """The unit of the arguments, where the function keeps it."""
        return _common_unit(self.arguments, known) if self.function in {"min", "max", "abs"} else None

    def names(self) -> Iterator[Name]:
        """All names in it."""
        return (name for argument in self.arguments for name in argument.names())

    def __str__(self) -> str:
        return f"{self.function}({', '.join(map(str, self.arguments))})"


Expression = Number | Name | Negation | Operation | Call


def _nested(expression: Expression) -> str:
    return f"({expression})" if isinstance(expression, Operation | Negation) else str(expression)


def _common_unit(operands: Sequence[Expression], known: Mapping[str, str]) -> str | None:
    return next((unit for unit in (each.unit_in(known) for each in operands) if unit), None)


def _listed(environment: Environment, most: int = 12) -> str:
    names = sorted(environment)
    return ", ".join(names[:most]) + (", …" if len(names) > most else "") if names else "none at all"
