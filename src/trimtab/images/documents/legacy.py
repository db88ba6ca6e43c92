"""The document of `thoth-package-extract`: its envelope and `result` keys, for programs that read those.

Chapter 4 of the reference says what each key holds. What it got wrong is not repeated: no credentials in the arguments,
nothing that a layer took away, links that end inside the image, all library directories, direct references.
"""

from __future__ import annotations

import platform
import socket
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from trimtab.images.documents.plain import environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trimtab.images.contents import Contents
    from trimtab.images.image import Image
    from trimtab.images.package import Package

__all__ = ["Circumstances", "analysis", "envelope", "metadata", "result"]

KEPT = ("id", "name", "version", "version_id", "platform_id", "variant_id")
KNOWN = {"deb", "rpm", "pypi"}
CUDA_TEXT = "/usr/local/cuda/version.txt"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Under which circumstances an analysis was made.

    Parameters:
        image: As it was asked for.
        started: When.
        duration: For how many seconds.
        document_id: Of the analysis, where it has one.
        deployment: The installation that made it, where it has a name.
        verify_tls: Whether certificates were verified.
        metadata: What came with the request.
    """

    image: str
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    duration: int = 0
    document_id: str | None = None
    deployment: str | None = None
    verify_tls: bool = True
    metadata: Mapping[str, Any] | None = None


def analysis(contents: Contents, circumstances: Circumstances) -> dict[str, Any]:
    """The whole document."""
    arguments = {"image": circumstances.image, "no_tls_verify": not circumstances.verify_tls}
    told = {
        "extract-image": arguments,
        "thoth-package-extract": {"verbose": False, "metadata": circumstances.metadata},
    }
    return {"metadata": envelope("trimtab", told, circumstances), "result": result(contents)}


def result(contents: Contents) -> dict[str, Any]:
    """What is in the image, under the original's keys."""
    packages: dict[str, list[Package]] = {}
    for package in contents.packages:
        packages.setdefault(package.type, []).append(package)
    debs, rpms = packages.get("deb", []), packages.get("rpm", [])
    return {
        "layers": [
            (layer.digest or "").rpartition(":")[2] for layer in contents.image.layers if layer.digest
        ],
        "image_size": contents.image.size,
        "operating-system": dict(contents.os_release),
        "rpm": sorted(map(_nvra, rpms)),
        "rpm-dependencies": [_rpm(each) for each in rpms if each.name != "gpg-pubkey"],
        "deb": [_deb(each) for each in debs],
        "deb-dependencies": [_deb_dependencies(each) for each in debs],
        "python-packages": [
            {"package_name": each.name, "package_version": each.version, "location": each.location}
            for each in packages.get("pypi", ())
        ],
        "packages": [  # of the systems that the original did not know
            {"type": each.type, "name": each.name, "version": each.version, "location": each.location}
            for each in contents.packages
            if each.type not in KNOWN
        ],
        "python-files": [
            {"filepath": path, "sha256": digest} for path, digest in contents.python_files.items()
        ],
        "python-interpreters": [
            {"path": each.path, "link": each.link, "version": each.version and f"Python {each.version}"}
            for each in contents.interpreters
        ],
        "system-symbols": {path: list(symbols) for path, symbols in contents.libraries.items()},
        "cuda-version": _cuda(contents.cuda),
        "skopeo-inspect": _inspected(contents.image),
        "aicoe-ci": dict(contents.files),
    }


def metadata(
    image: Image, name: str, tag: str | None = None, repo_tags: Sequence[str] = ()
) -> dict[str, Any]:
    """What the original's `/image/metadata` answers: of the image's configuration, without reading a layer.

    Its digest is that of what the name names, as `skopeo inspect` told it: of an index of several platforms, where it is
    one. `trimtab.images.tags` gives the repository's tags.
    """
    inspected = _inspected(image)
    names = ("Digest", "Created", "DockerVersion", "Labels", "Architecture", "Os", "Layers", "Env")
    keys = {"DockerVersion": "docker_version"}
    told = {keys.get(each, each.lower()): inspected[each] for each in names}
    told["digest"] = image.listed or image.digest or ""
    return {"name": name, "tag": tag, "repo_tags": list(repo_tags), **told}


def envelope(analyzer: str, arguments: Mapping[str, Any], circumstances: Circumstances) -> dict[str, Any]:
    """The `metadata` that the document of any analyzer has.

    Parameters:
        analyzer: Its name.
        arguments: What it was asked, by its parts.
        circumstances: Of the analysis.
    """
    info = sys.version_info
    return {
        "analyzer": analyzer,
        "analyzer_version": version("trimtab"),
        "document_id": circumstances.document_id,
        "datetime": circumstances.started.astimezone(UTC).replace(tzinfo=None).isoformat(),
        "timestamp": int(circumstances.started.timestamp()),
        "duration": circumstances.duration,
        "hostname": socket.gethostname(),
        "thoth_deployment_name": circumstances.deployment,
        "arguments": dict(arguments),
        "distribution": _distribution(),
        "os_release": {name: _own_release().get(name, "") for name in KEPT},
        "python": {
            "major": info.major,
            "minor": info.minor,
            "micro": info.micro,
            "releaselevel": info.releaselevel,
            "serial": info.serial,
            "api_version": sys.api_version,
            "implementation_name": sys.implementation.name,
        },
    }


def _own_release() -> dict[str, str]:
    try:
        return {name.lower(): value for name, value in platform.freedesktop_os_release().items()}
    except OSError:
        return {}


def _distribution() -> dict[str, Any]:
    told = _own_release()
    major, _, rest = told.get("version_id", "").partition(".")
    minor, _, build = rest.partition(".")
    return {
        "id": told.get("id", ""),
        "version": told.get("version_id", ""),
        "codename": told.get("version_codename", ""),
        "like": told.get("id_like", ""),
        "version_parts": {"major": major, "minor": minor, "build_number": build},
    }


def _nvra(package: Package) -> str:
    number = package.version.rpartition(":")[2]
    return ".".join(filter(None, (f"{package.name}-{number}", package.architecture)))


def _rpm(package: Package) -> dict[str, Any]:
    number, _, release = package.version.rpartition(":")[2].rpartition("-")
    return {
        "name": package.name,
        "version": number,
        "release": release,
        "epoch": package.epoch,
        "arch": package.architecture,
        "src": False,
        "package_identifier": _nvra(package),
        "dependencies": list(package.relations.get("requires", ())),
    }


def _deb(package: Package) -> dict[str, Any]:
    return {"name": package.name, "version": package.version, "arch": package.architecture}


def _deb_dependencies(package: Package) -> dict[str, Any]:
    found = _deb(package)
    if package.epoch:
        found["epoch"] = package.epoch
    for kind in ("pre-depends", "depends", "replaces"):
        found[kind] = list(_relations(package.relations.get(kind, ())))
    return found


def _relations(lines: tuple[str, ...]) -> Iterator[dict[str, str]]:
    for line in lines:
        name, parenthesis, rest = line.partition(" (")
        if "|" in line or not parenthesis:  # alternatives stay together
            yield {"name": line, "version": ""}
        else:
            yield {"name": name, "version": rest.rstrip(")")}


def _cuda(versions: Mapping[str, str]) -> dict[str, str]:
    """The two keys of the original; where their values differ, both are told and nothing is refused."""
    found = {}
    for path, told in versions.items():
        if path == CUDA_TEXT:
            found[CUDA_TEXT] = told
        elif path.endswith("#cuda_nvcc"):
            found["nvcc_version"] = told
        elif path.endswith("version.json#cuda"):
            found.setdefault(CUDA_TEXT, told)
    return found


def _inspected(image: Image) -> dict[str, Any]:
    labels = image.setting("Labels")
    return {
        "Name": "",
        "Digest": image.digest or "",
        "RepoTags": [],
        "Created": image.config.get("created"),
        "DockerVersion": image.config.get("docker_version", ""),
        "Labels": labels if isinstance(labels, dict) else {},
        "Architecture": image.config.get("architecture"),
        "Os": image.config.get("os"),
        "Layers": [layer.digest for layer in image.layers if layer.digest],
        "Env": environment(image),
    }
