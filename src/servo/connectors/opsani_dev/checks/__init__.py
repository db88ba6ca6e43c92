"""What must be so for a Deployment to be tuned, from the cluster to the requests that reach the tuning pod."""

from servo.connectors.opsani_dev.checks.traffic import OpsaniDevChecks

__all__ = ["OpsaniDevChecks"]
