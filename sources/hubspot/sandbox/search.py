"""HubSpot's search body (filter groups, sorts, paging) as a SQL condition over a portal's record table.

Limits and operators as in https://developers.hubspot.com/docs/api-reference/search/guide: at most 200 results a page, 10,000
a query, 5 groups of at most 6 filters, 18 in total. This file must not read requests or run queries.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

MAX_PAGE: Final = 200
MAX_RESULTS: Final = 10_000
MAX_GROUPS, MAX_FILTERS, MAX_ALL_FILTERS = 5, 6, 18
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_COMPARISONS: Final = {"EQ": "=", "NEQ": "<>", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}


class BadSearch(Exception):
    """The search is refused; `status` is what HubSpot answers with."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Search:
    """A checked search: the SQL condition with its values, the order, and the page."""

    where: str
    values: tuple[Any, ...]
    order: str
    limit: int
    offset: int


def parse(body: Mapping[str, Any], types: Mapping[str, str]) -> Search:
    """Checks a search body. `types`: property -> HubSpot type (`datetime`, `number`, …). Raises `BadSearch`."""
    limit, offset = _whole(body.get("limit"), 10, "limit"), _whole(body.get("after"), 0, "after")
    if not 0 < limit <= MAX_PAGE:
        raise BadSearch(f"The limit must be between 1 and {MAX_PAGE} (it is {limit})")
    if offset + limit > MAX_RESULTS:
        raise BadSearch(f"You can only page to a maximum of {MAX_RESULTS:,} results in total (after = {offset})")
    where, values = _groups(body.get("filterGroups") or [], types)
    if body.get("query"):
        words = ", ".join(f'"{name}"' for name, kind in types.items() if kind == "string")
        where, values = f"({where}) and concat_ws(' ', {words}) ilike ?", [*values, f"%{body['query']}%"]
    order = _order(body.get("sorts") or [], types)
    return Search(f"where not archived and ({where})", tuple(values), f"order by {order}", limit, offset)


def _whole(value: Any, default: int, name: str) -> int:
    if value is None or value == "":
        return default
    try:
        return int(value)
    except (TypeError, ValueError):
        raise BadSearch(f"Invalid input JSON: {name} must be a whole number, not {value!r}") from None


def _groups(groups: Sequence[Mapping[str, Any]], types: Mapping[str, str]) -> tuple[str, list[Any]]:
    if len(groups) > MAX_GROUPS:
        raise BadSearch(f"Too many filter groups: at most {MAX_GROUPS} are allowed")
    filters = [list(group.get("filters") or []) for group in groups]
    if any(len(group) > MAX_FILTERS for group in filters) or sum(map(len, filters)) > MAX_ALL_FILTERS:
        raise BadSearch(f"Too many filters: at most {MAX_FILTERS} in a group and {MAX_ALL_FILTERS} in all")
    conditions: list[str] = []
    values: list[Any] = []
    for group in filters:
        parts: list[str] = []
        for one in group:
            part, own = _filter(one, types)
            parts.append(part)
            values += own
        conditions.append(f"({' and '.join(parts) or 'true'})")
    return " or ".join(conditions) or "true", values


def _filter(one: Mapping[str, Any], types: Mapping[str, str]) -> tuple[str, list[Any]]:
    name, operator = str(one.get("propertyName")), str(one.get("operator"))
    if name not in types:
        raise BadSearch(f'There was a problem with the request. Property "{name}" does not exist')
    column, kind = column_of(name, types), types[name]
    if operator in _COMPARISONS:
        value = _value(one.get("value"), kind)
        unset = f"{column} is null or " if operator == "NEQ" else ""
        return f"({unset}{column} {_COMPARISONS[operator]} ?)", [value]
    if operator == "BETWEEN":
        return f"{column} between ? and ?", [_value(one.get("value"), kind), _value(one.get("highValue"), kind)]
    if operator in ("IN", "NOT_IN"):
        listed = [_value(value, kind) for value in one.get("values") or []]
        if not listed:
            raise BadSearch(f"operator {operator} requires values")
        marks = ", ".join("?" * len(listed))
        return f"{column} {'in' if operator == 'IN' else 'not in'} ({marks})", listed
    if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        return f"{column} is {'not ' if operator == 'HAS_PROPERTY' else ''}null", []
    if operator in ("CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"):
        pattern = str(one.get("value") or "").lower().replace("*", "%")
        negate = "not " if operator.startswith("NOT") else ""
        return f"coalesce({column}, '') {negate}like ?", [f"%{pattern}%"]
    raise BadSearch(f"Invalid input JSON: operator {operator!r} is not known")


def column_of(name: str, types: Mapping[str, str]) -> str:
    """The SQL form of a property in comparisons, typed so that 10 is above 9 and instants compare as instants."""
    if name in ("lastmodifieddate", "hs_lastmodifieddate"):
        return "updated_at"
    if name == "hs_object_id":
        return "id"
    kind = types[name]
    if kind == "number":
        return f'try_cast("{name}" as double)'
    if kind in ("datetime", "date"):
        return f'try_cast("{name}" as timestamp)'
    return f'lower("{name}")'


def _value(value: Any, kind: str) -> Any:
    if value is None:
        raise BadSearch("Invalid input JSON: a filter has no value")
    if kind == "number":
        try:
            return float(value)
        except ValueError:
            raise BadSearch(f"{value} is not a number") from None
    if kind in ("datetime", "date"):
        moment = _moment(str(value))
        if moment == EPOCH:
            # Seen on the real API: an epoch of 0 is answered by a server error, not by everything.
            raise BadSearch("There was a problem with the request.", status=500)
        return moment.replace(tzinfo=None)
    return str(value).lower()


def _moment(value: str) -> datetime:
    if re.fullmatch(r"-?\d+", value):
        return EPOCH + timedelta(milliseconds=int(value))
    try:
        moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        raise BadSearch(f"{value} was not a valid long, or a date in ISO 8601") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _order(sorts: Sequence[Any], types: Mapping[str, str]) -> str:
    if len(sorts) > 1:
        raise BadSearch("Only one sort is allowed")
    for one in sorts:
        falls, name = False, str(one)
        if isinstance(one, Mapping):
            name, falls = str(one.get("propertyName")), str(one.get("direction")).upper() == "DESCENDING"
        elif name.startswith("-"):
            name, falls = name[1:], True
        if name not in types:
            raise BadSearch(f'Cannot sort by property "{name}": it does not exist')
        return f"{column_of(name, types)} {'desc' if falls else 'asc'} nulls last, id"
    return "created_at, id"
