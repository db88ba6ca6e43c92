"""Tokens for AppDynamics agents, which have a client id and a secret."""

import asyncio

import httpx2
import pytest

from servo.api.authorization import ClientCredentials
from servo.configuration import AppdynamicsOptimizer

TOKEN = "0123456789abcdef0123"
PATH = "/auth/tenant/default/oauth2/token"
GRANT = {"grant_type": "client_credentials"}


def test_an_agent_with_a_client_id_and_a_secret_comes_in(make_app, sessions, make_spec):
    """The agent's own code asks for a token and posts with it."""
    sessions.create(make_spec(application="shop"))
    app = make_app(token=TOKEN)
    optimizer = AppdynamicsOptimizer(
        optimizer_id="shop",
        tenant_id="tenant",
        base_url="http://localhost",
        client_id="agent",
        client_secret=TOKEN,
    )

    async def converse():
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app)) as client:

            async def send(url, **options):
                return (await client.post(url, **options)).raise_for_status().json()

            headers = await ClientCredentials(optimizer, send).headers()
            return await client.post(
                f"{str(optimizer.url).rstrip('/')}/servo", json={"event": "HELLO"}, headers=headers
            )

    response = asyncio.run(converse())
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_a_wrong_secret_is_refused(make_app, make_client):
    client = make_client(make_app(token=TOKEN))
    assert client("POST", PATH, data=GRANT, auth=("agent", "wrong")).status_code == 401
    assert client("POST", PATH, data=GRANT).status_code == 401


@pytest.mark.parametrize("value", ["Basic ", "Basic ***", "Basic /w==", "Basic YWdlbnQ="])
def test_credentials_that_cannot_be_read_are_refused(make_app, make_client, value):
    client = make_client(make_app(token=TOKEN))
    assert client("POST", PATH, data=GRANT, headers={"Authorization": value}).status_code == 401


@pytest.mark.parametrize("body", [b"", b"grant_type=password", b"\xff", b"&".join([b"a=1"] * 50)])
def test_another_grant_is_refused_with_what_is_wanted(make_app, make_client, body):
    response = make_client(make_app(token=TOKEN))("POST", PATH, content=body, auth=("agent", TOKEN))
    assert response.status_code == 400
    assert "client_credentials" in response.json()["error"]


def test_a_server_without_tokens_issues_what_it_is_given(client):
    response = client("POST", PATH, data=GRANT, auth=("agent", "secret"))
    assert response.json() == {"access_token": "secret", "token_type": "bearer", "expires_in": 3600}


def test_without_a_secret_there_is_nothing_to_issue(client):
    response = client("POST", PATH, data=GRANT)
    assert response.status_code == 400
    assert "Basic" in response.json()["error"]
