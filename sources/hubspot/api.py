"""HubSpot's connection: for each stream of the vendor's table, what is asked and how its rows are made.

Records are in `records.py`, requests in `wire.py`; here are the small things that are read whole, the submissions of
forms and the associations. No dlt in here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import orjson

from sources.arrow import loads
from sources.hubspot.columns import ASSOCIATION_COLUMNS, FORM_SUBMISSIONS, PROPERTIES, WHOLE
from sources.hubspot.records import Records, milliseconds
from sources.hubspot.wire import Wire
from sources.stream import Clock, Connection, DataType, GoesOnBy, Stream, Window
from sources.tables import arrow_type

if TYPE_CHECKING:
    import pyarrow as pa

    from sources.arrow import Pages
    from sources.config import Config

SUBMISSIONS_PAGE: Final = 50
OWNERS_PAGE: Final = 500
FORMS_PAGE: Final = 100
ROWS_A_TABLE: Final = 10_240

Row = dict[str, Any]


def connect(config: Config, clock: Clock) -> Connection:
    """A signed-in reader of one portal."""
    return HubSpot(Wire(config), clock)


class HubSpot(Connection):
    """One run's reader."""

    def __init__(self, wire: Wire, clock: Clock) -> None:
        self._wire, self._records, self._clock = wire, Records(wire), clock
        self._owners_read: list[Row] | None = None
        self._forms_read: list[Row] | None = None
        self._submitted: list[Row] | None = None
        self._whole: Mapping[str, Callable[[], Iterator[Row]]] = {
            "owners": self._owners,
            "teams": self._teams,
            "pipelines": self._pipelines,
            "forms": self._forms,
            "account_info": self._account_info,
        }

    @property
    def requests(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Requests sent so far."""
        return self._wire.requests

    def limits(self) -> Mapping[str, str]:
        """What the answers so far said of the account's own rate limit."""
        return {"requests": self._wire.pace.in_words()}

    def close(self) -> None:
        """Frees the session."""
        self._wire.close()

    def pages(self, stream: Stream, window: Window) -> Iterator[Pages | pa.Table]:
        """The stream's rows of the window."""
        if stream.name in PROPERTIES:
            yield from self._records.read(stream.object, window)
        elif stream.name == "form_submissions":
            yield from _tables(self._submissions(window.start), FORM_SUBMISSIONS)
        elif "to" in stream.options:
            rows = self._associations(stream.object, str(stream.options["to"]), window)
            yield from _tables(rows, ASSOCIATION_COLUMNS)
        else:
            yield from _tables(self._whole[stream.name](), WHOLE[stream.name][1])

    def goes_on_by(self, stream: Stream, window: Window) -> GoesOnBy:
        """Search gives records in the order of their stamp; a listing goes on by the `after` of its last page
        (https://developers.hubspot.com/docs/api-reference/crm-contacts-v3/basic/get-crm-v3-objects-contacts)."""
        if stream.name not in PROPERTIES:
            return "nothing"
        if window.start is not None:
            return "cursor"
        return "memory" if not window.backfill and self._records.shape(stream.object).fits_address else "nothing"

    def ids(self, stream: Stream) -> Iterator[pa.Table]:
        """The keys of all live records: what this run has listed, else a listing for that."""
        import pyarrow as pa

        if stream.name == "form_submissions":
            if self._submitted is None:
                for _ in self._submissions(None):
                    pass
            yield pa.Table.from_pylist(self._submitted or [], pa.schema([(name, pa.string()) for name in stream.key]))
            return
        yield pa.table({"id": pa.array(self._records.live(stream.object), pa.string())})

    def count(self, stream: Stream) -> int | None:
        """Live records of CRM objects, by search. HubSpot counts nothing else, and what we read is no count of its own."""
        return self._wire.total(stream.object) if stream.name in PROPERTIES else None

    def _associations(self, from_name: str, to_name: str, window: Window) -> Iterator[Row]:
        """One row per from-record that changed, with its whole set: an empty one too, so that a removed association goes."""
        ids, read_at = self._records.changed(from_name, window), self._clock().isoformat()
        for found in self._wire.associations(from_name, to_name, ids):
            for record, targets in found.items():
                yield {"from_id": record, "associations": _association_text(targets), "read_at": read_at}

    def _owner_answers(self) -> list[Row]:
        if self._owners_read is None:
            self._owners_read = [
                owner
                for archived in ("false", "true")
                for body in self._wire.pages("/crm/v3/owners", {"limit": OWNERS_PAGE, "archived": archived})
                for owner in loads(body)["results"]
            ]
        return self._owners_read

    def _owners(self) -> Iterator[Row]:
        for owner in self._owner_answers():
            user = owner.get("userId") or owner.get("userIdIncludingInactive")
            yield {
                "id": owner["id"],
                "user_id": None if user is None else str(user),
                "type": owner.get("type"),
                "email": owner.get("email"),
                "first_name": owner.get("firstName"),
                "last_name": owner.get("lastName"),
                "teams": orjson.dumps(owner.get("teams") or []).decode(),
                "created_at": owner.get("createdAt"),
                "updated_at": owner.get("updatedAt"),
                "archived": owner.get("archived"),
            }

    def _teams(self) -> Iterator[Row]:
        """Teams as the owners' answers name them: the endpoint of their own needs an administrator's scope."""
        named = {str(team["id"]): team["name"] for owner in self._owner_answers() for team in owner.get("teams") or []}
        yield from ({"id": team, "name": name} for team, name in sorted(named.items()))

    def _pipelines(self) -> Iterator[Row]:
        for pipeline in loads(self._wire.get("/crm/v3/pipelines/deals"))["results"]:
            for stage in pipeline["stages"]:
                metadata = stage.get("metadata") or {}
                closed = metadata.get("isClosed")
                yield {
                    "pipeline_id": pipeline["id"],
                    "pipeline_label": pipeline["label"],
                    "pipeline_display_order": pipeline.get("displayOrder"),
                    "stage_id": stage["id"],
                    "stage_label": stage["label"],
                    "display_order": stage.get("displayOrder"),
                    "probability": None if metadata.get("probability") is None else float(metadata["probability"]),
                    "is_closed": None if closed is None else str(closed).lower() == "true",
                    "archived": bool(stage.get("archived") or pipeline.get("archived")),
                    "created_at": stage.get("createdAt"),
                    "updated_at": stage.get("updatedAt"),
                }

    def _form_answers(self) -> list[Row]:
        if self._forms_read is None:
            pages = self._wire.pages("/marketing/v3/forms", {"limit": FORMS_PAGE})
            self._forms_read = [form for body in pages for form in loads(body)["results"]]
        return self._forms_read

    def _forms(self) -> Iterator[Row]:
        for form in self._form_answers():
            yield {
                "id": form["id"],
                "name": form.get("name"),
                "form_type": form.get("formType"),
                "created_at": form.get("createdAt"),
                "updated_at": form.get("updatedAt"),
                "archived": form.get("archived"),
                "archived_at": form.get("archivedAt"),
            }

    def _submissions(self, start: datetime | None) -> Iterator[Row]:
        """Submissions come newest first, without a filter by time: each form is read back to the window's start."""
        since = None if start is None else milliseconds(start)
        listed: list[Row] = []
        for form in self._form_answers():
            path = f"/form-integrations/v1/submissions/forms/{form['id']}"
            for body in self._wire.pages(path, {"limit": SUBMISSIONS_PAGE}):
                answers = loads(body)["results"]
                for answer in answers:
                    if since is None or int(answer["submittedAt"]) > since:
                        row = _submission(str(form["id"]), answer)
                        listed.append({"form_id": row["form_id"], "conversion_id": row["conversion_id"]})
                        yield row
                if answers and since is not None and int(answers[-1]["submittedAt"]) <= since:
                    break
        if start is None:
            self._submitted = listed

    def _account_info(self) -> Iterator[Row]:
        details = loads(self._wire.get("/account-info/v3/details"))
        yield {
            "portal_id": details["portalId"],
            "account_type": details.get("accountType"),
            "time_zone": details.get("timeZone"),
            "company_currency": details.get("companyCurrency"),
            "ui_domain": details.get("uiDomain"),
            "data_hosting_location": details.get("dataHostingLocation"),
        }


def _submission(form_id: str, answer: Row) -> Row:
    values: Sequence[Row] = answer.get("values") or []
    emails = [value.get("value") for value in values if value.get("name") == "email"]
    text = orjson.dumps(values).decode()
    made = hashlib.sha256(f"{answer['submittedAt']}{text}".encode()).hexdigest()[:32]
    return {
        "form_id": form_id,
        "conversion_id": answer.get("conversionId") or made,  # answers of the older form have no id
        "submitted_at": str(answer["submittedAt"]),
        "page_url": answer.get("pageUrl"),
        "email": emails[0] if emails else None,
        "form_values": text,
    }


def _association_text(targets: Sequence[Row]) -> str:
    """The set in one order whatever the answer's, so that an unchanged set is an unchanged row."""
    found = [
        {
            "to": str(target["toObjectId"]),
            "types": sorted(
                (
                    {"type_id": kind.get("typeId"), "label": kind.get("label"), "category": kind.get("category")}
                    for kind in target.get("associationTypes") or []
                ),
                key=lambda kind: (kind["category"] or "", kind["type_id"] or 0),
            ),
        }
        for target in targets
    ]
    return orjson.dumps(sorted(found, key=lambda one: (len(one["to"]), one["to"]))).decode()


def _tables(rows: Iterator[Row], columns: Mapping[str, DataType]) -> Iterator[pa.Table]:
    """The rows as tables. Instants stay text: the engine casts them, and quarantines what does not fit."""
    import pyarrow as pa

    schema = pa.schema(
        [(name, pa.string() if kind in ("timestamp", "text") else arrow_type(kind)) for name, kind in columns.items()]
    )
    waiting: list[Row] = []
    for row in rows:
        waiting.append(row)
        if len(waiting) == ROWS_A_TABLE:
            yield pa.Table.from_pylist(waiting, schema)
            waiting = []
    if waiting:
        yield pa.Table.from_pylist(waiting, schema)
