"""The API about itself: its version, routes and description, and a page for people."""

from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel

from trimtab.server.answer import answer
from trimtab.server.page import page

__all__ = ["add_description"]

REFERENCE = "#/components/schemas/{model}"
# The page has styles of its own, and nothing else: no script runs in it, whatever a description says.
POLICY = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


class Version(BaseModel):
    """Of the API, and of the service."""

    version: str
    service_version: str


class Routes(BaseModel):
    """Paths of the API."""

    paths: list[str]


def add_description(app: FastAPI) -> None:
    """Add the routes that tell of the others."""
    router = APIRouter(tags=["service"])

    @router.get("/api/v1/version")
    def get_version() -> Version:
        """Tell the version."""
        return Version(version=version("trimtab"), service_version=version("trimtab"))

    @router.get("/api/v1")
    def get_api() -> Routes:
        """List the routes."""
        return Routes(paths=sorted(app.openapi()["paths"]))

    @router.get("/api/v1/openapi.json", response_model=dict[str, Any])
    def get_openapi() -> Response:
        """Describe all this as OpenAPI has it."""
        return answer(app.openapi())

    @router.get("/api/v1/ui", response_class=HTMLResponse)
    def get_page() -> HTMLResponse:
        """Show the description as a page, without scripts."""
        return HTMLResponse(page(app.openapi()), headers=POLICY)

    @router.get("/", status_code=307, response_class=RedirectResponse)
    def get_root() -> RedirectResponse:
        """Lead to the page."""
        return RedirectResponse("api/v1/ui")  # relative: a proxy may have put us below a path of its own

    app.include_router(router)
    _complete(app)


def _complete(app: FastAPI) -> None:
    """Describe the API as it is: what fails validation is answered 400, in our shape; and what a specification is."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = describe()
            for path in schema["paths"].values():
                for operation in path.values():
                    operation["responses"].pop("422", None)
            schema["components"]["schemas"].update(_specification())
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # the way FastAPI documents


def _specification() -> dict[str, Any]:
    from trimtab.inspection import Specification

    schema = Specification.model_json_schema(ref_template=REFERENCE)
    parts = schema.pop("$defs", {})
    return {**parts, "Specification": schema}
