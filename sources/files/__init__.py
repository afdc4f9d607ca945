"""Files as a vendor: CSV and Excel drops of tools without a usable API, read by a company's own mapping file.

Data only; `drops.py` reads. Other vendors that deliver files (eSales Manager) are this vendor with a mapping of their own:
see `file_vendor`. The mapping's reference is README.md beside this file.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sources.files.entities import ENTITIES, KEY, PROVENANCE
from sources.stream import Connection, Param, Stream, Vendor

if TYPE_CHECKING:
    from sources.config import Config
    from sources.files.mapping import FileMapping
    from sources.stream import Clock

FOLDER = Param("folder", "The folder in which the exports are put, such as drops/<instance> of the home.")
PROFILES = ("errors", "busy", "broken", "slow", "expiring", "quota", "everything")
NO_WIRE = "It is read from files: there is no server that could fail, page or refuse."
CANNOT = {
    "a vanished field": "A column that the mapping names and the file lacks stops the file with its name; it is read again.",
} | dict.fromkeys(
    (
        "a first load that goes on where it stopped",
        "a page of zero rows with more to come",
        "a record changed while paging",
        "a token that expires in the middle",
        "a token that is no longer valid",
        "an out of order page",
        "cancelled in the middle",
        "surrogate pairs in json",
        *(
            f"comes through: {fault}"
            for fault in ("429", "429 with Retry-After", "500", "502", "530", "reset", "slow", "truncated")
        ),
        "down for good",
        "html instead of json",
        "quota used up",
        "a first load comes through all of them",
        "secrets in nothing that a failing run leaves behind",
        *(f"through chaos: {profile}" for profile in PROFILES),
        "two failures in a row",
    ),
    NO_WIRE,
)
MAPPING = "The mapping file (YAML) that says which files feed which entity; its reference is sources/files/README.md."


def entity_stream(entity: str, *, object_name: str = "", listed: bool = False) -> Stream:
    """The raw table of an entity. `listed`: its files are full lists, so that what is missing in them is gone."""
    return Stream(
        name=entity,
        object=object_name or entity,
        key=KEY,
        columns=ENTITIES[entity].raw_columns,
        lag=timedelta(0),
        deletes="sweep" if listed else "none",
        volatile=tuple(PROVENANCE),
        sweep_every=timedelta(0),
    )


def settings_path(text: str) -> Path:
    """A path of the settings; a relative one starts at dlt's project folder, which is the home."""
    path = Path(text).expanduser()
    if path.is_absolute():
        return path
    from dlt.common.runtime.run_context import active

    return Path(active().run_dir) / path


def file_vendor(name: str, label: str, mapping: Path | None = None, documentation: str = "") -> Vendor:
    """A vendor whose data come as files. `mapping` is the one that is shipped; an instance may name its own."""

    def path_of(config: Config) -> Path:
        return settings_path(config["mapping"]) if "mapping" in config or mapping is None else mapping

    def mapping_of(config: Config) -> FileMapping:
        from sources.files.mapping import load_mapping  # YAML is needed only by those who read files

        return load_mapping(path_of(config))

    def streams_of(config: Config) -> tuple[Stream, ...]:
        found = mapping_of(config)
        folder = settings_path(config["folder"])
        return tuple(
            # Files that were moved away are no list that says everything is gone.
            entity_stream(
                entity,
                object_name=found.object_of(entity),
                listed=found.is_listed(entity) and found.has_files(entity, folder),
            )
            for entity in ENTITIES
        )

    def connect(config: Config, clock: Clock) -> Connection:
        from sources.files.drops import Drops  # opens a DuckDB of its own

        return Drops(settings_path(config["folder"]), mapping_of(config), clock)

    return Vendor(
        name=name,
        label=label,
        streams=tuple(entity_stream(entity) for entity in ENTITIES),
        connect=connect,
        params=(FOLDER, Param("mapping", MAPPING, required=mapping is None)),
        staging="files",
        documentation=documentation,
        streams_of=streams_of,
        cannot=CANNOT,
    )


VENDOR = replace(
    file_vendor("files", "CSV and Excel files"),
    cannot={"every case": "It is what every vendor of files is, without a mapping: nobody's exports can stand for it."},
)
