import json
import warnings

import pytest
from pydantic import SecretStr, ValidationError

import servo.types
from servo.types import (
    DEFAULT_JSON_ENCODERS,
    BaseModel,
    Duration,
    ErrorSeverity,
    Futuristic,
    HumanReadable,
    License,
    Maturity,
    Measurement,
    OpsaniRepr,
    Version,
    api,
    core,
    isfuturistic,
    settings,
    slo,
)
from servo.types.formats import AbstractOutputFormat


class Point(BaseModel):
    x: int
    y: int = 2
    secret: SecretStr = SecretStr("hunter2")


class TestOldNames:
    """Connectors written for ServoX call Pydantic 1's methods; they do what they did, and do not warn."""

    @pytest.fixture(autouse=True)
    def _warnings_are_errors(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield

    def test_parse_obj(self):
        assert Point.parse_obj({"x": "1"}) == Point(x=1)
        with pytest.raises(ValidationError):
            Point.parse_obj({})

    def test_construct_does_not_validate(self):
        assert Point.construct(x="one").x == "one"
        assert Point.construct({"x"}, x=1).model_fields_set == {"x"}

    def test_schema(self):
        assert Point.schema()["properties"]["x"] == {"title": "X", "type": "integer"}

    def test_dict(self):
        assert Point(x=1).dict(exclude={"secret"}) == {"x": 1, "y": 2}
        assert Point(x=1).dict(exclude_unset=True) == {"x": 1}

    def test_json(self):
        assert json.loads(Point(x=1).json(include={"x"})) == {"x": 1}

    def test_copy(self):
        point = Point(x=1)
        assert point.copy() == point
        assert point.copy(update={"x": 5}).x == 5
        assert point.x == 1

    def test_copy_leaves_out_or_takes_in(self):
        assert vars(Point(x=1).copy(include={"x"})) == {"x": 1}
        assert set(vars(Point(x=1).copy(exclude={"x"}))) == {"y", "secret"}
        assert vars(Point(x=1).copy(include={"x"}, update={"y": 7})) == {"x": 1, "y": 7}

    def test_deep_copy_shares_nothing(self):
        measurement = Measurement(annotations={"a": "b"})
        measurement.copy(deep=True).annotations["a"] = "c"
        assert measurement.annotations == {"a": "b"}


class TestValidation:
    def test_defaults_are_validated(self):
        class Wrong(BaseModel):
            x: int = "one"

        with pytest.raises(ValidationError):
            Wrong()

    def test_assignments_are_validated_and_undone(self):
        point = Point(x=1)
        with pytest.raises(ValidationError):
            point.x = "one"
        assert point == Point(x=1)

    def test_secrets_are_in_no_text(self):
        point = Point(x=1)
        assert "hunter2" not in f"{point} {point!r} {point.json()} {point.dict()}"
        assert "hunter2" not in DEFAULT_JSON_ENCODERS[SecretStr](point.secret)


class TestMetadata:
    def test_values(self):
        assert [str(member) for member in License] == ["MIT", "Apache 2.0", "Proprietary"]
        assert [str(member) for member in Maturity] == ["Experimental", "Stable", "Robust"]

    @pytest.mark.parametrize(
        ("enum", "identifier", "member"),
        [
            (License, "MIT", License.mit),
            (License, "Apache 2.0", License.apache2),
            (License, "apache2", License.apache2),
            (Maturity, "Robust", Maturity.robust),
            (Maturity, "stable", Maturity.stable),
        ],
    )
    def test_from_str(self, enum, identifier, member):
        assert enum.from_str(identifier) is member

    def test_unknown(self):
        with pytest.raises(NameError, match=r'^No license identified by "GPL"\.$'):
            License.from_str("GPL")
        with pytest.raises(NameError, match=r'^No maturity identified by "old"\.$'):
            Maturity.from_str("old")

    def test_version_is_semantic(self):
        assert Version.parse("1.2.3") < Version.parse("1.10.0")

    def test_severities_are_ordered(self):
        """The order is that of gravity, not of the alphabet."""
        assert ErrorSeverity.warning < ErrorSeverity.common < ErrorSeverity.critical
        assert ErrorSeverity.critical >= ErrorSeverity.common >= ErrorSeverity.common
        assert ErrorSeverity.common > ErrorSeverity.warning
        assert ErrorSeverity.common <= ErrorSeverity.common
        assert max(ErrorSeverity) is ErrorSeverity.critical
        assert ErrorSeverity("critical") == "critical"
        with pytest.raises(TypeError):
            ErrorSeverity.common < 1  # noqa: B015  comparing is the test


class TestProtocols:
    async def test_futures_are_futuristic(self, event_loop_future):
        assert isfuturistic(event_loop_future)
        assert isinstance(event_loop_future, Futuristic)

    @pytest.fixture
    async def event_loop_future(self):
        import asyncio

        return asyncio.get_running_loop().create_future()

    def test_others_are_not(self):
        assert not isfuturistic("later")

    def test_human_readable_and_wire_form(self):
        assert isinstance(Duration(1), HumanReadable)
        assert not isinstance(1, HumanReadable)
        assert isinstance(Measurement(), OpsaniRepr)
        assert not isinstance(Duration(1), OpsaniRepr)


def test_formats_know_their_syntax():
    class Format(AbstractOutputFormat):
        yaml = servo.types.YAML_FORMAT
        configmap = servo.types.CONFIGMAP_FORMAT
        dict = servo.types.DICT_FORMAT
        text = servo.types.TEXT_FORMAT

    assert [str(member) for member in Format] == ["yaml", "configmap", "dict", "text"]
    assert [member.syntax for member in Format] == ["yaml", "yaml", "python", None]


@pytest.mark.parametrize("module", [core, api, settings, slo, servo.types])
def test_public_names_are_there_once(module):
    assert len(module.__all__) == len(set(module.__all__))
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


def test_types_has_the_names_of_all_its_modules():
    assert set(servo.types.__all__) == {*core.__all__, *api.__all__, *settings.__all__, *slo.__all__}
