"""Connectors: names, metadata, configuration, identity (reference 1.2)."""

import gc
import weakref
from types import SimpleNamespace
from typing import ClassVar

import pydantic
import pytest

import servo
from servo.configuration import AbstractBaseConfiguration, BaseConfiguration, BaseServoConfiguration
from servo.connector import (
    BaseConnector,
    ConnectorLoader,
    License,
    Maturity,
    Version,
    connector_types,
    metadata,
)
from servo.context import current_connector
from servo.dispatch import Bus
from servo.logging import logger
from servo.telemetry import Telemetry
from servo.utilities.associations import Associative


class SundialConfiguration(BaseConfiguration):
    latitude: float = 0.0


class SundialConnector(BaseConnector):
    config: SundialConfiguration


def sundial(**values):
    return SundialConnector(config=SundialConfiguration(), **values)


def test_names_follow_from_the_class():
    assert (SundialConnector.name, SundialConnector.full_name) == ("Sundial", "Sundial Connector")
    assert SundialConnector.__default_name__ == sundial().name == "sundial"


@pytest.mark.parametrize(
    ("class_name", "expected"),
    [
        ("KubeMetricsConnector", "kube_metrics"),
        ("HTTPConnector", "http"),
        ("HTTPLoadConnector", "http_load"),
        ("Gauge2Connector", "gauge2"),
        ("Clock", "clock"),
        ("Connector", "connector"),
    ],
)
def test_default_names(class_name, expected):
    cls = type(class_name, (SundialConnector,), {"__module__": __name__})
    assert cls.__default_name__ == expected
    assert cls(config=SundialConfiguration()).name == expected


@pytest.mark.parametrize("name", ["abc", "a" * 128, "with/slash", "dots.and-dashes_1"])
def test_names_that_are_valid(name):
    assert sundial(name=name).name == name


@pytest.mark.parametrize("name", ["ab", "a" * 129, "a b c", "colon:ed", "ünicode", "new\nline", "abc\n", 5])
def test_names_that_are_not_say_why(name):
    """Reference 6.3: short names were rejected with a message that did not say so."""
    with pytest.raises(pydantic.ValidationError, match="3 to 128 characters"):
        sundial(name=name)


def test_a_name_may_be_assigned_unvalidated():
    connector = sundial()
    connector.name = "opsani-dev:kubernetes"
    assert connector.name == "opsani-dev:kubernetes"


@pytest.mark.parametrize("name", [None, ""])
def test_a_name_must_be_provided(name):
    with pytest.raises(pydantic.ValidationError, match="name must be provided"):
        sundial(name=name)


def test_a_class_without_name_or_version_cannot_be_used():
    class Nameless(SundialConnector):
        pass

    class Versionless(SundialConnector):
        version = None

    class Broken(SundialConnector):
        version = "b0rked"

    Nameless.name = None
    for cls, message in ((Nameless, "name must be provided"), (Versionless, "version must be provided"), (Broken, "b0rked")):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            cls(config=SundialConfiguration())


def test_metadata():
    @metadata(
        name=("Sun Dial", "dial"),
        description="Tells the time by day",
        version="1.2.3",
        homepage="https://sun.example",
        license="MIT",
        maturity=Maturity.stable,
        cryptonym="noon",
    )
    class Described(SundialConnector):
        pass

    assert Described.summary() == (
        'Sun Dial v1.2.3 "noon" (Stable)\nTells the time by day\nhttps://sun.example\nLicensed under the terms of MIT'
    )
    assert Described(config=SundialConfiguration()).name == "dial"
    assert (Described.license, Described.version) == (License.mit, Version(1, 2, 3))
    assert SundialConnector.version_summary() == SundialConnector.summary() == "Sundial Connector v0.0.0"
    assert SundialConnector.license is None


def test_metadata_that_is_wrong_is_refused():
    with pytest.raises(TypeError, match="BaseConnector"):
        metadata("name")(object)
    with pytest.raises(ValueError, match="full name and an alias"):
        metadata(("one",))
    with pytest.raises(ValueError, match=r"x\.y"):
        metadata(version="x.y")
    with pytest.raises(NameError, match='No license identified by "XYZ"'):
        metadata(license="XYZ")


def test_what_a_connector_is_given_is_kept_and_not_copied():
    config, telemetry, bus = SundialConfiguration(latitude=1), Telemetry(), Bus()
    connector = SundialConnector(config=config, telemetry=telemetry, __connectors__=bus, _optimizer="it")
    assert connector.config is config
    assert connector.telemetry is telemetry
    assert connector.__connectors__ is bus
    assert connector.optimizer == "it"


def test_connectors_are_equal_if_they_are_the_same():
    one, two = sundial(), sundial()
    assert one == one  # noqa: PLR0124  the point
    assert one != two
    assert len({one, two}) == 2


def test_the_configuration_of_a_class_is_the_nearest_annotation():
    class Sub(SundialConnector):
        pass

    class Optional(BaseConnector):
        config: SundialConfiguration | None

    assert Sub.config_model() is SundialConfiguration
    assert Optional.config_model() is SundialConfiguration
    assert BaseConnector.config_model() is AbstractBaseConfiguration


def test_a_configuration_of_another_class_is_refused():
    with pytest.raises(pydantic.ValidationError):
        SundialConnector(config=BaseServoConfiguration.generate())


def test_the_text_of_a_connector_does_not_show_its_configuration():
    assert str(sundial()) == repr(sundial()) == "SundialConnector(name='sundial')"


def test_fields_and_class_attributes_of_subclasses_work_as_in_any_model():
    class Rich(SundialConnector):
        count: int = 3
        kind: ClassVar[str] = "rich"

    assert Rich(config=SundialConfiguration(), count="4").count == 4
    with pytest.raises(pydantic.ValidationError):
        Rich(config=SundialConfiguration(), count="many")


def test_the_current_connector():
    connector = sundial()
    with connector.current():
        assert current_connector() is connector
    assert current_connector() is None


def test_its_log_names_it():
    lines = []
    sink = logger.add(lambda message: lines.append(message.record["extra"]), level="INFO")
    connector = sundial()
    connector.logger.info("hello")
    logger.remove(sink)
    assert lines == [{"connector": connector}]


def test_associations():
    connector = sundial()
    assert isinstance(connector, Associative)
    connector._set_association("thing", 1)
    assert connector._get_association("thing") == 1
    assert connector._get_association("nothing", None) is None
    with pytest.raises(KeyError):
        connector._get_association("nothing")
    assert sundial()._associations == {}


def test_nothing_keeps_a_connector_alive():
    connector = sundial()
    connector._set_association("thing", 1)
    connector.__connectors__.plan("measure")
    reference = weakref.ref(connector)
    del connector
    gc.collect()
    assert reference() is None


def test_classes_are_known_from_their_definition():
    class Newest(SundialConnector):
        pass

    assert Newest in connector_types()
    assert servo.BaseConnector is BaseConnector


class Point:
    """An entry point, as a distribution would have it."""

    value = "package:Class"

    def __init__(self, name, loaded, dist=None):
        self.name = name
        self.dist = dist
        self._loaded = loaded

    def load(self):
        if isinstance(self._loaded, BaseException):
            raise self._loaded
        return self._loaded


def test_connectors_that_cannot_be_imported_are_a_line_of_warning_each(monkeypatch):
    package = SimpleNamespace(name="gadgets", version="1.2")
    points = [
        Point("zeta", SundialConnector),
        Point("broken", ImportError("no\nmodule" + "!" * 1000), package),
        Point("leaving", SystemExit(3)),
        Point("alpha", BaseConnector),
    ]
    monkeypatch.setattr("servo.connector.entry_points", lambda group: points)
    lines = []
    sink = logger.add(lines.append, format="{level} {message}")
    assert list(ConnectorLoader().load()) == [BaseConnector, SundialConnector]
    logger.remove(sink)
    assert [str(line).rstrip("!\n") for line in lines] == [
        "WARNING cannot load the connector broken (package:Class) of gadgets 1.2: ImportError: no module",
        "WARNING cannot load the connector leaving (package:Class) of an unknown package: SystemExit: 3",
    ]
    assert max(len(line) for line in lines) < 500


def test_our_own_connectors_are_listed_as_entry_points():
    names = [point.name for point in ConnectorLoader().iter_entry_points()]
    assert names == sorted(names)
    assert {"scripts", "wait"} <= set(names)
