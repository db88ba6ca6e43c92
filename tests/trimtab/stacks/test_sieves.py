"""What is not tried, and why."""

import json
import zipfile

import pytest
from packaging.version import Version

from trimtab.stacks import (
    Candidates,
    IndexUnavailableError,
    LicenceSieve,
    PlanError,
    Random,
    Release,
    RequirementsError,
    RulesSieve,
    Stack,
    Target,
    UnsatisfiableError,
    VulnerableSieve,
    read_osv,
    read_rules,
)
from trimtab.stacks.release import File
from trimtab.stacks.sieves.licence import licence_of
from trimtab.stacks.sieves.licence_expression import Answer, evaluate

pytestmark = pytest.mark.timeout(
    300
)  # each asks the resolver many times, on a machine that does other things

LINUX = Target("3.12", "x86_64-manylinux_2_28")
HASH = "--hash=sha256:" + "0" * 64


def stack(**pins):
    return Stack("".join(f"{name}=={version} {HASH}\n" for name, version in pins.items()))


def release(name, version, *files):
    return Release(name, Version(version), files)


async def reasons(opened, text, url, **options):
    async with opened(text, url=url, **options) as search:
        return {
            (next(iter(each.packages.items()))): each.reason for each in search.space.exclusions
        }, search.space


async def test_releases_that_cannot_be_installed_are_kept_out_with_the_reason(own, opened):
    own.index.wheel("web", "1.0")
    own.index.wheel("web", "1.1", tag="cp312-cp312-win_amd64")
    own.index.wheel("web", "1.2", python="<3.12")
    own.index.wheel("web", "1.3", yanked="it eats data \x1b[31m")
    own.index.sdist("web", "1.4", "raise SystemExit('never')")
    found, space = await reasons(opened, "web\n", own.url, target=LINUX)
    assert found[("web", "1.1")] == "it has no wheel for Python 3.12.0 on x86_64-manylinux_2_28"
    assert found[("web", "1.2")] == "it is for Python <3.12, not 3.12.0"
    assert found[("web", "1.3")] == "it was yanked: it eats data \N{REPLACEMENT CHARACTER}[31m"
    assert "build runs foreign code" in found[("web", "1.4")]
    assert [each.versions for each in space] == [("1.0",)]


async def test_an_upper_bound_of_python_is_heeded_though_uv_does_not(own, opened):
    """By itself the resolver takes `core` 2, and pip would refuse it."""
    own.index.wheel("web", "1.0", ["core"])
    own.index.wheel("core", "1.0")
    own.index.wheel("core", "2.0", python=">=3.8,<3.12")
    async with opened("web\n", url=own.url, target=LINUX) as search:
        assert dict(search.found.first.pins) == {"web": "1.0", "core": "1.0"}
        candidate = await Candidates(search.oracle, Random(search.space, 0), search.sieves).ask()
        assert candidate.stack.pins["core"] == "1.0"


async def test_a_malicious_build_script_never_runs(own, opened, tmp_path):
    """Neither for its metadata nor for a candidate: a package that only a build can describe is as if it was not there."""
    trap = tmp_path / "ran"
    own.index.sdist("evil", "1.0", f"open({str(trap)!r}, 'w').close()\nraise SystemExit(1)\n")
    own.index.wheel("web", "1.0")
    own.index.wheel("web", "1.1", ["evil"])
    async with opened("web\n", url=own.url) as search:
        source = Candidates(search.oracle, Random(search.space, 0), search.sieves)
        assert [each.stack.pins async for each in source] == [{"web": "1.0"}]
    with pytest.raises(UnsatisfiableError, match=r"never built here.*build its wheel in a container"):
        async with opened("evil\n", url=own.url):
            pass
    assert not trap.exists()


OSV = {
    "id": "PYSEC-1",
    "summary": "Eats\n data",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "Core"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.3"}]}],
            "versions": ["2.4"],
        },
        {"package": {"ecosystem": "npm", "name": "web"}, "versions": ["1.0"]},
    ],
}


@pytest.mark.parametrize("form", ["one", "list", "lines", "zip"])
async def test_vulnerable_releases_are_kept_out_of_what_is_not_varied_too(form, opened, tmp_path):
    path = tmp_path / ("osv.zip" if form == "zip" else "osv.json")
    other = {**OSV, "id": "PYSEC-2", "withdrawn": "2024-01-01T00:00:00Z"}
    if form == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("PYSEC-1.json", json.dumps(OSV))
            archive.writestr("PYSEC-2.json", json.dumps(other))
    else:
        texts = {"one": json.dumps(OSV), "list": json.dumps([OSV, other])}
        path.write_text(texts.get(form, f"{json.dumps(OSV)}\n{json.dumps(other)}\n"))
    async with opened("web>=1.5\n", sieves=[VulnerableSieve(read_osv(path))]) as search:
        assert search.found.first.pins["core"] == "2.3"
        found = [each.stack.pins["core"] async for each in Candidates(search.oracle, Random(search.space, 0))]
    assert found == ["2.3"] * 5
    said = {each.reason for each in search.space.exclusions if each.sieve == "vulnerable"}
    assert said == {"it has PYSEC-1: Eats data"}


@pytest.mark.parametrize(
    ("events", "affected", "spared"),
    [
        ([{"introduced": "0"}], ["0.1", "9"], []),
        ([{"introduced": "1"}, {"fixed": "2"}], ["1", "1.9"], ["0.9", "2"]),
        ([{"introduced": "1"}, {"last_affected": "2"}], ["1", "2"], ["0.9", "2.0.1"]),
        (
            [{"introduced": "1"}, {"fixed": "2"}, {"introduced": "3"}, {"fixed": "4"}],
            ["1", "3"],
            ["2.5", "4"],
        ),
    ],
)
def test_ranges_of_vulnerabilities(events, affected, spared, tmp_path):
    path = tmp_path / "osv.json"
    entry = {
        "id": "X", "affected": [{
            "package": {"ecosystem": "PyPI", "name": "web"},
            "ranges": [{"type": "ECOSYSTEM", "events": events}, {"type": "GIT", "events": [{"introduced": "0"}]}],
        }],
    }  # fmt: skip
    path.write_text(json.dumps(entry))
    sieve = VulnerableSieve(read_osv(path))
    assert [each for each in (*affected, *spared) if sieve.release(release("web", each))] == affected
    assert not VulnerableSieve(read_osv(path), frozenset({"X"})).release(release("web", affected[0]))


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "no entry"), (b"[]", "no entry"), (b"{}", "entry 1 has no id"), (b"{\n", "line 1 is no JSON")],
)
def test_what_is_no_osv_data_is_refused(content, message, tmp_path):
    path = tmp_path / "osv.json"
    path.write_bytes(content)
    with pytest.raises(RequirementsError, match=message):
        read_osv(path)
    broken = tmp_path / "osv.zip"
    broken.write_bytes(content)
    with pytest.raises(RequirementsError, match="no archive of OSV entries"):
        read_osv(broken)


RULES = """\
rules:
  - packages: {web: "==1.9"}
    reason: does not import
  - id: pair
    packages: {Web: ">=1.7", db: "<0.3"}
    reason: writes nothing
  - packages: {api: "*"}
    when: sys_platform == 'win32'
    reason: not on Windows
"""


async def test_rules_keep_out_releases_and_pairs(opened, tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    sieve = RulesSieve(read_rules(path), Target())
    async with opened("web>=1.5\ndb<0.4\napi>=1.8\n", sieves=[sieve]) as search:
        source = Candidates(search.oracle, Random(search.space, 0), search.sieves)
        found = [(each.stack.pins["web"], each.stack.pins["db"]) async for each in source]
    expected = {(f"1.{web}", f"0.{db}") for web in range(5, 9) for db in range(4) if web < 7 or db >= 3}
    assert set(found) == expected
    assert {each.reason for each in search.space.exclusions if each.sieve == "rule"} == {
        "does not import [rule 1]"
    }
    pairs = [each for each in source.tally.exclusions.values() if len(each.packages) == 2]
    assert pairs
    assert {each.reason for each in pairs} == {"writes nothing [pair]"}


def observed(**changes):
    """A rule as `trimtab ask rules` writes it."""
    entry = {
        "id": "rule-0123456789abcdef", "base": "registry.example/python:3.12",
        "package": {"type": "pypi", "name": "Web"}, "versions": ">=1.7,<1.9", "versions_seen": ["1.7", "1.8"],
        "failure": {"class": "missing-header", "classes": {"missing-header": 5}},
        "inside": {"failed": 5, "builds": 6, "low": 0.4, "high": 0.97}, "verdict": "fails", "sources": ["build-1"],
    }  # fmt: skip
    return entry | changes


def test_rules_of_observations_hold_on_their_base_image_and_tell_the_counts(tmp_path):
    path = tmp_path / "rules.json"
    unsure, system = (
        observed(verdict="not enough builds to say"),
        observed(package={"type": "rpm", "name": "web"}),
    )
    path.write_text(
        json.dumps({"schema": "trimtab/candidate-rules/1", "rules": [observed(), unsure, system]})
    )
    rules = read_rules(path)
    assert len(rules) == 1
    here = RulesSieve(rules, Target(), "registry.example/python:3.12")
    assert here.release(release("web", "1.8")) == (
        "it broke 5 of 6 builds on registry.example/python:3.12: missing-header [rule-0123456789abcdef]"
    )
    assert here.release(release("web", "1.9")) is None
    assert RulesSieve(rules, Target()).release(release("web", "1.8")) is None
    path.write_text(json.dumps({"rules": [observed(base=None)]}))
    assert RulesSieve(read_rules(path), Target()).release(release("web", "1.8"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rules: [", "is no YAML"),
        ("[]", "no list 'rules'"),
        ("rules: [1]", "rule 1 is no table"),
        ("rules: [{}]", "rule 1 has no 'packages'"),
        ("rules: [{packages: {a: '1'}, reason: x}]", "'1' is no specifier"),
        ("rules: [{packages: {a: '<1'}}]", "rule 1 has no 'reason'"),
        ("rules: [{packages: {a: '<1'}, reason: x, whn: y}]", "unknown key 'whn'"),
        ("rules: [{packages: {a: '<1'}, reason: x, when: y}]", "'y' is no marker"),
        ("rules: !!python/object/apply:os.system [true]", "is no YAML"),
    ],
)
def test_what_is_no_rule_is_refused(text, message, tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(text)
    with pytest.raises(RequirementsError, match=message):
        read_rules(path)


@pytest.mark.parametrize("metadata", [True, False])
async def test_licences_are_read_from_metadata_or_from_the_wheel(own, opened, metadata):
    own.index.wheel("web", "1.0", ["core"], licence="MIT", metadata=metadata)
    own.index.wheel("core", "1.0", licence="MIT OR GPL-3.0-only", metadata=metadata)
    own.index.wheel("core", "1.1", licence="GPL-3.0-only", metadata=metadata)
    own.index.wheel("core", "1.2", metadata=metadata)

    def policy(**options):
        return lambda target, releases: LicenceSieve(target, releases, **options)

    async def core(**options):
        async with opened("web\n", url=own.url, sieves=[policy(**options)]) as search:
            candidate = await Candidates(search.oracle, Random(search.space, 0), search.sieves).ask()
            return candidate and candidate.stack.pins["core"]

    assert await core(deny=frozenset({"GPL-*"})) == "1.2"
    assert await core(deny=frozenset({"GPL-*"}), unknown=False) == "1.0"
    assert await core(allow=frozenset({"MIT", "GPL-3.0-only"}), unknown=False) == "1.1"
    assert await core(allow=frozenset({"Apache-2.0"})) is None


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        ("MIT", Answer.ALLOWED),
        ("GPL-3.0-only", Answer.DENIED),
        ("Other", Answer.UNKNOWN),
        ("MIT OR GPL-3.0-only", Answer.ALLOWED),
        ("MIT AND GPL-3.0-only", Answer.DENIED),
        ("MIT AND (GPL-3.0-only OR MIT)", Answer.ALLOWED),
        ("MIT AND Other", Answer.UNKNOWN),
        ("MIT WITH Some-exception", Answer.ALLOWED),
        ("MIT AND", Answer.UNKNOWN),
        ("(MIT", Answer.UNKNOWN),
        ("MIT MIT", Answer.UNKNOWN),
        ("(" * 5000, Answer.UNKNOWN),
    ],
)
def test_expressions(expression, answer):
    known = {"mit": Answer.ALLOWED, "gpl-3.0-only": Answer.DENIED}
    assert evaluate(expression, lambda each: known.get(each, Answer.UNKNOWN)) is answer


@pytest.mark.parametrize(
    ("headers", "licence"),
    [
        ("License-Expression: MIT\nLicense: other\n", "MIT"),
        ("License: BSD-3-Clause\n", "BSD-3-Clause"),
        ("License: a long text of a licence\n", None),
        ("Classifier: License :: OSI Approved :: MIT License\n", "MIT"),
        ("Classifier: License :: OSI Approved :: BSD License\n", None),
        ("", None),
    ],
)
def test_where_a_licence_is_read(headers, licence):
    assert licence_of(f"Name: web\n{headers}") == licence


async def test_a_sieve_that_leaves_nothing_says_so(opened, tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(
        "rules: [{packages: {db: '*'}, reason: never}, {packages: {core: '<3'}, reason: nor this}]"
    )
    sieve = RulesSieve(read_rules(path), Target())
    with pytest.raises(PlanError, match="the sieves leave none of its 8 versions"):
        async with opened("db\n", sieves=[sieve]):
            pass
    with pytest.raises(
        UnsatisfiableError, match=r"The sieves exclude:\n  core 2\.4: nor this \[rule 2\] \(rule\)"
    ):
        async with opened("web\n", sieves=[sieve]):
            pass


def test_a_release_of_which_only_one_file_was_withdrawn_is_not_yanked():
    from trimtab.stacks import YankedSieve

    good, bad = File("web-1-py3-none-any.whl", "u"), File("web-1.tar.gz", "u", yanked="")
    assert YankedSieve(None).release(release("web", "1", good, bad)) is None
    assert YankedSieve(None).release(release("web", "1", bad)) == "it was yanked"


async def test_a_private_index_that_is_down_is_named_without_its_password(opened, own):
    own.close()
    url = own.url.replace("//", "//user:secret@")
    with pytest.raises(IndexUnavailableError, match="does not answer") as error:
        async with opened("web\n", url=url):
            pass
    assert "secret" not in str(error.value)
