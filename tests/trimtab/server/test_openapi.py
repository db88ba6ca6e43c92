"""The server does what its OpenAPI description says, whatever it is asked: schemathesis tries to prove it wrong."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from trimtab.server.app import create_app
from trimtab.settings import ServerSettings

TOKEN = "0123456789abcdef0123"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
KNOWN = "inspection-matmul-260101000000-0000000000000001"
GRAMMAR = {
    "POST /api/v1/sessions",
    "POST /api/v1/inspect",
    "POST /api/v1/_debug/generate-dockerfile",
    "POST /api/v1/analyze",
    "POST /api/v1/build-analysis",
    "POST /api/v1/image/metadata",
    "POST /api/v1/campaigns",
    "GET /api/v1/ask/neighbours",
    "POST /api/v1/dependency-monkey/python",
}
"""What an objective, an image's name or a requirement is, is a matter of its grammar: no JSON Schema can say it."""


@pytest.fixture
def described(place, sessions, make_spec, make_agent, conclude):
    """An application with a session in the middle of a trial, and an inspection that is over."""
    sessions.create(make_spec(application="example.com/shop"))
    make_agent(uid=None).until("MEASURE")
    conclude(KNOWN)
    # A registry that is none of this machine's is not asked: names are made up.
    settings = ServerSettings(token=TOKEN, worker=False, registry_hosts="registry.example")
    app = create_app(settings, sessions, place=place)
    return schemathesis.openapi.from_asgi("/openapi.json", app)


@pytest.mark.timeout(300)
def test_every_answer_is_one_that_is_described(described):
    operations = [each.ok() for each in described.get_all_operations()]
    assert len(operations) == 82
    for operation in operations:
        try_out(operation, [positive_data_acceptance] if operation.label in GRAMMAR else [])


def try_out(operation, excluded):
    @given(case=operation.as_strategy())
    @settings(
        max_examples=15,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def check(case):
        case.call_and_validate(headers=HEADERS, excluded_checks=excluded, timeout=100)
        if "inspection_id" in (case.path_parameters or {}) and case.method != "DELETE":
            # Unknown ids are answered alike; what else may go wrong is behind a known one.
            case.path_parameters["inspection_id"] = KNOWN
            case.call_and_validate(headers=HEADERS, excluded_checks=excluded, timeout=100)

    check()
