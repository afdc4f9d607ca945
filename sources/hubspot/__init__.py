"""HubSpot as a vendor of tsunagu: its table of streams, its settings, and how to connect.

Data only. Requests are in `wire.py`, records in `records.py`, the rest in `api.py`; nothing here opens a connection.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sources.hubspot.api import connect
from sources.hubspot.columns import (
    ASSOCIATION_COLUMNS,
    ASSOCIATIONS,
    FORM_SUBMISSIONS,
    HISTORY,
    MODIFIED,
    MODIFIED_OF,
    PROPERTIES,
    RECORD,
    WHOLE,
)
from sources.stream import Param, Stream, Vendor

# The search index is eventually consistent: what it did not show yet is read again an hour later
# (https://developers.hubspot.com/docs/api-reference/search/guide). Rows read twice are filtered before the load.
LOOKBACK: Final = timedelta(hours=1)
# Archived records are listed in every run. What is deleted for good (GDPR) leaves no trace in the API but its absence,
# and finding that takes a listing of everything: once in two weeks.
SWEEP_EVERY: Final = timedelta(days=14)
# The numbers in the address of a record, e.g. https://app.hubspot.com/contacts/<portal>/record/0-3/<id>
TYPE_IDS: Final = {
    "contacts": "0-1",
    "companies": "0-2",
    "deals": "0-3",
    "products": "0-7",
    "line_items": "0-8",
    "tasks": "0-27",
    "notes": "0-46",
    "meetings": "0-47",
    "calls": "0-48",
    "emails": "0-49",
}

_RECORDS: Final = tuple(
    Stream(
        name=name,
        object=name,
        key=("id",),
        columns={
            **RECORD,
            **properties,
            **({"properties_with_history": "text"} if name in HISTORY else {}),
        },
        cursor=MODIFIED_OF.get(name, MODIFIED),
        lookback=LOOKBACK,
        deletes="sweep",
        sweep_every=SWEEP_EVERY,
        options={"type_id": TYPE_IDS[name]},
    )
    for name, properties in PROPERTIES.items()
)
_ASSOCIATIONS: Final = tuple(
    Stream(
        name=f"{from_name}_{to_name}",
        object=from_name,
        key=("from_id",),
        columns=ASSOCIATION_COLUMNS,
        cursor="read_at",
        lookback=LOOKBACK,
        volatile=("read_at",),
        options={"to": to_name},
    )
    for from_name, to_name in ASSOCIATIONS
)
_WHOLE: Final = tuple(
    Stream(name=name, object=name, key=key, columns=columns) for name, (key, columns) in WHOLE.items()
)

VENDOR: Final = Vendor(
    name="hubspot",
    label="HubSpot",
    streams=(
        *_WHOLE,
        *_RECORDS,
        *_ASSOCIATIONS,
        Stream(
            name="form_submissions",
            object="forms",
            key=("form_id", "conversion_id"),
            columns=FORM_SUBMISSIONS,
            cursor="submitted_at",
            lookback=LOOKBACK,
            deletes="sweep",
            sweep_every=SWEEP_EVERY,
        ),
    ),
    connect=connect,
    params=(
        Param("base_url", "Address of the API; change it for a sandbox only.", default="https://api.hubapi.com"),
        Param("token", "Service key, or access token of a private app (README of sources/hubspot).", secret=True),
    ),
    documentation="https://developers.hubspot.com/docs/api-reference/overview",
    cannot={
        # Static tokens of private apps: https://developers.hubspot.com/changelog/private-apps-are-now-available
        "a token that expires in the middle": "Service keys and tokens of private apps are static: no client can renew a refused one.",
    },
)
