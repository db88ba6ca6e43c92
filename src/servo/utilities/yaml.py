"""Text that YAML writes as a literal block."""

from typing import Any

__all__ = ["PreservedScalarString"]


class PreservedScalarString(str):
    """A text that YAML writes line by line, behind a ``|``, as it is.

    Every dumper of PyYAML knows it.
    """

    __slots__ = ()


def _represent(dumper: Any, text: PreservedScalarString) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="|")


def _register() -> None:
    import yaml

    for dumper in (yaml.Dumper, yaml.SafeDumper):
        dumper.add_representer(PreservedScalarString, _represent)


_register()
