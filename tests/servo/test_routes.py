"""What configurations call connectors: identifiers and routes (reference 1.2)."""

import json
import sys

import pytest

from servo.configuration import BaseConfiguration
from servo.connector import BaseConnector
from servo.routes import default_routes, find_connector_type, routes_for


class HourglassConnector(BaseConnector):
    config: BaseConfiguration


class WaterClockConnector(BaseConnector):
    config: BaseConfiguration


class HiddenConnector(BaseConnector):
    config: BaseConfiguration

    __routable__ = False


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write an importable module and return how it is called."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(name, text):
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.delitem(sys.modules, name, raising=False)
        return name

    return write


@pytest.mark.parametrize("identifier", ["hourglass", "HourglassConnector"])
def test_a_class_is_found_by_its_names(identifier):
    assert find_connector_type(identifier) is HourglassConnector


def test_a_class_is_imported_from_its_path(module):
    name = module(
        "a_module_of_connectors",
        "from servo.connector import BaseConnector\nfrom servo.configuration import BaseConfiguration\n"
        "class ImportedConnector(BaseConnector):\n    config: BaseConfiguration\n",
    )
    found = find_connector_type(f"{name}.ImportedConnector")
    assert found.__name__ == "ImportedConnector"
    assert routes_for([f"{name}.ImportedConnector"]) == {"imported": found}


@pytest.mark.parametrize(
    "identifier",
    [
        "nothing",
        "no.such.module.Class",
        "servo.connector.NoSuchClass",
        "__import__('os').system('true')",
        "HourglassConnector if True else None",
        "(HourglassConnector)",
        "servo..connector",
        ".relative.path",
        "a b.c",
        "",
    ],
)
def test_nothing_is_evaluated(identifier):
    """Reference 6.1 #9: ``connectors`` strings passed through ``eval``."""
    with pytest.raises(ValueError, match="no connector found for the identifier"):
        routes_for([identifier])


def test_a_path_to_something_else_is_refused():
    with pytest.raises(TypeError, match="Telemetry is not a Connector subclass"):
        routes_for(["servo.telemetry.Telemetry"])
    with pytest.raises(TypeError, match="int is not a Connector subclass"):
        routes_for([int])


@pytest.mark.parametrize("text", ["import no_such_dependency", "1 / 0", "syntax error"])
def test_a_module_that_fails_to_be_imported_says_why(module, text):
    name = module("a_broken_module", text)
    with pytest.raises(ValueError, match=rf'cannot import the connector "{name}.Class": .+'):
        routes_for({"alias": f"{name}.Class"})


@pytest.mark.parametrize("descriptor", [None, "", "null"])
def test_nothing_means_all_that_are_known(descriptor):
    routes = routes_for(descriptor)
    assert routes["hourglass"] is HourglassConnector
    assert routes["water_clock"] is WaterClockConnector
    assert "hidden" not in routes
    assert list(routes) == sorted(routes)
    assert routes == default_routes()


@pytest.mark.parametrize("descriptor", [[], "[]", {}, ()])
def test_an_empty_list_means_none(descriptor):
    assert routes_for(descriptor) == {}


@pytest.mark.parametrize(
    "descriptor",
    [
        ["hourglass", "WaterClockConnector"],
        (HourglassConnector, "water_clock"),
        {HourglassConnector, WaterClockConnector},
        '["HourglassConnector", "water_clock"]',
    ],
)
def test_a_list_mounts_each_at_its_default_name(descriptor):
    assert routes_for(descriptor) == {"hourglass": HourglassConnector, "water_clock": WaterClockConnector}


@pytest.mark.parametrize("as_json", [False, True])
def test_a_mapping_gives_names_and_a_class_can_have_several(as_json):
    names = {"one": "hourglass", "two": "HourglassConnector", "hourglass": "hourglass"}
    routes = routes_for(json.dumps(names) if as_json else names)
    assert routes == dict.fromkeys(names, HourglassConnector)


@pytest.mark.parametrize(
    ("descriptor", "message"),
    [
        ({"hourglass": "water_clock"}, 'Name "hourglass" is reserved by `HourglassConnector`'),
        ({"connectors": "hourglass"}, 'Name "connectors" is reserved'),
        ({"optimization": "hourglass"}, 'Name "optimization" is reserved'),
        ({"optimizer": "hourglass"}, 'Name "optimizer" is reserved'),
        ({"a b": "hourglass"}, '"a b" is not a valid connector name: '),
        ({"ab": "hourglass"}, "3 to 128 characters"),
        ({5: "hourglass"}, '"5" is not a valid connector name: '),
        ({"alias": 5}, "Invalid connectors value: 5"),
        ([["hourglass"]], "Invalid connectors value: "),
        (5, "Invalid connectors value: 5"),
        ("hourglass", "Invalid connectors value: 'hourglass' is no JSON"),
        ('"hourglass"', "is a single string"),
        ("[" * 100_000, "Invalid connectors value"),
    ],
)
def test_what_makes_no_routes_is_refused(descriptor, message):
    with pytest.raises(ValueError, match=r".") as caught:
        routes_for(descriptor)
    assert message in str(caught.value)


def test_two_classes_of_one_name_need_a_mapping():
    class CisternConnector(BaseConnector):
        config: BaseConfiguration

        __default_name__ = "water_clock"

    try:
        with pytest.raises(ValueError, match='Name "water_clock" is reserved by `WaterClockConnector`'):
            routes_for([WaterClockConnector, CisternConnector])
    finally:
        CisternConnector.__default_name__ = "cistern"  # the class may outlive this test


def test_a_module_that_is_not_found_is_explained(tmp_path, monkeypatch):
    """A program does not import from where it happens to be started; the error says how to have it do so."""
    (tmp_path / "module_beside.py").write_text("raise RuntimeError('imported')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [entry for entry in sys.path if entry])
    with pytest.raises(ValueError, match=r'there is no module "module_beside".*`PYTHONPATH=\. servo \.\.\.`'):
        routes_for(["module_beside.Class"])


def test_a_class_that_a_module_lacks_is_explained():
    with pytest.raises(ValueError, match=r'the module "servo\.connector" has no "NoSuchClass"'):
        routes_for(["servo.connector.NoSuchClass"])
