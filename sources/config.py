"""The settings of one instance of a vendor, and the names under which a person finds them again.

Values come from dlt's own configuration providers (environment, `.dlt/secrets.toml`, vaults); nothing is read at
import, and a value is never logged.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sources.errors import ConfigurationError


@dataclass(frozen=True)
class Param:
    """One setting of a vendor: `sources.<instance>.<name>` in dlt's configuration."""

    name: str
    help: str
    secret: bool = False
    required: bool = True
    default: str | None = None


def setting_name(instance: str, name: str) -> str:
    """The environment variable of a setting: `SOURCES__SALESFORCE__CLIENT_ID`."""
    return f"SOURCES__{instance}__{name}".upper()


class Config(Mapping[str, str]):
    """Settings of one instance. `config["token"]` of a missing setting raises `ConfigurationError` naming it."""

    def __init__(self, instance: str, values: Mapping[str, Any], secret_names: tuple[str, ...] = ()) -> None:
        self.instance = instance
        self._values = {name: _text(value) for name, value in values.items() if value is not None and value != ""}
        self._secret_names = secret_names

    def __getitem__(self, name: str) -> str:
        if name not in self._values:
            secret = name in self._secret_names
            table = (
                f"[sources.{self.instance}] in .dlt/secrets.toml"
                if secret
                else f"[instances.{self.instance}] in tsunagu.toml"
            )
            raise ConfigurationError(
                f"{self.instance}: {name} is not set. Give {name} under {table} of the home, "
                f"or set {self.setting(name)} in the environment."
            )
        return self._values[name]

    def get(self, key: str, default: Any = None) -> Any:
        """The setting, or `default` when it is nowhere."""
        return self._values.get(key, default)

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Config({self.instance!r}, {sorted(self._values)})"

    def setting(self, name: str) -> str:
        """Where a person sets `name`; for error messages."""
        return setting_name(self.instance, name)

    @property
    def secret_settings(self) -> tuple[str, ...]:
        """Where the secrets that are set come from; for error messages."""
        return tuple(self.setting(name) for name in self._secret_names if name in self._values)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secret values themselves, for redaction only; of a table of settings each text in it."""
        return tuple(
            secret for name in self._secret_names if name in self._values for secret in _secrets_in(self._values[name])
        )


def _text(value: Any) -> str:
    """A setting as text. A table of settings (`[sources.kintone.apps.deals]`) is JSON, as in an environment variable."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (Mapping, list)) else str(value)


def _secrets_in(value: str) -> Iterator[str]:
    yield value
    if value.startswith(("{", "[")):
        try:
            found: Any = json.loads(value)
        except json.JSONDecodeError:
            return
        yield from _leaves(found)


def _leaves(value: Any) -> Iterator[str]:
    """The texts in a table of settings; numbers, such as ids, are no secrets."""
    if isinstance(value, dict):
        for part in cast("dict[str, Any]", value).values():
            yield from _leaves(part)
    elif isinstance(value, list):
        for part in cast("list[Any]", value):
            yield from _leaves(part)
    elif isinstance(value, str) and not value.isdigit():
        yield value


def read_config(params: Sequence[Param], instance: str, given: Mapping[str, Any] | None = None) -> Config:
    """The instance's settings: `given` where it has them, else dlt's providers, else the default.

    A required setting that is nowhere is a `ConfigurationError` that names it.
    """
    import dlt

    values: dict[str, Any] = {}
    for param in params:
        value = (given or {}).get(param.name)
        if value is None and given is None:
            secrets: Any = dlt.secrets  # looks into config.toml as well: a setting is found wherever a person put it
            value = secrets.get(f"sources.{instance}.{param.name}")
        values[param.name] = param.default if value is None else value
    for name, value in (given or {}).items():
        values.setdefault(name, value)
    config = Config(instance, values, tuple(p.name for p in params if p.secret))
    for param in params:
        if param.required and param.name not in config:
            config[param.name]  # raises with the remedy
    return config
