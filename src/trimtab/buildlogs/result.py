"""What a log says, as values and as the reference's document."""

from dataclasses import dataclass
from typing import Any

from trimtab.buildlogs.classes import FailureClass
from trimtab.buildlogs.findings import (
    BUILDER,
    PUSH,
    Error,
    Findings,
    Install,
    Requirement,
    Step,
    SystemPackage,
)
from trimtab.buildlogs.names import normalised

__all__ = ["Result", "concluded"]


@dataclass(frozen=True, slots=True)
class Result:
    """What a log says.

    Attributes:
        outcome: `successful`, `failed`, or `unknown`: the log does not tell.
        installation_successful: Whether the installers did what they were asked; None if the log does not tell.
        breaker: The error that explains the failure best; None if nothing failed, or nothing explains it.
        document: The reference's keys and ours, as JSON values.
    """

    outcome: str
    installation_successful: bool | None
    breaker: Error | None
    errors: tuple[Error, ...]
    steps: tuple[Step, ...]
    installs: tuple[Install, ...]
    requirements: tuple[Requirement, ...]
    candidates: tuple[Requirement, ...]
    packages: tuple[SystemPackage, ...]
    document: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The document."""
        return self.document


# Warnings that fail nothing alone, and are why what follows failed: an index that did not answer has no versions.
_EXPLAINS = frozenset(
    {
        FailureClass.RESOLUTION,
        FailureClass.CONNECTION,
        FailureClass.TIMEOUT,
        FailureClass.CERTIFICATE,
        FailureClass.FORBIDDEN,
        FailureClass.INDEX,
        FailureClass.INTERPRETER,
        FailureClass.HASH_MISMATCH,
    }
)


def concluded(findings: Findings, *, lines: int, size: int) -> Result:
    """The result of a log that ended."""
    outcome = _outcome(findings)
    if outcome == "successful":
        for each in findings.errors:
            each.recovered = True
        for step in findings.steps:
            step.state = "done" if step.state == "begun" else step.state
    elif findings.progress[BUILDER].successful is False:
        _end(findings.steps)
    failed, recovered = _names(findings.installs)
    installed = _installed(findings, failed)
    breaker = _breaker(findings.errors) if outcome != "successful" else None
    document = {
        "info": findings.info, "pipfile_lock": findings.pipfile_lock, "thoth_config": findings.thoth_config,
        "installation": [_install(each) for each in findings.installs], "failed": failed, "recovered": recovered,
        "installation_successful": installed, "outcome": outcome, **_tools(findings),
        "exit_code": findings.exit_code, "build_breaker": _error(breaker) if breaker else None,
        "errors": [_error(each) for each in findings.errors], "steps": [_step(each) for each in findings.steps],
        "packages": [_package(each) for each in findings.packages],
        "truncated": findings.truncated, "lines": lines, "size": size,
    }  # fmt: skip
    return Result(
        outcome, installed, breaker, tuple(findings.errors), tuple(findings.steps), tuple(findings.installs),
        tuple(findings.requirements), tuple(findings.candidates.values()), tuple(findings.packages), document,
    )  # fmt: skip


def _end(steps: list[Step]) -> None:
    """The step that a builder of one after the other was in when it gave up has failed."""
    last = steps[-1] if steps else None
    if last and last.state == "begun" and last.builder != "buildkit":
        last.state = "failed"


def _tools(findings: Findings) -> dict[str, Any]:
    names = list(findings.tools)
    first = next((each for each in names if each not in {"pip", "push"}), names[0] if names else None)
    return {
        "tool": first, "tool_version": findings.tools.get(first) if first else None, "pip_version": findings.tools.get("pip"),
        "tools": [{"name": name, "version": version} for name, version in findings.tools.items()],
    }  # fmt: skip


def _outcome(findings: Findings) -> str:
    """The outermost that was begun tells; where it does not end, a failure further in that nothing recovered from does."""
    if not findings.recognised:
        return "unknown"
    installer = findings.installer
    for progress in (findings.progress[PUSH], findings.progress[BUILDER], installer):
        if progress.successful:
            return "failed" if progress is installer and _lost(findings, progress.succeeded) else "successful"
        if progress.successful is False:
            return "failed"
        if progress.begun:
            return "failed" if _lost(findings) else "unknown"
    return "failed" if _lost(findings) else "unknown"


def _lost(findings: Findings, after: int = 0) -> bool:
    """Whether something failed, after that line, and nothing recovered from it."""
    return bool(findings.exit_code) or any(
        each.line > after and not each.recovered and not each.passing for each in findings.errors
    )


def _installed(findings: Findings, failed: list[str]) -> bool | None:
    progress = findings.installer
    if failed or progress.successful is False:
        return False
    return progress.successful


def _names(installs: list[Install]) -> tuple[list[str], list[str]]:
    good = {normalised(each.name) for each in installs if each.successful}
    bad = dict.fromkeys(normalised(each.name) for each in installs if each.successful is False)
    return [each for each in bad if each not in good], [each for each in bad if each in good]


def _breaker(errors: list[Error]) -> Error | None:
    """Of what nothing recovered from, the first of those nearest to the cause."""
    open_ = [each for each in errors if not each.recovered]
    breaker = max(
        (each for each in open_ if not each.passing or each.failure in _EXPLAINS),
        key=lambda each: each.failure.weight,
        default=None,
    )
    if breaker and breaker.passing and breaker.package is None:
        # A warning of nothing in particular is explained by what failed of it.
        named = [each for each in open_ if each.package]
        of = next((each for each in named if each.line > breaker.line), named[-1] if named else breaker)
        breaker.package, breaker.version = of.package, of.version
    return breaker


def _install(entry: Install) -> dict[str, Any]:
    return {
        "package_name": entry.name, "normalized_name": normalised(entry.name), "package_version": entry.version, "artifact": entry.artifact,
        "artifact_size": entry.size, "is_wheel": entry.wheel, "is_successful": entry.successful, "installation_log": "\n".join(entry.log),
    }  # fmt: skip


def _error(error: Error) -> dict[str, Any]:
    return {
        "class": str(error.failure), "kind": str(error.failure.kind), "package": error.package, "version": error.version,
        "message": error.message, "line": error.line, "excerpt": "\n".join(error.excerpt), "step": error.step, "recovered": error.recovered,
    }  # fmt: skip


def _step(step: Step) -> dict[str, Any]:
    return {
        "number": step.number, "total": step.total, "stage": step.stage, "instruction": step.instruction, "builder": step.builder,
        "state": step.state, "seconds": step.seconds, "exit_code": step.exit_code, "line": step.line,
    }  # fmt: skip


def _package(each: SystemPackage) -> dict[str, Any]:
    return {
        "manager": each.manager, "name": each.name, "version": each.version, "arch": each.arch, "repository": each.repository,
        "size": each.size, "epoch": each.epoch, "dependency": each.dependency, "upgrading": each.upgrading,
    }  # fmt: skip
