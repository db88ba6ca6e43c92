"""Errors as responses: `{"error": what is wrong, "parameters": of which request}`, as the original services have it."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from loguru import logger
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from trimtab.catalog import CatalogError
from trimtab.engines import EngineError
from trimtab.inspection import SpecificationError
from trimtab.optimizer.errors import OptimizerError
from trimtab.optimizer.session_errors import (
    ActiveSessionError,
    FencedError,
    MessageError,
    UnknownApplicationError,
    UnknownSessionError,
)
from trimtab.server.script import ScriptError
from trimtab.store import NotFoundError, StoreError, TooLargeError, UnavailableError

__all__ = ["Problem", "install", "refusal"]

MAX_PROBLEMS = 10
STATUS: Mapping[type[Exception], int] = {
    MessageError: 400,
    UnknownApplicationError: 404,
    UnknownSessionError: 404,
    ActiveSessionError: 409,
    FencedError: 410,
    OptimizerError: 500,
    CatalogError: 503,
    SpecificationError: 400,
    ScriptError: 400,
    EngineError: 503,
    NotFoundError: 404,
    TooLargeError: 413,
    UnavailableError: 503,
    StoreError: 500,
}
FAMILIES = (OptimizerError, CatalogError, SpecificationError, ScriptError, EngineError, StoreError)


class Problem(BaseModel):
    """What is wrong, and with which request."""

    error: str
    parameters: dict[str, Any]


def refusal(
    status: int,
    error: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> JSONResponse:
    """A response that says what is wrong."""
    content = {**more, "error": error, "parameters": dict(parameters or {})}
    return JSONResponse(content, status, headers=dict(headers or {}))


def install(app: FastAPI) -> None:
    """Answer every error of a route in our shape."""
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_validation)
    for each in FAMILIES:
        app.add_exception_handler(each, _of_ours)
    app.add_exception_handler(Exception, _of_defect)


async def _of_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return refusal(error.status_code, str(error.detail), request.path_params, headers=error.headers)


async def _of_validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    problems = [_problem(each) for each in error.errors()[:MAX_PROBLEMS]]
    return refusal(400, "; ".join(problems), request.path_params)


def _problem(error: Mapping[str, Any]) -> str:
    """Where, and what; not the value, which may be a secret pasted into the wrong field."""
    place = ".".join(str(part) for part in error["loc"])
    return f"{place}: {error['msg'].removeprefix('Value error, ')}"


async def _of_ours(request: Request, error: Exception) -> JSONResponse:
    status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
    # What the original's agents look for in a 410.
    more = {"detail": str(error)} if isinstance(error, FencedError) else {}
    retry = {"Retry-After": "5"} if status == 503 else None  # noqa: PLR2004 # it may go by
    if status >= 500:  # noqa: PLR2004 # errors of ours, not of the request
        logger.error("{} {}: {}", request.method, request.url.path, error)
    return refusal(status, str(error), request.path_params, headers=retry, **more)


async def _of_defect(request: Request, error: Exception) -> JSONResponse:
    logger.opt(exception=error).error("{} {}: a defect", request.method, request.url.path)
    said = f"a defect of the server ({type(error).__name__}); its log has the traceback"
    # This one is made outside of what stamps all others.
    return refusal(500, said, headers={"X-Amun-Version": version("trimtab")})
