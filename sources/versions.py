"""How a version of a row is told from the one before it: its content hash, and keys written as one text.

SQL fragments only, shared by extraction, which stamps rows, and by landing, which compares them: both must spell a hash
alike. Nothing here runs SQL.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sources.tables import DataType

SQL_TYPES: Mapping[DataType, str] = {
    "text": "varchar",
    "bigint": "bigint",
    "double": "double",
    "decimal": "decimal(38,9)",
    "bool": "boolean",
    "timestamp": "timestamptz",
    "date": "date",
}
"""The type of each column in raw; the same that dlt's DuckDB destination gives to it."""


KEY_SEPARATOR = "\x1f"
"""Between the columns of a key that is written as one text."""


def quoted(identifier: str) -> str:
    """`identifier` as SQL."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """`text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def hash_sql(columns: Sequence[str], types: Mapping[str, str]) -> str:
    """SQL of `_hash`: a signed 63-bit hash of the named columns that ignores their order and those that are null.

    A column that appears later therefore changes nothing for rows where it is empty. The outer `hash` is needed: DuckDB
    joins the hashes of several arguments by xor, so that two columns could exchange their values unseen.
    """
    terms = [f"hash(hash({literal(c)}, {quoted(c)}))" for c in sorted(columns)]
    empty = [f"hash(hash({literal(c)}, null::{types[c]}))" for c in sorted(columns)]
    total = "0::ubigint"
    for term in [*terms, *empty]:
        total = f"xor({total}, {term})"
    return f"({total} >> 1)::bigint"


def hash_with_flag(stamp: str, flag: str) -> str:
    """SQL of `_hash` of a row that may be a delete: the same content deleted and alive are two versions."""
    return stamp if flag == "false" else f"xor({stamp}, case when {flag} then 1 else 0 end)"
