"""The server's log, on standard error."""

import logging
import sys

from loguru import logger

__all__ = ["configure"]

FORMAT = "{time:YYYY-MM-DD HH:mm:ss.SSS} | {level: <8} | {message}"


class Forward(logging.Handler):
    """Hands what libraries log to our log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Pass one record on; of what DBOS does all day, only what is amiss."""
        if record.name.startswith("dbos") and record.levelno < logging.WARNING:
            return
        logger.opt(exception=record.exc_info).log(record.levelname, "{}", record.getMessage())


def configure(level: str) -> None:
    """Log from this level on, what the HTTP server says included."""
    logger.remove()
    # Without `diagnose`: a traceback does not show the values of variables, of which one may be a token.
    logger.add(sys.stderr, level=level, format=FORMAT, diagnose=False, backtrace=False)
    logging.basicConfig(handlers=[Forward()], level=logging.INFO, force=True)
