"""From configuration and values to what is run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from servo.connectors.process import rendering
from servo.connectors.process.child import Spec
from servo.connectors.process.configuration import ProcessConfiguration
from servo.connectors.process.settings import Value, text

_OURS = ("SERVO_", "OPSANI_", "APPD_", "TRIMTAB_")


def spec(config: ProcessConfiguration, values: Mapping[str, Value]) -> Spec:
    """What to run with some values of the settings."""
    shown = placeholder_values(config, values)
    return Spec(
        argv=(
            *(rendering.substitute(part, shown) for part in config.command),
            *rendering.arguments(config.settings, values),
        ),
        directory=os.fspath(config.directory.absolute()),
        environment=environment(config, values, os.environ),
        log=os.fspath(config.log_file().absolute()),
        log_limit=config.log_limit,
        pattern=config.readiness.log,
        signal=config.drain.signal,
        grace=config.drain.grace.total_seconds(),
    )


def placeholder_values(config: ProcessConfiguration, values: Mapping[str, Value]) -> dict[str, str]:
    """What `${…}` stands for."""
    shown = {name: text(value) for name, value in values.items()}
    return shown | ({} if config.port is None else {"port": str(config.port)})


def environment(
    config: ProcessConfiguration, values: Mapping[str, Value], inherited: Mapping[str, str]
) -> dict[str, str]:
    """All variables of the application; the agent's own credentials are not among them."""
    passed = (
        {k: v for k, v in inherited.items() if not k.startswith(_OURS)} if config.inherit_environment else {}
    )
    return {
        **passed,
        **({} if config.port is None else {"PORT": str(config.port)}),
        **config.environment,
        **{name: value.get_secret_value() for name, value in config.secret_environment.items()},
        **rendering.environment(config.settings, values),
    }


def write_template(config: ProcessConfiguration, values: Mapping[str, Value]) -> None:
    """Make the file that the application reads, if there is one.

    Raises:
        TemplateError: The template cannot be read or the file not be written.
    """
    if config.template is None:
        return
    template = rendering.read_template(config.directory / config.template.source)
    target: Path = config.directory / config.template.target
    try:
        rendering.write_whole(target, rendering.substitute(template, placeholder_values(config, values)))
    except OSError as error:
        raise rendering.TemplateError(f"cannot write {target}: {error.strerror}") from error
