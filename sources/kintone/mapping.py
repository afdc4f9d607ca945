"""A company's mapping of its kintone apps: which app feeds which entity, and which field code is which column.

An app is a company's own, so this file is the only place where a field code becomes a name. Checked in two steps: by itself
when it is read, and against the apps' own forms (`forms.py`) before a record is read. Errors name file, line, value and
what to write instead. The reference of the format is README.md beside this file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn, cast

import yaml

from sources.errors import ConfigurationError
from sources.files.entities import reference_column
from sources.kintone.entities import ENTITIES, SUBTABLE_ENTITIES, USER_OBJECT
from sources.tables import DataType

_TOP = ("apps", "label")
_APP = ("entity", "object", "key", "columns", "references", "subtables")
_SUBTABLE = ("entity", "object", "columns", "references")
_COLUMN = ("field", "values", "constant", "default", "divide_by")
# Every record has them, so no mapping needs to name the fields: 作成日時 and 更新日時 are found by their type.
_MAPPABLE: Mapping[str, DataType] = {"is_deleted": "bool"}


@dataclass(frozen=True)
class Column:
    """Where one column of a raw table comes from: the first field that is not empty, through `values`, else `default`."""

    name: str
    """The raw column; `account_ref` for what the mapping calls `account_id`."""
    kind: DataType
    fields: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict[str, str])
    constant: str | None = None
    default: str | None = None
    divide_by: float | None = None
    refers_to: str | None = None
    """The object that a reference names; None = no reference."""
    line: int = 0


@dataclass(frozen=True)
class Subtable:
    """A subtable of an app whose rows are records of an entity."""

    code: str
    entity: str
    object: str
    columns: tuple[Column, ...]
    line: int


@dataclass(frozen=True)
class App:
    """One app and the entity of its records."""

    name: str
    entity: str
    object: str
    key: str | None
    """The field by which other records name this one; None = the record number."""
    columns: tuple[Column, ...]
    subtables: tuple[Subtable, ...]
    line: int


@dataclass(frozen=True)
class AppMapping:
    """A whole mapping, checked by itself."""

    path: Path
    apps: tuple[App, ...]

    def of(self, entity: str) -> tuple[App, ...]:
        """The apps whose records are of the entity."""
        return tuple(app for app in self.apps if app.entity == entity)

    def with_subtable_of(self, entity: str) -> tuple[App, ...]:
        """The apps that have a subtable whose rows are of the entity."""
        return tuple(app for app in self.apps if any(table.entity == entity for table in app.subtables))

    def objects_of(self, entity: str) -> tuple[str, ...]:
        """The names under which the entity's records are known."""
        tables = [table.object for app in self.apps for table in app.subtables if table.entity == entity]
        return tuple(dict.fromkeys([*(app.object for app in self.of(entity)), *tables]))


def load_mapping(path: Path) -> AppMapping:
    """The mapping at `path`. Raises `ConfigurationError` with file, line, value and remedy."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigurationError(
            f"The mapping {path} cannot be read ({error.strerror}). Put the file there or correct `mapping`."
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"The mapping {path} is not UTF-8 (byte {error.start}). Save it as UTF-8.") from error
    return parse_mapping(text, path)


def parse_mapping(text: str, path: Path) -> AppMapping:
    """The mapping in `text`; `path` is named in errors."""
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f", line {mark.line + 1}" if mark else ""
        raise ConfigurationError(
            f"{path}{place}: this is no valid YAML ({error.problem}). Check indentation, colons and quotation marks there."
        ) from error
    if root is None:
        raise ConfigurationError(f"{path}, line 1: the mapping is empty. Write `apps:` with one entry an app.")
    return _Reader(path).mapping(root)


class _Reader:
    """Walks YAML nodes, which know their line, where plain values do not."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def mapping(self, root: yaml.Node) -> AppMapping:
        top = self._entries(root, _TOP, "the mapping")
        if "apps" not in top:
            self._fail(root, "apps", "is missing", "Write `apps:` with one entry an app")
        nodes = self._entries(top["apps"], None, "apps")
        if not nodes:
            self._fail(top["apps"], "apps", "names no app", "Write one entry an app, by its name in the setting `apps`")
        apps = tuple(self._app(name, node) for name, node in nodes.items())
        for entity in SUBTABLE_ENTITIES:
            twice = [app for app in apps if any(table.entity == entity for table in app.subtables)]
            if twice and any(app.entity == entity for app in apps):
                self._fail(
                    nodes[twice[0].name], entity, "is fed by an app and by a subtable", "Take one of the two out"
                )
        return AppMapping(self._path, tuple(self._joined(app, apps, nodes[app.name]) for app in apps))

    def _app(self, name: str, node: yaml.Node) -> App:
        entries = self._needed(node, _APP, f"app `{name}`")
        entity = self._choice(entries["entity"], "entity", tuple(ENTITIES))
        tables = self._entries(entries["subtables"], None, f"subtables of `{name}`") if "subtables" in entries else {}
        if tables and entity != "opportunity":
            self._fail(
                entries["subtables"], name, f"is an app of `{entity}`", "Subtables are read of apps of `opportunity`"
            )
        given = self._text(entries["object"], "object") if "object" in entries else name
        if entity == "sales_user" and "key" not in entries:
            self._fail(node, name, "has no `key`", "Name the field that holds the login name, as user fields give it")
        return App(
            name=name,
            entity=entity,
            object=USER_OBJECT if entity == "sales_user" else given,
            key=self._text(entries["key"], "key") if "key" in entries else None,
            columns=tuple(self._columns(entries, entity)),
            subtables=tuple(self._subtable(name, code, table) for code, table in tables.items()),
            line=node.start_mark.line + 1,
        )

    def _subtable(self, app: str, code: str, node: yaml.Node) -> Subtable:
        entries = self._needed(node, _SUBTABLE, f"subtable `{code}` of `{app}`")
        entity = self._choice(entries["entity"], "entity", tuple(SUBTABLE_ENTITIES))
        return Subtable(
            code=code,
            entity=entity,
            object=self._text(entries["object"], "object") if "object" in entries else f"{app}.{code}",
            columns=tuple(self._columns(entries, entity, without=SUBTABLE_ENTITIES[entity])),
            line=node.start_mark.line + 1,
        )

    def _columns(self, entries: Mapping[str, yaml.Node], entity: str, without: str = "") -> Iterator[Column]:
        known = ENTITIES[entity]
        references = {name: target for name, target in known.references.items() if name != without}
        kinds: dict[str, DataType] = {**dict.fromkeys(references, "text"), **known.columns, **_MAPPABLE}
        named = self._entries(entries["references"], tuple(references), "references") if "references" in entries else {}
        for target, node in self._entries(entries["columns"], tuple(kinds), "columns").items():
            column = self._column(target, node, kinds[target])
            if target in references:
                refers_to = self._text(named[target], target) if target in named else f"?{references[target]}"
                column = replace(column, name=reference_column(target), refers_to=refers_to)
            yield column

    def _column(self, target: str, node: yaml.Node, kind: DataType) -> Column:
        line = node.start_mark.line + 1
        if not isinstance(node, yaml.MappingNode):
            return Column(target, kind, self._texts(node, target), line=line)
        entries = self._entries(node, _COLUMN, f"`{target}`")
        if ("field" in entries) == ("constant" in entries):
            self._fail(node, target, "has both or neither of `field` and `constant`", "Write one of the two")
        values = self._entries(entries["values"], None, "values") if "values" in entries else {}
        divide_by = self._text(entries["divide_by"], "divide_by") if "divide_by" in entries else None
        if divide_by is not None and not divide_by.isdigit():
            self._fail(entries["divide_by"], divide_by, "is no whole number", "Write 100 where the field is in percent")
        return Column(
            target,
            kind,
            self._texts(entries["field"], target) if "field" in entries else (),
            {word: self._text(value, word) for word, value in values.items()},
            self._text(entries["constant"], "constant") if "constant" in entries else None,
            self._text(entries["default"], "default") if "default" in entries else None,
            float(divide_by) if divide_by else None,
            line=line,
        )

    def _joined(self, app: App, apps: tuple[App, ...], node: yaml.Node) -> App:
        """The app with the object that each of its references names."""
        tables = tuple(
            replace(table, columns=tuple(self._joined_column(c, apps, node) for c in table.columns))
            for table in app.subtables
        )
        return replace(app, columns=tuple(self._joined_column(c, apps, node) for c in app.columns), subtables=tables)

    def _joined_column(self, column: Column, apps: tuple[App, ...], node: yaml.Node) -> Column:
        if column.refers_to is None:
            return column
        if column.refers_to.startswith("?"):  # not named: the first app of that entity, or the users
            entity = column.refers_to[1:]
            found = next((app.object for app in apps if app.entity == entity), None)
            return replace(column, refers_to=USER_OBJECT if entity == "sales_user" else found or entity)
        known = {app.name: app.object for app in apps}
        if column.refers_to not in known:
            self._fail(node, column.refers_to, "is no app of this mapping", f"Write one of: {', '.join(known)}")
        return replace(column, refers_to=known[column.refers_to])

    def _needed(self, node: yaml.Node, known: tuple[str, ...], where: str) -> dict[str, yaml.Node]:
        entries = self._entries(node, known, where)
        for name in ("entity", "columns"):
            if name not in entries:
                self._fail(node, name, f"is missing in {where}", f"Add `{name}:` to it")
        return entries

    def _entries(self, node: yaml.Node, known: tuple[str, ...] | None, where: str) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            self._fail(node, self._shown(node), f"stands where {where} should be", "Write `name: value` pairs")
        entries: dict[str, yaml.Node] = {}
        for key_node, value in cast("list[tuple[yaml.Node, yaml.Node]]", cast(Any, node).value):
            key = self._text(key_node, where)
            if known is not None and key not in known:
                self._fail(key_node, key, f"is not known in {where}", f"Known: {', '.join(known)}")
            if key in entries:
                self._fail(key_node, key, f"stands twice in {where}", "Remove one of the two")
            entries[key] = value
        return entries

    def _texts(self, node: yaml.Node, where: str) -> tuple[str, ...]:
        if isinstance(node, yaml.SequenceNode):
            return tuple(self._text(item, where) for item in cast("list[yaml.Node]", cast(Any, node).value))
        return (self._text(node, where),)

    def _text(self, node: yaml.Node, where: str) -> str:
        value = node.value if isinstance(node, yaml.ScalarNode) else None
        if not isinstance(value, str) or not value.strip():
            self._fail(node, self._shown(node), f"is no single value for `{where}`", "Write one text")
        return value

    def _choice(self, node: yaml.Node, where: str, known: tuple[str, ...]) -> str:
        value = self._text(node, where)
        if value not in known:
            self._fail(node, value, f"is no `{where}` that is known here", f"Write one of: {', '.join(known)}")
        return value

    def _shown(self, node: yaml.Node) -> str:
        return str(node.value) if isinstance(node, yaml.ScalarNode) else "a list or block"

    def _fail(self, node: yaml.Node, value: str, problem: str, remedy: str) -> NoReturn:
        raise ConfigurationError(f"{self._path}, line {node.start_mark.line + 1}: {value!r} {problem}. {remedy}.")
