"""Many runs, kept one by one in a file, so that a campaign that is broken off goes on where it was."""

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from importlib.util import find_spec
from itertools import product
from pathlib import Path

from benchmarks.search import bbob, runs, services

__all__ = ["CACHE", "NOISES", "Task", "carry_out", "tasks"]

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".benchmarks" / "search.jsonl"
NOISES = (0.0, 0.05, 0.15)
SERVICE_TRIALS = (20, 50, 100)
FUNCTION_TRIALS = 100
_OPTIMIZER = ROOT / "src" / "trimtab" / "optimizer"
_MEASURED = (
    *(
        _OPTIMIZER / f"{name}.py"
        for name in ("study", "course", "conclusion", "verdict", "ledger", "strategy", "trial")
    ),
    *(_OPTIMIZER / f"{name}.py" for name in ("objective", "expression", "space")),
    *(ROOT / "benchmarks" / "search" / f"{name}.py" for name in ("bbob", "services", "runs")),
)
"""What decides a run, besides the packages `gaussian` and `strategies`."""


@dataclass(frozen=True)
class Task:
    """What identifies a run."""

    part: str
    problem: str
    sampler: str
    noise: float
    trials: int
    seed: int


def tasks(
    parts: Iterable[str], samplers: Iterable[str], seeds: int, trials: Iterable[int] = SERVICE_TRIALS
) -> list[Task]:
    """All runs of some parts, seed by seed, so that what is broken off is even."""
    return list(_tasks(tuple(parts), tuple(samplers), seeds, tuple(trials)))


def _tasks(
    parts: tuple[str, ...], samplers: tuple[str, ...], seeds: int, trials: tuple[int, ...]
) -> Iterator[Task]:
    names = {
        "bbob": [str(number) for number in bbob.NUMBERS],
        "services": [f.__name__ for f in services.FAMILIES],
    }
    for seed, part, sampler in product(range(seeds), parts, samplers):
        lengths = (FUNCTION_TRIALS,) if part == "bbob" else trials
        for noise, length, name in product(NOISES, lengths, names[part]):
            yield Task(part, name, sampler, noise, length, seed)


def carry_out(wanted: list[Task], jobs: int = 1, cache: Path | None = CACHE) -> list[runs.Run]:
    """Carry out what the cache does not have, and return all of it."""
    version = _version()
    done = _read(cache, version) if cache else {}
    missing = [task for task in wanted if task not in done]
    for task, result in _run_all(missing, jobs):
        done[task] = result
        if cache:
            _append(cache, version, result)
    return [done[task] for task in wanted]


def _run_all(missing: list[Task], jobs: int) -> Iterator[tuple[Task, runs.Run]]:
    if jobs == 1:
        yield from ((task, _run(task)) for task in missing)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from zip(missing, pool.map(_run, missing, chunksize=1), strict=True)


def _run(task: Task) -> runs.Run:
    return runs.run(task.part, task.problem, task.sampler, task.noise, task.trials, task.seed)


def _version() -> str:
    """A digest of the code under measurement: a changed optimizer does not inherit results."""
    digest = blake2b(digest_size=8)
    packages = (
        path for name in ("gaussian", "strategies") for path in sorted((_OPTIMIZER / name).rglob("*.py"))
    )
    for path in (*_MEASURED, *packages):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _read(cache: Path, version: str) -> dict[Task, runs.Run]:
    """What was measured with this code; comparators are measured once, for their code is not ours."""
    if not cache.exists():
        return {}
    found = {}
    for line in cache.read_text().splitlines():
        values = json.loads(line)
        if values.pop("version") != version and values["sampler"] == runs.OURS:
            continue
        result = runs.Run(**values)
        found[Task(result.part, result.problem, result.sampler, result.noise, result.trials, result.seed)] = (
            result
        )
    return found


def _append(cache: Path, version: str, result: runs.Run) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    with cache.open("a") as file:
        file.write(json.dumps(result.to_dict() | {"version": version}) + "\n")


def available(sampler: str) -> str | None:
    """Why a sampler cannot be measured here; None if it can."""
    if sampler == "optuna-gp" and find_spec("torch") is None:
        return "Optuna's Gaussian process needs PyTorch, which is not installed"
    return None
