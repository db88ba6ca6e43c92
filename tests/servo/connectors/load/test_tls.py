"""Load over TLS: the certificate is verified."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
import time

import pytest

from servo.connectors.load.arrivals import Phase
from servo.connectors.load.generator import Generator
from servo.connectors.load.plan import Plan
from servo.connectors.load.requests import prepare
from servo.connectors.load.tally import Tally, total
from servo.connectors.load.targets import Target


@pytest.fixture
def certificate(tmp_path):
    """A certificate for localhost that nobody has signed, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate of this test, and is not installed")
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
        " -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem"
    )
    subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)
    return tmp_path / "cert.pem", tmp_path / "key.pem"


@pytest.fixture
async def server(stub, certificate):
    """The stub, behind TLS; returns its URL."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    listening = await asyncio.start_server(stub.serve, "127.0.0.1", 0, ssl=context)
    yield f"https://localhost:{listening.sockets[0].getsockname()[1]}/"
    listening.close()


async def run(url: str, **fields) -> Tally:
    origins, requests = prepare([Target("GET", url)])
    plan = Plan((Phase(50, 0.2),), tuple(origins), tuple(requests), **fields)
    generator = Generator(plan)
    await generator.prepare()
    await generator.run(time.monotonic())
    return total(generator.recorder.batches)


async def test_a_trusted_certificate_is_accepted(server, certificate):
    assert (await run(server, ca_file=str(certificate[0]))).succeeded == 10


async def test_an_unknown_certificate_is_refused(server):
    found = await run(server)
    assert found.errors == {"tls": 10}


async def test_a_certificate_of_another_host_is_refused(server, certificate):
    found = await run(server.replace("localhost", "127.0.0.1"), ca_file=str(certificate[0]))
    assert found.errors == {"tls": 10}
