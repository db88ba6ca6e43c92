"""What hardware this is.

`document()` serves the host, and the same modules are part of the run wrapper, which has no other package beside it and
any Python from 3.6: they import the standard library only, and little of that, for it counts as our share of each run.
"""

from trimtab.inspection.hwinfo.document import document

__all__ = ["document"]
