"""What a campaign showed, as a page and as JSON."""

from trimtab.stacks.report.files import Written, write
from trimtab.stacks.report.page import Heading, render

__all__ = ["Heading", "Written", "render", "write"]
