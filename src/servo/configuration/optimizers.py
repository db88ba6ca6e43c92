"""Where the decisions come from: the optimizer's address and credentials."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    Field,
    PrivateAttr,
    SecretStr,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from servo.configuration.base import AbstractBaseConfiguration
from servo.configuration.document import read_documents
from servo.errors import ConfigurationError

__all__ = ["AppdynamicsOptimizer", "OpsaniOptimizer", "OptimizerTypes"]

DEFAULT_BASE_URL = "https://api.opsani.com"

_OPSANI_ID = re.compile(r"(?!-)[A-Za-z0-9.-]{5,50}/[A-Za-z0-9_.-]{1,64}\Z")
_URL = re.compile(r"https?://[^/@?#\s]+([/?#]\S*)?\Z")
FILE_PATIENCE = 60.0


def _http_url(url: str) -> str:
    if not _URL.match(url):
        raise ValueError(
            "an address starts with http:// or https:// and a host; user and password do not belong there"
        )
    return url


def _header_value(secret: SecretStr) -> SecretStr:
    value = secret.get_secret_value()
    if not (value.isascii() and value.isprintable()):
        raise ValueError(
            "a token is one line of printable ASCII characters, and this one is not; "
            "check that the variable or file it comes from holds nothing else"
        )
    return secret


Credential = Annotated[SecretStr, AfterValidator(_header_value)]
Url = Annotated[str, AfterValidator(_http_url), Field(max_length=2048)]
BaseUrl = Annotated[Url, AfterValidator(lambda url: url.rstrip("/"))]

_CONNECTION_KEYS: Mapping[str, tuple[str, TypeAdapter[Any]]] = {
    "Authorization": ("token", TypeAdapter(Credential)),
    "Endpoint": ("base_url", TypeAdapter(BaseUrl)),
    "TenantId": ("tenant_id", TypeAdapter(str)),
}
"""What a connection file may say: the field of each key, and what it must be."""


def _env(*names: str, file: bool = False) -> dict[str, Any]:
    return {"env_names": list(names), **({"env_file": True} if file else {})}


class OpsaniOptimizer(AbstractBaseConfiguration):
    """An optimizer of the Opsani kind: an organization's application, with a bearer token.

    ``trimtab serve`` is of this kind.
    """

    id: str = Field(
        description="organization/name: the application at the optimizer.",
        json_schema_extra=_env("OPSANI_OPTIMIZER"),
        examples=["example.com/application"],
    )
    token: Credential = Field(
        description="The credential.", json_schema_extra=_env("OPSANI_TOKEN", file=True), examples=["token"]
    )
    base_url: BaseUrl = Field(
        default=DEFAULT_BASE_URL,
        description="Where the optimizer is.",
        json_schema_extra=_env("OPSANI_BASE_URL"),
    )
    url: Url | None = Field(
        default=None,
        description="The application's address there, if it does not follow from base_url and id.",
        json_schema_extra=_env("OPSANI_URL"),
    )

    @field_validator("id")
    @classmethod
    def _organization_and_name(cls, value: str) -> str:
        if not _OPSANI_ID.match(value):
            raise ValueError(
                "the id of an optimizer is organization/name (5-50 letters, digits, '.' or '-'; "
                "then 1-64 letters, digits, '_', '.' or '-'); e.g. example.com/application"
            )
        return value

    def model_post_init(self, context: Any, /) -> None:
        """Derive the address unless it is given."""
        super().model_post_init(context)
        if self.url is None:
            _set(self, {"url": self.default_url})

    @property
    def organization(self) -> str:
        """The part of the id before the slash."""
        return self.id.split("/", 1)[0]

    @property
    def name(self) -> str:
        """The part of the id after the slash."""
        return self.id.split("/", 1)[1]

    @property
    def default_url(self) -> str:
        """The address that follows from base_url and id."""
        return _opsani_url(self.base_url, self.id)


def _opsani_url(base_url: str, id_: str) -> str:
    organization, name = id_.split("/", 1)
    return f"{base_url.rstrip('/')}/accounts/{organization}/applications/{name}/"


class AppdynamicsOptimizer(AbstractBaseConfiguration):
    """An optimizer of the AppDynamics kind: a tenant's optimizer, with OAuth2 client credentials or a token.

    The connection file, written by a sidecar, is a YAML mapping with ``Authorization``, ``Endpoint`` and ``TenantId``;
    what it says outranks the other fields, and it may change at any time.
    """

    optimizer_id: str = Field(
        description="The id of the optimizer within the tenant.",
        json_schema_extra=_env("APPD_OPTIMIZER_ID"),
        pattern=r"^[^/\s]+$",
        max_length=256,
    )
    tenant_id: str | None = Field(
        default=None, description="The id of the tenant.", json_schema_extra=_env("APPD_TENANT_ID")
    )
    base_url: BaseUrl | None = Field(
        default=None, description="Where the tenant is.", json_schema_extra=_env("APPD_BASE_URL")
    )
    client_id: str | None = Field(
        default=None, description="The OAuth2 client.", json_schema_extra=_env("APPD_CLIENT_ID")
    )
    client_secret: SecretStr | None = Field(
        default=None,
        description="The secret of the OAuth2 client.",
        json_schema_extra=_env("APPD_CLIENT_SECRET", file=True),
    )
    connection_file: Path | None = Field(
        default=None,
        description="A file, kept current by a sidecar, with the address, tenant and token.",
        json_schema_extra=_env("APPD_CONNECTION_FILE"),
    )
    token: Credential | None = Field(
        default=None,
        description="A bearer token, or 'X-SF-Token <token>', instead of client credentials.",
        json_schema_extra=_env("APPD_TOKEN", file=True),
    )
    url: Url | None = Field(
        default=None,
        description="The optimizer's address, if it does not follow.",
        json_schema_extra=_env("APPD_URL"),
    )
    token_url: Url | None = Field(
        default=None,
        description="Where tokens are issued, if it does not follow.",
        json_schema_extra=_env("APPD_TOKEN_URL"),
    )

    _derived: frozenset[str] = PrivateAttr(default=frozenset())

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        required = (
            ("tenant_id", "base_url")
            if self.token
            else ("tenant_id", "client_id", "client_secret", "base_url")
        )
        missing = [name for name in required if getattr(self, name) is None]
        if missing and not self.connection_file:
            variables = ", ".join(f"APPD_{name.upper()}" for name in missing)
            raise ValueError(
                f"{' and '.join(missing)} must be given unless connection_file is; "
                f"set them here, or in the environment ({variables})"
            )
        if self.url is None:
            raise ValueError("the connection file has no Endpoint, and neither base_url nor url is given")
        return self

    def model_post_init(self, context: Any, /) -> None:
        """Read the connection file, and derive the addresses unless they are given."""
        super().model_post_init(context)
        self._derived = frozenset(name for name in ("url", "token_url") if getattr(self, name) is None)
        if self.connection_file is not None:
            self.load_connection_file(patience=FILE_PATIENCE)
        else:
            self._derive()

    @property
    def id(self) -> str:
        """The tenant and the optimizer."""
        return f"{self.tenant_id} - {self.optimizer_id}"

    @property
    def name(self) -> str:
        """The optimizer's id."""
        return self.optimizer_id

    def load_connection_file(self, *, patience: float = 0) -> None:
        """Read the connection file again, in place; addresses that follow from it follow.

        Args:
            patience: For how many seconds to wait for a file that is missing or incomplete.

        Raises:
            ConfigurationError: It cannot be read.
        """
        if self.connection_file is None:
            raise ConfigurationError("there is no connection file", field="optimizer.connection_file")
        _set(self, _read_connection_file(self.connection_file, patience))
        self._derive()

    def _derive(self) -> None:
        urls = _urls(self.base_url, self.tenant_id, self.optimizer_id)
        _set(self, {name: urls[name] for name in self._derived & urls.keys()})


OptimizerTypes = AppdynamicsOptimizer | OpsaniOptimizer


def _set(model: AbstractBaseConfiguration, values: Mapping[str, Any]) -> None:
    """Set what is known to be valid, past the validation of assignments: that looks at the model as a whole."""
    model.__dict__.update(values)
    model.__pydantic_fields_set__.update(values)


def _urls(base_url: Any, tenant: Any, optimizer: Any) -> dict[str, str]:
    if not base_url:
        return {}
    base = str(base_url).rstrip("/")
    urls = {"url": f"{base}/rest/optimize/co/v1/optimizers/{optimizer}/"} if optimizer else {}
    return urls | ({"token_url": f"{base}/auth/{tenant}/default/oauth2/token"} if tenant else {})


def _read_connection_file(path: Path, patience: float) -> dict[str, Any]:
    """Read the file; one that is not there yet, or half written, is waited for."""
    give_up, pause = time.monotonic() + patience, 0.5
    while True:
        try:
            return _parse_connection_file(path)
        except ConfigurationError:
            if time.monotonic() + pause > give_up:
                raise
        time.sleep(pause)
        pause *= 2


def _parse_connection_file(path: Path) -> dict[str, Any]:
    try:
        data = read_documents(path)[0].data
    except FileNotFoundError:
        raise ConfigurationError(
            "the connection file does not exist",
            file=path,
            remedy="check that the sidecar which writes it runs",
        ) from None
    if not isinstance(data, Mapping) or not any(data.get(key) for key in _CONNECTION_KEYS):
        raise ConfigurationError(
            f"the connection file names none of {', '.join(_CONNECTION_KEYS)}",
            file=path,
            remedy="check that the sidecar which writes it runs",
        )
    return {
        name: _parse_connection_value(path, key, kind, str(data[key]).strip())
        for key, (name, kind) in _CONNECTION_KEYS.items()
        if data.get(key)
    }


def _parse_connection_value(path: Path, key: str, kind: TypeAdapter[Any], value: str) -> Any:
    try:
        return kind.validate_python(value)
    except ValidationError as error:
        text = error.errors(include_url=False, include_input=False)[0]["msg"].removeprefix("Value error, ")
        problem, _, remedy = text.partition("; ")
        raise ConfigurationError(problem, file=path, field=key, remedy=remedy or None) from None
