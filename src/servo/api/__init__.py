"""The protocol between a servo and its optimizer: messages, and the client that sends them."""

from __future__ import annotations

from servo.api.authorization import token_headers
from servo.api.client import InvalidResponseError, OptimizerClient, is_unexpected_servo, user_agent
from servo.api.connections import Connections
from servo.api.curl import redacted_to_curl
from servo.api.messages import (
    CommandResponse,
    MalformedCommandError,
    MeasureParams,
    Request,
    SleepResponse,
    Status,
    parse_command,
)
from servo.api.payloads import adjustments_to_descriptor, descriptor_to_adjustments
from servo.api.retry import full_jitter, is_fatal_status_code, retry, retry_after
from servo.api.statuses import Commands, Events, OptimizerStatuses, Reasons, ServoStatuses
from servo.configuration.optimizers import OptimizerTypes
from servo.configuration.settings import CommonConfiguration

__all__ = [
    "CommandResponse",
    "Commands",
    "Connections",
    "Events",
    "InvalidResponseError",
    "MalformedCommandError",
    "MeasureParams",
    "OptimizerClient",
    "OptimizerStatuses",
    "Reasons",
    "Request",
    "ServoStatuses",
    "SleepResponse",
    "Status",
    "adjustments_to_descriptor",
    "descriptor_to_adjustments",
    "full_jitter",
    "get_api_client_for_optimizer",
    "is_fatal_status_code",
    "is_unexpected_servo",
    "parse_command",
    "redacted_to_curl",
    "retry",
    "retry_after",
    "token_headers",
    "user_agent",
]


def get_api_client_for_optimizer(optimizer: OptimizerTypes, settings: CommonConfiguration) -> OptimizerClient:
    """Return a client of its own for an optimizer."""
    return OptimizerClient(optimizer, settings)
