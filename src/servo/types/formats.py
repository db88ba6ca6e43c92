"""Formats of output, and methods of HTTP."""

from enum import StrEnum

__all__ = [
    "CONFIGMAP_FORMAT",
    "DICT_FORMAT",
    "HTML_FORMAT",
    "HTTP_METHODS",
    "JSON_FORMAT",
    "MARKDOWN_FORMAT",
    "TEXT_FORMAT",
    "YAML_FORMAT",
    "AbstractOutputFormat",
]

YAML_FORMAT = "yaml"
JSON_FORMAT = "json"
DICT_FORMAT = "dict"
HTML_FORMAT = "html"
TEXT_FORMAT = "text"
MARKDOWN_FORMAT = "markdown"
CONFIGMAP_FORMAT = "configmap"

HTTP_METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")

_SYNTAX = {
    YAML_FORMAT: "yaml",
    CONFIGMAP_FORMAT: "yaml",
    JSON_FORMAT: "json",
    DICT_FORMAT: "python",
    HTML_FORMAT: "html",
    MARKDOWN_FORMAT: "markdown",
}


class AbstractOutputFormat(StrEnum):
    """Base of a command's choice of formats; its members' values are among the constants of this module."""

    @property
    def syntax(self) -> str | None:
        """The language to highlight the output as, None for plain text."""
        return _SYNTAX.get(self.value)
