import math

import pytest
from pydantic import ValidationError

from servo.types import CPU, Adjustment, Component, Description, EnumSetting, Metric, Replicas


@pytest.fixture
def description():
    return Description(
        components=[
            Component("web", [CPU(min=1, max=4), Replicas(min=1, max=2)]),
            Component(name="db", settings=[]),
        ],
        metrics=[Metric("throughput", "rps")],
    )


def test_component_is_found_by_name(description):
    assert description.get_component("db").name == "db"
    assert description.get_component("cache") is None


def test_metric_is_found_by_name(description):
    assert description.get_metric("throughput") == Metric("throughput", "rps")
    assert description.get_metric("latency") is None


def test_setting_is_found_by_component_and_name(description):
    assert description.get_setting("web.cpu") is description.components[0].settings[0]
    assert description.components[0].get_setting("replicas").name == "replicas"
    assert description.get_setting("web.mem") is None
    assert description.get_setting("cache.cpu") is None


def test_setting_name_needs_a_dot(description):
    with pytest.raises(
        ValueError, match=r"invalid setting name 'cpu': it must be of the form component\.setting"
    ):
        description.get_setting("cpu")


def test_descriptions_do_not_share_their_defaults():
    first, second = Description(), Description()
    first.components.append(Component("web", []))
    first.metrics.append(Metric("a"))
    assert second == Description()


def test_settings_are_dumped_with_all_their_fields(description):
    """Pydantic 2 alone would dump what the base class declares."""
    assert description.model_dump()["components"][0]["settings"][0]["step"] == 0.125


def test_empty_wire_form():
    assert Description().__opsani_repr__() == {
        "application": {"components": {}},
        "measurement": {"metrics": {}},
    }


class TestAdjustment:
    def test_str_and_selector(self):
        adjustment = Adjustment(component_name="web", setting_name="cpu", value=1.25)
        assert str(adjustment) == f"{adjustment}" == "web.cpu=1.25"
        assert adjustment.selector == "web.cpu"

    @pytest.mark.parametrize("value", [1, 1.0, "1", "a=b"])
    def test_value_keeps_its_type(self, value):
        """Reference 1.10: a number stays a number."""
        adjusted = Adjustment(component_name="web", setting_name="cpu", value=value).value
        assert (adjusted, type(adjusted)) == (value, type(value))

    @pytest.mark.parametrize("value", [None, True, [1], {}, math.nan, math.inf])
    def test_what_no_setting_takes_is_refused(self, value):
        with pytest.raises(ValidationError):
            Adjustment(component_name="web", setting_name="cpu", value=value)


def test_a_component_takes_settings_only():
    with pytest.raises(ValidationError):
        Component("web", [{"name": "cpu"}])
    assert Component("web", [EnumSetting(name="e", values=["a"])]).get_setting("e").values == ["a"]
