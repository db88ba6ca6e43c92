"""The main loops: of one servo, and of all the servos of a process."""

from servo.runner.assembly import AssemblyRunner
from servo.runner.servo import ServoRunner

__all__ = ["AssemblyRunner", "ServoRunner"]
