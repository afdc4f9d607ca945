"""Pipedrive: what is read from its REST API, how to sign in, and what its refusals mean. No SQL, no Dagster.

- paths, parameters, fields: https://developers.pipedrive.com/docs/api/v1 (v2 stands there beside v1)
- pages, limits: https://pipedrive.readme.io/docs/core-api-concepts-pagination and .../core-api-concepts-rate-limiting
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sources.arrow import Field, Json, Pages, envelope, loads
from sources.errors import CredentialsRejected
from sources.http import Http, Rule
from sources.stream import Connection, DataType, Deletes, GoesOnBy, Param, Stream, Vendor, Window

if TYPE_CHECKING:
    import pyarrow as pa

    from sources.config import Config
    from sources.stream import Batch

PAGE, DEALS_AT_ONCE = 500, 100  # the most of a page, and of deals whose products are asked for in one request
DEALS: Final = ("v2/deals", "v2/deals/archived")  # archived ones have a listing of their own
KINDS: Final[Mapping[DataType, str]] = {
    "timestamp": "add_time update_time marked_as_done_time stage_change_time won_time lost_time created",
    "decimal": "value sum", "double": "quantity probability", "date": "expected_close_date billing_start_date",
    "bool": "is_deleted active_flag done", "bigint": "order_nr",
}  # fmt: skip
KIND: Final[Mapping[str, DataType]] = {field: kind for kind, fields in KINDS.items() for field in fields.split()}
ITEM = "id add_time update_time is_deleted custom_fields"
ADDRESS = "value locality admin_area_level_1 country postal_code"


def _stream(name: str, fields: str, *paths: str, deletes: Deletes = "sweep", whole: bool = False) -> Stream:
    """Fields that are not named become text columns too; custom ones lie in `custom_fields`, as JSON by their keys."""
    path = {each: ("address", each) for each in ADDRESS.split()} if name == "organizations" else {}
    columns: dict[str, DataType] = {each: KIND.get("" if each in path else each, "text") for each in fields.split()}
    shape = {each: Field(path.get(each, (each,)), kind) for each, kind in columns.items()}
    shape |= {"_deleted": Field(("is_deleted",), "bool")} if "is_deleted" in shape else {}
    more = {"paths": paths, "shape": Json(("data",), shape, open=True)}
    key, cursor = (fields.split()[0],), None if whole else "update_time"
    return Stream(name, paths[0], key, columns, cursor, lookback=timedelta(minutes=10), deletes=deletes, options=more)


STREAMS: Final = (
    _stream("users", "id name email active_flag created is_deleted", "v1/users", deletes="flag", whole=True),
    _stream("pipelines", f"{ITEM} name", "v2/pipelines", deletes="flag", whole=True),
    _stream("stages", f"{ITEM} name pipeline_id order_nr", "v2/stages", deletes="flag", whole=True),
    _stream("organizations", f"{ITEM} name owner_id {ADDRESS}", "v2/organizations"),
    _stream("persons", f"{ITEM} name first_name last_name emails phones job_title owner_id org_id", "v2/persons"),
    _stream("deals", f"{ITEM} title owner_id person_id org_id pipeline_id stage_id status value currency probability"
            " expected_close_date stage_change_time won_time lost_time lost_reason", *DEALS),
    _stream("activities", f"{ITEM} subject type owner_id person_id org_id deal_id done due_date due_time duration"
            " marked_as_done_time", "v2/activities"),
    _stream("products", f"{ITEM} name code category prices billing_frequency", "v2/products", whole=True),
    _stream("deal_products", f"{ITEM} deal_id product_id name quantity sum currency billing_frequency billing_start_date",
            "v2/deals/products", whole=True),
    *(_stream(f"{of}_fields", "field_code field_name options", f"v2/{of}Fields", deletes="none", whole=True) for of in ("person", "organization", "deal")),
)  # fmt: skip
REJECTED: Final = Rule("stop", 401, raises=CredentialsRejected, remedy="Correct {setting[api_token]}.")
# Not a missing permission: https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting
BLOCKED: Final = Rule("wait_quota", 403, text="(?i)cloudflare", wait=30.0)


class Pipedrive(Connection):
    """See `sources.stream.Connection`."""

    def __init__(self, config: Config) -> None:
        self._http = Http(
            config, config["base_url"], headers={"x-api-token": config["api_token"]}, rules=(REJECTED, BLOCKED)
        )
        self.close = self._http.close

    @property
    def requests(self) -> int:  # type: ignore[override]
        return self._http.requests

    def goes_on_by(self, stream: Stream, window: Window) -> GoesOnBy:  # noqa: ARG002
        return "cursor" if stream.cursor and len(stream.options["paths"]) == 1 else "nothing"

    def pages(self, stream: Stream, window: Window) -> Iterator[Batch]:
        """`updated_since` takes in its own instant, `updated_until` does not. Archived deals come after the others."""
        asked: dict[str, Any] = {"status": "open,won,lost,deleted"} if stream.name == "deals" else {}
        if stream.cursor:
            until, start = window.end + timedelta(seconds=1), window.start
            asked |= {"sort_by": "update_time", "updated_until": until.isoformat(timespec="seconds")}
            asked |= {"updated_since": start.isoformat(timespec="seconds")} if start else {}
        for body in self._bodies(stream, asked):
            yield Pages([body], stream.options["shape"])

    def ids(self, stream: Stream) -> Iterator[pa.Table]:
        import pyarrow as pa

        for body in self._bodies(stream, {}):  # all that is swept has the key `id`
            yield pa.table({"id": pa.array([str(row["id"]) for row in loads(body)["data"]], pa.string())})

    def _bodies(self, stream: Stream, asked: Mapping[str, Any]) -> Iterator[bytes]:
        if stream.name != "deal_products":
            yield from (body for path in stream.options["paths"] for body in self._listing(path, asked))
            return
        for deals in (loads(body)["data"] for path in DEALS for body in self._listing(path, {})):
            for at in range(0, len(deals), DEALS_AT_ONCE):
                some = [row["id"] for row in deals[at : at + DEALS_AT_ONCE]]
                yield from self._listing(stream.object, {"deal_ids": some})

    def _listing(self, path: str, asked: Mapping[str, Any]) -> Iterator[bytes]:
        more: dict[str, Any] = {**asked, "limit": PAGE} if path.startswith("v2/") else {}
        while more.get("cursor", True):
            yield (body := self._http.get(f"/api/{path}", more).content)
            more["cursor"] = (envelope(body, "data").get("additional_data") or {}).get("next_cursor")


VENDOR: Final = Vendor(
    name="pipedrive", label="Pipedrive", streams=STREAMS, connect=lambda config, _clock: Pipedrive(config),
    params=(
        Param("base_url", "Address of the company, https://<company>.pipedrive.com"),
        Param("api_token", "API token of a user who sees everything (README of sources/pipedrive)", secret=True),
    ),
    documentation="https://developers.pipedrive.com/docs/api/v1",
    # A changed token stops working: https://pipedrive.readme.io/docs/core-api-concepts-authentication
    cannot={"a token that expires in the middle": "An API token cannot be renewed by a client: one that is refused was changed or taken back."},
)  # fmt: skip
