"""The values of a servo: durations, metrics, settings, descriptions, measurements. They do no input or output."""

from servo.types import api, core, settings, slo
from servo.types.api import *  # noqa: F403  each of these modules says in its __all__ what is public
from servo.types.core import *  # noqa: F403  as above
from servo.types.settings import *  # noqa: F403  as above
from servo.types.slo import *  # noqa: F403  as above

__all__ = sorted({*core.__all__, *api.__all__, *settings.__all__, *slo.__all__})  # noqa: PLE0605  computed from theirs
