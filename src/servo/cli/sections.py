"""The words that the whole command line shares."""

from enum import StrEnum


class Section(StrEnum):
    """A heading of the help page; its value is what is printed."""

    assembly = "Assembly Commands"
    ops = "Operational Commands"
    config = "Configuration Commands"
    connectors = "Connector Commands"
    commands = "Commands"
    other = "Other Commands"


class LogLevel(StrEnum):
    """A threshold of the log, lowest first."""

    trace = "TRACE"
    debug = "DEBUG"
    info = "INFO"
    success = "SUCCESS"
    warning = "WARNING"
    error = "ERROR"
    critical = "CRITICAL"
