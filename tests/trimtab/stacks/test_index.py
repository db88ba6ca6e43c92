"""What an index answers, and what there is in it."""

import json

import pytest

from trimtab.engines.index import Index
from trimtab.stacks import IndexUnavailableError, Oracle, Releases, Target, count, read_project
from trimtab.stacks.simple_index import identity, read_page

pytestmark = pytest.mark.timeout(
    300
)  # each asks the resolver many times, on a machine that does other things

JSON = "application/vnd.pypi.simple.v1+json"
URL = "https://registry.example/simple/web/"


def test_both_forms_of_a_page_say_the_same():
    html = (
        b'<a href="../../f/web-1.0-py3-none-any.whl#sha256=0" data-requires-python="&gt;=3.8" data-yanked="bad" '
        b'data-core-metadata="sha256=0">web</a>'
    )
    entry = {
        "filename": "web-1.0-py3-none-any.whl", "url": "../../f/web-1.0-py3-none-any.whl#sha256=0",
        "requires-python": ">=3.8", "yanked": "bad", "core-metadata": {"sha256": "0"},
    }  # fmt: skip
    found = read_page(html, "text/html; charset=utf-8", URL)
    assert found == read_page(json.dumps({"files": [entry]}).encode(), JSON, URL)
    assert found[0].url == "https://registry.example/f/web-1.0-py3-none-any.whl#sha256=0"
    assert found[0].yanked == "bad"
    assert found[0].metadata


def test_the_base_of_a_page_and_what_is_no_file():
    page = (
        b'<base href="https://other.example/"><a href="web-1.0.tar.gz">x</a><a>y</a><a href="web.exe">z</a>'
    )
    assert [(each.name, each.url) for each in read_page(page, "text/html", URL)] == [
        ("web-1.0.tar.gz", "https://other.example/web-1.0.tar.gz"),
        ("web.exe", "https://other.example/web.exe"),
    ]


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"files": 1}', b"\xff"])
def test_what_is_no_page_is_refused(content):
    with pytest.raises(ValueError, match=r".+"):
        read_page(content, JSON, URL)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("My_Web-1.0-py3-none-any.whl", ("my-web", "1.0")),
        ("web-1.0-1-py3-none-any.whl", ("web", "1.0")),
        ("web-1.0.tar.gz", ("web", "1.0")),
        ("web-1.0-any.whl", None),
        ("web-one-py3-none-any.whl", None),
        ("web-1.0.exe", None),
    ],
)
def test_names_of_files(name, found):
    known = identity(name)
    assert known is None if found is None else (known[0], str(known[1])) == found


async def test_releases_are_those_of_all_indexes_newest_first_and_each_is_asked_once(own, tmp_path, local):
    own.index.wheel("web", "1.0")
    own.index.wheel("web", "1.10")
    other = local.LocalIndex(tmp_path / "other")
    other.wheel("web", "1.9")
    links = tmp_path / "links"
    links.mkdir()
    (links / "web-2.0-py3-none-any.whl").touch()
    (links / "other-2.0-py3-none-any.whl").touch()
    index = Index(own.url, (other.write(),), (str(links),))
    async with Releases(index) as releases:
        for _ in range(3):
            found = await releases.of("Web")
        assert [str(each.version) for each in found] == ["2.0", "1.10", "1.9", "1.0"]
        assert await releases.of("nothing") == ()
        assert (await releases.find("web", "1.10")).name == "web"
    assert own.index.asked.count("/simple/web/") == 1


@pytest.mark.parametrize(
    ("status", "message"), [(403, "answers 403; give its user"), (500, "answers 500; try again")]
)
async def test_an_index_that_refuses_is_an_error_and_no_empty_answer(own, status, message):
    own.status = status
    async with Releases(Index(own.url)) as releases:
        with pytest.raises(IndexUnavailableError, match=message):
            await releases.of("web")


async def test_an_index_that_answers_nonsense_is_named(own):
    own.answer = lambda *_: (200, JSON, b"{}")
    async with Releases(Index(own.url)) as releases:
        with pytest.raises(IndexUnavailableError, match="no page of a package index"):
            await releases.of("web")


async def test_secrets_of_an_index_are_in_no_argument(own, opened, monkeypatch):
    own.index.wheel("web", "1.0")
    seen = []

    async def spy(argv, **options):
        seen.append((list(argv), dict(options["environment"])))
        return await real(argv, **options)

    from trimtab.stacks import oracle

    real = oracle.ask
    monkeypatch.setattr(oracle, "ask", spy)
    async with opened("web\n", url=own.url.replace("//", "//user:secret@")):
        pass
    assert seen
    assert not any("secret" in part for argv, _ in seen for part in argv)
    assert not any("secret" in value for _, environment in seen for value in environment.values())


async def test_a_question_that_takes_too_long_is_ended(own, cache, requirements):
    from trimtab.stacks import ResolverError

    own.index.wheel("web", "1.0")
    project = read_project(requirements("web\n"))
    async with Oracle(project, Target(), cache, index=Index(own.url), seconds=0.0001) as oracle:
        with pytest.raises(ResolverError, match="took more than"):
            await oracle.first()


async def test_the_default_index_is_the_one_that_uv_names(cache, requirements):
    async with Oracle(read_project(requirements("web\n")), Target(), cache, index=Index()) as oracle:
        assert oracle.index.default.startswith("https://")


async def test_an_estimate_holds_the_truth_and_a_small_space_is_counted(opened):
    async with opened("web\napi\n") as search:
        assert search.space.size == 100
        estimate = await count(search.oracle, search.space, search.sieves, samples=16, seed=4)
        assert estimate.low <= 75 <= estimate.high
        assert not estimate.exact
    async with opened("web<1.7\napi<1.7\n", newest=4) as search:
        exact = await count(search.oracle, search.space, search.sieves, samples=16)
    assert (exact.valid, exact.low, exact.high, exact.exact) == (12, 12, 12, True)
