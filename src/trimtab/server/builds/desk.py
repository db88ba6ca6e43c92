"""Take builds and images in: registries are asked first, so that what cannot be had is said at once, part by part."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic import SecretStr
from starlette.exceptions import HTTPException

from trimtab.builds import BuildSubmission, CredentialsError, Login, Named, Secret, answer_of
from trimtab.images import Credentials, ImageError
from trimtab.server.builds.models import AnalysisAsked, BuildAsked, ImageAsked
from trimtab.server.builds.registrar import Registrar
from trimtab.server.caller import Caller
from trimtab.workflows import Accepted, Accepting, ImagePart, LogPart, Terms

__all__ = ["Desk", "RefusedError"]

Answer = dict[str, Any]
PARTS = {"base_image": "base_image_analysis", "output_image": "output_image_analysis"}


class RefusedError(Exception):
    """A registry does not give an image, or credentials make no sense.

    Args:
        status: Of the answer.
        error: What is wrong; it holds no secret.
        parameters: Of which request.
    """

    def __init__(self, status: int, error: str, parameters: Mapping[str, Any]) -> None:
        super().__init__(error)
        self.status, self.parameters = status, dict(parameters)

    def told(self) -> Answer:
        """In the place of a part."""
        return {"error": str(self), "parameters": self.parameters}


@dataclass(frozen=True)
class Desk:
    """Accepts what callers submit.

    Args:
        accepting: Where it is accepted.
        registrar: Asks registries.
        count: Is told of each part: its name, and what became of it.
    """

    accepting: Accepting
    registrar: Registrar
    count: Callable[[str, str], None] = lambda _part, _outcome: None

    async def metadata(self, asked: ImageAsked) -> Answer:
        """What the registry of an image says of it.

        Raises:
            RefusedError: Nothing.
        """
        parameters = {"image": asked.image, "verify_tls": asked.verify_tls}
        secret = None
        try:
            secret = _secret(asked.registry_user, asked.registry_password)
            known = await self.registrar.look(
                asked.image, secret, verify_tls=asked.verify_tls, with_tags=True
            )
        except ImageError as error:
            raise RefusedError(*answer_of(error, secret), parameters) from None
        return known.metadata

    async def image(self, caller: Caller, asked: AnalysisAsked) -> Answer:
        """Accept an image.

        Raises:
            RefusedError: Its registry does not give it.
            UnavailableError: Database or store cannot be used.
        """
        parameters = asked.told()
        login = partial(_secret, asked.registry_user, asked.registry_password)
        part = await self._image(asked.image, login, parameters, verify_tls=asked.verify_tls)
        metadata = {"origin": asked.origin, "environment_type": asked.environment_type}
        accepted = await self.accepting.image(part, _terms(caller, metadata, force=asked.force))
        self.count("image", "cached" if accepted.cached else "accepted")
        return {**accepted.told(), "parameters": parameters}

    async def build(
        self, caller: Caller, sent: BuildSubmission, asked: BuildAsked, idempotency: str | None
    ) -> Answer:
        """Accept a build.

        Raises:
            HTTPException: There is nothing in it.
            RefusedError: Of what is in it, no registry gives anything.
            UnavailableError: Database or store cannot be used.
        """
        if idempotency is not None:
            before = await self.accepting.before(caller.name, idempotency)
            if before is not None:
                return before
        if not (sent.base_image or sent.output_image or sent.log or sent.missing):
            raise HTTPException(400, "No base, output nor build log provided")
        parts, refused = await self._parts(sent, asked)
        if refused and not parts:
            raise next(iter(refused.values()))
        describe = partial(_described, sent, asked, parts, refused)
        metadata = {"origin": asked.origin, "environment_type": asked.environment_type}
        answer = await self.accepting.build(
            parts, _terms(caller, metadata, force=asked.force), describe, idempotency=idempotency
        )
        self._count(answer, sent)
        return answer

    async def _parts(
        self, sent: BuildSubmission, asked: BuildAsked
    ) -> tuple[dict[str, ImagePart | LogPart], dict[str, RefusedError]]:
        wanted = []
        for side in ("base", "output"):
            if image := getattr(sent, f"{side}_image"):
                verify = getattr(asked, f"{side}_registry_verify_tls")
                told = {f"{side}_image": image, "registry_verify_tls": verify}
                login = partial(
                    _chosen,
                    getattr(sent.credentials, side),
                    getattr(asked, f"{side}_registry_user"),
                    getattr(asked, f"{side}_registry_password"),
                )
                wanted.append((f"{side}_image", self._image(image, login, told, verify_tls=verify)))
        found = await asyncio.gather(*(each for _, each in wanted), return_exceptions=True)
        parts: dict[str, ImagePart | LogPart] = {}
        refused: dict[str, RefusedError] = {}
        for (name, _), each in zip(wanted, found, strict=True):
            if isinstance(each, RefusedError):
                refused[name] = each
            elif isinstance(each, BaseException):
                raise each
            else:
                parts[name] = each
        if sent.log is not None:
            parts["build_log"] = LogPart(sent.log)
        return parts, refused

    async def _image(
        self,
        image: str,
        login: Callable[[], Secret | None],
        parameters: Mapping[str, Any],
        *,
        verify_tls: bool,
    ) -> ImagePart:
        """An image with its digest. If its registry cannot say it now, it is asked again when the image is analysed."""
        secret, digest = None, None
        try:
            secret = login()
            digest = (await self.registrar.look(image, secret, verify_tls=verify_tls)).digest
        except ImageError as error:
            if not error.transient:
                raise RefusedError(*answer_of(error, secret), parameters) from None
        return ImagePart(image, digest or None, verify_tls, secret, parameters)

    def _count(self, answer: Answer, sent: BuildSubmission) -> None:
        for part, name in {**PARTS, "build_log": "buildlog_analysis"}.items():
            if told := answer[name]:
                self.count(part, "refused" if "error" in told else "cached" if told["cached"] else "accepted")
        for missing in sent.missing:
            self.count(missing.part, "missing")


def _described(
    sent: BuildSubmission,
    asked: BuildAsked,
    parts: Mapping[str, ImagePart | LogPart],
    refused: Mapping[str, RefusedError],
    build_id: str,
    accepted: Mapping[str, Accepted],
    log: str | None,
) -> tuple[Answer, Answer]:
    """The document of a build, and the answer to whoever submitted it."""
    import time

    missing = [each.model_dump() for each in sent.missing]
    missing += [{"part": name, "reason": str(error)} for name, error in refused.items()]
    document: Answer = {
        "analysis_id": build_id,
        "created_at": time.time(),
        "origin": asked.origin,
        "environment_type": asked.environment_type,
        "build_log": {"document_id": log, "analysis_id": accepted["build_log"].id} if log else None,
        "missing": missing,
        "build": sent.build and sent.build.model_dump(),
    }
    answer: Answer = {
        "buildlog_analysis": accepted["build_log"].told() if log else None,
        "buildlog_document_id": log,
        "build_analysis": {"analysis_id": build_id},
    }
    for name, key in PARTS.items():
        part = parts.get(name)
        document[name] = answer[key] = None
        if isinstance(part, ImagePart):
            document[name] = {
                "reference": part.image,
                "digest": part.digest,
                "analysis_id": accepted[name].id,
            }
            answer[key] = {**accepted[name].told(), "parameters": dict(part.parameters)}
        elif name in refused:
            # That it could not be had does not change what the build was made of.
            document[name] = {"reference": getattr(sent, name), "digest": None, "analysis_id": None}
            answer[key] = refused[name].told()
    return document, answer


def _terms(caller: Caller, metadata: Mapping[str, Any], *, force: bool) -> Terms:
    return Terms(caller.name, caller.owner is None, force, {**metadata, "is_external": True})


def _chosen(login: Login | None, user: str | None, password: SecretStr | None) -> Secret | None:
    """The body's, before the query's."""
    if login is None:
        return _secret(user, password)
    return Named(login.name) if login.name is not None else _secret(login.user, login.password)


def _secret(user: str | None, password: SecretStr | None) -> Secret | None:
    given = password.get_secret_value() if password is not None else ""
    if bool(user) != bool(given):
        raise CredentialsError("Both the user and the password of the registry have to be supplied")
    return Credentials(user, given) if user else None
