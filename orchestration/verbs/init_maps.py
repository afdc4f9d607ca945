"""`tsunagu init maps`: write the home's maps with the words that the data holds, each with what it means so far.

A word that no map knows gets the proposal that the shipped maps have for the same word of another tool, else an empty
value for a person to fill in. Files that are there are left alone. Reads the models, changes nothing but the maps folder.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from orchestration.map_files import Maps, Row
from orchestration.settings import Settings, SettingsError
from orchestration.verbs.own_fields import seen_fields

if TYPE_CHECKING:
    import duckdb

UNMAPPED: Final = "unmapped"
FIELD_MAP: Final = "field_map"


@dataclass(frozen=True)
class Words:
    """How the words of one map are found: `query` gives the columns of `names`, the last of them what a word means."""

    query: str
    names: tuple[str, ...]
    word: str
    """The column by which the shipped rows are looked up."""
    follows: tuple[str, ...] = ()
    """Columns that a shipped row of the same meaning gives too."""


SEEN: Final[Mapping[str, Words]] = {
    "stage_map": Words(
        """select versions.source_system, coalesce(deals.source_pipeline, '*'), versions.source_stage,
               max_by(versions.stage, versions.valid_from)
           from canonical.canonical_opportunity_version as versions
           left join canonical.canonical_opportunity as deals on versions.record_key = deals.record_key
           where versions.source_stage is not null group by all order by all""",
        ("source_system", "pipeline", "source_stage", "stage"),
        "source_stage",
    ),
    "pipeline_map": Words(
        """select source_system, coalesce(source_pipeline, 'none'), max(pipeline)
           from canonical.canonical_opportunity group by all order by all""",
        ("source_system", "source_pipeline", "pipeline"),
        "source_pipeline",
    ),
    "lifecycle_authority": Words(
        """select source_system, source_field, source_value, max(stage)
           from canonical.canonical_lifecycle_event group by all order by all""",
        ("source_system", "source_field", "source_value", "stage"),
        "source_value",
        ("rank",),
    ),
    "channels": Words(
        """with said as (
               select source_system, source_channel as word, channel from canonical.canonical_interaction
               union all select source_system, source_channel, channel from canonical.canonical_campaign
               union all select source_system, lead_source, 'unmapped' from canonical.canonical_person
               union all select source_system, lead_source, 'unmapped' from canonical.canonical_opportunity)
           select source_system, trim(word), coalesce(min(channel) filter (where channel <> 'unmapped'), 'unmapped')
           from said where trim(word) <> '' group by all order by all""",
        ("source_system", "source_value", "channel"),
        "source_value",
        ("is_marketing",),
    ),
    "product_map": Words(
        """select source_system, coalesce(code, name, source_id), max(family)
           from canonical.canonical_product group by all order by all""",
        ("source_system", "source_product", "product_family"),
        "source_product",
    ),
    "teams": Words(
        """select team, max(department) from canonical.canonical_sales_user
           where team is not null group by all order by all""",
        ("team", "department"),
        "team",
    ),
}
"""Maps whose words stand in the data. The others get their header alone: their rows are a company's own decisions."""


def write_maps() -> int:
    """Write a file for each map that the home has none of. Returns 0. Raises SettingsError before a first run."""
    from orchestration.warehouse import open_file

    settings = Settings.load()
    maps = Maps(settings.dbt_project_dir / "seeds")
    if not settings.models_path.exists():
        raise SettingsError(f"{settings.home} has no data to take the words from. Run first: tsunagu run")
    vendors = {instance.name: instance.vendor for instance in settings.instances}
    settings.maps_dir.mkdir(parents=True, exist_ok=True)
    with open_file(settings.models_path, read_only=True) as con:
        for name, one in maps.known.items():
            if not one.keys:  # a table that companies lay no rows over
                continue
            where = settings.maps_dir / f"{name}.csv"
            if where.exists():
                print(f"kept  {where}: it was there")
                continue
            if name == FIELD_MAP:
                rows = seen_fields(con, one.rules["canonical_column"]["one_of"])
            else:
                rows = _seen(con, name, maps.shipped(name), vendors) if name in SEEN else []
            with where.open("x", encoding="utf-8-sig", newline="") as file:  # the mark lets Excel read Japanese
                table = csv.DictWriter(file, one.columns, restval="", lineterminator="\n")
                table.writeheader()
                table.writerows(rows)
            meaning = "canonical_column" if name == FIELD_MAP else SEEN[name].names[-1] if name in SEEN else None
            print(f"wrote {where}{_in_words(rows, meaning)}")
    print("Fill in what is empty and correct what is wrong, then run: tsunagu publish")
    return 0


def _in_words(rows: Sequence[Row], meaning: str | None) -> str:
    if meaning is None:
        return ": its header"
    empty = sum(not row[meaning] for row in rows)
    return f": {len(rows)} words" + (f", {empty} of them without a meaning yet" if empty else "")


def _seen(con: duckdb.DuckDBPyConnection, name: str, shipped: Sequence[Row], vendors: Mapping[str, str]) -> list[Row]:
    """The words of the data with what they mean: as mapped so far, else as the shipped map has it for another tool."""
    words = SEEN[name]
    meaning = words.names[-1]
    rows: dict[tuple[str, ...], Row] = {}  # letter case and outer spaces make no other word
    for values in con.execute(words.query).fetchall():
        row = {column: "" if value is None else str(value) for column, value in zip(words.names, values, strict=True)}
        alike = _alike(row, words, shipped, vendors)
        if row[meaning] in ("", UNMAPPED):
            row[meaning] = alike.get(meaning, "")
        same = alike if alike.get(meaning) == row[meaning] else _of_meaning(row[meaning], meaning, shipped)
        key = tuple(row[column].strip().lower() for column in words.names[:-1])
        rows.setdefault(key, row | {column: same.get(column, "") for column in words.follows if row[meaning]})
    return list(rows.values())


def _alike(row: Row, words: Words, shipped: Sequence[Row], vendors: Mapping[str, str]) -> Row:
    """The shipped row of the same word: of the instance, else its vendor, else everybody's, else any other tool's."""
    word = row[words.word].strip().lower()
    system = row.get("source_system", "")
    order = [system, vendors.get(system, system), "*"]
    found = [one for one in shipped if one.get(words.word, "").strip().lower() == word]
    ranks = {name: rank for rank, name in reversed(list(enumerate(order)))}
    return min(found, key=lambda one: ranks.get(one.get("source_system", ""), len(order)), default={})


def _of_meaning(value: str, meaning: str, shipped: Sequence[Row]) -> Row:
    return next((one for one in shipped if value and one.get(meaning) == value), {})
