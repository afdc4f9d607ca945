"""`tsunagu doctor`: test each credential, scope and limit, say where each setting came from and what to do next.

It reads from the tools and writes nothing; a secret is never printed, only where it was found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from orchestration.outcome import CREDENTIALS, DONE, OTHER, USAGE, code_of
from orchestration.settings import HOME_FILE, Instance, Settings, SettingsError
from orchestration.verbs.exits import sentence

if TYPE_CHECKING:
    from sources.stream import Connection, Vendor

GOOD, BAD, NOTE = "[green]✓[/green]", "[red]✗[/red]", "[yellow]![/yellow]"


def examine(settings: Settings, chosen: Sequence[str] | None) -> int:
    """Examine these instances (default all). 0 when all can be read; 2 or 3 as the worst finding says."""
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"home {settings.home}   company {settings.company or '-'}")
    console.print(
        f"zone {settings.timezone}, {settings.reporting_currency}, fiscal year from month {settings.fiscal_year_start_month}"
    )
    _warehouse(console, settings)
    maps_code = _maps(console, settings)
    try:
        settings.check_secrets_mode()
    except SettingsError as error:
        console.print(f"{BAD} {escape(str(error))}")
        return USAGE
    settings.activate()
    names = chosen or [instance.name for instance in settings.instances]
    if not names:
        console.print(f"{NOTE} {HOME_FILE} names no instance. Start with: tsunagu init salesforce hubspot")
        return USAGE
    codes = {maps_code, *(_instance(console, settings, settings.instance(name)) for name in names)}
    return next((code for code in (CREDENTIALS, USAGE, OTHER) if code in codes), DONE)


def _warehouse(console: Console, settings: Settings) -> None:
    for label, path in (
        ("raw log", settings.raw_path),
        ("models", settings.models_path),
        ("published", settings.published_path),
    ):
        if path.exists():
            size = path.stat().st_size / 1e6
            changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            console.print(f"{GOOD} {label:<10} {size:,.1f} MB, written {changed:%Y-%m-%d %H:%M} UTC   {path}")
        else:
            console.print(f"{NOTE} {label:<10} not there yet: tsunagu run makes it   {path}")


def _maps(console: Console, settings: Settings) -> int:
    """A map that cannot be right stops the next build: better said before."""
    from orchestration.map_files import Maps

    try:
        own = Maps(settings.dbt_project_dir / "seeds").read(settings.maps_dir)
    except SettingsError as error:
        console.print(f"{BAD} maps       {escape(str(error))}")
        return USAGE
    filled = [name for name, rows in own.items() if rows]
    if filled:
        console.print(f"{GOOD} maps       rows of your own in {', '.join(filled)}   {settings.maps_dir}")
    return DONE


def _instance(console: Console, settings: Settings, instance: Instance) -> int:
    from sources.config import read_config
    from sources.stream import load_vendor

    vendor = load_vendor(instance.vendor)
    console.print(f"\n[bold]{instance.name}[/bold]  {vendor.label}")
    for line in _settings_found(settings, vendor, instance):
        console.print(f"  {line}")
    connection: Connection | None = None
    try:
        config = read_config(vendor.params, instance.name)
        connection = vendor.connect(config, lambda: datetime.now(UTC))
        return _streams(console, vendor, connection)
    except Exception as error:  # noqa: BLE001  whatever a tool answers is this instance's finding; the others go on
        console.print(f"  {BAD} {escape(sentence(error))}")
        if settings.is_demo:
            console.print("    the made-up tools answer only while this runs: tsunagu demo --keep-serving")
        else:
            console.print(f"    how to set it up: sources/{vendor.name}/README.md")
        return code_of(error)
    finally:
        if connection is not None:
            connection.close()


def _streams(console: Console, vendor: Vendor, connection: Connection) -> int:
    from sources.errors import ObjectNotPermitted

    counted: dict[str, int] = {}
    uncounted: list[str] = []
    for stream in vendor.streams:
        try:
            count = connection.count(stream)
            if count is None:
                uncounted.append(stream.name)
            else:
                counted[stream.object] = count
        except ObjectNotPermitted as error:
            console.print(f"  {NOTE} {stream.object}: {escape(str(error))} It will be skipped.")
    console.print(f"  {GOOD} can be read: {', '.join(f'{name} {count:,}' for name, count in counted.items()) or '-'}")
    if uncounted:
        console.print(f"    gives no count, so seen at the first run only: {', '.join(uncounted)}")
    for name, value in connection.limits().items():
        console.print(f"  {GOOD} {name}: {escape(value)}")
    return DONE


def _settings_found(settings: Settings, vendor: Vendor, instance: Instance) -> Iterator[str]:
    """A line per setting: its value unless secret, and where it was found."""
    from dlt.common.configuration.container import Container
    from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext

    providers = Container()[PluggableRunContext].providers.providers
    for param in vendor.params:
        value, place = None, ""
        for provider in providers:
            value, key = provider.get_value(param.name, str, "", "sources", instance.name)
            if value not in (None, ""):
                place = f"{provider.name} ({key})"
                break
        if param.name in instance.options:
            place = str(settings.home / HOME_FILE)
        if value in (None, ""):
            mark = NOTE if param.required and param.default is None else " "
            yield f"{mark} {param.name}: " + (
                f"{param.default} (default)" if param.default else f"not set ({param.help})"
            )
        else:
            yield f"  {param.name}: {'***' if param.secret else escape(str(value))}   from {escape(place)}"
