"""A configuration as a Kubernetes ConfigMap, without the optimizer: its token belongs into a Secret."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from servo.configuration import dump_yaml

if TYPE_CHECKING:
    from servo.servo import Servo

NAME = "opsani-servo-config"


def configmap(servo: Servo, now: datetime | None = None) -> str:
    """Return the YAML document of a ``v1`` ConfigMap that holds the servo's configuration, secrets masked."""
    plain = servo.config.plain(exclude_unset=True, exclude_defaults=True, exclude_none=True)
    plain.pop("optimizer", None)
    document: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": NAME,
            "labels": {
                "app.kubernetes.io/name": "servo",
                "app.kubernetes.io/version": str(type(servo).version),
            },
            "annotations": {
                "servo.opsani.com/configured_at": (now or datetime.now(UTC)).isoformat(),
                "servo.opsani.com/connectors": json.dumps(_connectors(servo)),
            },
        },
    }
    return f"---\n{dump_yaml(document)}data:\n  servo.yaml: |\n{_indented(dump_yaml(plain, sort_keys=True))}"


def _connectors(servo: Servo) -> list[dict[str, Any]]:
    return [
        {
            "name": connector.name,
            "type": type(connector).__name__,
            "description": type(connector).description,
            "version": str(type(connector).version),
            "url": str(type(connector).homepage) if type(connector).homepage else None,
        }
        for connector in servo.connectors
    ]


def _indented(text: str) -> str:
    return "".join(f"    {line}" if line.strip() else line for line in text.splitlines(keepends=True))
