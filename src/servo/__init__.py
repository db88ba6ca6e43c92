"""Servo, the agent: it runs beside an application, measures and adjusts it, and does what an optimizer asks.

Names are imported when they are first used, so that ``import servo`` costs nothing::

    import servo


    @servo.metadata(description="A connector", version="1.0.0")
    class ExampleConnector(servo.BaseConnector):
        config: servo.BaseConfiguration

        @servo.on_event()
        async def measure(self, *, metrics=None, control=servo.Control()) -> servo.Measurement: ...
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # fmt: off
    # isort: off
    from servo.assembly import (
        Assembly, current_assembly,
    )
    from servo.checks import (
        BaseChecks, Check, CheckError, CheckFilter, CheckHandler, CheckHandlerResult, check, multicheck,
        require, warn,
    )
    from servo.configuration import (
        AbstractBaseConfiguration, AppdynamicsOptimizer, BaseConfiguration, BaseServoConfiguration,
        CommonConfiguration, OpsaniOptimizer, OptimizerTypes,
    )
    from servo.connector import (
        BaseConnector, current_connector, metadata,
    )
    from servo.errors import (
        AdjustmentFailedError, AdjustmentRejectedError, BaseError, ConfigurationError, ConnectorError,
        ConnectorNotFoundError, EventAbortedError, EventCancelledError, EventError,
        EventHandlersNotFoundError, MeasurementFailedError, ServoError, UnexpectedCommandIdError,
        UnexpectedEventError,
    )
    from servo.events import (
        Event, EventContext, EventHandler, EventResult, Preposition, after_event, before_event,
        create_event, current_event, event, event_handler, on_event,
    )
    from servo.logging import (
        ProgressHandler, log_execution, log_execution_time, logger, reset_to_defaults, set_level,
    )
    from servo.servo import (
        Events, Servo, current_command_uid, current_servo,
    )
    from servo.types.api import (
        Adjustment, Component, Control, Description, Measurement, UserData,
    )
    from servo.types.core import (
        AbstractOutputFormat, BaseModel, BaseModelConfig, BaseProgress, CONFIGMAP_FORMAT,
        DEFAULT_JSON_ENCODERS, DICT_FORMAT, DataPoint, Duration, DurationDescriptor, DurationProgress,
        ErrorSeverity, EventProgress, Futuristic, HTML_FORMAT, HTTP_METHODS, HumanReadable, JSON_FORMAT,
        License, MARKDOWN_FORMAT, Maturity, Metric, NoneCallable, Numeric, OpsaniRepr, Reading, Readings,
        TEXT_FORMAT, TimeSeries, Unit, Version, YAML_FORMAT, isfuturistic,
    )
    from servo.types.settings import (
        CPU, EnumSetting, EnvironmentEnumSetting, EnvironmentRangeSetting, EnvironmentSetting,
        EnvironmentSettingList, InstanceType, InstanceTypeUnits, Memory, NumericType, RangeSetting,
        Replicas, Setting, find_setting,
    )
    from servo.types.slo import (
        SloCondition, SloInput, SloKeep, TriggerConstraints,
    )
    from servo.utilities import (
        OutputStreamCallback, PreservedScalarString, SubprocessResult, Timeout, check_status_to_str,
        commandify, dump_container, extra, get_hash, join_to_series, microseconds_from_duration_str,
        parse_csv, parse_id, parse_re, run_subprocess_exec, run_subprocess_shell, stream_subprocess_exec,
        stream_subprocess_output, stream_subprocess_shell, timedelta_from_duration_str,
        timedelta_to_duration_str, value_for_key_path, values_for_keys,
    )
    # isort: on
    # fmt: on

__cryptonym__: str
__version__: str

# fmt: off
_SUBMODULES = frozenset({
    "api", "assembly", "checks", "cli", "configuration", "connector", "connectors", "errors", "events",
    "fast_fail", "logging", "repeating", "runner", "servo", "telemetry", "types", "utilities",
})

_EXPORTS = {
    "assembly": (
        "Assembly", "current_assembly",
    ),
    "checks": (
        "BaseChecks", "Check", "CheckError", "CheckFilter", "CheckHandler", "CheckHandlerResult", "check",
        "multicheck", "require", "warn",
    ),
    "configuration": (
        "AbstractBaseConfiguration", "AppdynamicsOptimizer", "BaseConfiguration", "BaseServoConfiguration",
        "CommonConfiguration", "OpsaniOptimizer", "OptimizerTypes",
    ),
    "connector": (
        "BaseConnector", "current_connector", "metadata",
    ),
    "errors": (
        "AdjustmentFailedError", "AdjustmentRejectedError", "BaseError", "ConfigurationError",
        "ConnectorError", "ConnectorNotFoundError", "EventAbortedError", "EventCancelledError",
        "EventError", "EventHandlersNotFoundError", "MeasurementFailedError", "ServoError",
        "UnexpectedCommandIdError", "UnexpectedEventError",
    ),
    "events": (
        "Event", "EventContext", "EventHandler", "EventResult", "Preposition", "after_event",
        "before_event", "create_event", "current_event", "event", "event_handler", "on_event",
    ),
    "logging": (
        "ProgressHandler", "log_execution", "log_execution_time", "logger", "reset_to_defaults",
        "set_level",
    ),
    "servo": (
        "Events", "Servo", "current_command_uid", "current_servo",
    ),
    "types.api": (
        "Adjustment", "Component", "Control", "Description", "Measurement", "UserData",
    ),
    "types.core": (
        "AbstractOutputFormat", "BaseModel", "BaseModelConfig", "BaseProgress", "CONFIGMAP_FORMAT",
        "DEFAULT_JSON_ENCODERS", "DICT_FORMAT", "DataPoint", "Duration", "DurationDescriptor",
        "DurationProgress", "ErrorSeverity", "EventProgress", "Futuristic", "HTML_FORMAT", "HTTP_METHODS",
        "HumanReadable", "JSON_FORMAT", "License", "MARKDOWN_FORMAT", "Maturity", "Metric", "NoneCallable",
        "Numeric", "OpsaniRepr", "Reading", "Readings", "TEXT_FORMAT", "TimeSeries", "Unit", "Version",
        "YAML_FORMAT", "isfuturistic",
    ),
    "types.settings": (
        "CPU", "EnumSetting", "EnvironmentEnumSetting", "EnvironmentRangeSetting", "EnvironmentSetting",
        "EnvironmentSettingList", "InstanceType", "InstanceTypeUnits", "Memory", "NumericType",
        "RangeSetting", "Replicas", "Setting", "find_setting",
    ),
    "types.slo": (
        "SloCondition", "SloInput", "SloKeep", "TriggerConstraints",
    ),
    "utilities": (
        "OutputStreamCallback", "PreservedScalarString", "SubprocessResult", "Timeout",
        "check_status_to_str", "commandify", "dump_container", "extra", "get_hash", "join_to_series",
        "microseconds_from_duration_str", "parse_csv", "parse_id", "parse_re", "run_subprocess_exec",
        "run_subprocess_shell", "stream_subprocess_exec", "stream_subprocess_output",
        "stream_subprocess_shell", "timedelta_from_duration_str", "timedelta_to_duration_str",
        "value_for_key_path", "values_for_keys",
    ),
}

__all__ = [
    "CONFIGMAP_FORMAT", "CPU", "DEFAULT_JSON_ENCODERS", "DICT_FORMAT", "HTML_FORMAT", "HTTP_METHODS",
    "JSON_FORMAT", "MARKDOWN_FORMAT", "TEXT_FORMAT", "YAML_FORMAT", "AbstractBaseConfiguration",
    "AbstractOutputFormat", "Adjustment", "AdjustmentFailedError", "AdjustmentRejectedError",
    "AppdynamicsOptimizer", "Assembly", "BaseChecks", "BaseConfiguration", "BaseConnector", "BaseError",
    "BaseModel", "BaseModelConfig", "BaseProgress", "BaseServoConfiguration", "Check", "CheckError",
    "CheckFilter", "CheckHandler", "CheckHandlerResult", "CommonConfiguration", "Component",
    "ConfigurationError", "ConnectorError", "ConnectorNotFoundError", "Control", "DataPoint", "Description",
    "Duration", "DurationDescriptor", "DurationProgress", "EnumSetting", "EnvironmentEnumSetting",
    "EnvironmentRangeSetting", "EnvironmentSetting", "EnvironmentSettingList", "ErrorSeverity", "Event",
    "EventAbortedError", "EventCancelledError", "EventContext", "EventError", "EventHandler",
    "EventHandlersNotFoundError", "EventProgress", "EventResult", "Events", "Futuristic", "HumanReadable",
    "InstanceType", "InstanceTypeUnits", "License", "Maturity", "Measurement", "MeasurementFailedError",
    "Memory", "Metric", "NoneCallable", "Numeric", "NumericType", "OpsaniOptimizer", "OpsaniRepr",
    "OptimizerTypes", "OutputStreamCallback", "Preposition", "PreservedScalarString", "ProgressHandler",
    "RangeSetting", "Reading", "Readings", "Replicas", "Servo", "ServoError", "Setting", "SloCondition",
    "SloInput", "SloKeep", "SubprocessResult", "TimeSeries", "Timeout", "TriggerConstraints",
    "UnexpectedCommandIdError", "UnexpectedEventError", "Unit", "UserData", "Version", "__cryptonym__",
    "__version__", "after_event", "before_event", "check", "check_status_to_str", "commandify",
    "create_event", "current_assembly", "current_command_uid", "current_connector", "current_event",
    "current_servo", "dump_container", "event", "event_handler", "extra", "find_setting", "get_hash",
    "isfuturistic", "join_to_series", "log_execution", "log_execution_time", "logger", "metadata",
    "microseconds_from_duration_str", "multicheck", "on_event", "parse_csv", "parse_id", "parse_re",
    "require", "reset_to_defaults", "run_subprocess_exec", "run_subprocess_shell", "set_level",
    "stream_subprocess_exec", "stream_subprocess_output", "stream_subprocess_shell",
    "timedelta_from_duration_str", "timedelta_to_duration_str", "value_for_key_path", "values_for_keys",
    "warn",
]
# fmt: on

_MODULE_OF = {name: module for module, names in _EXPORTS.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import what is asked for, once."""
    if name in _MODULE_OF:
        value = getattr(import_module(f"servo.{_MODULE_OF[name]}"), name)
    elif name in _SUBMODULES:
        return import_module(f"servo.{name}")
    elif name == "__version__":
        value = import_module("servo.release").release()
    elif name == "__cryptonym__":
        value = import_module("servo.release").CRYPTONYM
    else:
        raise AttributeError(f"module 'servo' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_SUBMODULES})
