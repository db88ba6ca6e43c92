"""Reports as pages: one HTML file with everything in it, and nothing that could run.

What the optimizer's report and that of an inspection share: layout and colours, plots, numbers as people read them, and how
a file is written. Neither report knows of the other.
"""

from trimtab.pages.files import write_whole
from trimtab.pages.page import Page
from trimtab.pages.plot import Plot, drawn

__all__ = ["Page", "Plot", "drawn", "write_whole"]
