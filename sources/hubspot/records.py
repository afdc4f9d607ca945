"""Reading CRM records: which properties, in what shape, and how a window becomes requests.

First load: list. Later: search by the modification property over the closed window, drained beyond the 10,000 results that
one query gives; objects with history are then read by id, because search gives no history. Every run lists the archived
records, whose archiving moves no stamp. Must not know dlt or keep anything longer than a run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sources.arrow import Field, Json, Pages, column_name, loads
from sources.errors import BadAnswer
from sources.hubspot.columns import HISTORY, MODIFIED, MODIFIED_OF, PROPERTIES, RECORD
from sources.hubspot.wire import MAX_NAMES, SEARCH_PAGE, SEARCH_RESULTS, Wire, next_page
from sources.stream import DataType, Window

if TYPE_CHECKING:
    import pyarrow as pa

# https://developers.hubspot.com/docs/api-reference/crm-properties-v3/guide : property types. Choices, phone numbers and
# coordinates are text. Declared columns keep the type that staging was written for.
TYPES: Final[Mapping[str, DataType]] = {
    "bool": "bool",
    "date": "date",
    "datetime": "timestamp",
    "number": "double",
}
# The record's own fields, beside its properties. `_deleted` comes with every record: archived ones are listed whole.
_FIELDS: Final[Mapping[str, Field]] = {
    "id": Field(("id",)),
    "created_at": Field(("createdAt",), "timestamp"),
    "updated_at": Field(("updatedAt",), "timestamp"),
    "archived": Field(("archived",), "bool"),
    "archived_at": Field(("archivedAt",), "timestamp"),
    "_deleted": Field(("archived",), "bool"),
    "_deleted_at": Field(("archivedAt",), "timestamp"),
}
_ID: Final = re.compile(rb'"id"\s*:\s*"(\d+)"')
_MERGED: Final = re.compile(rb'"hs_merged_object_ids"\s*:\s*"([0-9;]+)"')
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
# A restored record moves no stamp either: it is one that was archived in the last run and is not now. Beyond this many
# archived records the ids are not remembered, and a restored one comes back at its next change.
MAX_REMEMBERED: Final = 20_000


def ids_of(body: bytes) -> list[str]:
    """The ids of a page's records, without parsing it; a page where that is not certain is parsed."""
    found = _ID.findall(body)
    if len(found) != body.count(b'"createdAt"'):
        return [str(record["id"]) for record in loads(body)["results"]]
    return [one.decode() for one in found]


@dataclass(frozen=True, eq=False)
class Shape:
    """What is asked for an object, and how its records are read."""

    name: str
    properties: tuple[str, ...]
    history: tuple[str, ...]
    json: Json

    @property
    def modified(self) -> str:
        """The property that search filters changes by."""
        return MODIFIED_OF.get(self.name, MODIFIED)

    @property
    def fits_address(self) -> bool:
        """False: so many properties that a list cannot name them in its address."""
        return sum(len(name) + 3 for name in (*self.properties, *self.history)) <= MAX_NAMES


def shape_of(name: str, definitions: Sequence[Mapping[str, Any]]) -> Shape:
    """All declared properties that the portal has, and every one that the company made itself."""
    declared = {p: t for p, t in {**RECORD, **PROPERTIES[name]}.items() if p not in _FIELDS}
    fields = dict(_FIELDS)
    asked: list[str] = []
    for one in definitions:
        prop = str(one["name"])
        column = column_name(prop)
        if column not in declared and one.get("hubspotDefined"):
            continue
        if column in fields:  # a property of the company's with the name of a record field
            column = f"property_{column}"
        fields[column] = Field(("properties", prop), TYPES.get(str(one.get("type")), "text"))
        asked.append(prop)
    history = tuple(prop for prop in HISTORY.get(name, ()) if prop in asked)
    if history:
        fields["properties_with_history"] = Field(("propertiesWithHistory",))
    return Shape(name, tuple(asked), history, Json(("results",), fields))


class Records:
    """The records of a portal in one run. Remembers the ids that it saw change, for the associations."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._shapes: dict[str, Shape] = {}
        self._changed: dict[tuple[str, datetime | None, datetime], list[str]] = {}
        self.listed: dict[str, list[str]] = {}
        """Object -> all live ids, when this run has listed them."""

    def shape(self, name: str) -> Shape:
        """The object's shape, by the portal's own properties."""
        if name not in self._shapes:
            self._shapes[name] = shape_of(name, self._wire.properties(name))
        return self._shapes[name]

    def read(self, name: str, window: Window) -> Iterator[Pages | pa.Table]:
        """The records of the window, the archived ones, the restored ones, and tombstones of those merged away."""
        shape = self.shape(name)
        memory = window.memory
        ids: list[str] = []
        merged = set(memory.get("merged", ()))
        place = memory.get("listed_to") if window.start is None and not window.backfill else None
        bodies = self._between(shape, window.start, window.end) if window.start else self._listed(shape, place)
        for body in bodies:
            ids += ids_of(body)
            for found in _MERGED.findall(body):
                merged.update(one for one in found.decode().split(";") if one)
            yield Pages([body], shape.json)
            # A window that is cut here goes on behind this page, and must still tell who was merged away before.
            if merged:
                memory["merged"] = sorted(merged)
            if window.start is None:
                memory["listed_to"] = next_page(body)
        memory.pop("merged", None)
        memory.pop("listed_to", None)
        if window.start is None and place is None:
            self.listed[name] = ids
        if place is None:
            self._changed[name, window.start, window.end] = ids
        yield from self._archived(shape, window)
        if merged:
            yield tombstones(merged)

    def changed(self, name: str, window: Window) -> list[str]:
        """Ids of the records in the window: known when they were read in this run, else asked for."""
        key = (name, window.start, window.end)
        if key not in self._changed:
            shape = self.shape(name)
            if window.start is None:
                self._changed[key] = list(self.live(name))
            else:
                self._changed[key] = [i for page in self._found(shape, window.start, window.end) for i in page]
        return self._changed[key]

    def live(self, name: str) -> list[str]:
        """Ids of all live records."""
        if name not in self.listed:
            bodies = self._wire.list(name, ["hs_object_id"])
            self.listed[name] = [one for body in bodies for one in ids_of(body)]
        return self.listed[name]

    def _listed(self, shape: Shape, place: str | None) -> Iterator[bytes]:
        """The listing from a place on. HubSpot does not say how long a place holds: if it does not, from the beginning."""
        bodies = self._all(shape, after=place)
        try:
            first = next(bodies, None)
        except BadAnswer:
            if place is None:
                raise
            bodies = self._all(shape)
            first = next(bodies, None)
        if first is not None:
            yield first
            yield from bodies

    def _all(self, shape: Shape, *, archived: bool = False, after: str | None = None) -> Iterator[bytes]:
        if shape.fits_address:
            yield from self._wire.list(shape.name, shape.properties, shape.history, archived=archived, after=after)
            return
        for body in self._wire.list(shape.name, ["hs_object_id"], archived=archived):
            ids = ids_of(body)
            yield from self._wire.batch_read(shape.name, ids, shape.properties, shape.history, archived=archived)

    def _between(self, shape: Shape, start: datetime, end: datetime) -> Iterator[bytes]:
        if not shape.history:
            yield from self._drained(shape, start, end, shape.properties)
            return
        for ids in self._found(shape, start, end):
            yield from self._wire.batch_read(shape.name, ids, shape.properties, shape.history)

    def _found(self, shape: Shape, start: datetime, end: datetime) -> Iterator[list[str]]:
        """Ids of the changed records, each once, in pieces of about one batch read's size."""
        seen: set[str] = set()
        waiting: list[str] = []
        for body in self._drained(shape, start, end, [shape.modified]):
            new = [one for one in ids_of(body) if one not in seen]
            seen.update(new)
            waiting += new
            if len(waiting) >= SEARCH_PAGE:
                yield waiting
                waiting = []
        if waiting:
            yield waiting

    def _drained(self, shape: Shape, start: datetime, end: datetime, properties: Sequence[str]) -> Iterator[bytes]:
        """All pages of a search over the window. One query gives 10,000 results: the next one begins at the last stamp.

        Rows of a boundary millisecond come again; when more than a query's worth share it, it is drained by record id.
        """
        asked = list(dict.fromkeys([*properties, shape.modified]))
        low, high = max(milliseconds(start), 1), milliseconds(end)  # an epoch of 0 is answered with a server error
        while low <= high:
            span = [_compare(shape.modified, "GTE", low), _compare(shape.modified, "LTE", high)]
            last: bytes | None = None
            for last in self._wire.search(shape.name, span, shape.modified, asked):
                yield last
            if last is None or next_page(last) is None:
                return
            reached = last_stamp(last, shape.modified)
            if reached > low:
                low = reached
                continue
            yield from self._instant(shape, low, asked)
            low += 1

    def _instant(self, shape: Shape, moment: int, asked: Sequence[str]) -> Iterator[bytes]:
        """All records of one millisecond, by ascending id: a change of a pipeline touches every deal at once."""
        after = 0
        while True:
            here = [_compare(shape.modified, "EQ", moment), _compare("hs_object_id", "GT", after)]
            last: bytes | None = None
            for last in self._wire.search(shape.name, here, "hs_object_id", asked):
                yield last
            if last is None or next_page(last) is None:
                return
            after = max((int(one) for one in ids_of(last)), default=after)

    def _archived(self, shape: Shape, window: Window) -> Iterator[Pages]:
        """Archived records, whole, and those that came back since the last run."""
        ids: set[str] = set()
        for body in self._all(shape, archived=True):
            found = ids_of(body)
            if found:
                ids.update(found)
                yield Pages([body], shape.json)
        if window.backfill:
            return
        restored = sorted(set(window.memory.get("archived", ())) - ids)
        for body in self._wire.batch_read(shape.name, restored, shape.properties, shape.history):
            yield Pages([body], shape.json)
        window.memory["archived"] = sorted(ids) if len(ids) <= MAX_REMEMBERED else []


def tombstones(ids: set[str]) -> pa.Table:
    """Rows that say: this record is gone. Of a merged record HubSpot tells no more than its id on the winner."""
    import pyarrow as pa

    listed = sorted(ids)
    return pa.table({"id": pa.array(listed, pa.string()), "_deleted": pa.array([True] * len(listed), pa.bool_())})


def milliseconds(moment: datetime) -> int:
    """Milliseconds of the epoch, cut."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def last_stamp(body: bytes, modified: str) -> int:
    """The modification stamp of the last record of a search page, in milliseconds."""
    records = loads(body)["results"]
    return milliseconds(datetime.fromisoformat(str(records[-1]["properties"][modified]).replace("Z", "+00:00")))


def _compare(prop: str, operator: str, value: int) -> dict[str, str]:
    return {"propertyName": prop, "operator": operator, "value": str(value)}


__all__ = ["SEARCH_RESULTS", "Records", "Shape", "last_stamp", "milliseconds", "shape_of", "tombstones"]
