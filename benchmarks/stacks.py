"""How fast candidates are made, against bare `uv pip compile` in the same run.

The index is one of small wheels that is made here and served on loopback, so that the network is no part of it: 51 200
combinations of five packages, of which a fourth has no stack. All ask one uv with one warm cache, as many at once.
The floor asks uv the very same questions, with the files written before, and does nothing with its answers; a candidate is
also read, told from those before, looked at by the sieves, and waits for those before it. Seconds are those of the clock.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trimtab.stacks import Oracle, Proposal, Releases

SHARE, WANTED, SECONDS = 0.75, 200, 60
ROOT = Path(__file__).resolve().parent.parent
FIVE = "web\napi\ndb\nlog\nui\n"


def run() -> dict[str, Any]:
    """Measure, and return rows of `what`, `questions`, `candidates`, `seconds`, and both by the second."""
    quick = bool(os.environ.get("TRIMTAB_BENCH_QUICK"))
    number, rounds = (10, 1) if quick else (WANTED, 3)
    with tempfile.TemporaryDirectory(prefix="trimtab-stacks-bench-") as directory:
        rows = asyncio.run(_measured(Path(directory), number, rounds))
    return {"name": "stacks", "rows": rows, "aims": _aims(rows, number)}


def _aims(rows: list[dict[str, Any]], number: int) -> dict[str, Any]:
    floor, ours = rows
    share = ours["questions_s"] / floor["questions_s"]
    return {
        f"≥ {SHARE:.0%} of the questions that bare uv answers in a second": {
            "measured": f"{share:.0%}",
            "reached": share >= SHARE,
        },
        f"{WANTED} candidates in ≤ {SECONDS} s": {
            "measured": f"{number} in {ours['seconds']:.1f} s",
            "reached": number >= WANTED and ours["seconds"] <= SECONDS,
        },
    }


async def _measured(directory: Path, number: int, rounds: int) -> list[dict[str, Any]]:
    from trimtab.engines.index import Index
    from trimtab.stacks import Oracle, Refusal, Releases, Stack, Target, read_project

    class Recording(Oracle):
        """Remembers what it was asked."""

        async def ask(self, proposal: Proposal) -> Stack | Refusal:
            asked.append(proposal)
            return await super().ask(proposal)

    asked: list[Proposal] = []
    local_index = _local_index()
    server = local_index.Server(local_index.shop(directory / "index"))
    path = directory / "requirements.in"
    path.write_text(FIVE)
    found: dict[str, list[tuple[int, int, float]]] = {"uv pip compile": [], "candidates": []}
    try:
        for each in range(rounds + 1):
            project, index = read_project(path), Index(server.url)
            async with (
                Recording(project, Target(), directory / "uv", index=index) as oracle,
                Releases(index) as releases,
            ):
                made = await _candidates(oracle, releases, number)
                bare = await _bare(oracle, asked[-made[0] :], directory)
            if each:  # the first fills the cache
                found["candidates"].append(made)
                found["uv pip compile"].append(bare)
    finally:
        server.close()
    return [_row(what, rounds_of) for what, rounds_of in found.items()]


def _row(what: str, rounds: list[tuple[int, int, float]]) -> dict[str, Any]:
    questions, candidates, seconds = sorted(rounds, key=lambda each: each[2])[len(rounds) // 2]
    return {
        "what": what,
        "questions": questions,
        "candidates": candidates or None,
        "seconds": round(seconds, 2),
        "questions_s": round(statistics.median(each[0] / each[2] for each in rounds), 1),
        "candidates_s": round(statistics.median(each[1] / each[2] for each in rounds), 1) or None,
    }


async def _candidates(oracle: Oracle, releases: Releases, number: int) -> tuple[int, int, float]:
    from trimtab.stacks import Candidates, PlatformSieve, Random, YankedSieve, survey

    sieves = [PlatformSieve(oracle.target, releases), YankedSieve(releases)]
    space = (await survey(oracle, releases, sieves)).space
    source = Candidates(oracle, Random(space, 1), sieves)
    before, started = oracle.questions, time.perf_counter()
    for _ in range(number):
        assert await source.ask()
    return oracle.questions - before, source.tally.found, time.perf_counter() - started


async def _bare(oracle: Oracle, asked: list[Proposal], directory: Path) -> tuple[int, int, float]:
    """The same questions, as many at once, their answers thrown away."""
    from trimtab.engines.program import ask

    slots = asyncio.Semaphore(min(8, 2 * len(os.sched_getaffinity(0))))
    program, environment = oracle._prepared()
    argv = [
        *(
            program,
            "pip",
            "compile",
            "--quiet",
            "--no-build",
            "--generate-hashes",
            "--no-header",
            "--no-annotate",
        ),
        *("--config-file", str(oracle._path("uv.toml")), *oracle.target.arguments()),
        *(str(oracle._path("wanted.in")), "--constraints"),
    ]
    files = [directory / f"constraints-{number}.txt" for number in range(len(asked))]
    for file, proposal in zip(files, asked, strict=True):
        file.write_text("".join(f"{name}{bound}\n" for name, bound in proposal.constraints.items()))

    async def one(file: Path) -> None:
        async with slots:
            await ask([*argv, str(file)], environment=environment)

    started = time.perf_counter()
    await asyncio.gather(*map(one, files))
    return len(files), 0, time.perf_counter() - started


def _local_index() -> Any:
    """The module of the tests that makes indexes."""
    path = ROOT / "tests" / "trimtab" / "stacks" / "local_index.py"
    spec = importlib.util.spec_from_file_location("local_index", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["local_index"] = module
    spec.loader.exec_module(module)
    return module
