import abc
import math
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from loguru import logger
from pydantic import ValidationError

from servo.types import (
    CPU,
    EnumSetting,
    InstanceType,
    InstanceTypeUnits,
    Memory,
    RangeSetting,
    Replicas,
    Setting,
    find_setting,
)

RECORDINGS = Path(__file__).parents[3] / "shared" / "data" / "servo-cli"


@pytest.fixture
def warnings():
    """The texts of what is logged as a warning."""
    texts = []
    sink = logger.add(lambda message: texts.append(message.record["message"]), level="WARNING")
    yield texts
    logger.remove(sink)


class PlainSetting(Setting):
    name: str = "foo"
    type: str = "bar"

    def __opsani_repr__(self):
        return {}


class Readable(str):
    __slots__ = ()

    def human_readable(self):
        return f"<{self}>"


class TestSetting:
    def test_is_abstract(self):
        assert issubclass(Setting, abc.ABC)
        with pytest.raises(TypeError, match="abstract"):
            Setting(name="a", type="b")

    @pytest.mark.parametrize("value", [1, 1.5, "a", None])
    def test_values_keep_their_type(self, value):
        setting = PlainSetting(value=value)
        assert setting.value == value
        assert type(setting.value) is type(value)

    @pytest.mark.parametrize("value", [True, [], math.nan, math.inf])
    def test_a_boolean_or_no_number_is_no_value(self, value):
        with pytest.raises(ValidationError):
            PlainSetting(value=value)

    def test_an_unknown_field_is_an_error(self):
        with pytest.raises(ValidationError, match="pined"):
            PlainSetting(pined=True)

    def test_human_readable_value(self):
        assert PlainSetting(value=2.0).human_readable_value == "2.0"
        assert PlainSetting(value=Readable("x")).human_readable_value == "<x>"
        assert PlainSetting.human_readable(Readable("x")) == "<x>"

    def test_str(self):
        assert str(PlainSetting(value=Readable("x"))) == "foo=<x>"

    def test_safe_copy_is_not_validated(self):
        setting = EnumSetting(name="a", values=["x"], value="x", pinned=True)
        copied = setting.safe_set_value_copy("y")
        assert (type(copied), copied.value, setting.value) == (EnumSetting, "y", "x")

    def test_find(self):
        cpu, replicas = CPU(min=1, max=2), Replicas(min=1, max=2)
        assert find_setting([cpu, replicas], "replicas") is replicas
        assert find_setting([cpu], "mem") is None
        assert find_setting(None, "mem") is None


class TestPinned:
    @pytest.mark.parametrize(
        ("value", "assigned"),
        [(None, None), (None, 123), (60, 60), (5.0, 5.0), ("a", "a"), (5.0, 5), (5, 5.0)],
    )
    def test_an_equal_or_first_value_is_accepted(self, value, assigned):
        setting = PlainSetting(value=value, pinned=True)
        setting.value = assigned
        assert setting.value == assigned

    @pytest.mark.parametrize(
        ("value", "assigned"),
        [(1, None), (5.0, 2.5), (5.0, 3), (1, "1"), ("a", "b"), ("a", 5.0), ("5", 5.0), ("a", "{b}")],
    )
    def test_another_value_is_refused(self, value, assigned):
        setting = PlainSetting(value=value, pinned=True)
        with pytest.raises(ValidationError) as caught:
            setting.value = assigned
        (error,) = caught.value.errors()
        assert error["loc"] == ("value",)
        assert error["msg"] == (
            "value of pinned settings cannot be changed:"
            f" assigned value {assigned!r} is not equal to existing value {value!r}"
        )
        assert setting.value == value

    def test_once_unpinned_it_changes(self):
        setting = PlainSetting(value=1, pinned=True)
        setting.pinned = False
        setting.value = 2
        assert setting.value == 2


class TestEnumSetting:
    def test_wire_form(self):
        setting = EnumSetting(name="engine", values=["a", "b"], value="a", unit="kind")
        assert setting.__opsani_repr__() == {
            "engine": {"type": "enum", "pinned": False, "unit": "kind", "value": "a", "values": ["a", "b"]}
        }

    def test_wire_form_leaves_out_what_is_none(self):
        assert EnumSetting(name="engine", values=["a", 1, 2.5], pinned=True).__opsani_repr__() == {
            "engine": {"type": "enum", "pinned": True, "values": ["a", 1, 2.5]}
        }

    def test_summary(self):
        assert (
            EnumSetting(name="e", values=["a", "b"]).summary() == "EnumSetting(values=['a', 'b'], unit=None)"
        )

    @pytest.mark.parametrize(
        ("fields", "location"),
        [
            ({"type": "range", "values": ["a"]}, ("type",)),
            ({"values": []}, ("values",)),
            ({"values": [True]}, ("values", 0)),
            ({}, ("values",)),
        ],
    )
    def test_bad_fields(self, fields, location):
        with pytest.raises(ValidationError) as caught:
            EnumSetting(name="a", **fields)
        assert caught.value.errors()[0]["loc"][: len(location)] == location

    def test_value_must_be_one_of_the_values(self):
        with pytest.raises(
            ValidationError, match=r"invalid value: 'c' is not in the values list \['a', 'b'\]"
        ):
            EnumSetting(name="e", values=["a", "b"], value="c")

    def test_a_refused_assignment_leaves_the_value(self):
        """Pydantic 2 alone would keep the value that the model's validator has refused."""
        setting = EnumSetting(name="e", values=["a", "b"], value="a")
        with pytest.raises(ValidationError):
            setting.value = "c"
        assert setting.value == "a"


class TestRangeSetting:
    def test_wire_form(self):
        setting = RangeSetting(name="workers", min=1, max=8, step=1, value=2, unit="processes", pinned=True)
        assert setting.__opsani_repr__() == {
            "workers": {
                "type": "range",
                "pinned": True,
                "unit": "processes",
                "value": 2,
                "min": 1,
                "max": 8,
                "step": 1,
            }
        }

    @given(
        low=st.integers(-1000, 1000),
        steps=st.integers(1, 100),
        step=st.integers(1, 50),
        value=st.integers(0, 100),
    )
    def test_numbers_keep_their_type_on_the_wire(self, low, steps, step, value):
        whole = RangeSetting(
            name="a", min=low, max=low + steps * step, step=step, value=low + value % (steps + 1) * step
        )
        wire = whole.__opsani_repr__()["a"]
        assert {type(wire[key]) for key in ("min", "max", "step", "value")} == {int}
        assert RangeSetting(name="a", **wire) == whole
        fields = {key: float(wire[key]) for key in ("min", "max", "step", "value")}
        assert RangeSetting(name="a", **fields).__opsani_repr__()["a"].items() >= fields.items()

    @pytest.mark.parametrize("field", ["min", "max", "step"])
    @pytest.mark.parametrize("value", ["1", True, None, math.nan])
    def test_bounds_are_numbers(self, field, value):
        with pytest.raises(ValidationError) as caught:
            RangeSetting(name="a", **{"min": 1, "max": 2, "step": 1, field: value})
        assert caught.value.errors()[0]["loc"][0] == field

    def test_type_is_fixed(self):
        with pytest.raises(ValidationError, match="type"):
            RangeSetting(name="a", type="enum", min=1, max=2, step=1)

    @pytest.mark.parametrize(
        ("fields", "text"),
        [
            (
                {"min": 1.0, "max": 2, "step": 1},
                "invalid range: min, max, and step must all be of the same Numeric type (float: min. int: max, step.)",
            ),
            ({"min": 1, "max": 5, "step": 1, "value": 10}, "invalid value: 10 is outside of the range 1-5"),
            (
                {"min": 1.0, "max": 5.0, "step": 1.0, "value": 0.0},
                "invalid value: 0.0 is outside of the range 1.0-5.0",
            ),
            ({"min": 1, "max": 0, "step": 1}, "min cannot be greater than max (1 > 0)"),
            (
                {"min": 1, "max": 1, "step": 1},
                "step must be zero when min equals max: step 1 cannot step from 1 to 1",
            ),
            ({"min": 1, "max": 3, "step": 0}, "step cannot be zero"),
            (
                {"min": 3.0, "max": 11.0, "step": 3.0},
                (
                    "RangeSetting('a' 3.0-11.0, 3.0) min/max difference is not step aligned:"
                    " 8.0 is not a multiple of 3.0 (consider min 5.0 or 2.0, max 9.0 or 12.0)."
                ),
            ),
            (
                {"min": 0.25, "max": 1.0, "step": 0.5},
                (
                    "RangeSetting('a' 0.25-1.0, 0.5) min/max difference is not step aligned:"
                    " 0.75 is not a multiple of 0.5 (consider min 0.5 or 0.0, max 0.75 or 1.25)."
                ),
            ),
        ],
    )
    def test_what_makes_no_sense_is_warned_of_and_accepted(self, warnings, fields, text):
        setting = RangeSetting(name="a", **fields)
        assert warnings == [text]
        assert setting.max == fields["max"]

    @pytest.mark.parametrize(
        "fields",
        [
            {"min": 0, "max": 5, "step": 1, "value": 5},
            {"min": 5, "max": 5, "step": 0},
            {"min": 0.0, "max": 1.0, "step": 0.1, "value": 0.3},
            {"min": 0.1, "max": 0.3, "step": 0.1},
            {"min": 1.0, "max": 2.0, "step": 0.125},
            {"min": 1e-7, "max": 3e-7, "step": 1e-7},
        ],
    )
    def test_what_makes_sense_is_not_warned_of(self, warnings, fields):
        RangeSetting(name="a", **fields)
        assert warnings == []

    def test_assignments_are_looked_at_too(self, warnings):
        setting = RangeSetting(name="a", min=0, max=10, step=1)
        setting.value = 25
        assert setting.value == 25
        assert warnings == ["invalid value: 25 is outside of the range 0-10"]

    @given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
    @example(0.0, 1e6, 1e-300, 0.0)
    def test_any_numbers_are_accepted(self, low, high, step, value):
        """Warning never becomes failing, whatever the numbers: tiny, negative, huge."""
        setting = RangeSetting(name="a", min=low, max=high, step=step, value=value)
        assert setting.__opsani_repr__()["a"]["value"] == value


class TestNamedSettings:
    def test_cpu_is_of_floats(self):
        cpu = CPU(min=1, max=4, value=2)
        assert cpu.__opsani_repr__() == {
            "cpu": {
                "type": "range",
                "pinned": False,
                "unit": "cores",
                "value": 2.0,
                "min": 1.0,
                "max": 4.0,
                "step": 0.125,
            }
        }
        assert {type(number) for number in (cpu.min, cpu.max, cpu.value)} == {float}

    @pytest.mark.parametrize("low", [0, -1])
    def test_cpu_needs_some(self, low):
        with pytest.raises(ValidationError, match="greater than 0"):
            CPU(min=low, max=4)

    def test_memory_needs_a_step(self):
        with pytest.raises(ValidationError, match="step"):
            Memory(min=1, max=4)

    def test_memory_of_nothing_is_warned_of(self, warnings):
        Memory(min=0, max=4, step=1)
        assert warnings == ["min must be greater than zero"]

    @pytest.mark.parametrize("field", ["min", "max", "step", "value"])
    def test_replicas_are_whole(self, field):
        with pytest.raises(ValidationError) as caught:
            Replicas(**{"min": 1, "max": 5, field: 2.0})
        assert caught.value.errors()[0]["loc"] == (field,)

    def test_instance_type(self):
        setting = InstanceType(values=["t2.micro"], value="t2.micro")
        assert setting.unit is InstanceTypeUnits.ec2
        assert setting.__opsani_repr__() == {
            "inst_type": {
                "type": "enum",
                "pinned": False,
                "unit": "ec2",
                "value": "t2.micro",
                "values": ["t2.micro"],
            }
        }
        assert type(setting.__opsani_repr__()["inst_type"]["unit"]) is str
        with pytest.raises(ValidationError):
            InstanceType(values=["a"], unit="gce")

    @pytest.mark.parametrize(
        ("make", "name"),
        [
            (lambda **fields: CPU(min=1, max=2, **fields), "cpu"),
            (lambda **fields: Memory(min=1, max=2, step=1, **fields), "mem"),
            (lambda **fields: Replicas(min=1, max=2, **fields), "replicas"),
            (lambda **fields: InstanceType(values=["a"], **fields), "inst_type"),
        ],
    )
    def test_names_are_fixed(self, make, name):
        assert make().name == name
        with pytest.raises(ValidationError) as caught:
            make(name="other")
        assert caught.value.errors()[0]["loc"] == ("name",)
        with pytest.raises(ValidationError):
            make().name = "other"


RECORDED = {
    "cpu": CPU(min=1, max=4, value=2),
    "engine": EnumSetting(name="engine", values=["a", "b"], value="a"),
    "mem": Memory(min=0.25, max=4, step=0.125, value=1),
    "replicas": Replicas(min=1, max=5, value=2),
}


@pytest.mark.parametrize("name", RECORDED)
class TestRecordedCells:
    """The tables that the original printed of the same settings."""

    @pytest.fixture
    def recording(self):
        if not RECORDINGS.is_dir():
            pytest.skip(f"the recordings of the original are not at {RECORDINGS}")
        return lambda file: (RECORDINGS / file).read_text()

    def test_show_components(self, recording, name):
        setting = RECORDED[name]
        assert f" {setting} {setting.summary()}" in recording("show-components.txt")

    def test_describe(self, recording, name):
        assert f" web.{RECORDED[name]} " in recording("describe.txt").replace("\n", " ")
