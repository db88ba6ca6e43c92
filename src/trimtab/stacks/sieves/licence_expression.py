"""Licence expressions of SPDX, and what a policy says of them."""

import re
from collections.abc import Callable
from enum import Enum

__all__ = ["Answer", "evaluate"]

_TOKEN = re.compile(r"\(|\)|[^\s()]+")
_LIMIT = 2000


class Answer(Enum):
    """What a policy says of a licence."""

    ALLOWED = 1
    UNKNOWN = 0
    DENIED = -1


def evaluate(expression: str, policy: Callable[[str], Answer]) -> Answer:
    """What a policy says of an expression: of `OR` the best, of `AND` the worst; an exception (`WITH`) changes nothing.

    Args:
        expression: As SPDX has it. One that is none is unknown.
        policy: Of a single licence, in lower case.
    """
    tokens = _TOKEN.findall(expression[:_LIMIT].lower())
    try:
        found, rest = _either(tokens, policy)
    except (IndexError, RecursionError):
        return Answer.UNKNOWN
    return Answer.UNKNOWN if rest else found


def _either(tokens: list[str], policy: Callable[[str], Answer]) -> tuple[Answer, list[str]]:
    found, rest = _both(tokens, policy)
    while rest and rest[0] == "or":
        other, rest = _both(rest[1:], policy)
        found = max(found, other, key=lambda each: each.value)
    return found, rest


def _both(tokens: list[str], policy: Callable[[str], Answer]) -> tuple[Answer, list[str]]:
    found, rest = _one(tokens, policy)
    while rest and rest[0] == "and":
        other, rest = _one(rest[1:], policy)
        found = min(found, other, key=lambda each: each.value)
    return found, rest


def _one(tokens: list[str], policy: Callable[[str], Answer]) -> tuple[Answer, list[str]]:
    first, rest = tokens[0], tokens[1:]
    if first == "(":
        found, rest = _either(rest, policy)
        if rest[0] != ")":
            raise IndexError
        return found, rest[1:]
    if first in {")", "and", "or", "with"}:
        raise IndexError
    if rest and rest[0] == "with":
        rest = rest[2:] if len(rest) > 1 else rest
    return policy(first), rest
