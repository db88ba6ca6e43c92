"""Tokens by client credentials (RFC 6749, section 4.4), as AppDynamics' agents ask for them before they post.

Such an agent has a client id and a secret, and asks for a token of its own. Here the secret is one of the server's tokens,
and the token that is issued is the secret again: it opens no more and no longer than what the agent holds already.
"""

from typing import Annotated, Literal
from urllib.parse import parse_qs

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from trimtab.server.errors import Problem
from trimtab.server.gate import presented

__all__ = ["create_router"]

LIFETIME = 3600
MAX_FIELDS = 16

Tenant = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.\-]{1,64}$", examples=["a1b2c3"])]


class Issued(BaseModel):
    """A token, and for how many seconds it is good."""

    access_token: Annotated[str, Field(repr=False)]
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - a kind of token, not one
    expires_in: int = LIFETIME


BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {"grant_type": {"enum": ["client_credentials"]}},
                }
            }
        },
    }
}


def create_router() -> APIRouter:
    """The route; who comes to it has been let in by the gate, with its secret as the password of Basic."""
    router = APIRouter(tags=["optimizer"])

    @router.post(
        "/auth/{tenant_id}/default/oauth2/token", openapi_extra=BODY, responses={400: {"model": Problem}}
    )
    async def issue_token(tenant_id: Tenant, request: Request) -> Issued:
        """Issue a token for a client's id and secret."""
        del tenant_id  # there is one server for all
        if _grant(await request.body()) != "client_credentials":
            raise HTTPException(400, "grant_type must be client_credentials, in a form")
        token = presented(request.headers)
        if not token:
            raise HTTPException(400, "send the client's id and secret as `Authorization: Basic`")
        return Issued(access_token=token)

    return router


def _grant(body: bytes) -> str | None:
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=MAX_FIELDS)
    except ValueError:
        return None
    return next(iter(fields.get("grant_type", ())), None)
