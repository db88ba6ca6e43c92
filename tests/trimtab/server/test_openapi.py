"""The server does what its OpenAPI description says, whatever it is asked: schemathesis tries to prove it wrong."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

TOKEN = "0123456789abcdef0123"


@pytest.fixture
def described(make_app, sessions, make_spec, make_agent):
    """An application with a session in the middle of a trial."""
    sessions.create(make_spec(application="example.com/shop"))
    make_agent(uid=None).until("MEASURE")
    return schemathesis.openapi.from_asgi("/openapi.json", make_app(token=TOKEN))


@pytest.mark.timeout(300)
def test_every_answer_is_one_that_is_described(described):
    operations = [each.ok() for each in described.get_all_operations()]
    assert len(operations) == 12
    for operation in operations:
        # What an objective is, is a matter of its grammar: no JSON Schema can say it.
        creates = operation.label == "POST /api/v1/sessions"
        try_out(operation, [positive_data_acceptance] if creates else [])


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
        case.call_and_validate(headers={"Authorization": f"Bearer {TOKEN}"}, excluded_checks=excluded)

    check()
