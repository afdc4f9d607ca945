"""What a mapping of kintone apps may fill: the business entities with their columns, and the raw tables that come of them.

Data only. The columns are those of `sources/files/entities.py`, so that a company that knows one mapping knows both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sources.files.entities import ENTITIES as BUSINESS
from sources.files.entities import Entity, reference_column
from sources.tables import DataType

__all__ = ["COMMON", "ENTITIES", "FIELDS", "SUBTABLE_ENTITIES", "USERS", "USER_OBJECT", "USER_TABLE", "raw_columns"]

# kintone tells no history: what a deal was before is known from differences between loads only.
_UNTOLD: Final = ("stage_entered_at", "created_stage")
_NAMES: Final = (
    "account", "person", "product", "opportunity", "opportunity_line", "opportunity_person", "activity", "sales_user",
)  # fmt: skip

ENTITIES: Final[Mapping[str, Entity]] = {
    name: Entity(
        columns={column: kind for column, kind in BUSINESS[name].columns.items() if column not in _UNTOLD},
        references={name: entity for name, entity in BUSINESS[name].references.items() if entity in _NAMES},
    )
    for name in _NAMES
}
SUBTABLE_ENTITIES: Final[Mapping[str, str]] = {
    "opportunity_line": "opportunity_id",
    "opportunity_person": "opportunity_id",
}
"""Entities that a subtable of an app of deals may feed, with the reference that names the deal."""

USER_OBJECT: Final = "users"
"""User fields name a login name: `users|shota.endo` is that user, whichever app lists the users."""

COMMON: Final[Mapping[str, DataType]] = {
    "created_at": "timestamp",
    "updated_at": "timestamp",
    "is_deleted": "bool",
    "record_path": "text",
    "unmapped_columns": "text",
}
FIELDS: Final[Mapping[str, DataType]] = {
    "app": "text",
    "app_id": "text",
    "field_code": "text",
    "subtable": "text",
    "label": "text",
    "type": "text",
    "entity": "text",
    "columns": "text",
}
"""The table of labels: one row a field of an app, and the columns it feeds."""
USER_TABLE: Final = "field_user"
USERS: Final[Mapping[str, DataType]] = {"code": "text", "name": "text"}
"""Users as the user fields of records name them."""


def raw_columns(entity: str) -> dict[str, DataType]:
    """All columns of an entity's raw table, in the order in which they land."""
    known = ENTITIES[entity]
    return {
        "id": "text",
        "source_object": "text",
        "source_id": "text",
        **{reference_column(name): "text" for name in known.references},
        **known.columns,
        # Which rows of its subtables a deal has now: a row that is not named any more is gone.
        **({"subtable_rows": "text"} if entity == "opportunity" else {}),
        **({"subtable": "text"} if entity in SUBTABLE_ENTITIES else {}),
        **COMMON,
    }
