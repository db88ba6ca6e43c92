"""Variables that no Containerfile can hold, because they have line breaks."""

from collections.abc import Mapping

from trimtab.inspection.context.grammar import holds

__all__ = ["LAUNCHER", "WRAPPED", "encode", "split"]

WRAPPED = "entrypoint.wrapper"
"""Name of the run wrapper in an image where the launcher has taken its own."""

LAUNCHER = """\
#!/bin/sh
# Sets the variables that have line breaks, which an image's configuration cannot hold, and starts the run wrapper.
while IFS= read -r line; do
    value=$(printf '%b_' "${line#*=}")  # the underscore keeps line breaks at the end
    export "${line%%=*}=${value%_}"
done < /opt/trimtab/environment
exec /home/amun/entrypoint.wrapper "$@"
"""

_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:,@+-")
_ENCODED = [bytes([byte]) if byte in _PLAIN else b"\\0%03o" % byte for byte in range(256)]


def split(variables: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Those that a Containerfile can hold, and the others."""
    plain = {name: value for name, value in variables.items() if holds(value)}
    return plain, {name: value for name, value in variables.items() if name not in plain}


def encode(variables: Mapping[str, str]) -> bytes:
    """One `name=value` a line, with all but letters, digits and the like as the octal escapes of `printf %b`."""
    return b"".join(
        name.encode() + b"=" + b"".join(_ENCODED[byte] for byte in value.encode()) + b"\n"
        for name, value in variables.items()
    )
