"""Who asks, and what that token is good for."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.exceptions import HTTPException

__all__ = ["ANYBODY", "Asking", "Caller", "Scope", "needs"]


class Scope(StrEnum):
    """What a token is for."""

    READ = "read"
    """See the inspections of its name."""
    SUBMIT = "submit"
    """The same; and submit, cancel, repeat and delete them."""
    ADMIN = "admin"
    """Everything, of everybody."""
    AGENT = "agent"
    """Post as the agent of an application, submit builds, and nothing else."""


INCLUDED: Mapping[Scope, frozenset[Scope]] = {
    Scope.READ: frozenset({Scope.READ}),
    Scope.SUBMIT: frozenset({Scope.READ, Scope.SUBMIT}),
    Scope.ADMIN: frozenset(Scope),
    Scope.AGENT: frozenset({Scope.AGENT}),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes:
        name: The owner of what it submits; empty: nobody in particular.
        scope: What its token is for.
    """

    name: str
    scope: Scope

    def may(self, scope: Scope) -> bool:
        """Whether it may do what is of this scope."""
        return scope in INCLUDED[self.scope]

    def sees(self, owner: str) -> bool:
        """Whether it is shown what belongs to this owner."""
        return self.owner is None or self.owner == owner

    @property
    def owner(self) -> str | None:
        """Whose things it is shown; None for everybody's."""
        return None if self.scope is Scope.ADMIN else self.name


ANYBODY = Caller("", Scope.ADMIN)
"""Whoever reaches a server that has no tokens."""


def of(request: Request) -> Caller:
    """Who sent a request, as the gate found."""
    caller: Caller = request.state.caller
    return caller


Asking = Annotated[Caller, Depends(of)]
"""A parameter of a route: who asks."""


def needs(*scopes: Scope) -> Any:
    """The dependency of a route that only callers of one of these scopes may use.

    Args:
        scopes: Which.
    """
    wanted = " or ".join(scopes)

    def check(caller: Asking) -> None:
        if not any(caller.may(each) for each in scopes):
            raise HTTPException(
                403, f"this needs a token of the scope {wanted}; this one is for {caller.scope}"
            )

    return Depends(check)
