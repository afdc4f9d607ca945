"""Salesforce as a vendor: how to sign in and which objects are read, as data. What goes over the wire is in `api.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sources.salesforce.streams import STREAMS
from sources.stream import Clock, Param, Vendor

if TYPE_CHECKING:
    from sources.config import Config
    from sources.stream import Connection


def _connect(config: Config, clock: Clock) -> Connection:
    from sources.salesforce.api import connect

    return connect(config, clock)


VENDOR = Vendor(
    name="salesforce",
    label="Salesforce",
    streams=STREAMS,
    connect=_connect,
    params=(
        Param("base_url", "The org's My Domain address, https://<name>.my.salesforce.com"),
        Param("client_id", "Consumer key of the external client app (or connected app)"),
        Param("client_secret", "Consumer secret, for the client credentials flow", secret=True, required=False),
        Param("username", "User that the JWT bearer flow signs in", required=False),
        Param("private_key", "Private key (PEM) of the JWT bearer flow", secret=True, required=False),
        Param("login_url", "Audience of the JWT, where it is not the My Domain address", required=False),
        Param("api_version", "Version of the REST API, such as 62.0", required=False),
        Param("bulk_from", "Rows from which a window is read by a job of Bulk API 2.0; 0 = never", required=False),
        Param("bulk_poll_seconds", "Seconds before the first look at such a job; later pauses grow", required=False),
        Param("longest_uri", "Bytes of the longest address that is asked for", required=False),
    ),
    documentation="https://developer.salesforce.com/docs/platform/api-rest/guide/intro_rest.html",
)
