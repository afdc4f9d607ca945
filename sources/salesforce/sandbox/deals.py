"""The org's objects about selling: Opportunity with its lines, roles, splits and histories, and LeadHistory.

Histories are derived from the versions of the records, as the vendor derives them from edits. Deletions follow the vendor:
a deleted opportunity takes its OpportunityHistory along, OpportunityContactRole rows vanish without a trace. `r` is the record's row. Must not query anything itself.
"""

from __future__ import annotations

from sources.salesforce.sandbox.auth import INTEGRATION_USER
from sources.salesforce.sandbox.fields import Field, ObjectType, audit_fields, case_of, quote
from sources.salesforce.sandbox.ids import with_suffix
from sources.salesforce.sandbox.objects import CURRENCY, ID, owner_fields, rows_of
from sources.salesforce.vocabulary import (
    CONVERTED_STATUS,
    FORECAST_CATEGORIES,
    LEAD_STATUSES,
    OPPORTUNITY_TYPES,
    PIPELINES,
    RECORD_TYPES,
    STAGES,
)


def stage_name(row: str = "r") -> str:
    """SQL of StageName. Where a process has two labels for one canonical stage, a deal keeps to one of them by its id."""
    arms: list[str] = []
    for pipeline, label in PIPELINES.items():
        words: dict[str, list[str]] = {}
        for stage in STAGES[label]:
            words.setdefault(stage.stage, []).append(stage.label)
        for stage, labels in words.items():
            text = f"'{quote(labels[0])}'"
            if len(labels) > 1:
                text = (
                    f"case when ord(substr({row}.source_id, 15, 1)) % 2 = 0 then {text} else '{quote(labels[1])}' end"
                )
            arms.append(f"when {row}.pipeline = '{pipeline}' and {row}.stage = '{stage}' then {text}")
    return f"case {' '.join(arms)} else {row}.stage end"


_PIPELINE = case_of("r.pipeline", [*PIPELINES.items()], "r.pipeline")
_CHANGED_BY = "coalesce(r.changed_by_source_id, r.owner_source_id)"
_ALL_STAGES = tuple(stage.label for stages in STAGES.values() for stage in stages)
_FORECAST_NAMES = [(word, name) for word, (name, _) in FORECAST_CATEGORIES.items()]
_FORECAST_CODES = [(word, code) for word, (_, code) in FORECAST_CATEGORIES.items()]
_EXPECTED = "round(r.amount * r.probability, 2)"

# PushCount counts moves of the close date into a later month; LastStageChangeDate is the last change of stage.
_OPPORTUNITIES = f"""
(select d.*, m.push_count, m.stage_changed_at, l.line_count
 from {rows_of("deals", "Opportunity", "d")}
 left join (
   select source_id,
     count(*) filter (where date_trunc('month', expected_close_date) > date_trunc('month', close_before)) push_count,
     max("at") filter (where stage <> stage_before) stage_changed_at
   from (select *, lag(expected_close_date) over one_deal close_before, lag(stage) over one_deal stage_before
         from visible.deal_versions where instance = '{{instance}}' and object = 'Opportunity'
         window one_deal as (partition by source_id order by "at"))
   group by source_id) m using (source_id)
 left join (
   select deal_source_id, count(*) line_count
   from current.deal_lines where instance = '{{instance}}' and not is_deleted group by all) l
   on l.deal_source_id = d.source_id) r
"""

OPPORTUNITY = ObjectType(
    "Opportunity",
    "Opportunity",
    _OPPORTUNITIES,
    (
        ID,
        *audit_fields(_CHANGED_BY),
        *owner_fields(),
        Field("AccountId", "reference", "r.account_source_id", to=("Account",)),
        Field(
            "RecordTypeId", "reference",
            case_of("r.pipeline", [(p, RECORD_TYPES[label]) for p, label in PIPELINES.items()], "null"),
            to=("RecordType",),
        ),
        Field("IsPrivate", "boolean", "false"),
        Field("Name", "string", "r.name", nillable=False),
        Field("Description", "textarea"),
        Field("StageName", "picklist", stage_name(), values=_ALL_STAGES, nillable=False),
        Field("Amount", "currency", "r.amount"),
        Field("Probability", "percent", "round(r.probability * 100, 2)"),
        Field("ExpectedRevenue", "currency", _EXPECTED),
        Field("TotalOpportunityQuantity", "double"),
        Field("CloseDate", "date", "r.expected_close_date", nillable=False),
        Field(
            "Type", "picklist", case_of("r.deal_type", [*OPPORTUNITY_TYPES.items()], "r.deal_type"),
            values=tuple(OPPORTUNITY_TYPES.values()),
        ),
        Field("NextStep", "string", "r.next_step"),
        Field("LeadSource", "picklist", "r.lead_source"),
        Field("IsClosed", "boolean", "r.stage in ('won', 'lost')"),
        Field("IsWon", "boolean", "r.stage = 'won'"),
        Field("ForecastCategory", "picklist", case_of("r.forecast_category", _FORECAST_CODES, "r.forecast_category")),
        Field(
            "ForecastCategoryName", "picklist", case_of("r.forecast_category", _FORECAST_NAMES, "r.forecast_category"),
            values=tuple(name for _, name in _FORECAST_NAMES),
        ),
        Field("CurrencyIsoCode", "picklist", "coalesce(r.currency, 'JPY')", values=("JPY", "USD", "EUR")),
        Field("CampaignId", "reference", "r.campaign_source_id", to=("Campaign",)),
        Field("HasOpportunityLineItem", "boolean", "coalesce(r.line_count, 0) > 0"),
        Field("Pricebook2Id", "reference", f"'{with_suffix('01s5g0000000001')}'", to=("Pricebook2",)),
        Field("ContactId", "reference", to=("Contact",)),
        Field("PushCount", "int", "coalesce(r.push_count, 0)"),
        Field("LastStageChangeDate", "datetime", "date_trunc('second', r.stage_changed_at)"),
        Field("FiscalYear", "int", "year(r.expected_close_date - interval 3 month)"),
        Field("FiscalQuarter", "int", "quarter(r.expected_close_date - interval 3 month)"),
        Field("Pipeline__c", "picklist", _PIPELINE, values=tuple(PIPELINES.values())),
        Field("LossReason__c", "picklist", "r.loss_reason"),
        Field("Competitor__c", "string", "r.competitor"),
    ),
)  # fmt: skip

# A row for the creation and one for each change of stage, amount, probability or close date. Numbers are given over all
# versions, so that an id does not change when the clock moves.
_HISTORY = """
(select * from (
   select v.*, row_number() over (order by v."at", v.source_id) as number,
     (stage, amount, probability, expected_close_date) is distinct from
       lag((stage, amount, probability, expected_close_date)) over (partition by v.source_id order by v."at") as is_change
   from company.deal_versions v where v.instance = '{instance}' and v.object = 'Opportunity')
 where is_change and not is_deleted and "at" <= (select now from company.clock)
   and source_id in (select source_id from current.deals where instance = '{instance}' and not is_deleted)) r
"""

OPPORTUNITY_HISTORY = ObjectType(
    "OpportunityHistory",
    "Opportunity History",
    _HISTORY,
    (
        Field("Id", "id", "salesforce_id('0085g0' || lpad(r.number::varchar, 9, '0'))", nillable=False),
        Field("IsDeleted", "boolean", "false"),
        Field("OpportunityId", "reference", "r.source_id", to=("Opportunity",), nillable=False),
        Field("CreatedById", "reference", _CHANGED_BY, to=("User",)),
        Field("CreatedDate", "datetime", "date_trunc('second', r.\"at\")", nillable=False),
        Field("StageName", "picklist", stage_name(), values=_ALL_STAGES),
        Field("Amount", "currency", "r.amount"),
        Field("ExpectedRevenue", "currency", _EXPECTED),
        Field("CloseDate", "date", "r.expected_close_date"),
        Field("Probability", "percent", "round(r.probability * 100, 2)"),
        Field("ForecastCategory", "picklist", case_of("r.forecast_category", _FORECAST_CODES, "r.forecast_category")),
        Field("CurrencyIsoCode", "picklist", "coalesce(r.currency, 'JPY')"),
        Field("SystemModstamp", "datetime", "date_trunc('second', r.\"at\")", nillable=False),
    ),
    deletion="silent",
)


def _history_of(table: str, object_name: str, current: str, parts: str, flags: str) -> str:
    """Rows of a field history: `parts` are selects over `versions` (one per tracked field), numbered for good."""
    return f"""
(with names as (
   select source_id, arg_max(name, "at") as name from company.user_versions where instance = '{{instance}}' group by all),
 versions as (
   select r.*, {flags} from company.{table} r where r.instance = '{{instance}}' and r.object = '{object_name}'
   window one as (partition by r.source_id order by r."at")),
 changes as ({parts}),
 numbered as (select *, row_number() over (order by "at", source_id, field, data_type) as number from changes)
 select n.*, c.is_deleted from numbered n
 join (select source_id, is_deleted from current.{current}
       where instance = '{{instance}}' and object = '{object_name}') c using (source_id)
 where n."at" <= (select now from company.clock)) r
"""


_COMMON = 'source_id, "at", changed_by'
_CREATED = (
    f"select {_COMMON}, 'created' as field, 'Text' as data_type, null::json as old_value, null::json as new_value"
    " from versions where is_first"
)
_OWNER_CHANGES = """
select source_id, "at", changed_by, 'Owner', 'EntityId', to_json(owner_before), to_json(owner_source_id)
from versions where not is_first and owner_before is distinct from owner_source_id
union all
select v.source_id, v."at", v.changed_by, 'Owner', 'Text', to_json(b.name), to_json(a.name)
from versions v
left join names b on b.source_id = v.owner_before
left join names a on a.source_id = v.owner_source_id
where not is_first and owner_before is distinct from owner_source_id
"""
_WINDOWED = "row_number() over one = 1 as is_first, lag(r.owner_source_id) over one as owner_before"


def _change(name: str, data_type: str, before: str, after: str) -> str:
    return (
        f"select {_COMMON}, '{name}', '{data_type}', to_json({before}), to_json({after}) from versions"
        f" where not is_first and {before} is distinct from {after}"
    )


_DEAL_PARTS = " union all ".join(
    (
        _CREATED,
        _OWNER_CHANGES,
        _change("StageName", "DynamicEnum", "stage_before", "stage_now"),
        _change("Amount", "Currency", "amount_before", "amount_now"),
        _change("CloseDate", "DateOnly", "close_before", "expected_close_date"),
    )
)
_DEAL_FLAGS = f"""{_WINDOWED}, {_CHANGED_BY} as changed_by, {stage_name()} as stage_now, lag({stage_name()}) over one as stage_before,
 r.amount::double as amount_now, lag(r.amount::double) over one as amount_before,
 lag(r.expected_close_date) over one as close_before"""

_HISTORY_FIELDS = (
    Field("IsDeleted", "boolean", "r.is_deleted"),
    Field("CreatedById", "reference", "r.changed_by", to=("User",)),
    Field("CreatedDate", "datetime", "date_trunc('second', r.\"at\")", nillable=False),
    Field("Field", "picklist", "r.field", nillable=False),
    Field("DataType", "picklist", "r.data_type"),
    Field("OldValue", "anyType", "r.old_value", filterable=False),
    Field("NewValue", "anyType", "r.new_value", filterable=False),
)

OPPORTUNITY_FIELD_HISTORY = ObjectType(
    "OpportunityFieldHistory",
    "Opportunity Field History",
    _history_of("deal_versions", "Opportunity", "deals", _DEAL_PARTS, _DEAL_FLAGS),
    (
        Field("Id", "id", "salesforce_id('0175g1' || lpad(r.number::varchar, 9, '0'))", nillable=False),
        Field("OpportunityId", "reference", "r.source_id", to=("Opportunity",), nillable=False),
        *_HISTORY_FIELDS,
    ),
    order="CreatedDate",
)

_STATUS = (
    f"(case when r.is_converted then '{CONVERTED_STATUS}' else"
    f" {case_of('r.stage', [*LEAD_STATUSES.items()], 'r.stage')} end)"
)
_LEAD_PARTS = " union all ".join(
    (
        _CREATED,
        _OWNER_CHANGES,
        _change("Status", "DynamicEnum", "status_before", "status_now"),
        f"select {_COMMON}, 'leadConverted', 'Text', null, null from versions"
        " where coalesce(is_converted, false) and not coalesce(converted_before, false)",
    )
)
_LEAD_FLAGS = f"""{_WINDOWED}, r.owner_source_id as changed_by, {_STATUS} as status_now, lag({_STATUS}) over one as status_before,
 lag(r.is_converted) over one as converted_before"""

LEAD_HISTORY = ObjectType(
    "LeadHistory",
    "Lead History",
    _history_of("person_versions", "Lead", "people", _LEAD_PARTS, _LEAD_FLAGS),
    (
        Field("Id", "id", "salesforce_id('0175g2' || lpad(r.number::varchar, 9, '0'))", nillable=False),
        Field("LeadId", "reference", "r.source_id", to=("Lead",), nillable=False),
        *_HISTORY_FIELDS,
    ),
    order="CreatedDate",
)

OPPORTUNITY_CONTACT_ROLE = ObjectType(
    "OpportunityContactRole",
    "Opportunity Contact Role",
    f"(select * from {rows_of('deal_people', 'OpportunityContactRole')} where not is_deleted) r",
    (
        ID,
        *audit_fields(f"'{INTEGRATION_USER}'"),
        Field("OpportunityId", "reference", "r.deal_source_id", to=("Opportunity",), nillable=False),
        Field("ContactId", "reference", "r.person_source_id", to=("Contact",), nillable=False),
        Field("Role", "picklist", "r.role"),
        Field("IsPrimary", "boolean", "coalesce(r.is_primary, false)"),
        CURRENCY,
    ),
    deletion="silent",
)

OPPORTUNITY_LINE_ITEM = ObjectType(
    "OpportunityLineItem",
    "Opportunity Product",
    f"""(select l.*, p.code, p.name, p.list_price, d.currency
     from {rows_of("deal_lines", "OpportunityLineItem", "l")}
     left join (select source_id, code, name, list_price from current.products where instance = '{{instance}}') p
       on p.source_id = l.product_source_id
     left join (select source_id, currency from current.deals where instance = '{{instance}}') d
       on d.source_id = l.deal_source_id) r""",
    (
        ID,
        *audit_fields(f"'{INTEGRATION_USER}'"),
        Field("OpportunityId", "reference", "r.deal_source_id", to=("Opportunity",), nillable=False),
        Field("SortOrder", "int"),
        Field(
            "PricebookEntryId", "reference", "salesforce_id('01u' || substr(r.product_source_id, 4, 12))",
            to=("PricebookEntry",),
        ),
        Field("Product2Id", "reference", "r.product_source_id", to=("Product2",)),
        Field("ProductCode", "string", "r.code"),
        Field("Name", "string", "r.name"),
        Field("Quantity", "double", "r.quantity"),
        Field("Discount", "percent"),
        Field("Subtotal", "currency", "r.amount"),
        Field("TotalPrice", "currency", "r.amount"),
        Field("UnitPrice", "currency", "r.unit_price"),
        Field("ListPrice", "currency", "r.list_price"),
        Field("ServiceDate", "date", "r.service_start_date"),
        Field("Description", "string"),
        Field("CurrencyIsoCode", "picklist", "coalesce(r.currency, 'JPY')"),
        Field("ServiceStartDate__c", "date", "r.service_start_date"),
        Field("ServiceEndDate__c", "date", "r.service_end_date"),
        Field("IsRecurring__c", "boolean", "coalesce(r.is_recurring, false)"),
    ),
)  # fmt: skip

OPPORTUNITY_SPLIT = ObjectType(
    "OpportunitySplit",
    "Opportunity Split",
    f"""(select s.*, d.amount, d.currency from {rows_of("deal_splits", "OpportunitySplit", "s")}
     left join (select source_id, amount, currency from current.deals where instance = '{{instance}}') d
       on d.source_id = s.deal_source_id) r""",
    (
        ID,
        *audit_fields(f"'{INTEGRATION_USER}'"),
        Field("OpportunityId", "reference", "r.deal_source_id", to=("Opportunity",), nillable=False),
        Field("SplitOwnerId", "reference", "r.user_source_id", to=("User",), nillable=False),
        Field("SplitPercentage", "percent", "round(r.share * 100, 4)"),
        Field("SplitAmount", "currency", "round(r.amount * r.share, 2)"),
        Field("SplitNote", "string"),
        Field("SplitTypeId", "reference", f"'{with_suffix('1495g0000000001')}'", to=("OpportunitySplitType",)),
        Field("CurrencyIsoCode", "picklist", "coalesce(r.currency, 'JPY')"),
    ),
)

DEAL_OBJECTS = (
    OPPORTUNITY,
    OPPORTUNITY_HISTORY,
    OPPORTUNITY_FIELD_HISTORY,
    LEAD_HISTORY,
    OPPORTUNITY_CONTACT_ROLE,
    OPPORTUNITY_LINE_ITEM,
    OPPORTUNITY_SPLIT,
)
