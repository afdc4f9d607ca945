"""kintone (Cybozu) as a vendor: a platform on which a company builds its own apps, read by the company's own mapping.

Data only: which tables there are, the settings, and how to connect. `mapping.yaml` beside this file is an example that fits
the demo company's apps; README.md is the reference of the format. Nothing here opens a connection.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sources.config import Param
from sources.files import settings_path
from sources.kintone.entities import ENTITIES, FIELDS, SUBTABLE_ENTITIES, USER_TABLE, USERS, raw_columns
from sources.stream import Connection, Stream, Vendor

if TYPE_CHECKING:
    from sources.config import Config
    from sources.kintone.mapping import AppMapping
    from sources.stream import Clock

MAPPING: Final = Path(__file__).with_name("mapping.yaml")

# 更新日時 has no seconds: what was saved in the last window's last minute, after it was read, has the same stamp.
LOOKBACK: Final = timedelta(minutes=2)

_RECORDS: Final = tuple(
    Stream(
        name=entity,
        object=entity,
        key=("id",),
        columns=raw_columns(entity),
        cursor="updated_at",
        lookback=LOOKBACK,
        deletes="none" if entity in SUBTABLE_ENTITIES else "sweep",
        # A row of a subtable has no stamp of its own: its record's says when it was read, not that it changed.
        volatile=("updated_at",) if entity in SUBTABLE_ENTITIES else (),
    )
    for entity in ENTITIES
)
STREAMS: Final = (
    # First: what it asks for is what the mapping is checked against.
    Stream(name="app_field", object="app/form/fields", key=("app", "field_code"), columns=FIELDS),
    *_RECORDS,
    # Last: the users that the records before it have named.
    Stream(name=USER_TABLE, object="USER_SELECT", key=("code",), columns=USERS),
)


def _mapping_of(config: Config) -> AppMapping:
    from sources.kintone.mapping import load_mapping  # YAML is needed only by those who read apps

    return load_mapping(settings_path(config["mapping"]) if "mapping" in config else MAPPING)


def _streams_of(config: Config) -> tuple[Stream, ...]:
    """The streams with the objects' own names; what no app feeds lands an empty table and has nothing to list."""
    mapping = _mapping_of(config)
    return tuple(
        replace(
            stream,
            object=objects[0] if len(objects) == 1 else stream.object,
            deletes="sweep" if mapping.of(stream.name) else "none",
        )
        for stream in STREAMS
        for objects in (mapping.objects_of(stream.name),)
    )


def _connect(config: Config, clock: Clock) -> Connection:
    from sources.kintone.api import Kintone
    from sources.kintone.wire import Wire

    return Kintone(config, _mapping_of(config), Wire(config), clock)


VENDOR: Final = Vendor(
    name="kintone",
    label="kintone",
    streams=STREAMS,
    connect=_connect,
    params=(
        Param("base_url", "Address of the domain, https://<subdomain>.cybozu.com or .kintone.com"),
        Param("apps", "Id and API token of each app: [sources.<instance>.apps.NAME] id, token", secret=True),
        Param(
            "mapping",
            "The mapping file (YAML) of your apps; its reference is sources/kintone/README.md",
            required=False,
        ),
    ),
    documentation="https://kintone.dev/en/docs/kintone/rest-api/",
    streams_of=_streams_of,
    cannot={
        "a vanished field": "A field that the mapping names and the app lacks stops the run with its name, before anything is read.",
        # https://cybozu.dev/ja/kintone/docs/rest-api/records/get-records/
        "a page of zero rows with more to come": "Records are read by number: a page that is not full is the last one.",
        "a token that expires in the middle": "API tokens of apps have no end: one that is refused was taken back.",
        # https://cybozu.dev/ja/kintone/tips/best-practices/secure-operation-of-forms-and-viewers
        "quota used up": "Requests above the day's number are not refused as a rule; too many at once are, and that passes.",
    },
)
