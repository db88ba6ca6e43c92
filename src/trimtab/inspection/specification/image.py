"""References to images."""

import re

__all__ = ["check_image"]

# The grammar of https://github.com/distribution/reference, without its limit of what is a host: a builder decides that.
_HOST = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])(?::[0-9]{1,5})?"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_REFERENCE = re.compile(rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*(?::{_TAG})?(?:@{_DIGEST})?")


def check_image(value: str) -> str:
    """Refuse what is no reference to an image, such as options, transports and paths of the builder's machine.

    Raises:
        ValueError: It is none.
    """
    if not _REFERENCE.fullmatch(value):
        raise ValueError(
            "it is no reference to an image; write [host[:port]/]name[:tag][@digest], with the name in lower case"
        )
    return value
