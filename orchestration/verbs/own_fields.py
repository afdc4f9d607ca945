"""The rows of field_map that `tsunagu init maps` proposes: every field with values that no canonical column is made of.

A field is proposed for a column of its name only where the tool fills that column in no record, because a company's own
field goes before the tool's. The others stand there without a column, for a person to fill in. Reads canonical tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from orchestration.map_files import Row

if TYPE_CHECKING:
    import duckdb

FIELDS: Final = """
    select source_system, source_object, field, count(*) from (
        select source_system, source_object, unnest(json_keys(extra_columns)) as field
        from canonical.canonical_{entity}
        where extra_columns is not null and not coalesce(is_deleted, false)
    ) group by all order by all
"""
OWN_NAME: Final = re.compile(r"^(?:cf_|custom_)|(?:__c|_c|_custom)$")
"""What tools put before or after the name of a field that a company made."""


def seen_fields(con: duckdb.DuckDBPyConnection, canonical_columns: Iterable[str]) -> list[Row]:
    """Rows of field_map for what is there. `canonical_columns`: "entity.column" of all that a field may fill."""
    fillable: dict[str, list[str]] = {}
    for word in canonical_columns:
        entity, _, column = word.partition(".")
        fillable.setdefault(entity, []).append(column)
    rows: list[Row] = []
    for entity, columns in fillable.items():
        free = _unfilled(con, entity, columns)
        for system, source_object, field, _ in con.execute(FIELDS.format(entity=entity)).fetchall():
            name = OWN_NAME.sub("", str(field).lower())
            unfilled = free.get((system, source_object), set())
            wanted = f"{entity}.{name}" if name in unfilled else ""
            unfilled.discard(name)
            values = (str(system), str(source_object), str(field), wanted)
            rows.append(
                dict(zip(("source_system", "source_object", "source_field", "canonical_column"), values, strict=True))
            )
    return rows


def _unfilled(con: duckdb.DuckDBPyConnection, entity: str, columns: list[str]) -> dict[tuple[str, str], set[str]]:
    """(instance, object) -> columns that no record of it has a value in."""
    counts = ", ".join(f"count({column})" for column in columns)
    found = con.execute(
        f"""select source_system, source_object, {counts} from canonical.canonical_{entity}
        where not coalesce(is_deleted, false) group by all"""
    ).fetchall()
    return {
        (system, source_object): {column for column, count in zip(columns, numbers, strict=True) if not count}
        for system, source_object, *numbers in found
    }
