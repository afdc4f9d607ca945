"""Rows of Marketo's answers as tables: activities of pages and of exports in one form, assets, and what activities tell of.

Pure functions and one collector; nothing is requested here. A page gives the attributes of an activity as a list of names and
values, an export as a JSON object, and the two type the values differently, so both become one object of texts with sorted
names: https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract/bulk-activity-extract
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import orjson

from sources.arrow import column_name
from sources.errors import BadAnswer
from sources.marketo.columns import (
    ACTIVITIES,
    ADD_TO_LIST,
    CHANGE_PROGRAM_STATUS,
    LEAD_CHANGES,
    MERGE_LEADS,
    REMOVE_FROM_LIST,
)
from sources.stream import DataType
from sources.tables import arrow_type

if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]
NULL: Final = "null"
"""What an export writes for "no value": https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract/bulk-lead-extract"""
ROWS_A_TABLE: Final = 10_240
_ASSET_ZONE: Final = re.compile(r"Z\+0000$")


@dataclass
class Watched:
    """What the activities of a window say of other things; filled while they are read."""

    leads: dict[str, None] = field(default_factory=dict[str, None])
    """Ids of leads with a changed field."""
    members: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    """(program, lead) -> instant of the last change of its status."""
    listed: list[tuple[str, str, str, bool]] = field(default_factory=list[tuple[str, str, str, bool]])
    """(list, lead, instant, added) in the order of the activities."""
    merged: dict[str, str] = field(default_factory=dict[str, str])
    """Lead that was merged away -> instant."""

    def note(self, row: Mapping[str, Any], attributes: Mapping[str, str]) -> None:
        """Takes in one activity."""
        kind, lead, at = int(row["activityTypeId"]), str(row["leadId"]), str(row["activityDate"])
        asset = str(row.get("primaryAttributeValueId") or "")
        if kind in LEAD_CHANGES:
            self.leads[lead] = None
        if kind == CHANGE_PROGRAM_STATUS and asset:
            self.members[asset, lead] = max(at, self.members.get((asset, lead), at))
        elif kind in (ADD_TO_LIST, REMOVE_FROM_LIST) and asset:
            self.listed.append((asset, lead, at, kind == ADD_TO_LIST))
        elif kind == MERGE_LEADS:
            for loser in merge_losers(lead, attributes):
                self.merged[loser] = at


def merge_losers(winner: str, attributes: Mapping[str, str]) -> list[str]:
    """The leads that a Merge Leads activity took away.

    The activity stands in the log of the lead that stays; `Merge IDs` are the sources of the merge:
    https://experienceleague.adobe.com/en/docs/experience-platform/sources/connectors/adobe-applications/mapping/marketo
    (`attributes.Merge IDs` -> `mergeLeads.sourceKeys`) and "Merge" in
    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/leads
    """
    return [one for one in re.findall(r"\d+", attributes.get("Merge IDs") or "") if one != winner]


def attribute_texts(given: object) -> dict[str, str]:
    """Name -> value as text, whatever form the attributes came in; those without a value are left out."""
    pairs: Iterable[tuple[Any, Any]]
    if isinstance(given, Mapping):
        pairs = given.items()
    else:
        listed: Sequence[Mapping[str, Any]] = given if isinstance(given, list) else []
        pairs = ((one.get("name"), one.get("value")) for one in listed)
    return {str(name): text for name, value in pairs if name is not None and (text := _text(value)) is not None}


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def activity_table(rows: Sequence[Mapping[str, Any]], watched: Watched) -> pa.Table:
    """Rows of a page, or of an export with its attributes already an object; noted in `watched`."""
    columns: dict[str, list[str | None]] = {name: [] for name in ACTIVITIES}
    for row in rows:
        attributes = attribute_texts(row.get("attributes"))
        watched.note(row, attributes)
        values = (
            row.get("marketoGUID") or row.get("id"),
            row["leadId"],
            row["activityDate"],
            row["activityTypeId"],
            row.get("campaignId"),
            row.get("primaryAttributeValueId"),
            row.get("primaryAttributeValue"),
        )
        for column, value in zip(columns.values(), values, strict=False):
            column.append(_text(value))
        columns["attributes"].append(orjson.dumps(attributes, option=orjson.OPT_SORT_KEYS).decode())
    import pyarrow as pa

    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


def exported_activities(piece: bytes) -> list[Row]:
    """The activities of a piece of an export."""
    import pyarrow as pa
    from pyarrow import csv

    convert = csv.ConvertOptions(
        column_types=dict.fromkeys(header_of(piece), pa.string()),
        null_values=[NULL],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    options = csv.ReadOptions(block_size=len(piece) + 1, use_threads=False)
    try:
        table = csv.read_csv(io.BytesIO(piece), options, csv.ParseOptions(newlines_in_values=True), convert)
    except pa.ArrowInvalid as problem:
        raise BadAnswer(f"An export of activities cannot be read ({problem}): {piece[:200]!r}") from None
    rows: list[Row] = table.to_pylist()
    for row in rows:
        text = row.get("attributes")
        try:
            row["attributes"] = orjson.loads(text) if text else {}
        except orjson.JSONDecodeError:
            raise BadAnswer(f"An export has an activity whose attributes are not JSON: {str(text)[:200]}") from None
    return rows


def header_of(piece: bytes) -> list[str]:
    """Names of the columns of an export."""
    return piece[: piece.find(b"\n")].decode("utf-8-sig").strip().split(",")


def check_header(piece: bytes, wanted: Iterable[str]) -> None:
    """A column that was asked for and did not come would be read as empty: that is a `BadAnswer`."""
    missing = sorted(set(wanted) - set(header_of(piece)))
    if missing:
        raise BadAnswer(f"An export came without the columns {', '.join(missing)}: {piece[:200]!r}")


def columns_of(names: Iterable[tuple[str, DataType]]) -> dict[str, tuple[str, DataType]]:
    """Raw column -> (REST name, type). Of two names that become one column the first keeps it, the other gets a number."""
    columns: dict[str, tuple[str, DataType]] = {}
    for name, kind in names:
        column = plain = column_name(name)
        number = 2
        while column in columns:
            column, number = f"{plain}_{number}", number + 1
        columns[column] = (name, kind)
    return columns


def asset_instant(text: object) -> str | None:
    """An instant of an asset: some answers have a zone twice, `2015-05-21T22:45:13Z+0000`."""
    return None if not text else _ASSET_ZONE.sub("Z", str(text))


def json_text(value: object) -> str | None:
    """A nested value as JSON text; nothing stays nothing."""
    return None if value in (None, [], {}) else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def tables(rows: Iterable[Row], columns: Mapping[str, DataType]) -> Iterator[pa.Table]:
    """The rows as tables. Instants stay text: the engine casts them, and quarantines what does not fit."""
    import pyarrow as pa

    schema = pa.schema(
        [(name, pa.string() if kind in ("timestamp", "text") else arrow_type(kind)) for name, kind in columns.items()]
    )
    waiting: list[Row] = []
    for row in rows:
        waiting.append(row)
        if len(waiting) == ROWS_A_TABLE:
            yield pa.Table.from_pylist(waiting, schema)
            waiting = []
    if waiting:
        yield pa.Table.from_pylist(waiting, schema)


def tombstones(key: Sequence[str], gone: Mapping[tuple[str, ...], str]) -> pa.Table:
    """Rows that say: this is gone, since then. `gone`: values of the key columns -> instant."""
    import pyarrow as pa

    columns = {name: pa.array([one[place] for one in gone], pa.string()) for place, name in enumerate(key)}
    return pa.table(
        {
            **columns,
            "_deleted": pa.array([True] * len(gone), pa.bool_()),
            "_deleted_at": pa.array([datetime.fromisoformat(at) for at in gone.values()], pa.timestamp("us", "UTC")),
        }
    )
