"""The grammar of objectives and SLOs, LALR by lark, with the place of what is wrong in each error."""

import math
import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from trimtab.optimizer.errors import ObjectiveError
from trimtab.optimizer.expression import FUNCTIONS, Call, Expression, Name, Negation, Number, Operation
from trimtab.optimizer.units import UNITS

if TYPE_CHECKING:
    import lark

__all__ = ["MAX_DEPTH", "MAX_LENGTH", "parse"]

MAX_LENGTH = 1000
MAX_DEPTH = 32

_GRAMMAR = r"""
objective: DIRECTION sum
slo: name RELATION bound
bound: SIGN? QUANTITY

?sum: product
    | product (SIGN product)+ -> total
?product: unary
        | unary (FACTOR unary)+ -> product
?unary: SIGN unary -> signed
      | atom
?atom: QUANTITY -> number
     | name
     | NAME "(" sum ("," sum)* ")" -> call
     | "(" sum ")"
name: NAME | QUOTED

DIRECTION.2: /(maximi[sz]e|minimi[sz]e)(?![\w.])/
RELATION: "<=" | ">=" | "<" | ">"
SIGN: "+" | "-"
FACTOR: "*" | "/"
QUANTITY: /(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?(%|\/s\b|[A-Za-zµ]+)?/
NAME: /[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*/
QUOTED: /`[^`\n]+`/
%ignore /[ \t\r\n]+/
"""

_NUMBER = re.compile(r"(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")

_EXPECTED = {
    "DIRECTION": "maximize or minimize",
    "RELATION": "<= or >=",
    "SIGN": "+ or -",
    "FACTOR": "* or /",
    "QUANTITY": "a number",
    "NAME": "a name",
    "QUOTED": "a name",
    "LPAR": "(",
    "RPAR": ")",
    "COMMA": "a comma",
    "$END": "the end",
}


def parse(text: str, start: str) -> tuple[Any, ...]:
    """Read `text` as an `objective` → (direction, expression) or an `slo` → (name, relation, bound).

    Raises:
        ObjectiveError: It is none; the error shows where.
    """
    import lark

    if len(text) > MAX_LENGTH:
        raise ObjectiveError(text, MAX_LENGTH, f"longer than {MAX_LENGTH} characters; say it shorter")
    if "\n" in text.strip():
        raise ObjectiveError(text, text.index("\n"), "a line break; write it on one line")
    try:
        parsed: object = _parser().parse(text, start=start)
    except lark.UnexpectedInput as error:
        raise _located(text, error) from None
    except _PlacedError as error:
        raise ObjectiveError(text, error.column, error.problem) from None
    return cast("tuple[Any, ...]", parsed)


@cache
def _parser() -> "lark.Lark":
    import lark

    # The builder runs while the parser reduces, so that a deep text meets our bound and not Python's.
    return lark.Lark(
        _GRAMMAR, parser="lalr", start=["objective", "slo"], maybe_placeholders=False, transformer=_Builder()
    )


class _PlacedError(Exception):
    """A well-formed text that means nothing, and where."""

    def __init__(self, column: int, problem: str) -> None:
        self.column = column
        self.problem = problem


class _Builder:
    """Turns what the parser reduces into expressions; a method for each rule."""

    def objective(self, children: list[Any]) -> tuple[str, Expression]:
        direction, expression = children
        return ("maximize" if direction.startswith("max") else "minimize"), expression

    def slo(self, children: list[Any]) -> tuple[Name, str, Number]:
        name, relation, bound = children
        return name, str(relation), bound

    def bound(self, children: list[Any]) -> Number:
        number = self.number(children[-1:])
        return replace(number, value=-number.value) if children[0] == "-" else number

    def number(self, children: list[Any]) -> Number:
        (token,) = children
        match = _NUMBER.match(token)
        assert match is not None
        unit = token[match.end() :]
        if unit not in UNITS:
            known = ", ".join(sorted(filter(None, UNITS)))
            raise _PlacedError(token.start_pos + match.end(), f"unknown unit {unit!r}; known are {known}")
        if not math.isfinite(value := float(match[0])):
            raise _PlacedError(token.start_pos, "a number too large")
        return Number(value, unit, token.start_pos)

    def name(self, children: list[Any]) -> Name:
        (token,) = children
        return Name(str(token).strip("`"), token.start_pos)

    def call(self, children: list[Any]) -> Call:
        token, *arguments = children
        if token not in FUNCTIONS:
            raise _PlacedError(
                token.start_pos, f"unknown function {str(token)!r}; there are {', '.join(FUNCTIONS)}"
            )
        least, most = FUNCTIONS[token]
        if not least <= len(arguments) <= most:
            takes = f"{least} argument" if least == most else f"{least} to {most} arguments"
            raise _PlacedError(token.start_pos, f"{token} takes {takes}, not {len(arguments)}")
        return Call(str(token), tuple(arguments), _deeper(token, *arguments))

    def signed(self, children: list[Any]) -> Expression:
        sign, operand = children
        return operand if sign == "+" else Negation(operand, _deeper(sign, operand))

    def total(self, children: list[Any]) -> Operation:
        operators, operands = children[1::2], children[::2]
        return Operation(tuple(map(str, operators)), tuple(operands), _deeper(operators[0], *operands))

    product = total


def _deeper(token: Any, *operands: Expression) -> int:
    depth = 1 + max(operand.depth for operand in operands)
    if depth > MAX_DEPTH:
        raise _PlacedError(token.start_pos, f"nested deeper than {MAX_DEPTH}; say it simpler")
    return depth


def _located(text: str, error: "lark.UnexpectedInput") -> ObjectiveError:
    import lark

    if isinstance(error, lark.UnexpectedCharacters):
        column = error.pos_in_stream or 0
        return ObjectiveError(text, column, f"unexpected {text[column]!r}; {_wanted(error.allowed or set())}")
    if isinstance(error, lark.UnexpectedToken) and error.token.type != "$END":
        column = error.token.start_pos or 0
        return ObjectiveError(
            text, column, f"unexpected {str(error.token)!r}; {_wanted(error.accepts or set())}"
        )
    accepts: set[str] = getattr(error, "accepts", None) or set()
    return ObjectiveError(text, len(text), f"ends too early; {_wanted(accepts)}")


def _wanted(terminals: set[str]) -> str:
    words = sorted({_EXPECTED.get(terminal, terminal.lower()) for terminal in terminals})
    return f"expected {' or '.join(words)}"
