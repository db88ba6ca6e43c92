"""Tunes a stack: versions of packages and resources are settings, and a measurement is an inspection by a server."""

from servo.connectors.inspection.configuration import InspectionConfiguration
from servo.connectors.inspection.connector import InspectionConnector

__all__ = ["InspectionConfiguration", "InspectionConnector"]
