"""The values on which all else is built, in one place."""

from servo.types.duration import Duration, DurationDescriptor
from servo.types.event_progress import EventProgress
from servo.types.formats import (
    CONFIGMAP_FORMAT,
    DICT_FORMAT,
    HTML_FORMAT,
    HTTP_METHODS,
    JSON_FORMAT,
    MARKDOWN_FORMAT,
    TEXT_FORMAT,
    YAML_FORMAT,
    AbstractOutputFormat,
)
from servo.types.metadata import ErrorSeverity, License, Maturity, Version
from servo.types.metrics import DataPoint, Metric, Reading, Readings, TimeSeries, Unit
from servo.types.model import DEFAULT_JSON_ENCODERS, BaseModel, BaseModelConfig
from servo.types.progress import BaseProgress, DurationProgress
from servo.types.protocols import Futuristic, HumanReadable, NoneCallable, OpsaniRepr, isfuturistic
from servo.types.setting import Numeric

__all__ = [
    "CONFIGMAP_FORMAT",
    "DEFAULT_JSON_ENCODERS",
    "DICT_FORMAT",
    "HTML_FORMAT",
    "HTTP_METHODS",
    "JSON_FORMAT",
    "MARKDOWN_FORMAT",
    "TEXT_FORMAT",
    "YAML_FORMAT",
    "AbstractOutputFormat",
    "BaseModel",
    "BaseModelConfig",
    "BaseProgress",
    "DataPoint",
    "Duration",
    "DurationDescriptor",
    "DurationProgress",
    "ErrorSeverity",
    "EventProgress",
    "Futuristic",
    "HumanReadable",
    "License",
    "Maturity",
    "Metric",
    "NoneCallable",
    "Numeric",
    "OpsaniRepr",
    "Reading",
    "Readings",
    "TimeSeries",
    "Unit",
    "Version",
    "isfuturistic",
]
