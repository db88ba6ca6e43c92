"""Rows as tables and files, whatever they are of: columns are found as they come, and nothing is held in memory."""

from trimtab.frames.cell import MAX_TEXT, Cell, Row, plain, storable
from trimtab.frames.files import Format, write
from trimtab.frames.spool import MAX_COLUMNS, Spool

__all__ = ["MAX_COLUMNS", "MAX_TEXT", "Cell", "Format", "Row", "Spool", "plain", "storable", "write"]
