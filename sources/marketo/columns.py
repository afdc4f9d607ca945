"""What is read from Marketo: the objects, their keys, the columns that staging may rely on, and the types of activities.

Data only: no request is made here and no vendor answer is read. Columns are raw names (dlt's snake_case of the REST names) with
dlt types; a subscription's own lead and membership fields are added beside them by the describe endpoints at run time.
Standard lead fields: https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/list-of-standard-fields
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sources.stream import DataType

LEADS: Final[Mapping[str, DataType]] = {
    "id": "text",
    "created_at": "timestamp",
    "updated_at": "timestamp",
    "email": "text",
    "first_name": "text",
    "last_name": "text",
    "first_name_kana": "text",  # custom
    "last_name_kana": "text",  # custom
    "phone": "text",
    "mobile_phone": "text",
    "title": "text",
    "department": "text",
    "country": "text",
    "company": "text",
    "website": "text",
    "industry": "text",
    "number_of_employees": "bigint",
    "main_phone": "text",
    "billing_street": "text",
    "billing_city": "text",
    "billing_state": "text",
    "billing_postal_code": "text",
    "billing_country": "text",
    "external_company_id": "text",
    "corporate_number": "text",  # custom
    "lead_source": "text",
    "lead_status": "text",
    "lead_score": "double",
    "unsubscribed": "bool",
    "email_invalid": "bool",
    "do_not_call": "bool",
    "sfdc_lead_id": "text",
    "sfdc_contact_id": "text",
    "sfdc_account_id": "text",
    "sfdc_lead_owner_id": "text",
    "external_sales_person_id": "text",
}
# https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/fields/field-types
LEAD_TYPES: Final[Mapping[str, DataType]] = {
    "integer": "bigint",
    "score": "double",
    "percent": "double",
    "float": "double",
    "currency": "decimal",
    "boolean": "bool",
    "date": "date",
    "datetime": "timestamp",
}

ACTIVITIES: Final[Mapping[str, DataType]] = {
    "marketo_guid": "text",
    "lead_id": "text",
    "activity_date": "timestamp",
    "activity_type_id": "bigint",
    "campaign_id": "text",
    "primary_attribute_value_id": "text",
    "primary_attribute_value": "text",
    "attributes": "text",
}
"""`attributes` is a JSON object of name -> value, each value as text: a page and an export spell values differently."""

MEMBERS: Final[Mapping[str, DataType]] = {
    "program_id": "text",
    "lead_id": "text",
    "program": "text",
    "status_name": "text",
    "membership_date": "timestamp",
    "reached_success": "bool",
    "reached_success_date": "timestamp",
    "acquired_by": "bool",
    "created_at": "timestamp",
    "updated_at": "timestamp",
}

PROGRAMS: Final[Mapping[str, DataType]] = {
    "id": "text",
    "name": "text",
    "description": "text",
    "type": "text",
    "channel": "text",
    "status": "text",
    "workspace": "text",
    "folder_id": "text",
    "folder_type": "text",
    "folder_name": "text",
    "url": "text",
    "start_date": "timestamp",
    "end_date": "timestamp",
    "sfdc_id": "text",
    "sfdc_name": "text",
    "costs": "text",
    "tags": "text",
    "created_at": "timestamp",
    "updated_at": "timestamp",
}
"""`costs` and `tags` are JSON lists as Get Program by Id gives them."""

# Read whole in every run: stream -> (key, columns).
WHOLE: Final[Mapping[str, tuple[tuple[str, ...], Mapping[str, DataType]]]] = {
    "lead_fields": (
        ("id",),
        {
            "id": "text",
            "name": "text",
            "display_name": "text",
            "data_type": "text",
            "length": "bigint",
            "read_only": "bool",
        },
    ),
    "activity_types": (
        ("id",),
        {
            "id": "text",
            "name": "text",
            "description": "text",
            "primary_attribute": "text",
            "attributes": "text",
        },
    ),
    "static_lists": (
        ("id",),
        {
            "id": "text",
            "name": "text",
            "description": "text",
            "program_name": "text",
            "workspace_name": "text",
            "created_at": "timestamp",
            "updated_at": "timestamp",
        },
    ),
}

DELETED_LEADS: Final[Mapping[str, DataType]] = {
    "marketo_guid": "text",
    "lead_id": "text",
    "activity_date": "timestamp",
    "primary_attribute_value": "text",
}
LIST_MEMBERS: Final[Mapping[str, DataType]] = {"list_id": "text", "lead_id": "text", "added_at": "timestamp"}

# Types of activities, named as Get Activity Types names them. The ids of standard types are the same in every subscription
# (https://experienceleague.adobe.com/en/docs/experience-platform/sources/connectors/adobe-applications/mapping/marketo).
NEW_LEAD, CHANGE_DATA_VALUE, CONVERT_LEAD, CHANGE_SCORE = 12, 13, 21, 22
ADD_TO_LIST, REMOVE_FROM_LIST = 24, 25
MERGE_LEADS, CHANGE_REVENUE_STAGE, CHANGE_PROGRAM_STATUS = 32, 101, 104

LEAD_CHANGES: Final = frozenset(
    {NEW_LEAD, CHANGE_DATA_VALUE, CONVERT_LEAD, CHANGE_SCORE, MERGE_LEADS, CHANGE_REVENUE_STAGE}
)
"""An activity of these says that a field of the lead has another value."""
WATCHED: Final = (*sorted(LEAD_CHANGES), ADD_TO_LIST, REMOVE_FROM_LIST, CHANGE_PROGRAM_STATUS)
"""What other streams follow: they are asked for together, in one group."""
TOUCHES: Final = (
    1,  # Visit Webpage
    2,  # Fill Out Form
    3,  # Click Link
    6,  # Send Email
    7,  # Email Delivered
    8,  # Email Bounced
    9,  # Unsubscribe Email
    10,  # Open Email
    11,  # Click Email
    27,  # Email Bounced Soft
)
OTHERS: Final = (
    46,  # Interesting Moment
)
FIRST_CUSTOM: Final = 100_000
"""Ids of a subscription's own types lie above; they are read too."""
