"""A parsed SOQL query -> SQL over an org's snapshot, and the chosen rows as JSON records or CSV lines.

Names are resolved and types checked here, with Salesforce's refusals. Must not parse text or know HTTP.
https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_comparisonoperators.htm
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from sources.salesforce.sandbox.dates import days_of
from sources.salesforce.sandbox.fields import Field, ObjectType
from sources.salesforce.sandbox.ids import with_suffix
from sources.salesforce.sandbox.org import Org, Snapshot
from sources.salesforce.sandbox.soql import (
    Comparison,
    Condition,
    Item,
    Junction,
    Membership,
    Negation,
    Path,
    Select,
    SoqlError,
    Value,
)

if TYPE_CHECKING:
    import pyarrow as pa

LOCAL = timedelta(hours=9)  # the org's time zone, Asia/Tokyo
_TEXTS = {"id", "string", "textarea", "email", "phone", "url", "picklist", "multipicklist", "combobox", "reference"}
_KINDS = {"boolean": "boolean", "date": "date", "datetime": "dateTime"}
_REST_STAMP, _BULK_STAMP = "%Y-%m-%dT%H:%M:%S.000+0000", "%Y-%m-%dT%H:%M:%S.000Z"
_HINT = (
    "If you are attempting to use a custom {0}, be sure to append the '__c' after the {1} name."
    " Please reference your WSDL or the describe call for the appropriate names."
)


@dataclass(frozen=True)
class Result:
    """The rows that a query chose, by their place in the snapshot: pages are rendered when they are asked for."""

    select: Select
    snapshot: Snapshot
    items: tuple[Item, ...]
    row_ids: pa.ChunkedArray | None
    records: tuple[str, ...] | None = None  # aggregate rows, which have no place in a snapshot

    @property
    def total(self) -> int:
        if self.records is not None:
            return len(self.records)
        return 0 if self.row_ids is None else len(self.row_ids)


def run(org: Org, select: Select, *, with_deleted: bool) -> Result | int:
    """Chooses the rows; a number for `SELECT COUNT()`. Raises `SoqlError`."""
    each = object_of(org, select.object)
    compiler = _Compiler(org)
    snapshot = org.snapshot(each)
    items = _chosen_items(each, select)
    where = compiler.where(each, select, with_deleted=with_deleted)
    if select.is_count:
        limit = "" if select.limit is None else f" limit {select.limit}"
        counted = org.cursor().execute(
            f"select count(*) from (select 1 from {snapshot.table} t {where}{limit})", compiler.parameters
        )
        return int((counted.fetchone() or (0,))[0])
    if select.is_aggregate:
        return Result(select, snapshot, items, None, compiler.aggregate(each, select, snapshot, where))
    for item in items:
        compiler.value(each, item.path, "t")  # refuses unknown fields before the first page
    order = compiler.order(each, select)
    rows = org.cursor().execute(f"select t.rowid from {snapshot.table} t {where}{order}", compiler.parameters)
    return Result(select, snapshot, items, rows.to_arrow_table()["rowid"])


def object_of(org: Org, name: str) -> ObjectType:
    """The object of that name, or INVALID_TYPE as Salesforce answers it for unknown and for forbidden ones alike."""
    each = org.find(name)
    if each is None:
        raise SoqlError("INVALID_TYPE", f"sObject type '{name}' is not supported. {_HINT.format('object', 'entity')}")
    return each


def _chosen_items(each: ObjectType, select: Select) -> tuple[Item, ...]:
    if select.fields_of is None:
        seen: set[Path] = set()
        for item in select.items:
            lower = tuple(part.lower() for part in item.path)
            if item.function is None and lower in seen:
                raise SoqlError("MALFORMED_QUERY", f"duplicate field selected: {'.'.join(item.path)}")
            seen.add(lower)
        return select.items
    if select.fields_of in ("ALL", "CUSTOM") and (select.limit is None or select.limit > 200):
        raise SoqlError("MALFORMED_QUERY", "The SOQL FIELDS function must have a LIMIT of at most 200")
    wanted = {"ALL": (True, False), "STANDARD": (False,), "CUSTOM": (True,)}[select.fields_of]
    return tuple(Item((one.name,)) for one in each.fields if one.is_custom in wanted)


class _Compiler:
    """SQL text and its parameters, in the order in which the text uses them."""

    def __init__(self, org: Org) -> None:
        self.org = org
        self.parameters: list[Any] = []

    def parent(self, each: ObjectType, name: str) -> tuple[Field, ObjectType]:
        for one in each.fields:
            if one.relationship is not None and one.relationship.lower() == name.lower() and len(one.to) == 1:
                return one, object_of(self.org, one.to[0])
        raise SoqlError(
            "INVALID_FIELD",
            f"Didn't understand relationship '{name}' in field path. {_HINT.format('relationship', 'custom relationship')}",
        )

    def field(self, each: ObjectType, path: Path) -> Field:
        first, last = path[0], path[-1]
        if len(path) > 1 and first.lower() != each.name.lower():
            return self.field(self.parent(each, first)[1], path[1:])
        found = each.find(last)
        if found is None:
            raise SoqlError(
                "INVALID_FIELD",
                f"No such column '{last}' on entity '{each.name}'. {_HINT.format('field', 'custom field')}",
            )
        return found

    def value(self, each: ObjectType, path: Path, alias: str) -> str:
        """SQL of a field's value; a parent's field is a look-up by id."""
        first, rest = path[0], path[1:]
        if rest and first.lower() == each.name.lower():
            return self.value(each, rest, alias)
        if not rest:
            return f'{alias}."{self.field(each, path).name}"'
        link, parent = self.parent(each, first)
        inner = f"{alias}p"
        return (
            f"(select {self.value(parent, rest, inner)} from {self.org.snapshot(parent).table} {inner}"
            f' where {inner}."Id" = {alias}."{link.name}")'
        )

    # --- where ---

    def where(self, each: ObjectType, select: Select, *, with_deleted: bool) -> str:
        parts: list[str] = []
        if each.has_is_deleted and not with_deleted:
            parts.append('not t."IsDeleted"')
        if select.where is not None:
            parts.append(self.condition(each, select.where))
        return f"where {' and '.join(parts)}" if parts else ""

    def condition(self, each: ObjectType, condition: Condition) -> str:
        if isinstance(condition, Junction):
            return "(" + f" {condition.word} ".join(self.condition(each, part) for part in condition.parts) + ")"
        if isinstance(condition, Negation):
            return f"(not {self.condition(each, condition.part)})"
        field = self.field(each, condition.path)
        if not field.filterable or field.type in ("address", "anyType"):
            raise SoqlError("INVALID_FIELD", f"field '{field.name}' can not be filtered in a query call")
        column = self.value(each, condition.path, "t")
        if isinstance(condition, Membership):
            return self.membership(field, column, condition)
        return self.comparison(field, column, condition)

    def comparison(self, field: Field, column: str, condition: Comparison) -> str:
        value, operator = condition.value, condition.operator
        check_type(field, value)
        if value.kind == "null" or (value.kind == "string" and value.value == ""):
            if operator not in ("=", "!="):
                raise SoqlError("MALFORMED_QUERY", f"unexpected token: '{operator}' null")
            return f"({column} is {'not ' if operator == '!=' else ''}null)"
        if operator == "LIKE":
            if field.type not in _TEXTS:
                raise SoqlError("INVALID_FIELD", f"invalid operator on {field.type} field")
            return f"coalesce({column} ilike {self.bind(value.value)} escape '\\', false)"
        if value.kind == "relative":
            return self.relative(field, column, operator, value)
        left, right = self.sides(field, column, value)
        if operator == "!=":
            return f"({left} is distinct from {right})"
        return f"coalesce({left} {operator} {right}, false)"

    def relative(self, field: Field, column: str, operator: str, value: Value) -> str:
        word, count = value.value if isinstance(value.value, tuple) else ("TODAY", 1)
        first, last = (
            datetime.combine(day, time.min) - (LOCAL if field.type == "datetime" else timedelta())
            for day in days_of(word, count, (self.org.now + LOCAL).date())
        )
        inside = {"<": ("<", first), ">=": (">=", first), ">": (">=", last), "<=": ("<", last)}
        if operator in inside:
            sign, edge = inside[operator]
            return f"coalesce({column} {sign} {self.bind(edge)}, false)"
        text = f"coalesce({column} >= {self.bind(first)} and {column} < {self.bind(last)}, false)"
        return text if operator == "=" else f"(not {text})"

    def membership(self, field: Field, column: str, condition: Membership) -> str:
        if isinstance(condition.values, Select):
            inner = object_of(self.org, condition.values.object)
            table = self.org.snapshot(inner).table
            wanted = self.value(inner, condition.values.items[0].path, "t")
            where = self.where(inner, condition.values, with_deleted=False)
            text = f"({column} in (select {wanted} from {table} t {where}))"
        else:
            texts: list[str] = []
            left = column
            for value in condition.values:
                check_type(field, value)
                left, right = self.sides(field, column, value)
                texts.append(right)
            text = f"({left} in ({', '.join(texts)}))"
        return f"coalesce(not {text}, true)" if condition.negated else f"coalesce({text}, false)"

    def sides(self, field: Field, column: str, value: Value) -> tuple[str, str]:
        """Text is compared without regard to case, ids in either of their lengths."""
        if field.type in ("id", "reference"):
            return column, self.bind(with_suffix(str(value.value)))
        if value.kind == "string":
            return f"lower({column})", f"lower({self.bind(value.value)})"
        return column, self.bind(value.value)

    def bind(self, value: object) -> str:
        self.parameters.append(value)
        return f"${len(self.parameters)}"

    # --- order, groups ---

    def order(self, each: ObjectType, select: Select) -> str:
        if select.offset > 2000:
            raise SoqlError("NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000")
        parts = [
            f"{self.value(each, one.path, 't')} {'desc' if one.descending else 'asc'}"
            f" nulls {'last' if one.nulls_last else 'first'}"
            for one in select.order_by
        ]
        limit = "" if select.limit is None else f" limit {select.limit}"
        return f" order by {', '.join([*parts, 't.rowid'])}{limit}" + (
            f" offset {select.offset}" if select.offset else ""
        )

    def aggregate(self, each: ObjectType, select: Select, snapshot: Snapshot, where: str) -> tuple[str, ...]:
        grouped = [self.value(each, path, "t") for path in select.group_by]
        pairs = ["'attributes': {'type': 'AggregateResult'}"]
        unnamed = 0
        for item in select.items:
            if item.function is None:
                column = self.value(each, item.path, "t")
                if column not in grouped:
                    raise SoqlError("MALFORMED_QUERY", f"Field must be grouped or aggregated: {'.'.join(item.path)}")
                pairs.append(f"'{item.alias or item.path[-1]}': {rest_value(self.field(each, item.path), column)}")
                continue
            column = self.value(each, item.path, "t") if item.path else "*"
            distinct = "distinct " if item.function == "COUNT_DISTINCT" else ""
            name = item.alias or f"expr{unnamed}"
            unnamed += 0 if item.alias else 1
            sql = f"{item.function.removesuffix('_DISTINCT')}({distinct}{column})"
            plain = item.function in ("MIN", "MAX")
            pairs.append(f"'{name}': {rest_value(self.field(each, item.path), sql) if plain else sql}")
        group = f" group by {', '.join(grouped)}" if grouped else ""
        limit = "" if select.limit is None else f" limit {select.limit}"
        query = f"select to_json({{{', '.join(pairs)}}})::varchar from {snapshot.table} t {where}{group}{limit}"
        found: list[Any] = self.org.cursor().execute(query, self.parameters).fetchall()
        return tuple(row[0] for row in found)


def check_type(field: Field, value: Value) -> None:
    """Refuses a literal of the wrong type, in the vendor's words."""
    if value.kind == "null":
        return
    if field.type in _TEXTS:
        if value.kind != "string":
            raise SoqlError(
                "INVALID_FIELD",
                f"value of filter criterion for field '{field.name}' must be of type string and should be enclosed in quotes",
            )
        return
    wanted = {"boolean": ("boolean",), "date": ("date", "relative"), "datetime": ("datetime", "relative")}
    if value.kind not in wanted.get(field.type, ("number",)):
        kind = _KINDS.get(field.type, "double")
        raise SoqlError(
            "INVALID_FIELD",
            f"value of filter criterion for field '{field.name}' must be of type {kind} and should not be enclosed in quotes",
        )


def rest_value(field: Field, sql: str) -> str:
    """A value as REST's JSON shows it."""
    if field.type == "datetime":
        return f"strftime({sql}, '{_REST_STAMP}')"
    return f"strftime({sql}, '%Y-%m-%d')" if field.type == "date" else sql


def _record_sql(compiler: _Compiler, each: ObjectType, paths: Sequence[Path], alias: str, version: str) -> str:
    """SQL of one JSON record; fields of a parent come as a record inside it."""
    pairs = [
        f"'attributes': {{'type': '{each.name}',"
        f" 'url': '/services/data/v{version}/sobjects/{each.name}/' || {alias}.\"Id\"}}"
    ]
    parents: dict[str, list[Path]] = {}
    for path in paths:
        first, rest = path[0], path[1:]
        if rest and first.lower() == each.name.lower():
            first, rest = rest[0], rest[1:]
        if not rest:
            field = compiler.field(each, (first,))
            column = f'{alias}."{field.name}"'
            pairs.append(f"'{field.name}': {rest_value(field, column)}")
        else:
            parents.setdefault(first, []).append(rest)
    for name, inner in parents.items():
        link, parent = compiler.parent(each, name)
        deeper = f"{alias}p"
        pairs.append(
            f"'{link.relationship}': (select {_record_sql(compiler, parent, inner, deeper, version)}"
            f' from {compiler.org.snapshot(parent).table} {deeper} where {deeper}."Id" = {alias}."{link.name}")'
        )
    return f"to_json({{{', '.join(pairs)}}})"


def json_rows(org: Org, result: Result, start: int, count: int, version: str) -> list[str]:
    """Records [start, start + count) as JSON texts."""
    if result.records is not None:
        return list(result.records[start : start + count])
    record = _record_sql(_Compiler(org), result.snapshot.object, [item.path for item in result.items], "t", version)
    return [row[0] for row in _page(org, result, start, count, f"{record}::varchar")]


def csv_rows(org: Org, result: Result, start: int, count: int, delimiter: str = ",", line_ending: str = "\n") -> str:
    """A header line and rows [start, start + count), every value in quotes, as Bulk API 2.0 writes them."""
    compiler, each = _Compiler(org), result.snapshot.object
    columns: list[str] = []
    for item in result.items:
        field, sql = compiler.field(each, item.path), compiler.value(each, item.path, "t")
        if field.type == "datetime":
            sql = f"strftime({sql}, '{_BULK_STAMP}')"
        elif field.type == "anyType":
            sql = f"{sql} ->> '$'"
        columns.append(f"coalesce(({sql})::varchar, '')")
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator=line_ending)
    writer.writerow([".".join((*item.path[:-1], compiler.field(each, item.path).name)) for item in result.items])
    writer.writerows(_page(org, result, start, count, ", ".join(columns)))
    return out.getvalue()


def _page(org: Org, result: Result, start: int, count: int, columns: str) -> list[Any]:
    """The page's rows in the query's order; rows that lie together in the snapshot are read as one range."""
    wanted: list[int] = [] if result.row_ids is None else result.row_ids.slice(start, count).to_pylist()
    if not wanted:
        return []
    table, low, high = result.snapshot.table, min(wanted), max(wanted)
    cursor = org.cursor()
    if high - low + 1 == len(wanted) and wanted == list(range(low, high + 1)):
        return cursor.execute(
            f"select {columns} from {table} t where t.rowid between {low} and {high} order by t.rowid"
        ).fetchall()
    return cursor.execute(
        f"select {columns} from (select unnest($1::bigint[]) as place_row, generate_subscripts($1::bigint[], 1) as place) w"
        f" join {table} t on t.rowid = w.place_row order by w.place",
        [wanted],
    ).fetchall()
