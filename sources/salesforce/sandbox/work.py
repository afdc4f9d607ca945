"""The org's objects about work with customers: Task, Event, Campaign, CampaignMember, and the products that are sold.

CampaignMember rows are deleted for good: gone from queries, shown by the `deleted` feed. `r` is the record's row.
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/ Must not query anything itself.
"""

from __future__ import annotations

from sources.salesforce.sandbox.auth import INTEGRATION_USER
from sources.salesforce.sandbox.fields import Field, ObjectType, audit_fields, case_of
from sources.salesforce.sandbox.objects import CURRENCY, ID, LOCAL, OWNER, owner_fields, rows_of
from sources.salesforce.vocabulary import ACTIVITY_TYPES

PRODUCT2 = ObjectType(
    "Product2",
    "Product",
    rows_of("products", "Product2"),
    (
        ID,
        *audit_fields(f"'{INTEGRATION_USER}'"),
        Field("Name", "string", "r.name", nillable=False),
        Field("ProductCode", "string", "r.code"),
        Field("Description", "textarea"),
        Field("IsActive", "boolean", "coalesce(r.is_active, true)"),
        Field("IsArchived", "boolean", "false"),
        Field("Family", "picklist", "r.family"),
        Field("StockKeepingUnit", "string"),
        Field("QuantityUnitOfMeasure", "picklist"),
        Field("CurrencyIsoCode", "picklist", "coalesce(r.currency, 'JPY')"),
        Field("ListPrice__c", "currency", "r.list_price"),
        Field("MarginRate__c", "percent", "round(r.margin_rate * 100, 4)"),
        Field("IsRecurring__c", "boolean", "coalesce(r.is_recurring, false)"),
    ),
)

_WHAT = ("Account", "Opportunity", "Campaign")
_ACTIVITY_FIELDS = (
    *audit_fields(OWNER),
    Field("OwnerId", "reference", OWNER, to=("User",), nillable=False),
    Field("WhoId", "reference", "r.person_source_id", to=("Contact", "Lead")),
    Field("WhatId", "reference", "coalesce(r.deal_source_id, r.account_source_id)", to=_WHAT),
    Field("AccountId", "reference", "coalesce(r.account_source_id, r.deal_account_source_id)", to=("Account",)),
    Field("Subject", "combobox", "r.subject"),
    Field("Description", "textarea"),
    Field(
        "Type",
        "picklist",
        case_of("r.kind", [*ACTIVITY_TYPES.items()], "r.kind"),
        values=tuple(ACTIVITY_TYPES.values()),
    ),
    Field("ActivityDate", "date", f"(r.occurred_at + {LOCAL})::date"),
    Field("IsArchived", "boolean", "false"),
    Field("IsRecurrence", "boolean", "false"),
    CURRENCY,
    Field("Direction__c", "picklist", "r.direction", values=("inbound", "outbound", "internal")),
    Field("Outcome__c", "picklist", "r.outcome"),
    Field("Campaign__c", "reference", "r.campaign_source_id", to=("Campaign",)),
)


def _activities(object_name: str) -> str:
    return f"""(select a.*, d.account_source_id as deal_account_source_id
     from {rows_of("activities", object_name, "a")}
     left join (select source_id, account_source_id from current.deals where instance = '{{instance}}') d
       on d.source_id = a.deal_source_id) r"""


# The canonical words of an activity's state, whatever their case; an activity without one has happened.
_DONE = "lower(coalesce(r.status, 'completed')) in ('completed', 'done', 'closed', 'held', 'sent')"
TASK = ObjectType(
    "Task",
    "Task",
    _activities("Task"),
    (
        ID,
        *_ACTIVITY_FIELDS,
        Field("Status", "picklist", f"case when {_DONE} then 'Completed' else 'Not Started' end", nillable=False),
        Field("Priority", "picklist", "'Normal'", nillable=False),
        Field("IsClosed", "boolean", _DONE),
        Field("IsHighPriority", "boolean", "false"),
        Field(
            "TaskSubtype", "picklist", "case r.kind when 'call' then 'Call' when 'email' then 'Email' else 'Task' end",
            values=("Task", "Call", "Email", "ListEmail"),
        ),
        Field("CallDurationInSeconds", "int", "case when r.kind = 'call' then round(r.minutes * 60)::bigint end"),
        Field(
            "CallType", "picklist",
            "case when r.kind = 'call' then upper(left(r.direction, 1)) || substr(r.direction, 2) end",
            values=("Internal", "Inbound", "Outbound"),
        ),
        Field("CallDisposition", "string", "case when r.kind = 'call' then r.outcome end"),
        Field("CompletedDateTime", "datetime", f"case when {_DONE} then date_trunc('second', r.occurred_at) end"),
    ),
)  # fmt: skip

EVENT = ObjectType(
    "Event",
    "Event",
    _activities("Event"),
    (
        ID,
        *_ACTIVITY_FIELDS,
        Field("Location", "string"),
        Field("IsAllDayEvent", "boolean", "false"),
        Field("ActivityDateTime", "datetime", "date_trunc('second', r.occurred_at)"),
        Field("StartDateTime", "datetime", "date_trunc('second', r.occurred_at)"),
        Field(
            "EndDateTime", "datetime",
            "date_trunc('second', r.occurred_at) + to_minutes(round(coalesce(r.minutes, 0))::bigint)",
        ),
        Field("DurationInMinutes", "int", "round(coalesce(r.minutes, 0))::bigint"),
        Field("EventSubtype", "picklist", "'Event'"),
        Field("ShowAs", "picklist", "'Busy'"),
        Field("IsPrivate", "boolean", "false"),
        Field("IsChild", "boolean", "false"),
        Field("IsGroupEvent", "boolean", "false"),
    ),
)  # fmt: skip

CAMPAIGN = ObjectType(
    "Campaign",
    "Campaign",
    rows_of("campaigns", "Campaign"),
    (
        ID,
        *audit_fields(f"'{INTEGRATION_USER}'"),
        *(
            Field("OwnerId", "reference", f"'{INTEGRATION_USER}'", to=("User",)) if each.name == "OwnerId" else each
            for each in owner_fields()
        ),
        Field("Name", "string", "r.name", nillable=False),
        Field("ParentId", "reference", "r.parent_source_id", to=("Campaign",)),
        Field("Type", "picklist", "r.campaign_type"),
        Field("RecordTypeId", "reference", to=("RecordType",)),
        Field("Status", "picklist", "r.status", values=("Planned", "In Progress", "Completed", "Aborted")),
        Field("StartDate", "date", "r.start_date"),
        Field("EndDate", "date", "r.end_date"),
        CURRENCY,
        Field("ExpectedRevenue", "currency"),
        Field("BudgetedCost", "currency", "r.budget"),
        Field("ActualCost", "currency", "r.actual_cost"),
        Field("ExpectedResponse", "percent"),
        Field("NumberSent", "double"),
        Field("IsActive", "boolean", "lower(coalesce(r.status, '')) in ('in progress', 'active')"),
        Field("Description", "textarea"),
        Field("Channel__c", "picklist", "r.channel"),
    ),
)

CAMPAIGN_MEMBER = ObjectType(
    "CampaignMember",
    "Campaign Member",
    f"(select * from {rows_of('campaign_members', 'CampaignMember')} where not is_deleted) r",
    (
        ID,
        *audit_fields(f"'{INTEGRATION_USER}'"),
        Field("CampaignId", "reference", "r.campaign_source_id", to=("Campaign",), nillable=False),
        Field("LeadId", "reference", "case when r.person_object = 'Lead' then r.person_source_id end", to=("Lead",)),
        Field(
            "ContactId",
            "reference",
            "case when r.person_object = 'Contact' then r.person_source_id end",
            to=("Contact",),
        ),
        Field("LeadOrContactId", "reference", "r.person_source_id", to=("Contact", "Lead")),
        Field("Type", "picklist", "r.person_object"),
        Field("Status", "picklist", "r.status"),
        Field("HasResponded", "boolean", "r.responded_at is not null"),
        Field("FirstRespondedDate", "date", f"(r.responded_at + {LOCAL})::date"),
        CURRENCY,
    ),
    deletion="feed",
    deleted_sql="select source_id, date_trunc('second', \"at\") from current.campaign_members"
    " where instance = '{instance}' and object = 'CampaignMember' and is_deleted",
)

WORK_OBJECTS = (PRODUCT2, TASK, EVENT, CAMPAIGN, CAMPAIGN_MEMBER)
