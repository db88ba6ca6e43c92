"""What is remembered of builds, over HTTP."""

import pytest

from trimtab.builds import record_analysis
from trimtab.server.app import create_app
from trimtab.settings import ServerSettings

HOSTILE = "<script>alert(1)</script>'; DROP TABLE facts; --\x1b[31m"


def image(number, **result):
    return {
        "metadata": {
            "document_id": f"package-extract-{number}",
            "timestamp": number,
            "arguments": {
                "extract-image": {"image": f"registry.example/app:{number}"},
                "thoth-package-extract": {"metadata": {"environment_type": "runtime"}},
            },
        },
        "result": {
            "layers": ["ab" * 32],
            "image_size": 1000,
            "operating-system": {"id": "rhel", "version_id": "9.3"},
            "python-packages": [{"package_name": "NumPy", "package_version": f"1.{number}"}],
            "rpm": ["glibc-2.34-1.el9.x86_64"],
            "python-interpreters": [{"path": "/usr/bin/python3", "version": "Python 3.9.18"}],
            "system-symbols": {"/usr/lib64/libz.so.1": ["ZLIB_1.2.9"]},
            "cuda-version": {"nvcc_version": "11.0.221"},
            "skopeo-inspect": {
                "Digest": f"sha256:{number:064x}",
                "Env": ["THOTH_S2I_NAME=s2i", "THOTH_S2I_VERSION=1"],
            },
        }
        | result,
    }


@pytest.fixture
def asking(place, sessions, make_client):
    for number in range(5):
        record_analysis(place.database, image(number))
    return make_client(create_app(ServerSettings(worker=False), sessions, place=place))


def test_container_images_as_the_original_has_them(asking):
    answer = asking("GET", "/api/v1/container-images", params={"per_page": 2, "page": 1, "os_name": "rhel"})
    assert answer.status_code == 200
    body = answer.json()
    assert body["container_images"][0] == {
        "environment_name": "registry.example/app:2",
        "environment_type": "RUNTIME",
        "image_sha": "ab" * 32,
        "os_name": "rhel",
        "os_version": "9.3",
        "python_version": "3.9",
        "cuda_version": "11.0",
        "thoth_image_name": "s2i",
        "thoth_image_version": "1",
        "package_extract_document_id": "package-extract-2",
        "image_analysis_url": "/api/v1/analyze/package-extract-2",
        "datetime": "1970-01-01T00:00:02",
        "digest": f"sha256:{2:064x}",
        "image_size": 1000,
    }
    names = ("page", "per_page", "page_count", "entries_count", "next", "prev")
    assert {name: answer.headers.get(name) for name in names} == {
        "page": "1",
        "per_page": "2",
        "page_count": "3",
        "entries_count": "5",
        "next": "/api/v1/container-images?per_page=2&os_name=rhel&page=2",
        "prev": "/api/v1/container-images?per_page=2&os_name=rhel&page=0",
    }
    assert (body["parameters"]["os_name"], body["parameters"]["symbol"]) == ("rhel", None)


def test_the_first_and_the_last_page_lead_nowhere_else(asking):
    only = asking("GET", "/api/v1/container-images").headers
    assert ("next" in only, "prev" in only) == (False, False)
    beyond = asking("GET", "/api/v1/container-images", params={"page": 9})
    assert (beyond.json()["container_images"], beyond.headers["entries_count"]) == ([], "5")


@pytest.mark.parametrize(
    ("name", "value", "count"),
    [
        ("os_version", "9", 5),
        ("os_version", "9.3", 5),
        ("os_version", "8", 0),
        ("python_version", "3.9", 5),
        ("cuda_version", "11", 5),
        ("cuda_version", "1", 0),
        ("image_name", "registry.example/app", 5),
        ("image_name", "registry.example/app:3", 1),
        ("image_name", "app", 0),
        ("library_name", "libz.so.1", 5),
        ("library_name", "/usr/lib64/libz.so.1", 5),
        ("library_name", "z.so.1", 0),
        ("symbol", "ZLIB_1.2.9", 5),
        ("symbol", "ZLIB_%", 0),
        ("package_name", "numpy", 5),
        ("package_name", "numpy>=1", 0),
        ("rpm_package_name", "glibc", 5),
        ("rpm_package_name", "numpy", 0),
    ],
)
def test_each_filter(asking, name, value, count):
    answer = asking("GET", "/api/v1/container-images", params={name: value})
    assert len(answer.json()["container_images"]) == count
    assert answer.headers["entries_count"] == str(count)


def test_filters_are_all_to_hold(asking):
    both = {
        "package_name": "numpy",
        "rpm_package_name": "glibc",
        "library_name": "libz.so.1",
        "symbol": "ZLIB_1.2.9",
    }
    assert asking("GET", "/api/v1/container-images", params=both).headers["entries_count"] == "5"
    assert (
        asking("GET", "/api/v1/container-images", params={**both, "rpm_package_name": "x"}).headers[
            "entries_count"
        ]
        == "0"
    )


def test_images_by_specifier_and_drift(asking):
    answer = asking("GET", "/api/v1/ask/images", params={"package": "numpy>=1.2,<1.4"}).json()
    assert [(each["reference"], each["versions"]) for each in answer["items"]] == [
        ("registry.example/app:3", ["1.3"]),
        ("registry.example/app:2", ["1.2"]),
    ]
    told = asking(
        "GET", "/api/v1/ask/drift", params={"before": "registry.example/app:1", "after": f"sha256:{2:064x}"}
    )
    assert told.json()["answer"]["changes"] == [
        {"kind": "pypi", "name": "numpy", "before": ["1.1"], "after": ["1.2"]}
    ]


def test_what_is_unknown_or_not_understood(asking):
    unknown = asking("GET", "/api/v1/ask/drift", params={"before": "a", "after": "b"})
    assert (unknown.status_code, "no analysis of the image 'a'" in unknown.json()["error"]) == (404, True)
    wrong = asking("GET", "/api/v1/ask/images", params={"package": "numpy>=?"})
    assert (wrong.status_code, "no version specifier" in wrong.json()["error"]) == (400, True)
    assert asking("GET", "/api/v1/ask/observations", params={"document": "x"}).status_code == 404


def test_hostile_names_are_json(place, asking):
    record_analysis(place.database, image(9, deb=[{"name": HOSTILE, "version": HOSTILE}]))
    answer = asking(
        "GET", "/api/v1/ask/observations", params={"document": "package-extract-9", "relation": "contains"}
    )
    assert HOSTILE in {each["name"] for each in answer.json()["items"]}
    assert answer.headers["content-type"] == "application/json"
    assert b"\x1b" not in answer.content


@pytest.mark.parametrize("scope", ["read", "agent"])
def test_reading_needs_the_scope_for_it(place, sessions, make_client, tmp_path, scope):
    token = "0123456789abcdef0123"
    (tmp_path / "tokens").write_text(f"somebody:{scope}:{token}\n")
    app = create_app(ServerSettings(token_file=tmp_path / "tokens", worker=False), sessions, place=place)
    for path in ("/api/v1/container-images", "/api/v1/ask/breakers"):
        allowed = make_client(app, Authorization=f"Bearer {token}")("GET", path).status_code
        assert allowed == (200 if scope == "read" else 403)
        assert make_client(app)("GET", path).status_code == 401
