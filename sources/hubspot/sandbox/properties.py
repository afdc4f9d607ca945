"""The property definitions of the demo portals, as the properties endpoint gives them.

Types come from the columns that staging reads; what HubSpot defines itself is told from what the company added, so that
a reader's handling of custom properties is tried too. Data builders only.
Shape: https://developers.hubspot.com/docs/api-reference/crm-properties-v3/guide
"""

from __future__ import annotations

from typing import Any, Final

from sources.hubspot.columns import PROPERTIES, RECORD

_TYPES: Final = {
    "text": ("string", "text"),
    "bigint": ("number", "number"),
    "double": ("number", "number"),
    "decimal": ("number", "number"),
    "bool": ("bool", "booleancheckbox"),
    "timestamp": ("datetime", "date"),
    "date": ("date", "date"),
}
_CHOICES: Final = {
    "lifecyclestage", "hs_lead_status", "dealstage", "pipeline", "dealtype", "hs_manual_forecast_category", "type",
    "hubspot_owner_id", "hs_analytics_source", "hs_latest_source", "hs_call_direction", "hs_call_disposition",
    "hs_call_status", "hs_email_direction", "hs_email_status", "hs_meeting_outcome", "hs_task_status", "hs_task_type",
    "hs_task_priority", "recurringbillingfrequency", "hs_activity_type", "hs_status", "lead_source", "product_family",
}  # fmt: skip
CUSTOM: Final = {
    "corporate_number", "first_name_kana", "last_name_kana", "department", "lead_source", "call_opt_out", "competitor",
    "product_family", "margin_rate", "service_start_date", "service_end_date", "currency",
}  # fmt: skip
_CALCULATED: Final = {
    "hs_object_id", "createdate", "hs_createdate", "lastmodifieddate", "hs_lastmodifieddate", "hs_merged_object_ids",
    "associatedcompanyid", "hs_is_closed", "hs_is_closed_won", "hubspotscore",
}  # fmt: skip
_BORN: Final = "2023-10-02T00:00:00.000Z"


def types(name: str) -> dict[str, str]:
    """property -> HubSpot type, for every property that the portal serves of an object."""
    declared = {**{p: t for p, t in RECORD.items() if p.startswith(("hs_", "hubspot_"))}, **PROPERTIES[name]}
    found = {prop: "enumeration" if prop in _CHOICES else _TYPES[kind][0] for prop, kind in declared.items()}
    return {**found, "hs_object_id": "number"}


def definitions(name: str) -> list[dict[str, Any]]:
    """The objects that `/crm/v3/properties/{type}` lists."""
    return [definition(name, prop, kind) for prop, kind in types(name).items()]


def definition(name: str, prop: str, kind: str) -> dict[str, Any]:
    """One property definition."""
    field = "select" if kind == "enumeration" else {"bool": "booleancheckbox", "number": "number"}.get(kind, "text")
    fixed = prop in _CALCULATED
    return {
        "updatedAt": _BORN,
        "createdAt": _BORN,
        "name": prop,
        "label": prop.removeprefix("hs_").replace("_", " ").capitalize(),
        "type": kind,
        "fieldType": "date" if kind in ("date", "datetime") else field,
        "description": "",
        "groupName": f"{name.rstrip('s')}information",
        "options": [],
        "displayOrder": -1,
        "calculated": fixed,
        "externalOptions": prop == "hubspot_owner_id",
        "archived": False,
        "hasUniqueValue": prop == "hs_object_id",
        "hidden": False,
        "hubspotDefined": prop not in CUSTOM,
        "modificationMetadata": {"archivable": prop in CUSTOM, "readOnlyDefinition": True, "readOnlyValue": fixed},
        "formField": kind == "string" and not fixed,
        "dataSensitivity": "non_sensitive",
    }
