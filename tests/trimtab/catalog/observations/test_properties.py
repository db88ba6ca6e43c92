"""Whatever documents there are: their order and repetition change no answer, and each answer is what counting by hand gives."""

from collections import Counter
from dataclasses import asdict
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trimtab.catalog import observation_schema as tables
from trimtab.catalog.observations import (
    ImagesWanted,
    candidate_rules,
    drift,
    failure_rates,
    first_bad_version,
    forget,
    images_holding,
    known_good_neighbours,
    most_frequent_breakers,
    observed,
    only_in_failures,
    record_analysis,
    record_build,
    rules_document,
)

pytestmark = pytest.mark.timeout(600)  # many questions to a real database, on a busy machine

NAMES, VERSIONS = ("alpha", "Beta", "gamma_lib"), ("1.0", "1.9", "1.10", "2.0rc1")
BASES = (
    "registry.example/python:3.11",
    "registry.example/python:3.12",
    "registry.example/other@sha256:" + "0" * 64,
)
CLASSES = (
    ("compile-error", "stack"),
    ("missing-native", "stack"),
    ("no-such-version", "index"),
    ("connection", "network"),
)
NORMAL = {"alpha": "alpha", "Beta": "beta", "gamma_lib": "gamma-lib"}

packages = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VERSIONS), max_size=3)


@st.composite
def logs(draw: st.DrawFn, number: int) -> dict[str, Any]:
    """The analysis of a log."""
    locked, tried = draw(packages), draw(packages)
    outcome = draw(st.sampled_from(["successful", "failed", "failed", "unknown"]))
    entries = [
        {
            "package_name": name,
            "package_version": version,
            "is_successful": draw(st.sampled_from([True, False, None])),
        }
        for name, version in tried.items()
    ]
    result: dict[str, Any] = {
        "info": {"s2i_builder_image": draw(st.sampled_from([None, {"image": BASES[0], "sha256": None}]))},
        "pipfile_lock": {"default": {name: {"version": f"=={version}"} for name, version in locked.items()}},
        "installation": entries,
        "outcome": outcome,
        "errors": [],
        "build_breaker": None,
    }
    if outcome == "failed" and draw(st.booleans()):
        failure_class, kind = draw(st.sampled_from(CLASSES))
        error = {
            "class": failure_class,
            "kind": kind,
            "package": draw(st.sampled_from([None, *NAMES])),
            "version": draw(st.sampled_from([None, *VERSIONS])),
            "message": "it failed",
            "line": 1,
            "recovered": False,
        }
        result |= {"errors": [error], "build_breaker": error}
    return {"metadata": {"document_id": f"buildlog-parser-{number}", "timestamp": number}, "result": result}


@st.composite
def images(draw: st.DrawFn, number: int) -> dict[str, Any]:
    """The analysis of an image."""
    digest = draw(st.sampled_from(["a", "b", "c"])) * 64
    found = draw(packages)
    return {
        "metadata": {
            "document_id": f"package-extract-{number}",
            "timestamp": draw(st.integers(1, 3)),
            "arguments": {"extract-image": {"image": draw(st.sampled_from(BASES))}},
        },
        "result": {
            "layers": ["0" * 64],
            "operating-system": {"id": draw(st.sampled_from(["debian", "rhel"])), "version_id": "9"},
            "python-packages": [
                {"package_name": name, "package_version": version} for name, version in found.items()
            ],
            "system-symbols": {
                "/lib/libz.so.1": draw(st.lists(st.sampled_from(["Z_1", "Z_2"]), unique=True))
            },
            "skopeo-inspect": {"Digest": f"sha256:{digest}"},
        },
    }


@st.composite
def builds(draw: st.DrawFn, number: int) -> dict[str, Any]:
    """A build's own document, whose analyses may be there, or not."""

    def image() -> Any:
        reference = draw(st.sampled_from([None, *BASES]))
        analysis = f"package-extract-{draw(st.integers(0, 3))}"
        return reference and {"reference": reference, "digest": None, "analysis_id": analysis}

    log = draw(st.sampled_from([None, *range(5)]))
    told: dict[str, Any] = {
        "phase": draw(
            st.sampled_from(["complete", "failed", "failed", "cancelled", "timed_out", "error", None])
        )
    }
    if draw(st.booleans()):
        told["identity"] = draw(st.sampled_from(["one", "two"]))
    return {
        "analysis_id": f"build-analysis-{number}",
        "created_at": number,
        "base_image": image(),
        "output_image": image(),
        "build_log": None if log is None else {"document_id": f"log-{log}", "analysis_id": f"buildlog-parser-{log}"},
        "missing": [],
        "build": told,
    }  # fmt: skip


@st.composite
def documents(draw: st.DrawFn) -> list[dict[str, Any]]:
    found = [draw(logs(number)) for number in range(draw(st.integers(0, 5)))]
    found += [draw(images(number)) for number in range(draw(st.integers(0, 4)))]
    return found + [draw(builds(number)) for number in range(draw(st.integers(0, 5)))]


def is_build(document: dict[str, Any]) -> bool:
    return "analysis_id" in document


def id_of(document: dict[str, Any]) -> str:
    return document["analysis_id"] if is_build(document) else document["metadata"]["document_id"]


def write(connection: sa.Connection, found: list[dict[str, Any]]) -> None:
    for each in found:
        (record_build if is_build(each) else record_analysis)(connection, each)


def clear(connection: sa.Connection) -> None:
    """As before anything was recorded."""
    names = [
        *(
            "observations",
            "failures",
            "builds",
            "build_documents",
            "log_analyses",
            "image_analyses",
            "sources",
        ),
        *("tallies", "breakers", "base_tallies", "set_facts", "fact_sets", "library_symbols", "symbols"),
        *("facts", "images", "image_references"),
    ]
    for name in names:
        connection.execute(sa.delete(getattr(tables, name)))


def answers(connection: sa.Connection) -> dict[str, Any]:
    """What is answered to every question."""
    found: dict[str, Any] = {}
    for base in (None, BASES[0]):
        found[f"only {base}"] = asdict(only_in_failures(connection, base=base, limit=100))
        for by in ("package", "version", "class"):
            found[f"breakers {by} {base}"] = asdict(
                most_frequent_breakers(connection, by=by, base=base, limit=100)
            )
        for name in NAMES:
            found[f"first bad {name} {base}"] = asdict(first_bad_version(connection, name, base=base))
        near = known_good_neighbours(connection, {"alpha": "1.0", "beta": "1.9"}, base=base)
        found[f"neighbours {base}"] = asdict(near)
    for any_base in (False, True):
        rules = candidate_rules(connection, any_base=any_base, least=1, unsure=True)
        found[f"rules {any_base}"] = rules_document(rules.items)
    for by in ("reference", "repository"):
        found[f"rates {by}"] = asdict(failure_rates(connection, by=by, limit=100))
    for package in ("alpha", "beta>=1.9,<2", "gamma-lib>1.0"):
        found[f"images {package}"] = asdict(
            images_holding(connection, ImagesWanted(package=package), limit=100)
        )
    wanted = (
        ImagesWanted(symbol="Z_2"),
        ImagesWanted(library="libz.so.1", os_name="rhel"),
        ImagesWanted(base=BASES[0]),
    )
    found["images"] = [asdict(images_holding(connection, each, limit=100)) for each in wanted]
    identities = [each.identity for each in images_holding(connection, ImagesWanted(), limit=2).items]
    found["drift"] = [asdict(drift(connection, one, other)) for one in identities for other in identities]
    found["observations"] = [asdict(each) for each in observed(connection, relations=[*LISTED])]
    return found


LISTED = (
    "contains",
    "requires",
    "installed",
    "attempted",
    "failed",
    "runs",
    "called",
    "provides",
    "ended",
    "derived-from",
)
FEW = settings(
    max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@FEW
@given(documents(), st.randoms(use_true_random=False))
def test_order_and_repetition_change_no_answer(any_database, found, random):
    with any_database.write() as connection:
        clear(connection)
        write(connection, found)
        first = answers(connection)
        clear(connection)
        again = [*found, *random.sample(found, len(found) // 2)]
        random.shuffle(again)
        write(connection, again)
        assert answers(connection) == first


@FEW
@given(documents(), st.randoms(use_true_random=False))
def test_what_is_forgotten_is_as_if_it_had_never_been(any_database, found, random):
    gone = random.sample(found, len(found) // 2)
    with any_database.write() as connection:
        clear(connection)
        write(connection, [each for each in found if each not in gone])
        without = answers(connection)
        clear(connection)
        write(connection, found)
        for each in gone:
            assert forget(connection, id_of(each))
            assert not forget(connection, id_of(each))
        assert answers(connection) == without


@FEW
@given(documents(), st.data())
def test_a_document_that_changed_counts_as_it_is_now(any_database, found, data):
    """Documents are not to change; but a rebuild has to believe what it reads."""
    changed = [data.draw(logs(int(id_of(each)[-1]))) if "parser" in id_of(each) else each for each in found]
    with any_database.write() as connection:
        clear(connection)
        write(connection, changed)
        now = answers(connection)
        clear(connection)
        write(connection, [*found, *changed])
        assert answers(connection) == now


# By hand: the same questions, answered from the documents alone.


class ByHand:
    """What the documents say, without tables."""

    def __init__(self, found: list[dict[str, Any]]) -> None:
        self.logs = {id_of(each): each for each in found if "parser" in id_of(each)}
        self.images = {id_of(each): each for each in found if "extract" in id_of(each)}
        self.builds = list(self._builds([each for each in found if is_build(each)]))

    def _builds(self, told: list[dict[str, Any]]) -> Any:
        chosen: dict[Any, dict[str, Any]] = {}
        for each in sorted(told, key=lambda one: (-self._parts(one), id_of(one))):
            chosen.setdefault(self._key(each), each)
        for each in chosen.values():
            log = self.logs.get((each["build_log"] or {}).get("analysis_id"))
            output = self.images.get((each["output_image"] or {}).get("analysis_id"))
            yield self._build(each, log, output)
        claimed = {(each["build_log"] or {}).get("analysis_id") for each in told}
        for name, log in self.logs.items():
            if name not in claimed:
                yield self._build(None, log, None)

    def _parts(self, told: dict[str, Any]) -> int:
        parts = (told["build"]["phase"], told["base_image"], told["output_image"], told["build_log"])
        return sum(map(bool, parts))

    def _key(self, told: dict[str, Any]) -> Any:
        if "identity" in told["build"]:
            return "identity", told["build"]["identity"]
        return (
            ("log", told["build_log"]["document_id"]) if told["build_log"] else ("own", told["analysis_id"])
        )

    def _build(self, told: Any, log: Any, output: Any) -> dict[str, Any]:
        result = log["result"] if log else {}
        breaker = result.get("build_breaker") or {}
        phase = told["build"]["phase"] if told else None
        ending = {
            "complete": "successful",
            "failed": "failed",
            "cancelled": "cancelled",
            "timed_out": "failed",
            "error": "failed",
        }
        outcome = ending.get(phase) or result.get("outcome", "unknown")
        if phase is None and outcome == "unknown" and output:
            outcome = "successful"
        kind = {"timed_out": "resource", "error": breaker.get("kind", "infrastructure")}.get(
            phase, breaker.get("kind", "")
        )
        base = (told or {}).get("base_image") or {}
        builder = (result.get("info") or {}).get("s2i_builder_image") or {}
        return {
            "base": base.get("reference") or builder.get("image"),
            "outcome": outcome,
            "kind": kind if outcome == "failed" else "",
            "packages": self._packages(result, outcome, output),
            "installed": self._installed(result),
            "breaker": self._named(result, breaker) if outcome == "failed" else None,
        }  # fmt: skip

    def _locked(self, result: dict[str, Any]) -> set[tuple[str, str]]:
        default = (result.get("pipfile_lock") or {}).get("default", {})
        return {(NORMAL[name], each["version"].lstrip("=")) for name, each in default.items()}

    def _tried(self, result: dict[str, Any]) -> set[tuple[str, str]]:
        return {
            (NORMAL[each["package_name"]], each["package_version"]) for each in result.get("installation", ())
        }

    def _installed(self, result: dict[str, Any]) -> set[tuple[str, str]]:
        entries = [each for each in result.get("installation", ()) if each["is_successful"]]
        return {(NORMAL[each["package_name"]], each["package_version"]) for each in entries}

    def _packages(self, result: dict[str, Any], outcome: str, output: Any) -> set[tuple[str, str]]:
        if outcome == "failed":
            return self._locked(result) | self._tried(result)
        found = output["result"]["python-packages"] if output else ()
        in_image = {(NORMAL[each["package_name"]], each["package_version"]) for each in found}
        return self._locked(result) | self._installed(result) | in_image

    def _named(self, result: dict[str, Any], breaker: dict[str, Any]) -> tuple[str, str] | None:
        if not breaker.get("package"):
            return None
        name = NORMAL[breaker["package"]]
        known = {version for each, version in self._locked(result) | self._tried(result) if each == name}
        return name, breaker["version"] or (known.pop() if len(known) == 1 else "")

    def counts(self, base: str | None) -> dict[tuple[str, str], Counter[str]]:
        """Of each package version: builds that succeeded, failed, broke at it, and held it."""
        found: dict[tuple[str, str], Counter[str]] = {}
        for each in self.builds:
            if base is not None and each["base"] != base:
                continue
            if each["outcome"] == "successful":
                for package in each["packages"]:
                    found.setdefault(package, Counter())["succeeded"] += 1
            elif each["outcome"] == "failed" and each["kind"] == "stack":
                for package in each["packages"] | ({each["breaker"]} - {None}):
                    count = found.setdefault(package, Counter())
                    count["failed"] += 1
                    count["broke"] += package == each["breaker"]
                    count["held"] += package in each["installed"] and package != each["breaker"]
        return found


@FEW
@given(documents())
def test_packages_are_counted_as_by_hand(any_database, found):
    by_hand = ByHand(found)
    with any_database.write() as connection:
        clear(connection)
        write(connection, found)
        for base in (None, *BASES):
            counts = by_hand.counts(base)
            told = only_in_failures(connection, base=base, limit=100)
            assert {(each.name, each.version): (each.failures.n, each.broke) for each in told.items} == {
                package: (each["failed"], each["broke"])
                for package, each in counts.items()
                if each["failed"] and not each["succeeded"] and package[1]
            }
            assert told.total == len(told.items)
            for name in NORMAL.values():
                assert tried(connection, name, base) == {
                    version: (each["succeeded"] + each["held"], each["broke"])
                    for (other, version), each in counts.items()
                    if other == name and version and each["succeeded"] + each["held"] + each["broke"]
                }


def tried(connection: sa.Connection, name: str, base: str | None) -> dict[str, tuple[int, int]]:
    told = first_bad_version(connection, name, base=base)
    assert [each.version for each in told.tried] == [
        each for each in ("1.0", "1.9", "1.10", "2.0rc1") if each in {one.version for one in told.tried}
    ]
    return {each.version: (each.held, each.broke) for each in told.tried}


@FEW
@given(documents())
def test_bases_and_breakers_are_counted_as_by_hand(any_database, found):
    by_hand = ByHand(found)
    with any_database.write() as connection:
        clear(connection)
        write(connection, found)
        rates = {each.base: each.failures for each in failure_rates(connection, limit=100).items}
        for base in BASES:
            here = [each["outcome"] for each in by_hand.builds if each["base"] == base]
            told = (here.count("failed"), here.count("failed") + here.count("successful"))
            assert ((rates[base].n, rates[base].m) if base in rates else (0, 0)) == told
            assert (base in rates) == bool(here)
        explained = [each for each in by_hand.builds if each["kind"]]
        breakers = most_frequent_breakers(connection, by="version", limit=100)
        assert {(each.name, each.version): each.failures.n for each in breakers.items} == Counter(
            each["breaker"] for each in explained if each["breaker"]
        )
        assert all(each.failures.m == len(explained) for each in breakers.items)


@FEW
@given(documents())
def test_images_are_found_as_by_hand(any_database, found):
    newest: dict[str, tuple[Any, ...]] = {}
    for each in ByHand(found).images.values():
        digest = each["result"]["skopeo-inspect"]["Digest"]
        told = (each["metadata"]["timestamp"], id_of(each), each["result"])
        newest[digest] = max(newest.get(digest, told), told, key=lambda one: one[:2])
    with any_database.write() as connection:
        clear(connection)
        write(connection, found)
        for specifier, takes in (
            ("", VERSIONS),
            (">=1.9,<2", ("1.9", "1.10")),
            ("==1.10", ("1.10",)),
        ):
            page = images_holding(connection, ImagesWanted(package=f"beta{specifier}"), limit=100)
            held = {each.identity: each.versions for each in page.items}
            assert held == {
                digest: (each["package_version"],)
                for digest, (_, _, result) in newest.items()
                for each in result["python-packages"]
                if each["package_name"] == "Beta" and each["package_version"] in takes
            }
            assert page.total == len(held)
        page = images_holding(connection, ImagesWanted(symbol="Z_2", os_name="rhel"), limit=100)
        assert {each.identity for each in page.items} == {
            digest
            for digest, (_, _, result) in newest.items()
            if result["operating-system"]["id"] == "rhel"
            and "Z_2" in result["system-symbols"]["/lib/libz.so.1"]
        }


def test_pages_are_parts_of_the_whole(any_database):
    with any_database.write() as connection:
        for number in range(7):
            image: dict[str, Any] = {
                "metadata": {"document_id": f"package-extract-{number}", "timestamp": number % 3},
                "result": {"skopeo-inspect": {"Digest": f"sha256:{number:064x}"}},
            }
            record_analysis(connection, image)
        whole = images_holding(connection, ImagesWanted(), limit=100)
        parts = [images_holding(connection, ImagesWanted(), offset=start, limit=3) for start in (0, 3, 6, 9)]
        assert [each for part in parts for each in part.items] == list(whole.items)
        assert {part.total for part in parts} == {7}


@pytest.mark.parametrize("times", [1, 2])
def test_what_is_recorded_again_by_force_is_the_same(any_database, times):
    log = {
        "metadata": {"document_id": "buildlog-parser-1"},
        "result": {"outcome": "successful", "installation": []},
    }
    with any_database.write() as connection:
        for _ in range(times):
            record_analysis(connection, log, again=True)
        assert connection.execute(sa.select(tables.base_tallies.c.succeeded)).scalars().all() == [1]
