"""uv as an oracle: constraints in, a stack or the reason why there is none out.

A question costs a process of uv, about a tenth of a second of one core; that is what everything here is planned around.
What the index says is fresh for ten minutes (`cache-control`, by which uv asks it once and not for each question), and
the cache is shared by all of them.
"""

import asyncio
import os
import tempfile
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from trimtab.engines.errors import EngineUnavailableError
from trimtab.engines.index import Index
from trimtab.engines.process.uv import UV
from trimtab.engines.program import Answer, ask
from trimtab.stacks.errors import IndexUnavailableError, ResolverError, UnsatisfiableError, without_secrets
from trimtab.stacks.project import Project
from trimtab.stacks.proposal import Proposal
from trimtab.stacks.stack import Refusal, Stack
from trimtab.stacks.target import Target

__all__ = ["Oracle"]

T = TypeVar("T")
_FRESH = {"api": "max-age=600", "files": "max-age=31536000, immutable"}
_EXPLANATION_LIMIT = 8000
_NO_SOLUTION = "No solution found"
_NETWORK = ("Failed to fetch", "error sending request", "Request failed after", "Could not connect")
_NO_BUILD = (
    "a source distribution is never built here, for its build runs foreign code: build its wheel in a container, and give "
    "a find-links directory or an index that has it"
)


class Oracle:
    """Asks uv.

    Args:
        project: What is wanted.
        target: Where it is to be installed.
        cache: Directory of uv's cache.
        index: Where packages come from; by default what pip and uv are configured to use.
        parallel: How many processes at once; by default two for each core, at most eight: they wait for the index, too.
        seconds: How long one question may take.
    """

    def __init__(
        self,
        project: Project,
        target: Target,
        cache: Path,
        *,
        index: Index | None = None,
        parallel: int | None = None,
        seconds: float = 120.0,
    ) -> None:
        self.project = project
        self.target = target
        self.questions = 0
        """How often uv was asked."""
        found = index or Index.of_this_machine()
        self._uv = UV(cache, found.with_sources(project.indexes))
        self._index = self._uv.index
        self._slots = asyncio.Semaphore(parallel or min(8, 2 * len(os.sched_getaffinity(0))))
        self._seconds = seconds
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self._command: tuple[str, dict[str, str]] | None = None
        self._free: list[Path] = []
        self._rooms = 0
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        """Write what all questions share.

        Raises:
            ResolverError: There is no uv here.
        """
        self._directory = tempfile.TemporaryDirectory(prefix="trimtab-stacks-")
        if self._index.default is None:
            self._index = replace(self._index, default=await self._default_index())
        self._write("uv.toml", self._index.uv_toml(_FRESH))
        self._write("wanted.in", "".join(f"{each}\n" for each in self.project.requirements))
        self._write("bounds.txt", "".join(f"{each}\n" for each in self.project.constraints))
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """End what was started, and remove what was written."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._directory is not None:
            self._directory.cleanup()

    @property
    def index(self) -> Index:
        """Where packages come from; its default is known once this is entered."""
        return self._index

    @property
    def configuration(self) -> Path:
        """The file that tells uv of the indexes; for `run`."""
        return self._path("uv.toml")

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin work that asks, beside other; it is ended when this is left."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    async def first(self, excluded: Mapping[str, str] | None = None) -> Stack:
        """The stack that uv takes by itself.

        Args:
            excluded: Constraints by name.

        Raises:
            UnsatisfiableError: There is none.
            IndexUnavailableError: An index does not answer.
            ResolverError: uv did not come to an end.
        """
        answer = await self.ask(Proposal("the newest that fits", constraints=excluded or {}))
        if isinstance(answer, Refusal):
            raise UnsatisfiableError(answer.explanation)
        return answer

    async def ask(self, proposal: Proposal) -> Stack | Refusal:
        """The stack under some constraints, or why there is none. What it proposes `otherwise` is not asked for.

        Raises:
            IndexUnavailableError: An index does not answer.
            ResolverError: uv did not come to an end.
        """
        async with self._slots:
            self.questions += 1
            directory = self._free.pop() if self._free else self._room()
            try:
                return await self._resolve(proposal, directory)
            finally:
                self._free.append(directory)

    async def holds(self, stack: Stack) -> Refusal | None:
        """Whether uv, asked with nothing but a stack's pins, confirms it; None if so."""
        pins = {name: f"=={version}" for name, version in stack.pins.items()}
        answer = await self.ask(Proposal("the same again", constraints=pins))
        if isinstance(answer, Refusal):
            return answer
        return None if answer.pins == stack.pins else Refusal("uv resolves to another stack than this one")

    async def run(self, *arguments: str) -> Answer:
        """Run uv with this configuration, for what is no question: writing a lock in another form.

        Raises:
            ResolverError: It did not come to an end.
        """
        try:
            program, environment = self._command = self._command or self._prepared()
            return await ask(
                [program, *arguments],
                directory=self._path(""),
                environment=environment,
                seconds=self._seconds,
            )
        except TimeoutError:
            raise ResolverError(
                f"uv took more than {self._seconds:g} s for one answer; bound the requirements more tightly"
            ) from None
        except (OSError, EngineUnavailableError) as error:
            raise ResolverError(f"uv does not run: {error}") from error

    async def _resolve(self, proposal: Proposal, directory: Path) -> Stack | Refusal:
        (directory / "constraints.txt").write_text(_lines(proposal.constraints))
        options, output = [], directory / "requirements.txt"
        if proposal.prefer:  # what is in the file that it writes stays, as far as it can
            output.write_text("".join(f"{name}=={version}\n" for name, version in proposal.prefer.items()))
            options = ["--output-file", str(output)]
        answer = await self.run(
            *("pip", "compile", "--quiet", "--no-build", "--generate-hashes", "--no-header", "--no-annotate"),
            *("--color", "never", "--resolution", proposal.resolution, *self.target.arguments(), *options),
            *("--config-file", str(self._path("uv.toml")), "--constraints", str(self._path("bounds.txt"))),
            *("--constraints", str(directory / "constraints.txt"), str(self._path("wanted.in"))),
        )
        if answer.code:
            return _refusal(answer)
        return Stack(output.read_text() if proposal.prefer else answer.stdout)

    def _room(self) -> Path:
        """A directory for the files of one question, then of another: to make and remove one for each takes as long as uv."""
        self._rooms += 1
        directory = self._path(f"{self._rooms}")
        directory.mkdir(mode=0o700)
        return directory

    def _prepared(self) -> tuple[str, dict[str, str]]:
        """uv, and its environment. Its configuration is a file of ours, so that no URL is in an argument or a variable."""
        environment = self._uv.environment(
            Index(certificate=self._index.certificate, proxies=self._index.proxies)
        )
        del environment["UV_NO_CONFIG"]
        return self._uv.program, environment

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waits for it has it; nobody may, when one before it failed

    async def _default_index(self) -> str:
        """The index that uv takes where nothing is configured: only uv knows."""
        self._write("uv.toml", "")
        self._write("nothing.in", "")
        answer = await self.run(
            *("pip", "compile", "--quiet", "--offline", "--no-header", "--emit-index-url"),
            *("--config-file", str(self._path("uv.toml")), str(self._path("nothing.in"))),
        )
        for line in answer.stdout.splitlines():
            if line.startswith("--index-url "):
                return line.split()[1]
        raise ResolverError("uv does not say which index is its own; name one in pip's or uv's configuration")

    def _path(self, name: str) -> Path:
        assert self._directory is not None, "an oracle is asked within `async with`"
        return Path(self._directory.name) / name

    def _write(self, name: str, text: str) -> None:
        path = self._path(name)
        path.touch(mode=0o600)  # URLs of indexes may hold passwords
        path.write_text(text)


def _lines(constraints: Mapping[str, str]) -> str:
    return "".join(f"{name}{specifier}\n" for name, specifier in constraints.items() if specifier)


def _refusal(answer: Answer) -> Refusal:
    text = without_secrets(answer.stderr).strip()[:_EXPLANATION_LIMIT]
    if answer.code == 1 and _NO_SOLUTION in text:
        hint = f"\n{_NO_BUILD}" if "building from source is disabled" in text else ""
        return Refusal(text.removeprefix("error: ") + hint)
    if any(sign in text for sign in _NETWORK):
        raise IndexUnavailableError(
            f"an index does not answer; try again, or name another index. uv says:\n{text}"
        )
    raise ResolverError(f"uv failed (exit code {answer.code}):\n{text or 'it printed nothing'}")
