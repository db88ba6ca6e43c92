"""The agent of `trimtab tune`: the servo that a servo.yaml describes, with an optimizer in this process."""

import os
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from servo.assembly import Assembly
    from servo.configuration.document import Document
    from servo.servo import Servo
    from servo.types.checks import Check
    from trimtab.optimizer.sessions import Sessions

__all__ = ["Agent", "application_of", "attached", "read_configuration"]

# Nothing is sent there: the transport hands each request to the optimizer's application.
BASE_URL = "http://127.0.0.1"
_APPLICATION = re.compile(r"(?!-)[A-Za-z0-9.-]{5,50}/[A-Za-z0-9_.-]{1,64}")
_UNFIT = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Agent:
    """A servo whose connectors are attached, and the assembly it is in."""

    servo: "Servo"
    assembly: "Assembly"

    async def describe(self) -> Mapping[str, Any]:
        """The application as it is described to the optimizer."""
        from servo.runner import operations
        from servo.types.api import Control

        with self.servo.current():
            found = await operations.describe(self.servo, Control())
        return found.__opsani_repr__()

    async def check(self) -> dict[str, list["Check"]]:
        """All checks of the connectors, run once, by the name of the connector."""
        from servo.standard_events import Events
        from servo.types.checks import CheckFilter

        others = [each for each in self.servo.connectors if each.responds_to_event(Events.check)]
        with self.servo.current():
            results = await self.servo.dispatch_event(
                Events.check, CheckFilter(), include=others, halt_on=None
            )
        return {result.connector.name: list(result.value or ()) for result in results}


def read_configuration(path: Path) -> "Document":
    """The one document of a servo.yaml, its optimizer left out: `tune` brings its own.

    Raises:
        ConfigurationError: It cannot be read, or describes several servos.
    """
    from servo.configuration.document import read_documents
    from servo.errors import ConfigurationError

    try:
        documents = read_documents(path)
    except FileNotFoundError:
        raise ConfigurationError(
            "there is no such file", file=path, remedy="name the servo.yaml of the application to tune"
        ) from None
    if len(documents) != 1:
        raise ConfigurationError(
            f"there are {len(documents)} servos in it",
            file=path,
            remedy="`trimtab tune` tunes one: write each to a file of its own, or use `trimtab serve`",
        )
    return documents[0]


def application_of(document: "Document", path: Path) -> str:
    """Which application the sessions of a configuration belong to: its optimizer's id, else its name, else its folder's."""
    data = document.data if isinstance(document.data, dict) else {}
    optimizer = data.get("optimizer")
    known = optimizer.get("id") if isinstance(optimizer, dict) else None
    if isinstance(known, str) and _APPLICATION.fullmatch(known):
        return known
    name = str(data.get("name") or path.absolute().parent.name)
    return f"local/{_UNFIT.sub('-', name)[:64].strip('-') or 'application'}"


@asynccontextmanager
async def attached(document: "Document", application: str, sessions: "Sessions") -> AsyncIterator[Agent]:
    """The agent of a configuration, its line to the optimizer going through this process only.

    Raises:
        ConfigurationError: Something in the configuration is wrong.
        ServoError: A connector cannot be attached.
    """
    import httpx2

    from servo.api.connections import Connections
    from servo.assembly import Assembly, load_connector_types
    from trimtab.server.app import create_app
    from trimtab.settings import ServerSettings

    load_connector_types()
    settings = ServerSettings(host="127.0.0.1", token=None, token_file=None)
    transport = httpx2.ASGITransport(app=create_app(settings, sessions))
    assembly = Assembly(config_file=document.file, connections=Connections(transport))
    servo = assembly.build(_with_optimizer(document, application), _environment())
    await assembly.add_servo(servo)
    try:
        yield Agent(servo, assembly)
    finally:
        if servo in assembly.servos and servo.connectors:
            await assembly.remove_servo(servo, "finished")
        await assembly.aclose()


def _with_optimizer(document: "Document", application: str) -> "Document":
    from dataclasses import replace

    organization, _, name = application.partition("/")
    optimizer = {
        "id": application,
        "token": "in-process",
        "base_url": BASE_URL,
        "url": f"{BASE_URL}/accounts/{organization}/applications/{name}/",
    }
    data = {} if document.data is None else document.data
    return replace(document, data={**data, "optimizer": optimizer}) if isinstance(data, dict) else document


def _environment() -> dict[str, str]:
    """The environment without what configures an optimizer."""
    foreign = ("OPSANI_", "APPD_", "SERVO_OPTIMIZER")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
