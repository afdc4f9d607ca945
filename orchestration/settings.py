"""Every place and switch of one home, and what dlt and dbt need to be told about them.

The home (`TSUNAGU_HOME`) holds one company's things; the checkout stays clean. The environment is read when
`Settings.load` is called, never at import. Secrets are not read here: they come from dlt's providers only
(environment, `.dlt/secrets.toml` of the home, a vault), so that no setting object can ever print one.
"""

from __future__ import annotations

import json
import os
import re
import stat
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast

CHECKOUT = Path(__file__).resolve().parent.parent
HOME_FILE = "tsunagu.toml"
INSTANCE_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
SWITCHES = (
    "timezone",
    "reporting_currency",
    "fiscal_year_start_month",
    "company",
    "instances",
    "vars",
    "demo",
    "clock",
)

TELEMETRY_OFF = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "DAGSTER_DISABLE_TELEMETRY": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DO_NOT_TRACK": "1",
}
"""dlt, Dagster and dbt report usage by default; a company's warehouse does not."""


class SettingsError(Exception):
    """A setting is wrong or missing. The message names file, key, value and remedy."""


@dataclass(frozen=True)
class Instance:
    """One tool of the company: `hubspot_emea` is an instance of the vendor `hubspot`."""

    name: str
    vendor: str
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Settings:
    """What a run needs to know. Paths are absolute; nothing here is secret."""

    home: Path
    instances: tuple[Instance, ...] = ()
    company: str = ""
    timezone: str = "Asia/Tokyo"
    reporting_currency: str = "JPY"
    fiscal_year_start_month: int = 4
    vars: Mapping[str, Any] = field(default_factory=dict[str, Any])
    is_demo: bool = False
    clock: datetime | None = None
    """The instant that counts as now in a demo's home, whose company has a time of its own; None = the real time."""

    @staticmethod
    def load(home: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
        """Read `tsunagu.toml` of the home. A home without the file has no instances.

        Raises SettingsError for a file that cannot be read or a value that cannot be right.
        """
        env = os.environ if environ is None else environ
        place = home or Path(env.get("TSUNAGU_HOME") or Path.home() / ".tsunagu")
        place = place.expanduser().resolve()
        return _from_document(place, _read(place / HOME_FILE))

    # places -----------------------------------------------------------------------------------------------------
    @property
    def warehouse_dir(self) -> Path:
        return self.home / "warehouse"

    @property
    def raw_path(self) -> Path:
        """The precious file: raw log, dlt's state, ledgers."""
        return self.warehouse_dir / "raw.duckdb"

    @property
    def models_path(self) -> Path:
        """The disposable file. Its stem is the catalog's name in compiled SQL, as in the published file."""
        return self.warehouse_dir / "tsunagu.duckdb"

    @property
    def lock_path(self) -> Path:
        return self.warehouse_dir / "warehouse.lock"

    @property
    def published_path(self) -> Path:
        return self.home / "published" / "tsunagu.duckdb"

    @property
    def pipelines_dir(self) -> Path:
        return self.home / "pipelines"

    @property
    def dagster_home(self) -> Path:
        return self.home / "dagster"

    @property
    def logs_dir(self) -> Path:
        return self.home / "logs"

    @property
    def drops_dir(self) -> Path:
        return self.home / "drops"

    @property
    def maps_dir(self) -> Path:
        return self.home / "maps"

    @property
    def secrets_path(self) -> Path:
        return self.home / ".dlt" / "secrets.toml"

    @property
    def dbt_project_dir(self) -> Path:
        return CHECKOUT / "dbt_project"

    @property
    def dbt_target_dir(self) -> Path:
        return self.home / "dbt" / "target"

    # what the libraries are told --------------------------------------------------------------------------------
    def instance(self, name: str) -> Instance:
        for known in self.instances:
            if known.name == name:
                return known
        names = ", ".join(i.name for i in self.instances) or "none"
        raise SettingsError(f"'{name}' is not an instance of {self.home / HOME_FILE} (known: {names})")

    def dbt_vars(self) -> dict[str, Any]:
        """Values for dbt's `--vars`: constant between runs, because a changed value makes dbt parse everything again."""
        return {
            "timezone": self.timezone,
            "reporting_currency": self.reporting_currency,
            "fiscal_year_start_month": self.fiscal_year_start_month,
            **dict(self.vars),
        }

    def export(self) -> dict[str, str]:
        """Environment variables by which dlt, dbt and Dagster see this home. Secrets are not among them."""
        exported = {
            "TSUNAGU_HOME": str(self.home),
            "TSUNAGU_RAW_PATH": str(self.raw_path),
            "TSUNAGU_MODELS_PATH": str(self.models_path),
            "TSUNAGU_INSTANCES": json.dumps(self._instances_for_dbt()),
            "DAGSTER_HOME": str(self.dagster_home),
            "DLT_PROJECT_DIR": str(self.home),
            "DLT_DATA_DIR": str(self.home / "dlt"),
            # In `.dlt/config.toml` this line is ignored when the working directory is elsewhere.
            "NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID": "true",
            # dlt otherwise keeps loaded files, personal data included, in its working folder.
            "LOAD__DELETE_COMPLETED_JOBS": "true",
            # Row groups of whole DuckDB vectors: a misaligned buffer costs twice the CPU.
            "DATA_WRITER__BUFFER_MAX_ITEMS": "122880",
            "DBT_PROFILES_DIR": str(self.dbt_project_dir),
            **TELEMETRY_OFF,
        }
        for instance in self.instances:
            for key, value in instance.options.items():
                exported[f"SOURCES__{instance.name.upper()}__{key.upper()}"] = _as_text(value)
        return exported

    def activate(self) -> None:
        """Put `export()` into this process's environment; make a dlt that is loaded already look again."""
        self.make_folders()
        os.environ.update(self.export())
        if "dlt" in sys.modules:
            from dlt.common.configuration.container import Container
            from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext

            Container()[PluggableRunContext].reload(str(self.home))

    def make_folders(self) -> None:
        places = (self.warehouse_dir, self.published_path.parent, self.pipelines_dir, self.dagster_home, self.logs_dir)
        for place in (*places, self.drops_dir, self.maps_dir, self.dbt_target_dir, self.secrets_path.parent):
            place.mkdir(parents=True, exist_ok=True)
        self.home.chmod(0o700)

    def check_secrets_mode(self) -> None:
        """Raise SettingsError when others can read `.dlt/secrets.toml`."""
        if not self.secrets_path.exists():
            return
        mode = stat.S_IMODE(self.secrets_path.stat().st_mode)
        if mode & 0o077:
            raise SettingsError(
                f"{self.secrets_path} has mode {mode:04o}: others on this machine can read it. "
                f"Run: chmod 600 {self.secrets_path}"
            )

    def _instances_for_dbt(self) -> list[dict[str, str]]:
        """Name, vendor and staging folder of each instance, and where its records are shown to people (`web_url`)."""
        from sources.stream import load_vendor

        described: list[dict[str, str]] = []
        for instance in self.instances:
            staging = load_vendor(instance.vendor).staging or instance.vendor
            address = str(instance.options.get("web_url") or instance.options.get("base_url") or "")
            described.append(
                {"name": instance.name, "vendor": instance.vendor, "staging": staging}
                | ({"base_url": address} if address else {})
            )
        return described


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else json.dumps(value)


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}. Mend the file or run: tsunagu init") from error


def _from_document(home: Path, document: Mapping[str, Any]) -> Settings:
    where = home / HOME_FILE
    for key in document:
        if key not in SWITCHES:
            raise SettingsError(f"{where}: unknown key '{key}'. Correct or remove it (known: {', '.join(SWITCHES)})")
    return Settings(
        home=home,
        instances=tuple(_instance(where, n, v) for n, v in _table(where, document, "instances").items()),
        company=_text(where, document, "company", ""),
        timezone=_timezone(where, _text(where, document, "timezone", "Asia/Tokyo")),
        reporting_currency=_currency(where, _text(where, document, "reporting_currency", "JPY")),
        fiscal_year_start_month=_month(where, document.get("fiscal_year_start_month", 4)),
        vars=_table(where, document, "vars"),
        is_demo=_switch(where, document, "demo"),
        clock=_clock(where, document),
    )


def _table(where: Path, document: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = document.get(key, {})
    if not isinstance(value, dict):
        name = f"[{key}.NAME]" if key == "instances" else f"[{key}]"
        raise SettingsError(f"{where}: {key} = {value!r} is not a table. Write it as {name} with a line per key")
    return cast(dict[str, Any], value)


def _text(where: Path, document: Mapping[str, Any], key: str, default: str) -> str:
    value = document.get(key, default)
    if not isinstance(value, str):
        raise SettingsError(f"{where}: {key} = {value!r} is not a text. Put it in quotes")
    return value


def _switch(where: Path, document: Mapping[str, Any], key: str) -> bool:
    value = document.get(key, False)
    if not isinstance(value, bool):
        raise SettingsError(f"{where}: {key} = {value!r} is not a switch. Write true or false, without quotes")
    return value


def _clock(where: Path, document: Mapping[str, Any]) -> datetime | None:
    value = document.get("clock")
    if value is None:
        return None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise SettingsError(f"{where}: clock = {value} is no instant. Write it as 2026-10-30T09:00:00Z, without quotes")
    if not _switch(where, document, "demo"):
        raise SettingsError(f"{where}: clock is for a demo's home only: real data would seem fresh for ever. Remove it")
    return value


def _instance(where: Path, name: str, value: Any) -> Instance:
    if not INSTANCE_NAME.fullmatch(name):
        raise SettingsError(
            f"{where}: instance name '{name}' will be a schema name: use lower-case letters, digits and single '_'"
        )
    if not isinstance(value, dict):
        raise SettingsError(f'{where}: [instances.{name}] must be a table, with at least: vendor = "salesforce"')
    options = dict(cast(dict[str, Any], value))
    vendor = str(options.pop("vendor", name))
    _check_vendor(where, name, vendor)
    _check_secrets(where, name, vendor, options)
    return Instance(name=name, vendor=vendor, options=options)


def _check_vendor(where: Path, name: str, vendor: str) -> None:
    from sources.stream import vendors

    known = sorted(vendors())
    if vendor not in known:
        raise SettingsError(
            f"{where}: [instances.{name}] vendor = '{vendor}' is not known. Name one of: {', '.join(known)}"
        )


def _check_secrets(where: Path, name: str, vendor: str, options: Mapping[str, Any]) -> None:
    """This file may be shown and copied: a secret in it would go where nobody expects one."""
    from sources.stream import load_vendor

    for param in load_vendor(vendor).params:
        if param.secret and param.name in options:
            raise SettingsError(
                f"{where}: [instances.{name}] {param.name} is a secret: move it to {where.parent}/.dlt/secrets.toml, under "
                f"[sources.{name}]"
            )


def _timezone(where: Path, name: str) -> str:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SettingsError(f"{where}: timezone = '{name}' is not an IANA name such as Asia/Tokyo") from error
    return name


def _currency(where: Path, code: str) -> str:
    if not re.fullmatch(r"[A-Z]{3}", code):
        raise SettingsError(f"{where}: reporting_currency = '{code}' is not an ISO 4217 code such as JPY")
    return code


def _month(where: Path, month: Any) -> int:
    if not isinstance(month, int) or isinstance(month, bool) or not 1 <= month <= 12:
        raise SettingsError(f"{where}: fiscal_year_start_month = {month!r} is not a month from 1 to 12")
    return month
