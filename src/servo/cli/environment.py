"""The ``.env`` file: found upward from the working directory, filling in what the environment lacks."""

from pathlib import Path

FILE = ".env"


def load_dotenv(start: Path | None = None) -> Path | None:
    """Load the nearest ``.env`` at or above ``start``, and return it; variables that are set keep their values."""
    directory = (start or Path.cwd()).absolute()
    for place in (directory, *directory.parents):
        file = place / FILE
        if file.is_file():
            import dotenv

            dotenv.load_dotenv(file, override=False)
            return file
    return None
