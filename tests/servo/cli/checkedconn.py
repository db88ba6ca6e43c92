"""A connector with checks of each severity; a file says whether they pass."""

import pathlib

import servo


def there_is(name):
    return pathlib.Path(name).exists()


class CheckedChecks(servo.BaseChecks):
    @servo.require("Is there")
    def check_there(self) -> bool:
        return not there_is("gone")

    @servo.check("Answers", tags=["web"])
    async def check_answers(self) -> tuple[bool, str]:
        return not there_is("mute"), "as asked"

    @servo.warn("Is quick", tags=["web", "speed"])
    def check_quick(self) -> bool:
        return not there_is("slow")


@servo.metadata(description="Checks itself", version="1.0.0")
class CheckedConnector(servo.BaseConnector):
    config: servo.BaseConfiguration

    @servo.on_event()
    async def check(
        self,
        matching: servo.CheckFilter | None = None,
        halt_on: servo.ErrorSeverity | None = servo.ErrorSeverity.critical,
    ) -> list[servo.Check]:
        return await CheckedChecks.run(self.config, matching=matching, halt_on=halt_on)
