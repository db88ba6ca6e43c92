"""Configuration: ``servo.yaml``, environment variables and ``.env`` as models.

Precedence: a value in the document, else its environment variable, else the default.
"""

from servo.configuration.base import AbstractBaseConfiguration, BaseConfiguration, dump_yaml
from servo.configuration.document import Document, parse_documents, read_documents
from servo.configuration.environment import load_dotenv
from servo.configuration.loading import connectors_of, load
from servo.configuration.optimizers import AppdynamicsOptimizer, OpsaniOptimizer, OptimizerTypes
from servo.configuration.servo import BaseServoConfiguration
from servo.configuration.settings import (
    BackoffConfigurations,
    BackoffContexts,
    BackoffSettings,
    ChecksConfiguration,
    CommonConfiguration,
    FastFailConfiguration,
    Proxies,
    Timeouts,
)

__all__ = [
    "AbstractBaseConfiguration",
    "AppdynamicsOptimizer",
    "BackoffConfigurations",
    "BackoffContexts",
    "BackoffSettings",
    "BaseConfiguration",
    "BaseServoConfiguration",
    "ChecksConfiguration",
    "CommonConfiguration",
    "Document",
    "FastFailConfiguration",
    "OpsaniOptimizer",
    "OptimizerTypes",
    "Proxies",
    "Timeouts",
    "connectors_of",
    "dump_yaml",
    "load",
    "load_dotenv",
    "parse_documents",
    "read_documents",
]
