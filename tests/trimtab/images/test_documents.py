"""Documents of an image's contents: ours, the original's, CycloneDX and SPDX."""

import json

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given
from hypothesis import strategies as st
from packageurl import PackageURL

from trimtab.images import Contents, Image, Package, Place, identifier
from trimtab.images.documents import analysis, document, metadata
from trimtab.images.documents.cyclonedx import cyclonedx
from trimtab.images.documents.legacy import Circumstances
from trimtab.images.documents.spdx import spdx

STATUS = b"""Package: a
Status: install ok installed
Architecture: amd64
Version: 1:2-3
Depends: b (>= 1), c | d
"""
FILES = {
    "var/lib/dpkg/status": STATUS,
    "etc/os-release": b'ID=debian\nVERSION_ID="12"\nNAME="Debian"\n',
    "usr/lib/python3/dist-packages/p-1.dist-info/METADATA": b"Name: p\nVersion: 1\nLicense: MIT\n",
    "usr/lib/python3/dist-packages/p.py": b"",
    "usr/local/cuda/version.txt": b"CUDA Version 11.0.228\n",
    "usr/local/cuda/version.json": b'{"cuda": {"version": "11.0.228"}, "cuda_nvcc": {"version": "11.0.221"}}',
    "opt/aicoe-ci/Pipfile": b'[packages]\np = "*"\n',
    "odd/\udcff.py": b"",
}
CONFIG = {"config": {"Env": ["PATH=/bin"], "Labels": {"k": "<b>v</b>"}}, "created": "2026-01-01T00:00:00Z"}
KEYS = {
    "layers", "image_size", "operating-system", "rpm", "rpm-dependencies", "deb", "deb-dependencies",
    "packages", "python-packages", "python-files", "python-interpreters", "system-symbols", "cuda-version",
    "skopeo-inspect", "aicoe-ci",
}  # fmt: skip


@pytest.fixture
def found(read):
    return read(FILES, config=CONFIG)


def test_each_fact_has_the_path_and_layer_it_came_from(found):
    told = document(found)
    (layer,) = (each["digest"] for each in told["image"]["layers"])
    deb, pypi = told["packages"]
    assert deb["found"] == {"path": "/var/lib/dpkg/status", "layer": layer}
    assert deb["purl"] == "pkg:deb/debian/a@1:2-3?arch=amd64&distro=debian-12"
    assert pypi["location"] == "/usr/lib/python3/dist-packages"
    assert told["image"]["labels"] == {"k": "<b>v</b>"}
    assert told["image"]["environment"] == ["PATH=/bin"]
    json.dumps(told)


def test_the_original_document_has_its_keys_and_forms(found):
    told = analysis(found, Circumstances("image", document_id="package-extract-1"))
    result = told["result"]
    assert set(result) == KEYS
    assert result["deb"] == [{"name": "a", "version": "1:2-3", "arch": "amd64"}]
    (dependencies,) = result["deb-dependencies"]
    assert dependencies["epoch"] == "1"
    assert dependencies["depends"] == [{"name": "b", "version": ">= 1"}, {"name": "c | d", "version": ""}]
    assert result["python-packages"] == [
        {"package_name": "p", "package_version": "1", "location": "/usr/lib/python3/dist-packages"}
    ]
    assert result["packages"] == []
    assert result["aicoe-ci"] == {"requirements": {"packages": {"p": "*"}}, "requirements_lock": None}
    assert result["skopeo-inspect"]["Env"] == ["PATH=/bin"]
    assert told["metadata"]["document_id"] == "package-extract-1"
    assert len(result["layers"][0]) == 64


def test_packages_of_systems_that_the_original_did_not_know_are_told_beside_its_keys(read):
    files = {
        "lib/apk/db/installed": b"P:musl\nV:1.2.5-r1\nA:x86_64\n\n",
        "usr/lib/node_modules/n/package.json": b'{"name": "n", "version": "2.0.0"}',
    }
    told = analysis(read(files), Circumstances("image"))["result"]["packages"]
    assert [(each["type"], each["name"], each["version"]) for each in told] == [
        ("apk", "musl", "1.2.5-r1"),
        ("npm", "n", "2.0.0"),
    ]


def test_two_versions_of_cuda_are_both_told(found):
    """The compiler's patch level differs from the toolkit's as a rule; the original gave up on it."""
    told = analysis(found, Circumstances("image"))["result"]["cuda-version"]
    assert told == {"/usr/local/cuda/version.txt": "11.0.228", "nvcc_version": "11.0.221"}


def test_cyclonedx_has_every_package_and_where_it_was_found(found):
    told = cyclonedx(found)
    assert {each.get("purl") for each in told["components"]} == {
        None,  # the operating system
        "pkg:deb/debian/a@1:2-3?arch=amd64&distro=debian-12",
        "pkg:pypi/p@1",
    }
    (pypi,) = (each for each in told["components"] if each["name"] == "p")
    assert {each["name"] for each in pypi["properties"]} == {
        "trimtab:path",
        "trimtab:layer",
        "trimtab:location",
    }
    assert told["specVersion"] == SchemaVersion.V1_6.to_version()


def test_cyclonedx_is_valid_by_its_schema(found):
    pytest.importorskip("jsonschema")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(cyclonedx(found))) is None


def test_spdx_describes_the_image_that_contains_every_package(found):
    told = spdx(found)
    ids = {each["SPDXID"] for each in told["packages"]}
    contained = {
        each["relatedSpdxElement"] for each in told["relationships"] if each["relationshipType"] == "CONTAINS"
    }
    assert contained == ids - {"SPDXRef-Image"}
    assert len(contained) == 2
    json.dumps(told)


def test_spdx_is_valid_by_the_validator_of_its_specification(found, tmp_path):
    from spdx_tools.spdx.parser.parse_anything import parse_file
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    path = tmp_path / "bill.spdx.json"
    path.write_text(json.dumps(spdx(found)))
    told = parse_file(str(path))
    assert [each.validation_message for each in validate_full_spdx_document(told)] == []
    assert [each.name for each in told.packages[1:]] == ["a", "p"]


def test_the_metadata_of_an_image_have_the_original_keys(found):
    told = metadata(found.image, "registry.example/app", "1", ["1", "2"])
    assert told["repo_tags"] == ["1", "2"]
    assert set(told) == {
        "name", "tag", "digest", "repo_tags", "created", "docker_version", "labels", "architecture", "os", "layers", "env",
    }  # fmt: skip
    assert (told["name"], told["env"], told["os"]) == ("registry.example/app", ["PATH=/bin"], "linux")


TYPES = st.sampled_from(["deb", "rpm", "apk", "pypi", "conda", "npm", "maven", "golang"])
NAMES = st.text("ab/:@%?# .\0\n\udcffé", min_size=1, max_size=12) | st.text(min_size=1, max_size=12)


@given(TYPES, NAMES, NAMES, NAMES)
def test_any_name_and_version_has_a_package_url_that_can_be_read_again(kind, name, version, origin):
    """Names are strangers': `./private_repos/x/` was one of a program of Go."""
    package = Package(
        kind, name, version, Place("/x", None), origin=origin, source=origin, architecture=origin
    )
    text = identifier(package, {"id": name, "version_id": version}).to_string()
    assert PackageURL.from_string(text).type in {kind, "generic"}
    image = Image(name, [], config={"config": {"Labels": {name: version}}})
    found = Contents(image, {"id": name}, [package])
    json.dumps([cyclonedx(found), spdx(found), document(found), analysis(found, Circumstances(name))])


@pytest.mark.parametrize(
    ("package", "expected"),
    [
        (
            ("golang", "./private/cnrm.example/cnrm/", "(devel)"),
            "pkg:golang/./private/cnrm.example/cnrm@%28devel%29",
        ),
        (("golang", "/", "1"), "pkg:generic/unknown"),
        (("conda", "numpy", "1.26"), "pkg:conda/numpy@1.26"),
    ],
)
def test_package_urls_of_odd_names(package, expected):
    assert identifier(Package(*package, Place("/x", None)), {}).to_string() == expected
