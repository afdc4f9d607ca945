"""The words of the demo company's Marketo: fields of leads and members, types of activities, channels, stages, lists.

Data only. Standard names are those of
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/list-of-standard-fields and of the
examples in https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/activities
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class LeadField:
    """A field of the lead: what Describe Lead says of it, and its value of a row `r` of person_versions, as SQL."""

    id: int
    name: str
    label: str
    type: str
    sql: str
    read_only: bool = False
    searchable: bool = False


# How the company's stages are called in the standard field Lead Status.
STAGES: Final[Mapping[str, str]] = {
    "lead": "Known",
    "engaged": "Engaged",
    "mql": "Marketing Qualified",
    "sql": "Sales Qualified",
    "customer": "Customer",
    "disqualified": "Disqualified",
}
CHANNELS: Final[Mapping[str, str]] = {
    "Webinar": "Webinar",
    "Email": "Email Send",
    "Content": "Content",
    "Advertisement": "Online Advertising",
    "Nurture": "Nurture",
}
"""campaign_type -> the program's channel."""
PROGRAM_TYPES: Final[Mapping[str, str]] = {"Webinar": "Event with Webinar", "Email": "Email", "Nurture": "Engagement"}
PROGRAM_STATUS: Final[Mapping[str, str]] = {"Engagement": "on", "Email": "unlocked"}

_STAGE_SQL: Final = "case r.stage " + " ".join(f"when '{key}' then '{word}'" for key, word in STAGES.items()) + " end"

FIELDS: Final = (
    LeadField(48, "firstName", "First Name", "string", "r.given_name"),
    LeadField(50, "lastName", "Last Name", "string", "r.family_name"),
    LeadField(51, "email", "Email Address", "email", "r.email", searchable=True),
    LeadField(52, "phone", "Phone Number", "phone", "r.phone"),
    LeadField(53, "mobilePhone", "Mobile Phone Number", "phone", "r.mobile"),
    LeadField(54, "title", "Job Title", "string", "r.job_title"),
    LeadField(55, "department", "Department", "string", "r.department"),
    LeadField(56, "country", "Country", "string", "null::varchar"),
    LeadField(2, "company", "Company Name", "string", "r.company_name"),
    LeadField(3, "website", "Website", "url", "null::varchar"),
    LeadField(4, "industry", "Industry", "string", "null::varchar"),
    LeadField(5, "numberOfEmployees", "Num Employees", "integer", "null::bigint"),
    LeadField(6, "externalCompanyId", "External Company Id", "string", "null::varchar", searchable=True),
    LeadField(60, "leadSource", "Lead Source", "string", "r.lead_source"),
    LeadField(61, "leadStatus", "Lead Status", "string", _STAGE_SQL),
    LeadField(62, "leadScore", "Lead Score", "score", "r.score::bigint"),
    LeadField(63, "unsubscribed", "Unsubscribed", "boolean", "r.is_email_opted_out"),
    LeadField(64, "emailInvalid", "Email Invalid", "boolean", "false"),
    LeadField(65, "doNotCall", "Do Not Call", "boolean", "r.is_call_opted_out"),
    LeadField(66, "dateOfBirth", "Date of Birth", "date", "null::date"),
    LeadField(70, "sfdcLeadId", "SFDC Lead Id", "string", "r.sfdc_lead_id", read_only=True, searchable=True),
    LeadField(71, "sfdcContactId", "SFDC Contact Id", "string", "r.sfdc_contact_id", read_only=True, searchable=True),
    LeadField(72, "sfdcAccountId", "SFDC Account Id", "string", "null::varchar", read_only=True, searchable=True),
    LeadField(
        73,
        "sfdcType",
        "SFDC Type",
        "string",
        "case when r.sfdc_contact_id is not null then 'Contact' when r.sfdc_lead_id is not null then 'Lead' end",
        read_only=True,
    ),
    # the company's own
    LeadField(1001, "lastNameKana", "Last Name Kana", "string", "r.family_kana"),
    LeadField(1002, "firstNameKana", "First Name Kana", "string", "r.given_kana"),
    LeadField(1003, "fullName", "Full Name", "formula", "null::varchar", read_only=True),  # not exported
)
SYSTEM_FIELDS: Final = (
    LeadField(80, "id", "Id", "integer", "r.id", read_only=True, searchable=True),
    LeadField(81, "createdAt", "Created At", "datetime", "r.created_at", read_only=True),
    LeadField(82, "updatedAt", "Updated At", "datetime", "r.updated_at", read_only=True),
)
DEFAULT_FIELDS: Final = ("id", "updatedAt", "lastName", "email", "createdAt", "firstName")
# Fields whose changes are logged. The score has a type of activity of its own.
LOGGED: Final = tuple(
    field
    for field in FIELDS
    if field.name not in ("leadScore", "sfdcType", "emailInvalid") and not field.sql.startswith("null")
)

MEMBER_FIELDS: Final[Mapping[str, str]] = {
    "acquiredBy": "boolean",
    "createdAt": "datetime",
    "isExhausted": "boolean",
    "leadId": "integer",
    "membershipDate": "datetime",
    "nurtureCadence": "string",
    "program": "string",
    "programId": "integer",
    "reachedSuccess": "boolean",
    "reachedSuccessDate": "datetime",
    "statusName": "string",
    "statusReason": "string",
    "trackName": "string",
    "updatedAt": "datetime",
}
MEMBER_SEARCHABLE: Final = ("leadId", "reachedSuccess", "statusName")
MEMBER_DEFAULT: Final = ("acquiredBy", "leadId", "membershipDate", "programId", "reachedSuccess")


@dataclass(frozen=True)
class ActivityType:
    """A type of activity: its name, what its primary attribute is, and its other attributes with their types."""

    id: int
    name: str
    primary: str
    attributes: Mapping[str, str]


_EMAIL: Final = {
    "Campaign Run ID": "integer",
    "Choice Number": "integer",
    "Step ID": "integer",
    "Test Variant": "integer",
}
_OPENED: Final = {**_EMAIL, "Device": "string", "Is Mobile Device": "boolean", "Is Bot Activity": "boolean"}
_WEB: Final = {
    "Client IP Address": "string",
    "Query Parameters": "string",
    "Referrer URL": "string",
    "User Agent": "string",
}
_CHANGE: Final = {"New Value": "string", "Old Value": "string", "Reason": "string", "Source": "string"}
_LIST: Final = {"Source": "string"}

SEMINAR: Final = 100_001
TYPES: Final = (
    ActivityType(1, "Visit Webpage", "Webpage ID", {**_WEB, "Webpage URL": "string"}),
    ActivityType(2, "Fill Out Form", "Webform ID", {**_WEB, "Form Fields": "text", "Webpage ID": "integer"}),
    ActivityType(3, "Click Link", "Link ID", _WEB),
    ActivityType(6, "Send Email", "Mailing ID", _EMAIL),
    ActivityType(7, "Email Delivered", "Mailing ID", _EMAIL),
    ActivityType(
        8, "Email Bounced", "Mailing ID", {**_EMAIL, "Category": "string", "Details": "string", "Email": "string"}
    ),
    ActivityType(9, "Unsubscribe Email", "Mailing ID", _EMAIL),
    ActivityType(10, "Open Email", "Mailing ID", _OPENED),
    ActivityType(11, "Click Email", "Mailing ID", {**_OPENED, "Link": "string"}),
    ActivityType(12, "New Lead", "Lead ID", {"Lead Source": "string", "Source Type": "string", "Created Date": "date"}),
    ActivityType(13, "Change Data Value", "Attribute Name", _CHANGE),
    ActivityType(21, "Convert Lead", "Assign To", {}),
    ActivityType(
        22,
        "Change Score",
        "Score Attribute Name",
        {"New Value": "integer", "Old Value": "integer", "Change Value": "string", "Reason": "string"},
    ),
    ActivityType(24, "Add to List", "List ID", _LIST),
    ActivityType(25, "Remove from List", "List ID", _LIST),
    ActivityType(27, "Email Bounced Soft", "Mailing ID", _EMAIL),
    ActivityType(
        32,
        "Merge Leads",
        "Lead ID",
        {"Master Updated": "boolean", "Merge IDs": "string", "Merge Source": "string", "Merged in Sales": "boolean"},
    ),
    ActivityType(37, "Delete Lead", "Lead ID", {"SFDC Type": "string"}),
    ActivityType(46, "Interesting Moment", "Type", {"Date": "datetime", "Description": "text", "Source": "string"}),
    ActivityType(101, "Change Revenue Stage", "Model ID", {"New Stage": "string", "Old Stage": "string"}),
    ActivityType(
        104,
        "Change Status in Progression",
        "Program ID",
        {
            "Acquired By": "boolean",
            "New Status": "string",
            "New Status ID": "integer",
            "Old Status": "string",
            "Old Status ID": "integer",
            "Program Member ID": "integer",
            "Reason": "string",
            "Success": "boolean",
        },
    ),
    # the company's own
    ActivityType(SEMINAR, "Seminar", "Seminar Name", {"Program": "string"}),
)
# kind of the demo company -> type of activity
KINDS: Final[Mapping[str, int]] = {
    "web_visit": 1,
    "form": 2,
    "email": 6,
    "email_open": 10,
    "email_click": 11,
    "seminar": SEMINAR,
}

# Static lists: id, name, the lead source of those who are put on it when they are created.
LISTS: Final = (
    (1001, "Newsletter recipients", "Newsletter"),
    (1002, "セミナー参加者", "Seminar"),
    (1003, "Trade show 2026", "-"),
)
CREATED: Final = "2023-10-01 00:00:00"
SITE: Final = "https://www.hikari-works.example"
APP: Final = "https://app-demo.marketo.com"
USER: Final = "tsunagu@hikari-works.example"
