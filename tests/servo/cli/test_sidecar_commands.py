"""`inject-sidecar` and `eject-sidecar` (reference 2.2), as far as no cluster is asked."""

import pytest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("inject-sidecar", "-i", "x", "deploy/web"), "name the --service"),
        (("inject-sidecar", "-i", "x", "-p", "80", "pod/web"), "not yet implemented"),
        (("inject-sidecar", "-i", "x", "-p", "80", "rollout/web"), "not yet implemented"),
        (("inject-sidecar", "-i", "x", "-p", "80", "web"), "write deploy/NAME"),
        (("inject-sidecar", "-p", "80", "deploy/web"), "image"),
        (("eject-sidecar", "service/web"), "write deploy/NAME"),
        (("eject-sidecar", "deploy/a/b"), "write deploy/NAME"),
    ],
)
def test_what_is_asked_for_wrongly(servo, arguments, message):
    result = servo(*arguments)
    assert result.exit_code == 2
    assert message in result.output
