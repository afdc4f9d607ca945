"""A company's mapping file: which files feed which entity, and which of their columns. Checked whole before anything is read.

Every error names file, line, column of the mapping, the value found and what to write instead. This file opens the mapping
only; it never looks at the drops.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Any, Literal, NoReturn, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from sources.errors import ConfigurationError
from sources.files.entities import ENTITIES, Entity
from sources.files.text import Dialect
from sources.files.values import DATE_ORDERS

_TOP = ("streams", "timezone", "dates", "label")
_STREAM = (
    "entity", "object", "files", "delivery", "key", "columns", "where", "unless", "references", "dates", "timezone", "encoding",
    "delimiter", "sheet", "header_line", "distinct",
)  # fmt: skip
_COLUMN = ("column", "type", "format", "values", "constant", "default")
_DELIMITERS = {"comma": ",", "tab": "\t", "semicolon": ";", "pipe": "|", ",": ",", "\t": "\t", ";": ";", "|": "|"}

Delivery = Literal["full", "changes"]


@dataclass(frozen=True)
class Source:
    """Where one target column comes from: the first non-empty of `columns`, through `values`, else `default`."""

    target: str
    kind: str
    columns: tuple[str, ...] = ()
    order: str | None = None
    values: Mapping[str, str] = field(default_factory=dict[str, str])
    constant: str | None = None
    default: str | None = None
    line: int = 0


@dataclass(frozen=True)
class FileStream:
    """Some files of one shape that feed one entity."""

    entity: str
    object: str
    files: str
    delivery: Delivery
    key: tuple[str, ...]
    columns: tuple[Source, ...]
    references: Mapping[str, str]
    where: Mapping[str, tuple[str, ...]]
    """Only rows whose column has one of the values (`*`: any value) are of this stream."""
    unless: Mapping[str, tuple[str, ...]]
    dialect: Dialect
    zone: str
    line: int
    distinct: bool = False
    """Rows that repeat a key are the same record again (an account beside each of its deals), not an error."""
    other_columns: frozenset[str] | None = frozenset()
    """Columns of the file that other streams map; None: another stream keeps the unmapped ones of these rows."""

    def matching(self, folder: Path) -> list[Path]:
        """Its files in the folder. Hidden ones and the lock files of office programs are no deliveries."""
        return [path for path in folder.glob(self.files) if path.is_file() and path.name[:1] not in ".~"]

    @property
    def name(self) -> str:
        """What the state of this stream is kept under; stays the same when the mapping's lines move."""
        return f"{self.entity}/{self.object}/{self.files}"

    @property
    def needed(self) -> dict[str, int]:
        """Header names that the files must have, with the mapping's line that asks for each."""
        names = dict.fromkeys((*self.key, *self.where, *self.unless), self.line)
        return names | {name: source.line for source in self.columns for name in source.columns}


@dataclass(frozen=True)
class FileMapping:
    """A whole mapping, checked."""

    path: Path
    streams: tuple[FileStream, ...]

    def of(self, entity: str) -> tuple[FileStream, ...]:
        """The streams that feed an entity."""
        return tuple(stream for stream in self.streams if stream.entity == entity)

    def object_of(self, entity: str) -> str:
        """The tool's own name of the entity's records; empty where several files bring records of different objects."""
        objects = {stream.object for stream in self.of(entity)}
        return objects.pop() if len(objects) == 1 else ""

    def is_listed(self, entity: str) -> bool:
        """Whether the entity's files are full lists."""
        return any(stream.delivery == "full" for stream in self.of(entity))

    def has_files(self, entity: str, folder: Path) -> bool:
        """Whether every stream of the entity has a file in the folder."""
        return all(stream.matching(folder) for stream in self.of(entity))


def load_mapping(path: Path) -> FileMapping:
    """The mapping at `path`. Raises `ConfigurationError` with file, line, column, value and remedy."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigurationError(
            f"The mapping {path} cannot be read ({error.strerror}). Put the file there or correct `mapping`."
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"The mapping {path} is not UTF-8 (byte {error.start}). Save it as UTF-8.") from error
    return parse_mapping(text, path)


@lru_cache(maxsize=8)
def parse_mapping(text: str, path: Path) -> FileMapping:
    """The mapping in `text`; `path` is named in errors. A sync asks for it several times, and reads it once."""
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigurationError(
            f"{path}{place}: this is no valid YAML ({error.problem}). Check indentation, colons and quotation marks there."
        ) from error
    if root is None:
        raise ConfigurationError(
            f"{path}, line 1, column 1: the mapping is empty. Write `streams:` with one entry a file."
        )
    return _Reader(path).mapping(root)


class _Reader:
    """Walks YAML nodes, which know their line, where plain values do not."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def mapping(self, root: yaml.Node) -> FileMapping:
        top = self._entries(root, _TOP, "the mapping")
        if "streams" not in top:
            self._fail(root, "streams", "is missing", "Write `streams:` with one entry a file")
        zone = self._zone(top.get("timezone"), "Asia/Tokyo")
        dates = self._choice(top["dates"], "dates", DATE_ORDERS) if "dates" in top else None
        nodes = self._items(top["streams"], "streams")
        streams = tuple(self._stream(node, zone, dates) for node in nodes)
        self._agree(streams, nodes)
        return FileMapping(self._path, tuple(_joined(stream, streams) for stream in streams))

    def _stream(self, node: yaml.Node, zone: str, dates: str | None) -> FileStream:
        entries = self._entries(node, _STREAM, "a stream")
        for name in ("entity", "files", "key", "columns"):
            if name not in entries:
                self._fail(node, name, "is missing in this stream", f"Add `{name}:` to it")
        entity = self._choice(entries["entity"], "entity", tuple(ENTITIES))
        dates = self._choice(entries["dates"], "dates", DATE_ORDERS) if "dates" in entries else dates
        files = self._text(entries["files"], "files")
        if PurePath(files).is_absolute() or ".." in PurePath(files).parts:
            self._fail(
                entries["files"],
                files,
                "leaves the folder of the drops",
                "Write a pattern inside it, such as deals*.csv",
            )
        delivery = (
            self._choice(entries["delivery"], "delivery", ("full", "changes")) if "delivery" in entries else "full"
        )
        return FileStream(
            entity=entity,
            object=self._text(entries["object"], "object") if "object" in entries else entity,
            files=files,
            delivery=cast(Delivery, delivery),
            key=self._headers(entries["key"], "key"),
            columns=tuple(self._columns(entries["columns"], ENTITIES[entity], dates)),
            references=self._references(entries.get("references"), ENTITIES[entity]),
            where=self._where(entries.get("where"), "where"),
            unless=self._where(entries.get("unless"), "unless"),
            dialect=self._dialect(entries),
            zone=self._zone(entries.get("timezone"), zone),
            line=node.start_mark.line + 1,
            distinct="distinct" in entries
            and self._choice(entries["distinct"], "distinct", ("true", "false")) == "true",
        )

    def _columns(self, node: yaml.Node, entity: Entity, dates: str | None) -> Iterator[Source]:
        kinds = entity.mappable
        for target, value in self._entries(node, tuple(kinds), "columns", "column").items():
            yield self._source(target, value, kinds[target], dates)

    def _source(self, target: str, node: yaml.Node, kind: str, dates: str | None) -> Source:
        line = node.start_mark.line + 1
        if not isinstance(node, yaml.MappingNode):
            return Source(target, kind, self._headers(node, target), dates, line=line)
        entries = self._entries(node, _COLUMN, f"`{target}`")
        if ("column" in entries) == ("constant" in entries):
            self._fail(node, target, "has neither or both of `column:` and `constant:`", "Give exactly one of them")
        declared = self._text(entries["type"], "type") if "type" in entries else kind
        if declared != kind:
            self._fail(entries["type"], declared, f"is not the type of `{target}`", f"Leave it out or write {kind}")
        order = self._choice(entries["format"], "format", DATE_ORDERS) if "format" in entries else dates
        return Source(
            target,
            kind,
            self._headers(entries["column"], "column") if "column" in entries else (),
            order,
            self._pairs(entries["values"]) if "values" in entries else {},
            self._text(entries["constant"], "constant") if "constant" in entries else None,
            self._text(entries["default"], "default") if "default" in entries else None,
            line,
        )

    def _references(self, node: yaml.Node | None, entity: Entity) -> dict[str, str]:
        entries = self._entries(node, tuple(entity.references), "references", "reference") if node else {}
        return {name: self._text(value, name) for name, value in entries.items()}

    def _where(self, node: yaml.Node | None, where: str) -> dict[str, tuple[str, ...]]:
        entries = self._entries(node, None, where) if node else {}
        return {name: self._texts(value, name) for name, value in entries.items()}

    def _dialect(self, entries: Mapping[str, yaml.Node]) -> Dialect:
        delimiter = None
        if "delimiter" in entries:
            delimiter = _DELIMITERS[self._choice(entries["delimiter"], "delimiter", tuple(_DELIMITERS))]
        header = 1
        if "header_line" in entries:
            text = self._text(entries["header_line"], "header_line")
            if not text.isdigit() or int(text) < 1:
                self._fail(
                    entries["header_line"], text, "is no line number", "Write the line of the column names, from 1"
                )
            header = int(text)
        return Dialect(
            encoding=self._text(entries["encoding"], "encoding") if "encoding" in entries else None,
            delimiter=delimiter,
            sheet=self._text(entries["sheet"], "sheet") if "sheet" in entries else None,
            header_line=header,
        )

    def _agree(self, streams: tuple[FileStream, ...], nodes: list[yaml.Node]) -> None:
        for stream, node in zip(streams, nodes, strict=True):
            if stream.delivery != next(s.delivery for s in streams if s.entity == stream.entity):
                self._fail(
                    node, stream.delivery, f"is not the delivery of the other files of `{stream.entity}`",
                    "Give all files of one entity the same `delivery:`, else nobody can say which rows are gone",
                )  # fmt: skip
            twins = [other for other in streams if other.name == stream.name]
            if len(twins) > 1 and twins[0] is not stream:
                self._fail(
                    node,
                    stream.files,
                    f"feeds `{stream.entity}` twice as {stream.object!r}",
                    "Set `object:` in one of them",
                )
            for reference, target in stream.references.items():
                entity = ENTITIES[stream.entity].references[reference]
                known = [other.object for other in streams if other.entity == entity]
                if target not in known:
                    self._fail(
                        node,
                        target,
                        f"is no object of `{entity}` in this mapping",
                        f"Write one of: {', '.join(known) or '-'}",
                    )

    def _zone(self, node: yaml.Node | None, default: str) -> str:
        if node is None:
            return default
        zone = self._text(node, "timezone")
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self._fail(node, zone, "is no time zone", "Write a name such as Asia/Tokyo or America/New_York")
        return zone

    def _entries(
        self, node: yaml.Node, known: tuple[str, ...] | None, where: str, what: str = "setting"
    ) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            self._fail(
                node, self._shown(node), f"stands where {where} should be", "Write `name: value` pairs, one a line"
            )
        entries: dict[str, yaml.Node] = {}
        for key_node, value in cast("list[tuple[yaml.Node, yaml.Node]]", cast(Any, node).value):
            key = " ".join(self._text(key_node, where).split())
            if known is not None and key not in known:
                self._fail(key_node, key, f"is no {what} of {where}", f"Known: {', '.join(known)}")
            if key in entries:
                self._fail(key_node, key, f"stands twice in {where}", "Remove one of the two")
            entries[key] = value
        return entries

    def _items(self, node: yaml.Node, where: str) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            self._fail(
                node, self._shown(node), f"stands where the list of {where} should be", "Begin each entry with `- `"
            )
        return cast("list[yaml.Node]", cast(Any, node).value)

    def _texts(self, node: yaml.Node, where: str) -> tuple[str, ...]:
        if isinstance(node, yaml.SequenceNode):
            return tuple(self._text(item, where) for item in self._items(node, where))
        return (self._text(node, where),)

    def _headers(self, node: yaml.Node, where: str) -> tuple[str, ...]:
        """Names of columns of the file, with their space as `header_names` leaves it."""
        return tuple(" ".join(name.split()) for name in self._texts(node, where))

    def _pairs(self, node: yaml.Node) -> dict[str, str]:
        return {
            name: self._text(value, name, empty=True) for name, value in self._entries(node, None, "values").items()
        }

    def _text(self, node: yaml.Node, where: str, empty: bool = False) -> str:
        value = node.value if isinstance(node, yaml.ScalarNode) else None
        if not isinstance(value, str) or (not value.strip() and not empty):
            self._fail(node, self._shown(node), f"is no single value for `{where}`", "Write one text")
        return value

    def _choice(self, node: yaml.Node, where: str, known: tuple[str, ...]) -> str:
        value = self._text(node, where)
        if value not in known:
            self._fail(node, value, f"is no `{where}` that is known", f"Write one of: {', '.join(known)}")
        return value

    def _shown(self, node: yaml.Node) -> str:
        if isinstance(node, yaml.ScalarNode):
            return str(node.value)
        return "a list" if isinstance(node, yaml.SequenceNode) else "a block"

    def _fail(self, node: yaml.Node, value: str, problem: str, remedy: str) -> NoReturn:
        mark = node.start_mark
        raise ConfigurationError(
            f"{self._path}, line {mark.line + 1}, column {mark.column + 1}: {value!r} {problem}. {remedy}."
        )


def _joined(stream: FileStream, streams: tuple[FileStream, ...]) -> FileStream:
    """The stream with what it needs to know of the others: the objects its references name, and who keeps which columns."""
    objects: dict[str, str] = {}
    for reference, entity in ENTITIES[stream.entity].references.items():
        known = [other.object for other in streams if other.entity == entity]
        objects[reference] = stream.references.get(reference) or (known[0] if known else entity)
    same = [
        other
        for other in streams
        if (other.files, other.where, other.unless) == (stream.files, stream.where, stream.unless)
    ]
    named = frozenset(name for other in streams if other.files == stream.files for name in other.needed)
    return replace(stream, references=objects, other_columns=named if same[0] is stream else None)
