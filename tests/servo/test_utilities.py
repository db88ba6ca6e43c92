import gc
import hashlib
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, ValidationError

from servo import utilities
from servo.utilities import (
    PreservedScalarString,
    check_status_to_str,
    commandify,
    dump_container,
    extra,
    get_hash,
    join_to_series,
    parse_csv,
    parse_id,
    parse_re,
    value_for_key_path,
    values_for_keys,
)
from servo.utilities import associations as associations_module
from servo.utilities.associations import Associative
from servo.utilities.associations import Mixin as AssociationsMixin


def imported_by(statement):
    """The modules that a fresh interpreter has imported after a statement."""
    program = f"{statement}; import sys; print(*sys.modules)"
    return set(
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        ).stdout.split()
    )


def test_errors_and_utilities_are_light():
    """A command line that prints help imports them; it shall not wait for Pydantic or asyncio."""
    heavy = {"pydantic", "asyncio", "loguru", "httpx2", "yaml", "decimal", "hashlib"}
    assert not heavy & imported_by("import servo.errors, servo.utilities")


def test_every_public_name_is_there():
    assert utilities.__all__ == sorted(utilities.__all__)
    assert {name for name in utilities.__all__ if not hasattr(utilities, name)} == set()
    assert set(utilities.__all__) <= set(dir(utilities))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="append_pydantic_validator"):
        utilities.append_pydantic_validator  # noqa: B018  looking it up is the test


@pytest.mark.parametrize(
    ("items", "options", "series"),
    [
        ([], {}, ""),
        (["a"], {}, "a"),
        (["a", "b"], {}, "a and b"),
        (["a", "b", "c"], {}, "a, b, and c"),
        (["a", "b", "c"], {"oxford_comma": False}, "a, b and c"),
        (("a", "b", "c", "d"), {"conjunction": "or"}, "a, b, c, or d"),
        (["a", "b"], {"conjunction": "or"}, "a or b"),
    ],
)
def test_join_to_series(items, options, series):
    assert join_to_series(items, **options) == series


@pytest.mark.parametrize(
    ("path", "command"), [("vegeta", "vegeta"), ("foo.bar.this_key", "this-key"), ("Some_Name", "some-name")]
)
def test_commandify(path, command):
    assert commandify(path) == command


class TestFilters:
    @pytest.mark.parametrize("value", [None, [], ["a"], ["a/"], ["/a"], ["/"], ["/a/", "b"], ["a", "b"]])
    def test_what_is_nothing_special_stays(self, value):
        assert parse_re(value) == parse_csv(value) == parse_id(value) == value

    @pytest.mark.parametrize("parse", [parse_re, parse_id])
    def test_between_slashes_is_a_regular_expression(self, parse):
        assert parse(["/a.c,d/"]) == re.compile("a.c,d")
        assert parse(["//"]) == re.compile("")

    @pytest.mark.parametrize("parse", [parse_re, parse_id])
    def test_an_irregular_expression_is_named(self, parse):
        with pytest.raises(ValueError, match=r"invalid regular expression /\(/: missing \)"):
            parse(["/(/"])

    @pytest.mark.parametrize("parse", [parse_csv, parse_id])
    def test_commas_separate(self, parse):
        assert parse(["a, b,c"]) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("success", "warning", "text"),
    [
        (True, False, "√ PASSED"),
        (True, True, "√ PASSED"),
        (False, True, "! WARNING"),
        (False, False, "X FAILED"),
    ],
)
def test_check_status(success, warning, text):
    assert check_status_to_str(SimpleNamespace(success=success, warning=warning)) == text


class TestKeyPaths:
    obj = SimpleNamespace(a={"b": SimpleNamespace(c=1), "none": None}, none=None)

    def test_values_for_keys(self):
        assert values_for_keys({"a": 1, "b": 2}, ["b", "x", "a"]) == [2, None, 1]

    @pytest.mark.parametrize(("path", "value"), [("none", None), ("a.none", None), ("a.b.c", 1)])
    def test_attributes_and_mappings(self, path, value):
        assert value_for_key_path(self.obj, path) == value
        assert value_for_key_path(self.obj, path, "default") == value

    @pytest.mark.parametrize("path", ["x", "a.x", "a.b.x", "a.b.c.x", "", "a."])
    def test_missing(self, path):
        with pytest.raises(ValueError, match="unknown key"):
            value_for_key_path(self.obj, path)
        assert value_for_key_path(self.obj, path, 5) == 5

    @pytest.mark.parametrize("path", ["x.y.z", "a.x.y", "a.none.x", "none.x"])
    def test_default_none_ends_the_path(self, path):
        """Reference 1.14: looking on from the default None, where an intermediate name is missing, broke."""
        assert value_for_key_path(self.obj, path, None) is None

    @pytest.mark.parametrize("depth", [1, 2, 3, 4, 100])
    def test_paths_of_any_depth_are_followed(self, depth):
        """Reference 6.4: ``key_paths`` went only a few names deep."""
        names = [f"name{level}" for level in range(depth)]
        value = "found"
        for level, name in reversed(list(enumerate(names))):
            value = {name: value} if level % 2 else SimpleNamespace(**{name: value})
        assert value_for_key_path(value, ".".join(names)) == "found"
        with pytest.raises(ValueError, match="unknown key 'more'"):
            value_for_key_path(value, ".".join([*names, "more"]))


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
TREES = st.recursive(
    SCALARS, lambda trees: st.lists(trees) | st.dictionaries(st.text(), trees), max_leaves=20
)


class TestHash:
    @given(TREES)
    def test_is_a_sha_256(self, tree):
        assert re.fullmatch("[0-9a-f]{64}", get_hash(tree))

    @given(st.dictionaries(st.text(max_size=3), TREES, max_size=3))
    def test_order_of_a_mapping_does_not_count(self, tree):
        assert get_hash(tree) == get_hash(dict(reversed(tree.items())))

    @given(TREES, TREES)
    def test_different_data_differ(self, one, other):
        assert (get_hash(one) == get_hash(other)) == (repr_sorted(one) == repr_sorted(other))

    @pytest.mark.parametrize(
        ("one", "other"), [("1", 1), ([1, 2], [12]), (["a,", "b"], ["a", ",b"]), ({"a": {}}, {"a": []})]
    )
    def test_look_alikes_differ(self, one, other):
        assert get_hash(one) != get_hash(other)

    def test_is_of_what_is_dumped(self):
        parts = []
        dump_container({"b": [1, None], "a": "x"}, parts.append)
        assert hashlib.sha256(b"".join(parts)).hexdigest() == get_hash({"a": "x", "b": [1, None]})

    def test_depth_is_bounded(self):
        tree = []
        for _ in range(200):
            tree = [tree]
        with pytest.raises(ValueError, match="deeper than 100"):
            get_hash(tree)


def repr_sorted(tree):
    if isinstance(tree, dict):
        return repr({key: repr_sorted(tree[key]) for key in sorted(tree)})
    return repr([repr_sorted(item) for item in tree]) if isinstance(tree, list) else repr(tree)


class TestAssociations:
    class Owner(AssociationsMixin):
        pass

    class Model(AssociationsMixin, BaseModel):
        name: str = "a"

    @pytest.fixture(params=[Owner, Model])
    def owner(self, request):
        return request.param()

    def test_set_and_get(self, owner):
        assert owner._associations == {}
        owner._set_association("foo", 123)
        assert owner._get_association("foo") == 123
        assert owner._associations == {"foo": 123}

    def test_missing(self, owner):
        with pytest.raises(KeyError):
            owner._get_association("foo")
        assert owner._get_association("foo", None) is None

    def test_are_of_one_object_only(self, owner):
        owner._set_association("foo", 123)
        assert type(owner)()._associations == {}

    def test_are_no_part_of_a_model(self):
        model = self.Model()
        model._set_association("foo", 123)
        assert model == self.Model()
        assert model.model_dump() == {"name": "a"}

    def test_go_with_their_owner(self):
        owner = self.Owner()
        key = id(owner)
        owner._set_association("foo", 123)
        assert key in associations_module._associations
        del owner
        gc.collect()
        assert key not in associations_module._associations

    def test_protocol(self, owner):
        assert isinstance(owner, Associative)
        assert not isinstance(object(), Associative)


@pytest.mark.parametrize("dump", [yaml.dump, yaml.safe_dump])
def test_preserved_text_is_a_literal_block(dump):
    text = "a: 1\nb: 2\n"
    dumped = dump({"servo.yaml": PreservedScalarString(text)})
    assert dumped == "servo.yaml: |\n  a: 1\n  b: 2\n"
    assert yaml.safe_load(dumped) == {"servo.yaml": text}


class TestExtra:
    class Strict(BaseModel):
        model_config = ConfigDict(extra="forbid", validate_assignment=True)
        known: int = 1

    def test_other_attributes_may_be_set_in_the_block_and_stay(self):
        model = self.Strict()
        with extra(model, "allow") as relaxed:
            assert relaxed is model
            model.added = "x"
        assert model.added == "x"
        assert model.model_dump() == {"known": 1}

    def test_before_and_after_they_may_not(self):
        model = self.Strict()
        with pytest.raises(ValidationError):
            model.added = "x"
        with extra(model):
            model.known = 2
        with pytest.raises(ValidationError):
            model.other = "x"
        with pytest.raises(ValidationError):
            model.known = "x"
        assert model.known == 2

    def test_an_error_in_the_block_ends_it_too(self):
        model = self.Strict()
        with pytest.raises(ZeroDivisionError), extra(model):
            model.added = 1 / 0
        with pytest.raises(ValidationError):
            model.added = "x"
