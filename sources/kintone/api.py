"""kintone's connection: for each stream of the vendor's table, which apps are asked and how their rows are made.

Increments by 更新日時: it has no seconds, so the window begins with the whole minute in which the last one ended, and has
no end, so that the newest records come at once; the state keeps the end less the lag. No dlt in here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sources.errors import ConfigurationError, ObjectNotPermitted
from sources.kintone.entities import FIELDS, SUBTABLE_ENTITIES, USER_TABLE, USERS, raw_columns
from sources.kintone.forms import Form, check, read_form
from sources.kintone.mapping import App, AppMapping
from sources.kintone.records import Read, RecordReader
from sources.kintone.wire import CALLS_A_DAY, Wire
from sources.stream import Clock, Connection, GoesOnBy, Stream, Window
from sources.tables import DataType, arrow_type

if TYPE_CHECKING:
    import pyarrow as pa

    from sources.config import Config

Row = dict[str, Any]
FIELD_TABLE: Final = "app_field"


class Kintone(Connection):
    """One run's reader."""

    def __init__(self, config: Config, mapping: AppMapping, wire: Wire, clock: Clock) -> None:
        self._mapping, self._wire, self._clock = mapping, wire, clock
        self._forms: dict[str, Form] = {}
        self._users: dict[str, str] = {}
        self._listed: dict[str, list[str]] = {}
        # Rows of subtables come with their records: kept until their own stream asks for the same window.
        self._kept: dict[tuple[str, str, Any], list[pa.Table]] = {}
        _agree(config, mapping, wire)

    @property
    def requests(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Requests sent so far."""
        return self._wire.requests

    def limits(self) -> Mapping[str, str]:
        """What this run used. kintone tells nothing of what is left."""
        return {
            f"requests a day of app {name}": f"{sent:,} sent by this run; a Standard plan allows {CALLS_A_DAY:,}"
            for name, sent in self._wire.sent().items()
        }

    def close(self) -> None:
        """Frees the sessions."""
        self._wire.close()

    def pages(self, stream: Stream, window: Window) -> Iterator[pa.Table]:
        """The stream's rows of the window."""
        if stream.name == FIELD_TABLE:
            yield _table(self._fields(), FIELDS)
        elif stream.name == USER_TABLE:
            yield _table([{"code": code, "name": name} for code, name in sorted(self._users.items())], USERS)
        else:
            apps = self._mapping.of(stream.name)
            begun = window.memory.get("app") if _is_listing(window) else None
            names = [app.name for app in apps]
            for app in apps[names.index(begun) if begun in names else 0 :]:
                yield from self._read(app, stream.name, window)
            window.memory.pop("app", None)
            window.memory.pop("last", None)
            if stream.name in SUBTABLE_ENTITIES:
                for app in self._mapping.with_subtable_of(stream.name):
                    kept = self._kept.pop((app.name, stream.name, _span(window)), None)
                    yield from self._read(app, stream.name, window) if kept is None else iter(kept)

    def goes_on_by(self, stream: Stream, window: Window) -> GoesOnBy:
        """A first listing goes on after the last record number; rows of subtables come in one piece with their deals."""
        return "memory" if _is_listing(window) and stream.name not in SUBTABLE_ENTITIES else "nothing"

    def ids(self, stream: Stream) -> Iterator[pa.Table]:
        """The keys of all records that live: what this run has read as a whole, else a listing for that."""
        import pyarrow as pa

        for app in self._mapping.of(stream.name):
            if app.name not in self._listed:
                reader, fields = self._reader(app), ["$id", *([app.key] if app.key else [])]
                pages = self._wire.pages(app.name, fields=fields)
                self._listed[app.name] = [key for page in pages for one in page if (key := reader.key(one))]
            keys = [f"{app.object}|{key}" for key in self._listed[app.name]]
            yield pa.table({"id": pa.array(keys, pa.string())})

    def count(self, stream: Stream) -> int | None:
        """kintone's own count. Of users none: fields name users that no app lists."""
        apps = self._mapping.of(stream.name)
        if not apps or stream.name in SUBTABLE_ENTITIES or stream.name == "sales_user":
            return None
        return sum(self._wire.total(app.name) for app in apps)

    def _read(self, app: App, wanted: str, window: Window) -> Iterator[pa.Table]:
        """Rows of one entity of an app's records; those of its other entities are kept for their streams."""
        reader, form = self._reader(app), self._form(app)
        others = [table.entity for table in app.subtables if table.entity != wanted]
        kept: dict[str, list[pa.Table]] = {entity: [] for entity in others}
        listed: list[str] = []
        goes_on = _is_listing(window) and wanted == app.entity
        after = int(window.memory["last"]) if goes_on and window.memory.get("app") == app.name else 0
        for records in self._wire.pages(app.name, _condition(form, window), after=after):
            read = Read()
            reader.read(records, read)
            self._users.update(read.users)
            listed += [key for one in records if (key := reader.key(one))]
            for entity in others:
                kept[entity].append(_table(read.rows.get(entity, []), raw_columns(entity)))
            if goes_on:  # before the table is given: a window that is cut behind it does not come back here
                window.memory.update(app=app.name, last=int(records[-1]["$id"]["value"]))
            yield _table(read.rows.get(wanted, []), raw_columns(wanted))
        if after:
            return  # a part: what it knows of is not all
        if _is_listing(window):
            self._listed[app.name] = listed
        if wanted == app.entity:
            self._kept |= {(app.name, entity, _span(window)): tables for entity, tables in kept.items()}

    def _reader(self, app: App) -> RecordReader:
        return RecordReader(app, self._form(app), self._wire.apps[app.name].page)

    def _form(self, app: App) -> Form:
        if app.name not in self._forms:
            form = read_form(app.name, self._wire.form(app.name))
            check(app, form, self._mapping.path)
            self._forms[app.name] = form
        return self._forms[app.name]

    def _fields(self) -> list[Row]:
        """The label of every field of every app, with the columns that it feeds. The mapping is checked on the way."""
        rows: list[Row] = []
        for app in self._mapping.apps:
            try:
                form = self._form(app)
            except ObjectNotPermitted:
                continue  # the app's own stream says so
            entities = {table.code: (table.entity, table.columns) for table in app.subtables}
            for one in form.fields.values():
                entity, columns = entities.get(one.subtable or "", (app.entity, app.columns))
                fed = [column.name for column in columns if one.code in column.fields]
                rows.append(
                    {
                        "app": app.name,
                        "app_id": self._wire.apps[app.name].id,
                        "field_code": one.code,
                        "subtable": one.subtable,
                        "label": one.label,
                        "type": one.type,
                        "entity": entity if fed else None,
                        "columns": ", ".join(fed) or None,
                    }
                )
        return rows


def _agree(config: Config, mapping: AppMapping, wire: Wire) -> None:
    """The mapping and the setting name the same apps."""
    mapped, given = {app.name for app in mapping.apps}, set(wire.apps)
    known = f"The setting has: {', '.join(sorted(given))}"
    for name in sorted(mapped - given):
        raise ConfigurationError(
            f"{config.instance}: app {name} of the mapping {_shown(mapping.path)} has no id and token in "
            f"{config.setting('apps')}. {known}. Add it there, or take it out of the mapping."
        )
    for name in sorted(given - mapped):
        raise ConfigurationError(
            f"{config.instance}: app {name} of {config.setting('apps')} is not in the mapping {_shown(mapping.path)}. "
            f"Say there which entity it feeds, or take it out of the setting."
        )


def _shown(path: Path) -> str:
    return str(path)


def _condition(form: Form, window: Window) -> str:
    """Records of the window. Stamps are whole minutes: 09:01 stands for all that was saved from 09:01:00 to 09:01:59."""
    if _is_listing(window):
        return ""
    code = form.code_of("UPDATED_TIME")
    parts = [] if window.start is None else [f'{code} >= "{_minute(window.start)}"']
    if window.backfill:
        parts.append(f'{code} <= "{_minute(window.end)}"')
    return " and ".join(parts)


def _minute(when: datetime) -> str:
    return f"{when.astimezone(UTC).replace(second=0, microsecond=0):%Y-%m-%dT%H:%M:%SZ}"


def _is_listing(window: Window) -> bool:
    return window.start is None and not window.backfill


def _span(window: Window) -> tuple[datetime | None, datetime]:
    return window.start, window.end


def _table(rows: list[Row], columns: Mapping[str, DataType]) -> pa.Table:
    """The rows as texts; the engine casts them, and quarantines what does not fit."""
    import pyarrow as pa

    return pa.Table.from_pylist(rows, pa.schema([(name, arrow_type("text")) for name in columns]))
