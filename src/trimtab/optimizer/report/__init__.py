"""The report of a session: one HTML page that needs nothing else, and the same as JSON.

It is made of the session's document alone (`trimtab sessions export`), so it can be written again at any time, on
any machine. What the document does not say, the report leaves out.
"""

from trimtab.optimizer.report.files import Written, write
from trimtab.optimizer.report.machine import machine_card
from trimtab.optimizer.report.model import Report, ReportError, read
from trimtab.optimizer.report.page import render

__all__ = ["Report", "ReportError", "Written", "machine_card", "read", "render", "write"]
