"""What must be so for builds to be watched and sent."""

from __future__ import annotations

import os

from servo.checks import BaseChecks, CheckError, require, warn
from servo.connectors.builds.backend import Backend
from servo.connectors.builds.configuration import BuildsConfiguration
from servo.connectors.builds.copying import Registry, Skopeo, is_gone
from servo.connectors.builds.credentials import DEFAULT_USER, Credentials, token_file
from servo.connectors.builds.errors import BuildsError, JournalError, PartError
from servo.connectors.builds.journal import Journal, records
from servo.connectors.builds.redaction import Secrets
from servo.connectors.builds.sources import make
from servo.connectors.builds.spool import Spool

__all__ = ["BuildsChecks"]


class BuildsChecks(BaseChecks):
    """Checks of an agent, the cheap ones first. Nothing is sent.

    Args:
        config: What is watched, and where it is sent.
    """

    config: BuildsConfiguration

    @require("Secrets")
    def check_secrets(self) -> str:
        """What is to be taken out of logs is known."""
        try:
            values = self.config.secret_values()
            Secrets(values)
        except ValueError as error:
            raise CheckError(
                str(error), hint="correct `log.secret_environment` or `log.secret_files`"
            ) from error
        return f"{len(values)} values are taken out of logs"

    @require("Journal")
    async def check_journal(self) -> str:
        """It can be read and written."""
        try:
            journal = Journal(self.config.journal, thorough=True)
        except JournalError as error:
            raise CheckError(str(error), hint="see `journal`") from error
        try:
            await journal.write(records.agent)
            count, _ = await journal.read(records.waiting)
        except JournalError as error:
            raise CheckError(str(error), hint="see `journal`") from error
        finally:
            await journal.aclose()
        return f"{self.config.journal}: {count} builds wait"

    @require("Backend")
    async def check_backend(self) -> str:
        """It answers, and takes our token."""
        try:
            backend = Backend(self.config)
        except BuildsError as error:
            raise CheckError(str(error), hint="correct `backend.ca_file`") from error
        try:
            return await backend.check()
        except BuildsError as error:
            raise CheckError(str(error), hint="correct `backend.url` or `backend.token`") from error
        finally:
            await backend.aclose()

    @require("Registry")
    async def check_registry(self) -> str:
        """The intermediate registry lets us in."""
        to = self.config.copy_to
        if to is None:
            return "none: nothing is copied"
        skopeo = Skopeo(to.skopeo, timeout=60)
        if skopeo.found() is None:
            raise CheckError(
                f"{to.skopeo} is not to be found", hint="install skopeo, or name it with `copy_to.skopeo`"
            )
        try:
            # Who may not read would be told so; that there is no such image is a good answer.
            await skopeo.digest(_probe(to.registry), self._push())
        except PartError as error:
            if not is_gone(error):
                raise CheckError(
                    str(error), hint="correct `copy_to.registry` or `destination_registry`"
                ) from error
        return f"{to.registry} lets us in"

    @warn("Sources")
    async def check_sources(self) -> str:
        """Builds can be seen."""
        spool = Spool(self.config.spool, 0)
        found = []
        for each in self.config.sources:
            source = make(each, self.config, agent="check", spool=spool, secrets=Secrets())
            try:
                found.append(f"{source.name}: {await source.check()}")
            except BuildsError as error:
                raise CheckError(f"{source.name}: {error}", hint="correct `sources`") from error
            finally:
                await source.aclose()
        return "; ".join(found) or "none"

    def _push(self) -> Registry:
        token = None
        if self.config.pass_token:
            path = token_file()
            if not os.access(path, os.R_OK):
                raise CheckError(
                    f"the service account's token {path} cannot be read", hint="leave out `pass_token`"
                )
            token = path.read_text("utf-8").strip()
        _, push = self.config.registries(token)
        given: Credentials | None = push
        return Registry(given, verify=self.config.destination_registry.verify_tls)


def _probe(registry: str) -> str:
    place = registry if "/" in registry else f"{registry}/{DEFAULT_USER}"
    return f"{place}:trimtab-check"
