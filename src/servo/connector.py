"""Connectors: what a servo is made of.

A connector is a class with a configuration, metadata and handlers of events::

    @servo.metadata(description="Tells the time", version="1.0.0")
    class ClockConnector(servo.BaseConnector):
        config: ClockConfiguration

        @servo.on_event()
        async def metrics(self) -> list[Metric]: ...

Classes are found through entry points of the group ``servo.connectors``, see :class:`ConnectorLoader`, and named in
configurations by identifiers, see :mod:`servo.routes`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast, get_args

import pydantic
from pydantic import ConfigDict, Field, field_validator, model_validator

from servo import context, dispatch, logging, repeating, standard_events  # noqa: F401  declares the standard events
from servo.configuration import AbstractBaseConfiguration, CommonConfiguration, OptimizerTypes
from servo.context import current_connector
from servo.telemetry import Telemetry
from servo.types.metadata import License, Maturity, Version
from servo.types.model import OldNames
from servo.utilities import associations

if TYPE_CHECKING:
    from loguru import Logger

__all__ = [
    "BaseConnector",
    "ConnectorLoader",
    "License",
    "Maturity",
    "Version",
    "current_connector",
    "metadata",
]

ENTRY_POINT_GROUP = "servo.connectors"

Connector = TypeVar("Connector", bound="BaseConnector")

_NAME = re.compile(r"[A-Za-z0-9_./-]{3,128}")
_SHOWN_CHARACTERS = 300


class BaseConnector(OldNames, dispatch.Mixin, repeating.Mixin, associations.Mixin):
    """The base of all connectors.

    The configuration, telemetry and bus it is given are kept as they are, never copied. Two connectors are equal if
    they are the same.

    Args:
        name: Unique within a servo; derived from the name of the class by default.
        config: Its configuration; a subclass annotates it with its own class.
        telemetry: What it tells the optimizer about itself; its servo's.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, revalidate_instances="never")

    # Slots, and not private attributes: those cost each connector a dictionary and each access a function call.
    __slots__ = ("_bus", "_global_config", "_optimizer", "_own_handlers", "_repeating_tasks")

    name: str = ""
    config: AbstractBaseConfiguration
    telemetry: Telemetry = Field(default_factory=Telemetry)

    full_name: ClassVar[str]
    """The name for people."""
    version: ClassVar[Version | str | None] = Version(0)
    cryptonym: ClassVar[str | None] = None
    description: ClassVar[str | None] = None
    homepage: ClassVar[str | None] = None
    license: ClassVar[License | None] = None
    maturity: ClassVar[Maturity | None] = None

    __default_name__: ClassVar[str]
    """The name of an instance that is given none, and the key of its section in a configuration."""

    __routable__: ClassVar[bool] = True
    """Whether a configuration may have it as a section; a servo itself may not be."""

    if TYPE_CHECKING:
        _global_config: CommonConfiguration | None
        _optimizer: OptimizerTypes | None

    def __init__(
        self,
        *,
        __connectors__: Iterable[Any] | None = None,
        _optimizer: OptimizerTypes | None = None,
        _global_config: CommonConfiguration | None = None,
        **values: Any,
    ) -> None:
        values.setdefault("name", type(self).__default_name__)
        super().__init__(**values)
        self._bus = None
        self._own_handlers = ()
        self._repeating_tasks = None
        self._optimizer = _optimizer
        self._global_config = _global_config
        if __connectors__ is not None:
            self.__connectors__ = __connectors__
        if repeating.has_repeating_methods(type(self)) and _is_loop_running():
            self.start_repeating_methods()

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        given = vars(cls)
        stem = cls.__name__.removesuffix("Connector") or cls.__name__
        cls.name = given.get("name", stem)
        if "full_name" not in given:
            cls.full_name = f"{stem} Connector"
        if "__default_name__" not in given:
            cls.__default_name__ = _snake_case(stem)

    @classmethod
    def config_model(cls) -> type[AbstractBaseConfiguration]:
        """Return the class of the configuration."""
        annotation = cls.model_fields["config"].annotation
        for candidate in (annotation, *get_args(annotation)):
            if isinstance(candidate, type) and issubclass(candidate, pydantic.BaseModel):
                return cast("type[AbstractBaseConfiguration]", candidate)
        raise TypeError(f"{cls.__name__} has to annotate config with the class of its configuration")

    @classmethod
    def version_summary(cls) -> str:
        """Return name and version in a line, e.g. ``Clock Connector v1.0.0 "tick"``."""
        cryptonym = f' "{cls.cryptonym}"' if cls.cryptonym else ""
        return f"{cls.full_name} v{cls.version}{cryptonym}"

    @classmethod
    def summary(cls) -> str:
        """Return what the connector says of itself: version, description, homepage, license; a line for each it has."""
        maturity = f" ({cls.maturity})" if cls.maturity else ""
        license_ = f"Licensed under the terms of {cls.license}" if cls.license else None
        lines = (f"{cls.version_summary()}{maturity}", cls.description, cls.homepage, license_)
        return "\n".join(str(line) for line in lines if line)

    @property
    def optimizer(self) -> OptimizerTypes | None:
        """The optimizer that the servo serves; None for a connector without a servo."""
        return self._optimizer

    @property
    def logger(self) -> Logger:
        """The log; its lines name this connector."""
        return logging.logger.bind(connector=self)

    def current(self) -> AbstractContextManager[Any]:
        """Make this the current connector for the extent of a `with` block."""
        return context.set_for(context.connector_var, self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return object.__hash__(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r})"

    __str__ = __repr__

    @model_validator(mode="before")
    @classmethod
    def _check_metadata(cls, values: Any) -> Any:
        if not getattr(cls, "name", None):
            raise ValueError("name must be provided")
        if cls.version is None:
            raise ValueError("version must be provided")
        if not isinstance(cls.version, Version):
            cls.version = Version.parse(cls.version)
        return values

    @field_validator("name", mode="before")
    @classmethod
    def _check_name(cls, name: Any) -> Any:
        if not name:
            raise ValueError("name must be provided")
        return validate_name(name)


def validate_name(name: Any) -> str:
    """Return ``name`` if a connector can have it.

    Raises:
        ValueError: It cannot.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(
            "names of connectors have 3 to 128 characters, which are letters, digits, and any of - _ / ."
        )
    return name


def metadata(
    name: str | tuple[str, str] | None = None,
    description: str | None = None,
    version: str | Version | None = None,
    *,
    homepage: str | None = None,
    license: str | License | None = None,  # noqa: A002  the original's name
    maturity: str | Maturity | None = None,
    cryptonym: str | None = None,
) -> Callable[[type[Connector]], type[Connector]]:
    """Say what a connector is, by decorating its class.

    Args:
        name: The full name, or a pair of it and the default name of instances.
        description: What it does, in a line.
        version: A semantic version.
        homepage: A URL.
        license: Under which terms it may be used.
        maturity: How far it can be relied on.
        cryptonym: The name of the release.

    Raises:
        TypeError: What is decorated is no connector.
        ValueError: ``name`` is a tuple of other than two, or ``version`` no version.
        NameError: There is no such license or maturity.
    """
    if isinstance(name, tuple) and len(name) != 2:  # noqa: PLR2004  a pair
        raise ValueError(
            f"connector names given as a tuple must be of the full name and an alias: got {name!r}"
        )
    full_name, default_name = name if isinstance(name, tuple) else (name, None)
    given = {
        "full_name": full_name,
        "__default_name__": default_name,
        "description": description,
        "version": Version.parse(version) if isinstance(version, str) else version,
        "homepage": homepage,
        "license": License.from_str(license) if isinstance(license, str) else license,
        "maturity": Maturity.from_str(maturity) if isinstance(maturity, str) else maturity,
        "cryptonym": cryptonym,
    }

    def decorate(cls: type[Connector]) -> type[Connector]:
        if not (isinstance(cls, type) and issubclass(cls, BaseConnector)):
            raise TypeError("metadata can only be attached to subclasses of BaseConnector")
        for attribute, value in given.items():
            if value is not None:
                setattr(cls, attribute, value)
        return cls

    return decorate


class ConnectorLoader:
    """Finds connectors in the distributions that are installed.

    Args:
        group: The group of entry points under which they are listed.
    """

    def __init__(self, group: str = ENTRY_POINT_GROUP) -> None:
        self.group = group

    def iter_entry_points(self) -> Iterator[EntryPoint]:
        """Yield the entry points, in the order of their names."""
        yield from sorted(entry_points(group=self.group), key=lambda point: (point.name, point.value))

    def load(self) -> Iterator[type[BaseConnector]]:
        """Import and yield the connectors. One that cannot be imported is logged and left out."""
        for point in self.iter_entry_points():
            try:
                loaded = point.load()
            except (Exception, SystemExit) as error:  # noqa: BLE001  a distribution's fault must not stop the others
                logging.logger.warning(
                    "cannot load the connector {} ({}) of {}: {}: {}",
                    point.name,
                    point.value,
                    _distribution(point),
                    type(error).__name__,
                    " ".join(str(error).split())[:_SHOWN_CHARACTERS],
                )
                continue
            yield loaded


def connector_types() -> list[type[BaseConnector]]:
    """Return all connector classes that are imported, in the order of their definition within each parent."""
    found: dict[type[BaseConnector], None] = {}
    waiting = BaseConnector.__subclasses__()
    while waiting:
        cls = waiting.pop(0)
        found[cls] = None
        waiting += cls.__subclasses__()
    return list(found)


def _distribution(point: EntryPoint) -> str:
    return "an unknown package" if point.dist is None else f"{point.dist.name} {point.dist.version}"


def _snake_case(name: str) -> str:
    if name.isupper():
        return name.lower()
    separated = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z\d])([A-Z])", r"\1_\2", separated).lower()


def _is_loop_running() -> bool:
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
