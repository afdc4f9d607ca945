"""Account Engagement (Pardot) as a vendor of tsunagu: its table of streams, its settings, and how to connect.

Data only. Fields are in `columns.py`, requests in `api.py`; nothing here opens a connection.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sources.account_engagement.columns import OBJECTS, Object
from sources.arrow import column_name
from sources.config import Param
from sources.stream import Clock, Connection, Deletes, Stream, Vendor

if TYPE_CHECKING:
    from sources.config import Config

# Answers may be a minute old: https://developer.salesforce.com/docs/marketing/pardot/guide/version5overview.html
LAG: Final = timedelta(minutes=5)
LOOKBACK: Final = timedelta(minutes=10)
# What can be gone without a trace: prospects deleted for good, and objects without a recycle bin. Activities, visitors,
# e-mails and lifecycle histories are a log, nobody deletes from it by hand.
SWEPT: Final = frozenset({"prospects", "list_memberships", "opportunities"})


def _stream(name: str, each: Object) -> Stream:
    deletes: Deletes = "sweep" if name in SWEPT else "flag" if each.recycled else "none"
    return Stream(
        name=name,
        object=each.path,
        key=("id",),
        columns={"id": "text", **{column_name(field): kind for field, kind in each.fields.items()}},
        cursor=column_name(each.order) if each.order else None,
        lag=LAG,
        lookback=LOOKBACK,
        deletes=deletes,
    )


def _connect(config: Config, clock: Clock) -> Connection:
    from sources.account_engagement.api import connect

    return connect(config, clock)


VENDOR: Final = Vendor(
    name="account_engagement",
    label="Account Engagement (Pardot)",
    streams=tuple(_stream(name, each) for name, each in OBJECTS.items()),
    connect=_connect,
    params=(
        Param(
            "base_url",
            "Address of the API; https://pi.demo.pardot.com for sandboxes and developer orgs.",
            default="https://pi.pardot.com",
        ),
        Param("business_unit_id", "Business Unit ID of 18 characters, 0Uv… (Setup, Business Unit Setup)."),
        Param("login_url", "The Salesforce org's My Domain address, https://<name>.my.salesforce.com"),
        Param("client_id", "Consumer key of the app (README of sources/account_engagement)."),
        Param("client_secret", "Consumer secret, for the client credentials flow.", secret=True, required=False),
        Param("username", "User that the JWT bearer flow signs in.", required=False),
        Param("private_key", "Private key (PEM) of the JWT bearer flow.", secret=True, required=False),
        Param(
            "prospect_fields",
            "More fields of prospects to read, by API name and comma, such as region__c.",
            required=False,
        ),
    ),
    documentation="https://developer.salesforce.com/docs/marketing/pardot/guide/version5overview.html",
    cannot={
        # https://developer.salesforce.com/docs/marketing/pardot/guide/prospect-v5.html
        "a column of nulls only": "A prospect must have an e-mail: a person without any value is none.",
    },
)
