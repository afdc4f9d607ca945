"""The small endpoints of the sandbox: owners, pipelines, account details, forms and their submissions.

Shapes: https://developers.hubspot.com/docs/api-reference/crm-crm-owners-v3/guide,
https://developers.hubspot.com/docs/api-reference/crm-pipelines-v3/guide,
https://developers.hubspot.com/docs/api-reference/marketing-forms-v3/guide,
https://developers.hubspot.com/docs/api-reference/legacy/marketing/forms/v1/get-form-integrations-v1-submissions-forms-form_guid.
Plain data from the company's tables; no web framework here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from sources.hubspot.sandbox.objects import Refused, flag, number
from sources.hubspot.sandbox.sql import instant, text
from sources.hubspot.sandbox.store import Row, Store
from sources.hubspot.sandbox.words import Pipeline, Stage

_BORN: Final = "2023-10-02T00:00:00.000Z"
MAX_SUBMISSIONS: Final = 50


class Rest:
    """The endpoints over one portal's store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def owners(self, query: Mapping[str, list[str]]) -> Row:
        """GET /crm/v3/owners: active ones, or the deactivated ones with archived=true."""
        archived = flag(query.get("archived", [""])[0])
        found = [owner for owner in self._owners() if owner["archived"] == archived]
        email = query.get("email", [""])[0]
        if email:
            found = [owner for owner in found if owner["email"] == email]
        return _page(found, query, most=500, default=100)

    def owner(self, owner_id: str, query: Mapping[str, list[str]]) -> Row:
        """GET /crm/v3/owners/{id}, by owner id or with idProperty=userId."""
        key = "userId" if query.get("idProperty", ["id"])[0] == "userId" else "id"
        for owner in self._owners():
            if str(owner.get(key)) == owner_id:
                return owner
        raise Refused(404, "resource not found", "OBJECT_NOT_FOUND")

    def _owners(self) -> list[Row]:
        sql = (
            f"select u.source_id, u.email, u.given_name, u.family_name, u.is_active, {instant('u.created_at')}, "
            f"strftime(u.\"at\", '%Y-%m-%dT%H:%M:%S.%gZ'), r.source_id, coalesce(r.name, u.team) from current.users u "
            "left join current.roles r on r.instance = u.instance and r.source_id = u.role_source_id "
            f"where u.instance = {text(self.store.instance)} and u.object = 'owners' and not u.is_deleted "
            "order by cast(u.source_id as bigint)"
        )
        return [_owner(*row) for row in self.store.rows(sql)]

    def pipelines(self, name: str) -> Row:
        """GET /crm/v3/pipelines/{type}; only deals have any here."""
        if name != "deals":
            return {"results": []}
        return {"results": [_pipeline(place, one) for place, one in enumerate(self.store.portal.pipelines)]}

    def pipeline(self, name: str, pipeline_id: str) -> Row:
        """GET /crm/v3/pipelines/{type}/{id}"""
        for one in self.pipelines(name)["results"]:
            if one["id"] == pipeline_id:
                return one
        raise Refused(404, "resource not found", "OBJECT_NOT_FOUND")

    def details(self) -> Row:
        """GET /account-info/v3/details"""
        portal = self.store.portal
        return {
            "portalId": portal.portal_id,
            "accountType": "STANDARD",
            "timeZone": portal.time_zone,
            "companyCurrency": portal.currency,
            "additionalCurrencies": ["USD"],
            "utcOffset": f"+{portal.utc_offset_hours:02d}:00",
            "utcOffsetMilliseconds": portal.utc_offset_hours * 3_600_000,
            "uiDomain": "app.hubspot.com" if portal.hosting == "na1" else f"app-{portal.hosting}.hubspot.com",
            "dataHostingLocation": portal.hosting,
        }

    def forms(self, query: Mapping[str, list[str]]) -> Row:
        """GET /marketing/v3/forms"""
        forms = [] if flag(query.get("archived", [""])[0]) else self._forms()
        return _page(forms, query, most=1_000, default=100)

    def form(self, form_id: str) -> Row:
        """GET /marketing/v3/forms/{id}"""
        for form in self._forms():
            if form["id"] == form_id:
                return form
        raise Refused(404, "resource not found", "OBJECT_NOT_FOUND")

    def _forms(self) -> list[Row]:
        sql = (
            f"select form_name, {instant('min(created_at)')} from current.activities "
            f"where instance = {text(self.store.instance)} and object = 'forms' and form_name is not null "
            "group by form_name order by min(created_at), form_name"
        )
        return [_form(self.form_id(name), name, born) for name, born in self.store.rows(sql)]

    def form_id(self, name: str) -> str:
        """A form's GUID, the same for ever."""
        return str(uuid5(NAMESPACE_URL, f"{self.store.instance}/{name}"))

    def submissions(self, form_id: str, query: Mapping[str, list[str]]) -> Row:
        """GET /form-integrations/v1/submissions/forms/{guid}: newest first, at most 50 a page."""
        form = self.form(form_id)
        limit = number(query.get("limit", ["20"])[0], "limit")
        if not 0 < limit <= MAX_SUBMISSIONS:
            raise Refused(400, f"limit must be between 1 and {MAX_SUBMISSIONS}, it is {limit}")
        start = number(query.get("after", ["0"])[0] or "0", "after")
        found = self.store.submissions(form["name"], start, limit + 1)
        answer: Row = {"results": [_submission(form_id, *row) for row in found[:limit]]}
        if len(found) > limit:
            answer["paging"] = {"next": {"after": str(start + limit)}}
        return answer


def _owner(
    owner_id: str,
    email: str,
    given: str,
    family: str,
    active: bool,
    created: str,
    updated: str,
    team_id: str | None,
    team: str | None,
) -> Row:
    user_id = int(owner_id) % 100_000_000 + 7
    owner: Row = {
        "id": owner_id,
        "email": email,
        "type": "PERSON",
        "firstName": given,
        "lastName": family,
        "createdAt": created,
        "updatedAt": updated,
        "archived": not active,
        "userIdIncludingInactive": user_id,
    }
    if active:
        owner["userId"] = user_id
    if team:
        owner["teams"] = [{"id": team_id or str(uuid5(NAMESPACE_URL, team).int % 10**8), "name": team, "primary": True}]
    return owner


def _pipeline(place: int, one: Pipeline) -> Row:
    return {
        "id": one.pipeline_id,
        "label": one.label,
        "displayOrder": place,
        "createdAt": _BORN,
        "updatedAt": _BORN,
        "archived": False,
        "stages": [_stage(number_of, stage) for number_of, stage in enumerate(one.stages)],
    }


def _stage(place: int, stage: Stage) -> Row:
    closed = stage.canonical in ("won", "lost")
    return {
        "id": stage.stage_id,
        "label": stage.label,
        "displayOrder": place,
        "metadata": {"isClosed": str(closed).lower(), "probability": str(stage.probability)},
        "createdAt": _BORN,
        "updatedAt": _BORN,
        "archived": False,
        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
    }


def _form(form_id: str, name: str, born: str) -> Row:
    return {
        "id": form_id,
        "name": name,
        "createdAt": born,
        "updatedAt": born,
        "archived": False,
        "formType": "hubspot",
        "fieldGroups": [],
        "configuration": {
            "language": "ja",
            "cloneable": True,
            "postSubmitAction": {"type": "thank_you", "value": ""},
            "editable": True,
            "archivable": True,
            "recaptchaEnabled": False,
            "notifyContactOwner": False,
            "notifyRecipients": [],
            "createNewContactForNewEmail": True,
            "prePopulateKnownValues": True,
            "allowLinkToResetKnownValues": False,
            "lifecycleStages": [],
        },
        "displayOptions": {
            "renderRawHtml": False,
            "theme": "default_style",
            "submitButtonText": "送信",
            "style": {},
            "cssClass": "hs-form",
        },
        "legalConsentOptions": {"type": "none"},
    }


def _submission(
    form_id: str,
    source_id: str,
    at: int,
    subject: str | None,
    email: str | None,
    family: str | None,
    given: str | None,
    company: str | None,
) -> Row:
    given_values = {"email": email, "lastname": family, "firstname": given, "company": company}
    values: list[dict[str, Any]] = [
        {"name": name, "value": value, "objectTypeId": "0-1"} for name, value in given_values.items() if value
    ]
    return {
        "conversionId": source_id,
        "submittedAt": at,
        "values": values,
        "pageUrl": f"https://www.example.com/{form_id[:8]}",
        "pageTitle": subject or "",
    }


def _page(found: list[Row], query: Mapping[str, list[str]], most: int, default: int) -> Row:
    limit = number(query.get("limit", [str(default)])[0], "limit")
    if not 0 < limit <= most:
        raise Refused(400, f"limit must be between 1 and {most}, it is {limit}")
    start = number(query.get("after", ["0"])[0] or "0", "after")
    answer: Row = {"results": found[start : start + limit]}
    if start + limit < len(found):
        answer["paging"] = {"next": {"after": str(start + limit), "link": "?"}}
    return answer
