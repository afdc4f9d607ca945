"""Marketo Engage as a vendor of tsunagu: its table of streams, its settings, and how to connect.

Data only. Requests are in `wire.py`, exports in `exports.py`, what is asked per stream in `api.py`; nothing here opens a
connection.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sources.marketo.api import connect
from sources.marketo.columns import (
    ACTIVITIES,
    DELETED_LEADS,
    LEADS,
    LIST_MEMBERS,
    MEMBERS,
    PROGRAMS,
    WHOLE,
)
from sources.stream import Param, Stream, Vendor

# Activities are written after the fact by campaigns and by the synchronisation with a CRM, with the date of the fact. What came
# late is read again an hour later; rows read twice are filtered before the load.
LOOKBACK: Final = timedelta(hours=1)

VENDOR: Final = Vendor(
    name="marketo",
    label="Marketo Engage",
    # Order matters: a later stream uses what an earlier one has read in the same run.
    streams=(
        Stream(name="lead_fields", object="lead fields", key=("id",), columns=WHOLE["lead_fields"][1]),
        Stream(name="activity_types", object="activity types", key=("id",), columns=WHOLE["activity_types"][1]),
        Stream(
            name="activities",
            object="activities",
            key=("marketo_guid",),
            columns=ACTIVITIES,
            cursor="activity_date",
            lookback=LOOKBACK,
        ),
        Stream(
            name="deleted_leads",
            object="deleted leads",
            key=("marketo_guid",),
            columns=DELETED_LEADS,
            cursor="activity_date",
            lookback=LOOKBACK,
        ),
        Stream(
            name="leads",
            object="leads",
            key=("id",),
            columns=LEADS,
            cursor="updated_at",
            lookback=LOOKBACK,
            deletes="feed",
        ),
        Stream(
            name="programs",
            object="programs",
            key=("id",),
            columns=PROGRAMS,
            cursor="updated_at",
            lookback=LOOKBACK,
            deletes="sweep",
        ),
        Stream(
            name="program_members",
            object="program members",
            key=("program_id", "lead_id"),
            columns=MEMBERS,
            cursor="updated_at",
            lookback=LOOKBACK,
        ),
        Stream(
            name="static_lists",
            object="static lists",
            key=("id",),
            columns=WHOLE["static_lists"][1],
            deletes="sweep",
        ),
        Stream(
            name="static_list_members",
            object="static list members",
            key=("list_id", "lead_id"),
            columns=LIST_MEMBERS,
            cursor="added_at",
            lookback=LOOKBACK,
        ),
    ),
    connect=connect,
    params=(
        Param("base_url", "Endpoint of the REST API without /rest, e.g. https://123-ABC-456.mktorest.com."),
        Param("client_id", "Client Id of the custom service (README of sources/marketo)."),
        Param("client_secret", "Client Secret of the custom service.", secret=True),
        Param(
            "since",
            "First day of the subscription; what is older is not read. A month costs an export job in the first load.",
            default="2006-01-01",
        ),
        Param("lead_fields", "REST names of the lead fields to read, by comma; default all.", required=False),
        Param("calls_per_20_seconds", "Calls to send in 20 seconds; 0 = as fast as they go.", default="100"),
        Param("poll_seconds", "Seconds between two looks at an export job.", default="60"),
    ),
    documentation="https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/rest-api",
    cannot={
        **dict.fromkeys(
            ("a page of zero rows with more to come", "an out of order page", "a record changed while paging"),
            # https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract/bulk-extract
            "A first load is read by exports, each a file with a checksum: there are no pages.",
        ),
        # https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract/bulk-extract
        "a new field": "A file carries a checksum, which one that gains a column on its way cannot keep.",
        # https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract/bulk-extract
        "a first load that goes on where it stopped": "Marketo exports by months at most: a first load goes on behind the"
        " last file, and the records of this case lie in one.",
    },
)
