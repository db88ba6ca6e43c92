"""What an image's analysis tells: ours, and the original's of all ages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from typing import Any

from trimtab.catalog.observations.derivation import layer_facts
from trimtab.catalog.observations.fact import OBSERVED, Fact, FactSet, fact, sets_of
from trimtab.catalog.stacks import normalise
from trimtab.catalog.values import at, integer, text

__all__ = ["ImageFacts", "image_facts"]

MOST_FACTS, MOST_SYMBOLS = 100_000, 5_000
PARTS_OF_RPM = 3


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """Facts of one image.

    Args:
        identity: Its digest; if nobody knows that, its last layer or what it was called.
        reference: What it was asked for by; empty if that is not told.
        environment: Operating system, Python and CUDA, as the catalog's environments have them.
        environment_type: `runtime`, `buildtime`, or empty.
        last_layer: Digest of its last layer, without prefix.
        image_name, image_tag: What its own environment variables call it.
        size: Bytes, compressed.
        sets: What it contains.
        symbols: Of each library among these facts, the names of its symbol versions.
    """

    identity: str
    reference: str
    environment: Mapping[str, str]
    environment_type: str
    last_layer: str
    image_name: str
    image_tag: str
    size: int | None
    sets: tuple[FactSet, ...]
    symbols: Mapping[Fact, tuple[str, ...]] = field(default_factory=dict)


def image_facts(document: Mapping[str, Any]) -> ImageFacts:
    """The facts of a document; what it does not tell is not there, and nothing of it is an error."""
    result = at(document, "result")
    inspected = at(result, "skopeo-inspect")
    arguments = at(document, "metadata", "arguments")
    variables = dict(_variables(at(inspected, "Env")))
    reference = text(at(arguments, "extract-image", "image"), 500) or ""
    last_layer = _last(at(result, "layers"))
    digest = text(at(inspected, "Digest"), 100) or ""
    known = digest if digest.startswith("sha256:") else ""
    libraries = dict(_libraries(at(result, "system-symbols")))
    layers = layer_facts(at(result, "layers"))
    found = [*layers, *_packages(result), *_interpreters(result), *_cuda(result), *libraries]
    asked = at(arguments, "thoth-package-extract", "metadata", "environment_type")
    return ImageFacts(
        identity=known or (last_layer and f"layer:{last_layer}") or reference or "unknown",
        reference=reference.removeprefix("docker://"),
        environment=_environment(result, variables),
        environment_type=text(asked, 16) or "",
        last_layer=last_layer,
        image_name=text(variables.get("IMAGE_NAME") or variables.get("THOTH_S2I_NAME"), 200) or "",
        image_tag=text(variables.get("IMAGE_TAG") or variables.get("THOTH_S2I_VERSION"), 100) or "",
        size=integer(at(result, "image_size"), big=True),
        sets=tuple(sets_of(found, "contains", OBSERVED, MOST_FACTS)),
        symbols=libraries,
    )


def _entries(result: Any, key: str) -> Iterator[Mapping[str, Any]]:
    found = at(result, key)
    yield from (each for each in found if isinstance(each, Mapping)) if isinstance(found, list) else ()


def _variables(found: Any) -> Iterator[tuple[str, str]]:
    for each in found if isinstance(found, list) else ():
        if isinstance(each, str):
            name, _, value = each.partition("=")
            yield name, value


def _last(layers: Any) -> str:
    return (text(layers[-1], 100) or "") if isinstance(layers, list) and layers else ""


def _packages(result: Any) -> Iterator[Fact | None]:
    for each in _entries(result, "python-packages"):
        yield _python(each.get("package_name"), each.get("package_version"))
    for each in _entries(result, "mercator"):  # before there was python-packages
        if each.get("ecosystem") == "Python-Dist":
            yield _python(at(each, "result", "name"), at(each, "result", "version"))
    for each in _entries(result, "deb"):
        yield fact("deb", each.get("name"), each.get("version"))
    yield from _rpms(result)
    for each in _entries(result, "packages"):  # systems that the original does not know
        if each.get("type") in {"apk", "conda", "npm", "golang", "maven"}:
            yield fact(each["type"], each.get("name"), each.get("version"))


def _python(name: Any, version: Any) -> Fact | None:
    return fact("pypi", normalise(name), version) if isinstance(name, str) else None


def _rpms(result: Any) -> Iterator[Fact | None]:
    epochs = {each.get("package_identifier"): each.get("epoch") for each in _entries(result, "rpm-dependencies")
              if isinstance(each.get("package_identifier"), str)}  # fmt: skip
    listed = at(result, "rpm")
    for each in listed if isinstance(listed, list) else ():
        parts = each.rpartition(".")[0].rsplit("-", 2) if isinstance(each, str) else []
        if len(parts) == PARTS_OF_RPM and parts[0] != "gpg-pubkey":  # keys are no packages
            epoch = epochs.get(each)
            before = f"{epoch}:" if isinstance(epoch, str | int) and str(epoch) not in {"", "0"} else ""
            yield fact("rpm", parts[0], f"{before}{parts[1]}-{parts[2]}")


def _interpreters(result: Any) -> Iterator[Fact | None]:
    for each in _entries(result, "python-interpreters"):
        yield fact("interpreter", each.get("path"), _version(each.get("version")))


def _version(told: Any) -> str | None:
    return told.removeprefix("Python ").strip() if isinstance(told, str) else None


def _cuda(result: Any) -> Iterator[Fact | None]:
    found = at(result, "cuda-version")
    for name, version in found.items() if isinstance(found, Mapping) else ():
        yield fact("cuda", name, version)


def _libraries(found: Any) -> Iterator[tuple[Fact, tuple[str, ...]]]:
    for path, names in found.items() if isinstance(found, Mapping) else ():
        told = {text(each, 200) for each in islice(names, MOST_SYMBOLS)} if isinstance(names, list) else set()
        symbols = tuple(sorted(each for each in told if each))
        library = fact("library", path, sha256("\0".join(symbols).encode()).hexdigest()[:32])
        if library is not None and symbols:
            yield library, symbols


def _environment(result: Any, variables: Mapping[str, str]) -> dict[str, str]:
    system = at(result, "operating-system")
    return {
        "os_name": text(at(system, "id"), 100) or "",
        "os_version": text(at(system, "version_id"), 100) or "",
        "python_version": _release(_default_python(result, variables)),
        "cuda_version": _release(_cuda_version(at(result, "cuda-version"))),
    }


def _default_python(result: Any, variables: Mapping[str, str]) -> str:
    """The version of what `python3` starts in the image; of one whose PATH has none, the last interpreter's by its path."""
    found = {
        each["path"]: version
        for each in _entries(result, "python-interpreters")
        if isinstance(each.get("path"), str) and (version := _version(each.get("version")))
    }
    path = variables.get("PATH") or "/usr/local/bin:/usr/bin:/bin"
    named = (f"{place}/{name}" for place in path.split(":") for name in ("python3", "python"))
    last = found[max(found)] if found else ""
    return next((found[each] for each in named if each in found), last)


def _cuda_version(found: Any) -> str:
    if not isinstance(found, Mapping):
        return ""
    told = {str(name): value for name, value in found.items() if isinstance(value, str)}
    return (
        told.get("/usr/local/cuda/version.txt")
        or told.get("nvcc_version")
        or next(iter(sorted(told.values())), "")
    )


def _release(version: str) -> str:
    """Major and minor: 3.8 of 3.8.12."""
    return text(".".join(version.split(".")[:2]), 50) or ""
