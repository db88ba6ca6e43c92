import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from servo.types import (
    EnumSetting,
    EnvironmentEnumSetting,
    EnvironmentRangeSetting,
    EnvironmentSetting,
    EnvironmentSettingList,
    NumericType,
    RangeSetting,
)


def workers(**fields):
    return EnvironmentRangeSetting(**{"name": "workers", "min": 0, "max": 5, "step": 1} | fields)


def test_they_are_settings_of_their_kind():
    assert issubclass(EnvironmentRangeSetting, RangeSetting)
    assert issubclass(EnvironmentEnumSetting, EnumSetting)
    assert issubclass(EnvironmentRangeSetting, EnvironmentSetting)
    assert issubclass(EnvironmentEnumSetting, EnvironmentSetting)


@pytest.mark.parametrize(
    "make", [workers, lambda **fields: EnvironmentEnumSetting(name="workers", values=["1"], **fields)]
)
def test_variable_name_is_the_literal_or_the_name(make):
    assert make().variable_name == "workers"
    assert make(literal="WORKERS").variable_name == "WORKERS"


@pytest.mark.parametrize(
    ("value", "value_type", "expected"),
    [
        ("3", None, 3.0),
        ("3", "int", 3),
        ("3", "float", 3.0),
        ("3", int, 3),
        (3, None, 3),
        (3, "float", 3.0),
        (None, "int", None),
    ],
)
def test_value_is_cast(value, value_type, expected):
    setting = workers(value=value, value_type=value_type)
    assert setting.value == expected
    assert type(setting.value) is type(expected)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"value": "many"}, "'many': it cannot be read as float"),
        ({"value": "2.5", "value_type": "int"}, "'2.5': it cannot be read as int"),
        ({"value": True}, "True"),
        ({"value": True, "value_type": "int"}, "True: it must be a number"),
        ({"value_type": "str"}, "invalid numeric type 'str': it must be 'int' or 'float'"),
        ({"value": "inf"}, "finite"),
    ],
)
def test_what_is_no_number(fields, text):
    with pytest.raises(ValidationError, match=text):
        workers(**fields)


def test_wire_form_is_that_of_a_range():
    assert workers(value="3", value_type="int", literal="WORKERS").__opsani_repr__() == {
        "workers": {"type": "range", "pinned": False, "value": 3, "min": 0, "max": 5, "step": 1}
    }


def test_value_type_is_written_by_name():
    assert '"value_type":"int"' in workers(value_type="int").model_dump_json()
    assert NumericType.validate("float") is float


@given(
    st.one_of(st.none(), st.sampled_from(["int", "float"])), st.one_of(st.none(), st.integers(-1000, 1000))
)
def test_json_gives_the_setting_back(value_type, value):
    setting = workers(value=value, value_type=value_type)
    assert EnvironmentRangeSetting.model_validate_json(setting.model_dump_json()) == setting


class TestList:
    class Container(BaseModel):
        env: EnvironmentSettingList = EnvironmentSettingList()

    ITEMS = (
        {"name": "workers", "type": "range", "min": 0, "max": 5, "step": 1},
        {"name": "mode", "type": "enum", "values": ["a", "b"], "literal": "MODE"},
    )

    def test_type_tells_the_kind(self):
        settings = self.Container(env=self.ITEMS).env
        assert [type(setting) for setting in settings] == [EnvironmentRangeSetting, EnvironmentEnumSetting]
        assert len(settings) == 2
        assert settings[1].variable_name == "MODE"

    def test_an_unknown_type_is_refused(self):
        with pytest.raises(ValidationError, match="type"):
            self.Container(env=[{"name": "x", "type": "list"}])

    def test_lists_do_not_share_their_default(self):
        first, second = EnvironmentSettingList(), EnvironmentSettingList()
        first.root.append(workers())
        assert len(second) == 0
