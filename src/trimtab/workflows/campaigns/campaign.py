"""A campaign as it was accepted: a value that outlives the process."""

import hashlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trimtab.inspection import Specification, SpecificationError, inspection_id
from trimtab.stacks import PlanName, Question, RequirementsError, Stack, StacksError
from trimtab.workflows.submission import Submission

__all__ = ["Budget", "Campaign", "CampaignError", "UnknownCampaignError"]

PREFIX = "campaign"


class CampaignError(ValueError):
    """A campaign that cannot be begun; each line says what is wrong with it, and where."""


class Budget(BaseModel):
    """What a campaign may use. It ends where the first of these does.

    Attributes:
        stacks: Candidates that are tried.
        runs: Runs of all inspections together; None: as many as the stacks need.
        seconds: From its beginning on, also while nobody works on it; what is under way then is finished. None: no limit.
        parallel: Inspections at the same time.
        attempts: Inspections of one candidate, the infrastructure having failed at those before.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    stacks: Annotated[int, Field(ge=1, le=10_000)] = 40
    runs: Annotated[int | None, Field(ge=1, le=10_000_000)] = None
    seconds: Annotated[float | None, Field(gt=0, le=366 * 86400)] = None
    parallel: Annotated[int, Field(ge=1, le=64)] = 1
    attempts: Annotated[int, Field(ge=1, le=10)] = 3


class UnknownCampaignError(LookupError):
    """There is no such campaign, or not for whoever asks; or it is not in the state for what is asked."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """One question, and what answers it.

    Attributes:
        id: `campaign-<YYMMDDHHMMSS>-<16 hex digits>`.
        question: Which stacks are tried, in which order.
        context: An inspection's specification without `python`, as a document: each candidate is inspected with it.
        budget: What it may use.
        engine: Name of the engine.
        best_effort: Whether what the engine cannot do is left out.
        owner: Who asked.
        created: When, in seconds since 1970.
    """

    id: str
    question: Question
    context: Mapping[str, Any]
    budget: Budget
    engine: str
    best_effort: bool = False
    owner: str = ""
    created: float = 0.0

    @classmethod
    def of(
        cls,
        question: Mapping[str, Any],
        context: Mapping[str, Any],
        budget: Mapping[str, Any] | None = None,
        *,
        engine: str,
        best_effort: bool = False,
        owner: str = "",
    ) -> Self:
        """Accept what is asked, under a new id.

        Raises:
            CampaignError: It makes no sense.
        """
        now = time.time()
        moment = datetime.fromtimestamp(now, UTC)
        name = f"{PREFIX}-{moment:%y%m%d%H%M%S}-{secrets.token_hex(8)}"
        problems: list[str] = []
        asked = _model(Question, question, "question", problems)
        allowed = _model(Budget, budget or {}, "budget", problems)
        specification = _context(context, problems)
        if problems or asked is None or allowed is None or specification is None:
            raise CampaignError("\n".join(problems))
        _check(asked, allowed, specification)
        if asked.sieves.rules and asked.sieves.base is None:
            asked = asked.model_copy(
                update={"sieves": asked.sieves.model_copy(update={"base": specification.base})}
            )
        document = specification.document()
        return cls(name, asked, document, allowed, engine, best_effort, owner, now)

    @classmethod
    def load(cls, document: Mapping[str, Any]) -> Self:
        """Read what `document` wrote."""
        question, budget = Question.model_validate(document["question"]), Budget(**document["budget"])
        return cls(**{**document, "question": question, "budget": budget})

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "id": self.id,
            "question": self.question.model_dump(mode="json", exclude_defaults=True),
            "context": dict(self.context),
            "budget": self.budget.model_dump(mode="json"),
            "engine": self.engine,
            "best_effort": self.best_effort,
            "owner": self.owner,
            "created": self.created,
        }

    @property
    def specification(self) -> Specification:
        """The context."""
        return Specification.load(self.context)

    @property
    def runs_each(self) -> int:
        """Runs that an inspection makes and counts."""
        specification = self.specification
        return specification.batch_size if specification.script else 0

    def submission(self, stack: Stack, attempt: int, deployment: str) -> Submission:
        """The inspection of a candidate; the same candidate and attempt have the same, whoever asks and however often.

        Args:
            stack: The candidate's.
            attempt: From 1.
            deployment: Whose inspections these are.
        """
        python = {"lock": {"requirements.txt": stack.lock}, "version": self._python}
        specification = Specification.load({**self.context, "python": python})
        submission = Submission.of(
            specification,
            self.engine,
            deployment=deployment,
            best_effort=self.best_effort,
            owner=self.owner,
        )
        return replace(submission, id=self.inspection(stack, attempt), created=self.created)

    def inspection(self, stack: Stack, attempt: int) -> str:
        """Id of the inspection of a candidate."""
        text = f"{self.id}/{stack.digest}/{attempt}"
        bits = int(hashlib.sha256(text.encode()).hexdigest()[:16], 16)
        identifier = self.context.get("identifier")
        return inspection_id(identifier, datetime.fromtimestamp(self.created, UTC), bits)

    @property
    def _python(self) -> str | None:
        version = self.question.target.version
        return f"{version.major}.{version.minor}" if self.question.python else None


def _model(kind: Any, document: Any, place: str, problems: list[str]) -> Any:
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        for each in error.errors():
            where = ".".join(map(str, (place, *each["loc"])))
            problems.append(f"{where}: {each['msg'].removeprefix('Value error, ')}")
        return None


def _context(document: Any, problems: list[str]) -> Specification | None:
    if not isinstance(document, Mapping):
        problems.append("context: it is no object; give an inspection's specification without python")
        return None
    if document.get("python"):
        problems.append("context.python: the stacks are what is searched; leave it out")
        return None
    try:
        found = Specification.load(document)
    except SpecificationError as error:
        problems += [f"context: {line}" for line in str(error).splitlines()]
        return None
    if found.script_url:
        problems.append("context.script: it is fetched from a URL at no time; give the script itself")
    return found


def _check(question: Question, budget: Budget, specification: Specification) -> None:
    """What only shows when they are taken together.

    Raises:
        CampaignError: They do not go together.
    """
    try:
        direct = question.project.direct(question.target)
    except (RequirementsError, StacksError) as error:
        raise CampaignError(f"question: {error}") from None
    if not direct:
        raise CampaignError("question.requirements: none of them is for the target; nothing could be varied")
    if budget.runs is not None and budget.runs < specification.batch_size:
        raise CampaignError(
            f"budget.runs: one inspection makes {specification.batch_size} runs, and {budget.runs} are allowed; "
            "allow more, or lower context.batch_size"
        )
    if question.plan is PlanName.adaptive:
        from trimtab.workflows.campaigns.searching import check_search

        check_search(question)
