"""How an event reaches its handlers.

The connectors of a servo share a :class:`Bus`. A dispatch has three phases:

1. *before*: all connectors side by side. Who raises `EventCancelledError` cancels the event: nothing else runs.
2. *on*: all connectors side by side, or one after the other until the ``first`` that answers.
3. *after*: all connectors side by side, with the results of the second phase; only if that succeeded.

The handlers of one connector run one after the other, in the order of their registration.

Who answers what is worked out once for each bus and event and kept as a plan, until a connector joins or leaves the
bus or a handler is added anywhere: dispatch is on the path of every command of every servo, registration is not.
"""

from servo.dispatch.bus import Bus
from servo.dispatch.mixin import Mixin

__all__ = ["Bus", "Mixin"]
