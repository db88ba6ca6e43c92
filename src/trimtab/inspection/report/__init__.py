"""The report of an inspection: one HTML page that needs nothing else, and the same as JSON.

It is made of the inspection's documents alone, ours or the original's, so it can be written again at any time.
"""

from trimtab.inspection.report.files import Written, write
from trimtab.inspection.report.model import Report
from trimtab.inspection.report.page import render
from trimtab.inspection.report.reading import read

__all__ = ["Report", "Written", "read", "render", "write"]
