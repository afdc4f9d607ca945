"""What is read from HubSpot: the objects, their keys and the columns that staging may rely on.

Data only: no request is made here and no vendor answer is read. Columns are raw names (dlt's snake_case of the vendor's
property names) with dlt types; a portal's own properties are added beside them by the properties endpoint at run time.
The meaning of the record fields and of the default properties is in HubSpot's CRM object pages
(https://developers.hubspot.com/docs/api-reference/crm-contacts-v3/guide and its siblings) and in
https://knowledge.hubspot.com/properties/hubspots-default-contact-properties and the pages next to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sources.stream import DataType

RECORD: Final[Mapping[str, DataType]] = {
    "id": "text",
    "created_at": "timestamp",
    "updated_at": "timestamp",
    "archived": "bool",
    "archived_at": "timestamp",
    "hs_object_id": "text",
    "hs_merged_object_ids": "text",
    "hubspot_owner_id": "text",
}

# Properties whose earlier values are read (propertiesWithHistory); they land as JSON text in `properties_with_history`:
# {"dealstage": [{"value", "timestamp", "sourceType", "sourceId", "sourceLabel", "updatedByUserId"}, newest first], …}
HISTORY: Final[Mapping[str, tuple[str, ...]]] = {
    "contacts": ("lifecyclestage", "hs_lead_status", "hubspot_owner_id", "associatedcompanyid"),
    "deals": (
        "dealstage",
        "pipeline",
        "amount",
        "deal_currency_code",
        "closedate",
        "hubspot_owner_id",
        "hs_deal_stage_probability",
        "hs_manual_forecast_category",
    ),
}

MODIFIED: Final = "hs_lastmodifieddate"
MODIFIED_OF: Final[Mapping[str, str]] = {"contacts": "lastmodifieddate"}

# Property columns of each CRM object, beside those of RECORD. Custom properties that staging knows are marked.
PROPERTIES: Final[Mapping[str, Mapping[str, DataType]]] = {
    "contacts": {
        "createdate": "timestamp",
        "lastmodifieddate": "timestamp",
        "email": "text",
        "hs_additional_emails": "text",
        "firstname": "text",
        "lastname": "text",
        "first_name_kana": "text",  # custom
        "last_name_kana": "text",  # custom
        "phone": "text",
        "mobilephone": "text",
        "jobtitle": "text",
        "department": "text",  # custom
        "company": "text",
        "associatedcompanyid": "text",
        "website": "text",
        "address": "text",
        "city": "text",
        "state": "text",
        "zip": "text",
        "country": "text",
        "lifecyclestage": "text",
        "hs_lead_status": "text",
        "hubspotscore": "double",
        "lead_source": "text",  # custom
        "hs_analytics_source": "text",
        "hs_latest_source": "text",
        "hs_email_optout": "bool",
        "call_opt_out": "bool",  # custom
        "hubspot_owner_assigneddate": "timestamp",
        "salesforcecontactid": "text",
        "salesforceleadid": "text",
    },
    "companies": {
        "createdate": "timestamp",
        "hs_lastmodifieddate": "timestamp",
        "name": "text",
        "domain": "text",
        "website": "text",
        "hs_additional_domains": "text",
        "corporate_number": "text",  # custom
        "industry": "text",
        "numberofemployees": "bigint",
        "annualrevenue": "decimal",
        "type": "text",
        "lifecyclestage": "text",
        "phone": "text",
        "address": "text",
        "city": "text",
        "state": "text",
        "zip": "text",
        "country": "text",
        "hs_parent_company_id": "text",
        "salesforceaccountid": "text",
    },
    "deals": {
        "createdate": "timestamp",
        "hs_lastmodifieddate": "timestamp",
        "dealname": "text",
        "dealtype": "text",
        "pipeline": "text",
        "dealstage": "text",
        "amount": "decimal",
        "deal_currency_code": "text",
        "closedate": "timestamp",
        "hs_is_closed": "bool",
        "hs_is_closed_won": "bool",
        "hs_deal_stage_probability": "double",
        "hs_manual_forecast_category": "text",
        "hs_next_step": "text",
        "closed_lost_reason": "text",
        "closed_won_reason": "text",
        "competitor": "text",  # custom
        "lead_source": "text",  # custom
        "hs_analytics_source": "text",
        "hs_salesforceopportunityid": "text",
    },
    "products": {
        "createdate": "timestamp",
        "hs_lastmodifieddate": "timestamp",
        "name": "text",
        "hs_sku": "text",
        "price": "decimal",
        "hs_cost_of_goods_sold": "decimal",
        "currency": "text",  # custom: currency of `price`
        "product_family": "text",  # custom
        "margin_rate": "double",  # custom
        "recurringbillingfrequency": "text",
        "hs_recurring_billing_period": "text",
        "hs_status": "text",
    },
    "line_items": {
        "createdate": "timestamp",
        "hs_lastmodifieddate": "timestamp",
        "name": "text",
        "hs_product_id": "text",
        "hs_sku": "text",
        "quantity": "double",
        "price": "decimal",
        "amount": "decimal",
        "hs_line_item_currency_code": "text",
        "product_family": "text",  # custom
        "recurringbillingfrequency": "text",
        "hs_recurring_billing_period": "text",
        "hs_recurring_billing_start_date": "date",
        "hs_recurring_billing_end_date": "date",
        "service_start_date": "date",  # custom
        "service_end_date": "date",  # custom
    },
    "calls": {
        "hs_createdate": "timestamp",
        "hs_lastmodifieddate": "timestamp",
        "hs_timestamp": "timestamp",
        "hs_activity_type": "text",
        "hs_call_title": "text",
        "hs_call_direction": "text",
        "hs_call_disposition": "text",
        "hs_call_status": "text",
        "hs_call_duration": "double",  # milliseconds
    },
    "emails": {
        "hs_createdate": "timestamp",
        "hs_lastmodifieddate": "timestamp",
        "hs_timestamp": "timestamp",
        "hs_email_subject": "text",
        "hs_email_direction": "text",
        "hs_email_status": "text",
        "hs_email_open_count": "double",
        "hs_email_click_count": "double",
    },
    "meetings": {
        "hs_createdate": "timestamp",
        "hs_lastmodifieddate": "timestamp",
        "hs_timestamp": "timestamp",
        "hs_activity_type": "text",
        "hs_meeting_title": "text",
        "hs_meeting_start_time": "timestamp",
        "hs_meeting_end_time": "timestamp",
        "hs_meeting_outcome": "text",
        "hs_meeting_location": "text",
    },
    "notes": {
        "hs_createdate": "timestamp",
        "hs_lastmodifieddate": "timestamp",
        "hs_timestamp": "timestamp",
        "hs_note_body": "text",
    },
    "tasks": {
        "hs_createdate": "timestamp",
        "hs_lastmodifieddate": "timestamp",
        "hs_timestamp": "timestamp",
        "hs_task_subject": "text",
        "hs_task_status": "text",
        "hs_task_type": "text",
        "hs_task_priority": "text",
        "hs_task_completion_date": "timestamp",
    },
}

# One row per from-record; `associations` is JSON text of the whole set, so that a new version replaces all of it:
# [{"to": "id", "types": [{"type_id", "label", "category"}]}]
ASSOCIATIONS: Final[tuple[tuple[str, str], ...]] = (
    ("contacts", "companies"),
    ("deals", "companies"),
    ("deals", "contacts"),
    ("deals", "line_items"),
    *(
        (engagement, to)
        for engagement in ("calls", "emails", "meetings", "notes", "tasks")
        for to in ("contacts", "companies", "deals")
    ),
)
# `read_at` is when the set was read: HubSpot stamps no association, and a set read later rules.
ASSOCIATION_COLUMNS: Final[Mapping[str, DataType]] = {"from_id": "text", "associations": "text", "read_at": "timestamp"}

# Small things that are read whole at each run.
WHOLE: Final[Mapping[str, tuple[tuple[str, ...], Mapping[str, DataType]]]] = {
    "owners": (
        ("id",),
        {
            "id": "text",
            "user_id": "text",
            "type": "text",
            "email": "text",
            "first_name": "text",
            "last_name": "text",
            "teams": "text",  # JSON text: [{"id", "name", "primary"}]
            "created_at": "timestamp",
            "updated_at": "timestamp",
            "archived": "bool",
        },
    ),
    "teams": (("id",), {"id": "text", "name": "text"}),
    "pipelines": (
        ("pipeline_id", "stage_id"),
        {
            "pipeline_id": "text",
            "pipeline_label": "text",
            "pipeline_display_order": "bigint",
            "stage_id": "text",
            "stage_label": "text",
            "display_order": "bigint",
            "probability": "double",
            "is_closed": "bool",
            "archived": "bool",
            "created_at": "timestamp",
            "updated_at": "timestamp",
        },
    ),
    "forms": (
        ("id",),
        {
            "id": "text",
            "name": "text",
            "form_type": "text",
            "created_at": "timestamp",
            "updated_at": "timestamp",
            "archived": "bool",
            "archived_at": "timestamp",
        },
    ),
    "account_info": (
        ("portal_id",),
        {
            "portal_id": "bigint",
            "account_type": "text",
            "time_zone": "text",
            "company_currency": "text",
            "ui_domain": "text",
            "data_hosting_location": "text",
        },
    ),
}

FORM_SUBMISSIONS: Final[Mapping[str, DataType]] = {
    "form_id": "text",
    "conversion_id": "text",
    "submitted_at": "timestamp",
    "page_url": "text",
    "email": "text",  # the value of the field named email, lifted out of `form_values`
    "form_values": "text",  # JSON text: [{"name", "value", "objectTypeId"}]
}
