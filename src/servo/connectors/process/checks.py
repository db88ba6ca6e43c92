"""What must be so for an application to be run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from servo.checks import BaseChecks, CheckError, require
from servo.connectors.process import launch, rendering, state
from servo.connectors.process.application import Application, UnfitError
from servo.connectors.process.configuration import ProcessConfiguration
from servo.connectors.process.readiness import probe

if TYPE_CHECKING:
    from servo.connectors.process.child import Spec


class ProcessChecks(BaseChecks):
    """Checks of an application, the cheap ones first.

    Args:
        config: What to run.
        application: What runs.
    """

    config: ProcessConfiguration
    application: Application | None = Field(default=None)

    def _spec(self) -> Spec:
        return launch.spec(self.config, state.defaults(self.config.settings))

    @require("Working directory")
    def check_directory(self) -> str:
        """It exists."""
        directory = self.config.directory.absolute()
        if not directory.is_dir():
            raise CheckError(f"{directory} is no directory", hint="correct `directory`")
        return str(directory)

    @require("Command")
    def check_command(self) -> str:
        """The program exists and may be executed."""
        spec = self._spec()
        program = spec.argv[0]
        path = spec.environment.get("PATH", os.defpath)
        # A relative path with a slash starts from the application's directory, not from ours.
        candidate = str(Path(spec.directory, program)) if "/" in program else program
        if (found := shutil.which(candidate, path=path)) is None:
            raise CheckError(
                f"{program} is not to be found or not executable", hint="correct the first part of `command`"
            )
        return found

    @require("Template")
    def check_template(self) -> str:
        """It can be read, and all that it asks for is known."""
        if self.config.template is None:
            return "none"
        try:
            text = rendering.read_template(self.config.directory / self.config.template.source)
        except rendering.TemplateError as error:
            raise CheckError(str(error), hint="correct `template.source`") from error
        known = {setting.name for setting in self.config.settings} | {"port"}
        left = sorted(rendering.placeholders(text) - known)
        return (
            f"left as they are, as no setting has such a name: {', '.join(left)}"
            if left
            else "can be rendered"
        )

    @require("Readiness")
    async def check_readiness(self) -> str:
        """The application comes up."""
        application = self.application or Application(self.config)
        if not application.started:
            try:
                await application.start()
            except UnfitError as error:
                raise CheckError(
                    str(error), hint="start it by hand with the command of the configuration"
                ) from error
        if trouble := await probe(self.config.readiness, self.config.port):
            raise CheckError(trouble, hint="compare `readiness` with what the application serves")
        return "the application is up"
