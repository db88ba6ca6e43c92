"""What was seen and what became of it, on disk before anything else."""

from servo.connectors.builds.journal.journal import Journal
from servo.connectors.builds.journal.records import Copy, Record, State
from servo.connectors.builds.journal.schema import recover

__all__ = ["Copy", "Journal", "Record", "State", "recover"]
