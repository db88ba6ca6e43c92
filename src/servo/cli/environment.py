"""The ``.env`` file: found upward from the working directory, filling in what the environment lacks."""

from pathlib import Path

from servo.cli.failures import USAGE, fail

FILE = ".env"


def load_dotenv(start: Path | None = None) -> Path | None:
    """Load the nearest ``.env`` at or above ``start``, and return it; variables that are set keep their values."""
    directory = (start or Path.cwd()).absolute()
    for place in (directory, *directory.parents):
        file = place / FILE
        if file.is_file():
            import dotenv

            try:
                dotenv.load_dotenv(file, override=False)
            except (OSError, UnicodeDecodeError) as error:
                what = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
                fail(f"the file '{file}' cannot be read: {what}; mend it, or move it away", USAGE)
            return file
    return None
