"""What was asked for, what was built of it and by what, as facts for a list."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trimtab.catalog.values import at, number
from trimtab.inspection.report.model import Fact
from trimtab.pages.numbers import duration

__all__ = ["asked", "built", "engine", "script", "texts"]

SHOWN = 50  # of a list
SCRIPT = 20_000  # characters
VALUE = 300
_ENFORCED = ("cpu", "memory", "pids", "network", "filesystem")


def asked(specification: Mapping[str, Any]) -> Iterator[Fact]:
    """What the specification wants, but for base, script and lock."""
    plain = (
        ("system packages", _listed(specification.get("packages"))),
        ("Python packages beside the stack", _listed(specification.get("python_packages"))),
        ("installed by", _text(specification.get("package_manager"))),
        ("lock", _lock(specification)),
        ("files", _listed([at(each, "path") for each in _list(specification.get("files"))])),
        ("environment", _variables(specification.get("environment"))),
        ("brought up to date", " and ".join(_updated(specification))),
        ("build", _resources(specification.get("build"))),
        ("runs", _runs(specification)),
    )
    yield from (Fact(name, text) for name, text in plain if text)


def script(specification: Mapping[str, Any]) -> str:
    """The program, or its beginning."""
    text = _text(specification.get("script"))
    return text if len(text) <= SCRIPT else f"{text[:SCRIPT]}\n… and {len(text) - SCRIPT} characters more"


def built(report: Mapping[str, Any]) -> Iterator[Fact]:
    """What came of the build."""
    build = at(report, "build")
    if not isinstance(build, Mapping):
        return
    seconds = number(build.get("seconds"))
    yield from (
        Fact(name, text)
        for name, text in (
            ("digest", _text(build.get("digest"))),
            ("reference", _reference(_text(build.get("reference")))),
            ("took", "" if seconds is None else duration(seconds)),
            ("from the cache", "yes" if build.get("cached") is True else ""),
        )
        if text
    )


def engine(report: Mapping[str, Any]) -> Iterator[Fact]:
    """What made it, and what that enforced of each limit."""
    told = at(report, "engine")
    if not isinstance(told, Mapping):
        return
    yield Fact("engine", " ".join(filter(None, (_text(told.get("name")), _text(told.get("version"))))))
    if "images" in told:
        yield Fact("base image", "used" if told["images"] else "not used")
    for name in _ENFORCED:
        if name in told:
            yield Fact(name, _text(told[name]) or "not enforced")


def texts(value: Any) -> tuple[str, ...]:
    """The texts of a list."""
    return tuple(_text(each) for each in _list(value))


def _reference(text: str) -> str:
    """The name of an image; not a directory of whoever made it."""
    return "" if text.startswith("/") else text


def _runs(specification: Mapping[str, Any]) -> str:
    run = specification.get("run")
    if not specification.get("script"):
        return "none: there is no script"
    parts = [
        _text(specification.get("batch_size") or 1),
        "side by side" if at(run, "order") == "parallel" else "one after another",
        f"after {warmup} to warm up" if (warmup := at(run, "warmup")) else "",
        _resources(run),
        "with network" if at(run, "isolation", "network") is True else "",
    ]
    return ", ".join(filter(None, parts))


def _resources(phase: Any) -> str:
    requests = at(phase, "requests")
    timeout = at(phase, "timeout")
    parts = [
        f"cpu {at(requests, 'cpu')}" if at(requests, "cpu") else "",
        f"memory {at(requests, 'memory')}" if at(requests, "memory") else "",
        f"{at(requests, 'gpu')} GPU" if at(requests, "gpu") else "",
        f"on {_pairs(at(requests, 'hardware'))}" if at(requests, "hardware") else "",
        f"at most {duration(timeout) if number(timeout) is not None else timeout}" if timeout else "",
    ]
    return ", ".join(filter(None, parts))


def _lock(specification: Mapping[str, Any]) -> str:
    lock = at(specification, "python", "lock")
    if isinstance(lock, Mapping):
        return _listed(sorted(map(str, lock)))
    return "Pipfile.lock" if at(specification, "python", "requirements_locked") else ""


def _updated(specification: Mapping[str, Any]) -> Iterator[str]:
    if specification.get("update") is True:
        yield "the system's packages"
    if specification.get("upgrade_pip") is True:
        yield "pip"


def _variables(value: Any) -> str:
    return _listed([f"{at(each, 'name')}={_text(at(each, 'value'))[:VALUE]}" for each in _list(value)])


def _pairs(value: Any) -> str:
    return _listed([f"{name} {each}" for name, each in value.items()] if isinstance(value, Mapping) else [])


def _listed(value: Any) -> str:
    found = [_text(each)[:VALUE] for each in _list(value)]
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return ", ".join(found[:SHOWN]) + more


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else []


def _text(value: Any) -> str:
    return "" if value is None else str(value)
