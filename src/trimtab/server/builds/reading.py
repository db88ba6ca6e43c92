"""Read the body of a submission: JSON, and not too deep for whoever walks through it."""

import json
from typing import Annotated, Any, NoReturn

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from trimtab.builds import BuildSubmission
from trimtab.server.depth import is_deeper

__all__ = ["Sent"]

DEEPEST = 32


async def read(request: Request) -> BuildSubmission:
    """What was submitted; it has to say that it is JSON: no web page can send that to us without our leave."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, "send the build as application/json")
    try:
        body = json.loads(await request.body(), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "the body is not JSON") from error
    if is_deeper(body, DEEPEST):
        raise HTTPException(400, f"the body is nested deeper than {DEEPEST} levels")
    try:
        return BuildSubmission.model_validate(body)
    except ValidationError as error:
        problems: list[Any] = error.errors(include_input=False, include_url=False)
        raise RequestValidationError(problems) from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"JSON has no {constant}")


Sent = Annotated[BuildSubmission, Depends(read)]
