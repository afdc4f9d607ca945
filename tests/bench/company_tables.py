"""The benchmark company's tables: what each tool's rows are, as SQL over the row's number. Data only.

Numbers of entities: people 0 … people() - 1, accounts 0 … account_count() - 1. Which tool knows which of them is in the
first number of a range (`e` = entity of row `n`). `is_later()` is true in a day's increment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Rows:
    """`share` rows for each of the company's people, or `fixed`; a log's later rows are new, others changed versions."""

    sql: str
    share: float = 0.0
    fixed: int = 0
    is_log: bool = False


STAGES = {
    "salesforce": (
        "Prospecting", "Qualification", "Needs Analysis", "Id. Decision Makers", "Proposal/Price Quote",
        "Negotiation/Review", "Contract Sent",
    ),
    "hubspot": (
        "appointmentscheduled", "qualifiedtobuy", "presentationscheduled", "decisionmakerboughtin", "proposal",
        "contractsent", "papers",
    ),
}  # fmt: skip


def _texts(*values: str) -> str:
    return "[" + ", ".join("'" + value.replace("'", "''") + "'" for value in values) + "]"


MACROS = (
    "pick(n, salt, sides) as (hash(n * 1000003 + salt) % sides)::bigint",
    "one_of(n, salt, choices) as choices[pick(n, salt, len(choices)) + 1]",
    "account_count() as people() * 15 // 100",
    "account_of(e) as pick(e, 1, account_count())",
    "moment(n, salt) as timestamptz '2023-04-01 00:00:00+00' + to_seconds(pick(n, salt, 111000000))",
    "stamp_of(n, salt) as if(is_later(), now() - to_seconds(pick(n, 99, 80000)), moment(n, salt))",
    "logged(n, salt) as if(is_later(), now() - to_seconds(pick(n, 98, 80000)), moment(n, salt))",
    "sf(prefix, n) as prefix || '5i' || lpad(n::varchar, 10, '0') || 'AAA'",
    "family(e) as one_of(e, 2, "
    + _texts("佐藤", "鈴木", "高橋", "田中", "伊藤", "渡辺", "山本", "中村", "小林", "加藤", "Smith", "Weber")
    + ")",
    "given(e) as one_of(e, 3, "
    + _texts("太郎", "花子", "健", "恵子", "誠", "美咲", "直樹", "陽子", "Anna", "Paul")
    + ")",
    "domain_of(a) as 'kaisha' || a || one_of(a, 4, " + _texts(".co.jp", ".jp", ".com", ".de") + ")",
    "company_of(a) as one_of(a, 5, "
    + _texts("株式会社", "有限会社", "合同会社")
    + ") || one_of(a, 6, "
    + _texts("青井", "北星", "港", "さくら", "山王", "東和", "五陽")
    + ") || one_of(a, 7, "
    + _texts("商事", "物流", "食品", "システムズ", "工業", "電機")
    + ") || a",
    "email_of(e) as if(pick(e, 8, 25) = 0, null, 'p' || e || '.' || one_of(e, 9, "
    + _texts("sato", "suzuki", "tanaka", "ito")
    + ") || '@' || domain_of(account_of(e)))",
    "industry_of(a) as one_of(a, 10, "
    + _texts("Manufacturing", "Retail", "Information Technology", "Logistics", "Finance", "Healthcare")
    + ")",
    "title_of(e) as if(is_later(), '本部長', one_of(e, 11, " + _texts("部長", "課長", "係長", "取締役", "担当") + "))",
    "source_of(n) as one_of(n, 12, " + _texts("Seminar", "Trade Show", "Paid Search", "Newsletter", "Referral") + ")",
    # A deal walks through `reached_by` stages, a step of about 17 days each; two of three that came to the end are closed.
    "made_at(d) as moment(d, 20)",
    "step_days(d) as 5 + pick(d, 21, 25)",
    "last_step(d) as least(7, 1 + pick(d, 22, 9))::bigint",
    "ended_at(d) as made_at(d) + to_days((last_step(d) * step_days(d))::integer)",
    "is_ended(d) as pick(d, 23, 10) < 8 and ended_at(d) < timestamptz '2026-10-28 00:00:00+00'",
    "is_won_deal(d) as pick(d, 24, 3) = 0",
    "step_at(d, step) as made_at(d) + to_days(((step - 1) * step_days(d))::integer)",
    "steps_of(d) as [step for step in range(1, last_step(d) + 1) "
    "if step = 1 or step_at(d, step) < timestamptz '2026-10-28 00:00:00+00']",
    "amount_of(d) as ((1 + pick(d, 25, 400)) * 50000 + if(is_later(), 1000, 0))::decimal(38, 9)",
    "user_count() as 40",
)


def _stage(vendor: str, step: str) -> str:
    return f"{_texts(*STAGES[vendor])}[{step}]"


_AUDIT = "stamp as system_modstamp, stamp as last_modified_date, false as is_deleted"
_DEAL_END = "if(is_ended(n), if(is_won_deal(n), 'Closed Won', 'Closed Lost'), {stage})".replace(
    "{stage}", _stage("salesforce", "len(steps_of(n))")
)

_SALESFORCE = {
    "user_role": Rows(
        "select sf('00E', n) as id, 'Team ' || n as name, moment(n, 30) as system_modstamp from {numbers}", fixed=5
    ),
    "user": Rows(
        "select sf('005', n) as id, 'user' || n || '@bench.example' as email, family(n) || ' ' || given(n) as name, "
        "family(n) as last_name, given(n) as first_name, true as is_active, 'Standard' as user_type, 'Sales' as department, "
        "'Team ' || n % 5 as team_c, sf('00E', n % 5) as user_role_id, timestamptz '2023-01-01 00:00:00+00' as created_date, "
        "timestamptz '2023-01-01 00:00:00+00' as system_modstamp from {numbers}",
        fixed=40,
    ),
    "product2": Rows(
        "select sf('01t', n) as id, 'Product ' || n as name, 'P' || n as product_code, "
        f"one_of(n, 31, {_texts('Platform', 'Devices', 'Services')}) as family, true as is_active, (n + 1) * 1000 as list_price_c, "
        "'JPY' as currency_iso_code, n % 2 = 0 as is_recurring_c, 60 as margin_rate_c, false as is_deleted, "
        "moment(n, 32) as created_date, moment(n, 32) as system_modstamp from {numbers}",
        fixed=20,
    ),
    "campaign": Rows(
        "select sf('701', n) as id, 'Campaign ' || n as name, 'Advertisement' as type, 'Completed' as status, "
        f"one_of(n, 33, {_texts('paid_search', 'seminar', 'email')}) as channel_c, 100000 as budgeted_cost, 90000 as actual_cost, "
        "'JPY' as currency_iso_code, false as is_deleted, moment(n, 34)::date as start_date, moment(n, 34) as created_date, "
        "moment(n, 34) as system_modstamp from {numbers}",
        fixed=200,
    ),
    "account": Rows(
        f"select *, {_AUDIT} from (select sf('001', n) as id, company_of(n) as name, 'https://www.' || domain_of(n) as website, "
        "industry_of(n) as industry, 5 + pick(n, 35, 5000) + is_later()::bigint as number_of_employees, 'JP' as billing_country_code, "
        "'東京都' as billing_state, '港区' as billing_city, 'Prospect' as type, sf('005', pick(n, 36, user_count())) as owner_id, "
        "'JPY' as currency_iso_code, moment(n, 37) as created_date, stamp_of(n, 37) as stamp from {numbers})".replace(
            "select *,", "select * exclude (stamp),"
        ),
        share=0.10,
    ),
    "contact": Rows(
        f"select * exclude (stamp), {_AUDIT} from (select sf('003', n) as id, family(n) as last_name, given(n) as first_name, "
        "family(n) || ' ' || given(n) as name, email_of(n) as email, title_of(n) as title, "
        "if(account_of(n) < people() // 10, sf('001', account_of(n)), null) as account_id, '03-1234-5678' as phone, "
        "sf('005', pick(n, 38, user_count())) as owner_id, source_of(n) as lead_source, false as has_opted_out_of_email, "
        "moment(n, 39) as created_date, stamp_of(n, 39) as stamp from {numbers})",
        share=0.35,
    ),
    "account_contact_relation": Rows(
        "select sf('07k', n) as id, sf('001', account_of(n)) as account_id, sf('003', n) as contact_id, true as is_direct, "
        "true as is_active, 'Business User' as roles, false as is_deleted, moment(n, 39) as created_date, "
        "stamp_of(n, 39) as system_modstamp from {numbers} where account_of(n) < people() // 10",
        share=0.35,
    ),
    "lead": Rows(
        f"select * exclude (stamp, e), {_AUDIT} from (select n + people() * 35 // 100 as e, sf('00Q', n) as id, "
        "family(e) as last_name, given(e) as first_name, family(e) || ' ' || given(e) as name, email_of(e) as email, "
        "title_of(e) as title, company_of(account_of(e)) as company, source_of(e) as lead_source, "
        f"if(is_later(), 'Qualified', one_of(n, 40, {_texts('Open - Not Contacted', 'Working - Contacted', 'Closed - Not Converted')})) "
        "as status, false as is_converted, sf('005', pick(e, 41, user_count())) as owner_id, moment(n, 42) as created_date, "
        "stamp_of(n, 42) as stamp from {numbers})",
        share=0.20,
    ),
    "lead_history": Rows(
        "select sf('017', n) as id, sf('00Q', pick(n, 43, people() // 5)) as lead_id, 'Status' as field, 'Text' as data_type, "
        "'Open - Not Contacted' as old_value, 'Working - Contacted' as new_value, false as is_deleted, "
        "logged(n, 44) as created_date from {numbers}",
        share=0.25,
        is_log=True,
    ),
    "opportunity": Rows(
        f"select * exclude (stamp), {_AUDIT}, stage_name like 'Closed%' as is_closed, stage_name = 'Closed Won' as is_won "
        f"from (select sf('006', n) as id, {_DEAL_END} as stage_name, sf('001', pick(n, 45, people() // 10)) as account_id, "
        "company_of(n) || ' 導入' as name, amount_of(n) as amount, ended_at(n)::date as close_date, 'JPY' as currency_iso_code, "
        f"one_of(n, 46, {_texts('New Customer', 'Existing Customer - Upgrade', 'Renewal')}) as type, "
        "sf('005', pick(n, 47, user_count())) as owner_id, source_of(n) as lead_source, sf('701', pick(n, 48, 200)) as campaign_id, "
        "'New Business' as pipeline_c, 'Pipeline' as forecast_category, least(90, 10 * len(steps_of(n)))::double as probability, "
        "made_at(n) as created_date, if(is_later(), now() - to_seconds(pick(n, 99, 80000)), if(is_ended(n), ended_at(n), "
        "step_at(n, list_max(steps_of(n))))) as stamp from {numbers})",
        share=0.08,
    ),
    "opportunity_history": Rows(
        "select sf('008', n * 10 + step + 9 * is_later()::bigint) as id, sf('006', n) as opportunity_id, false as is_deleted, "
        f"if(is_later() or step = 8, {_DEAL_END}, {_stage('salesforce', 'step')}) as stage_name, amount_of(n) as amount, "
        "ended_at(n)::date as close_date, (10 * step)::double as probability, 'Pipeline' as forecast_category, "
        "'JPY' as currency_iso_code, at_instant as created_date, at_instant as system_modstamp from (select n, step, "
        "case when is_later() then now() - to_seconds(pick(n, 99, 80000)) when step = 8 then ended_at(n) else step_at(n, step) end "
        "as at_instant from (select n, unnest(case when is_later() then [9] when is_ended(n) then list_append(steps_of(n), 8) "
        "else steps_of(n) end) as step from {numbers}))".replace("[9]", "[0]"),
        share=0.08,
    ),
    "opportunity_field_history": Rows(
        "select sf('017', 1000000000 + n) as id, sf('006', n * 3) as opportunity_id, 'Owner' as field, 'EntityId' as data_type, "
        "sf('005', pick(n, 49, user_count())) as old_value, sf('005', pick(n * 3, 47, user_count())) as new_value, "
        "false as is_deleted, made_at(n * 3) + interval 5 day as created_date from {numbers} where not is_later()",
        share=0.025,
    ),
    "opportunity_line_item": Rows(
        "select sf('00k', n) as id, sf('006', n) as opportunity_id, sf('01t', pick(n, 50, 20)) as product2_id, 'Line' as name, "
        "1.0 as quantity, amount_of(n) as unit_price, amount_of(n) as total_price, 'JPY' as currency_iso_code, "
        "ended_at(n)::date as service_date, false as is_deleted, made_at(n) as created_date, "
        "if(is_later(), now(), made_at(n)) as system_modstamp from {numbers}",
        share=0.08,
    ),
    "opportunity_contact_role": Rows(
        "select sf('00K', n) as id, sf('006', n) as opportunity_id, sf('003', pick(n, 51, people() * 35 // 100)) as contact_id, "
        f"one_of(n, 52, {_texts('Evaluator', 'Decision Maker', 'Business User')}) as role, true as is_primary, false as is_deleted, "
        "made_at(n) as created_date, if(is_later(), now(), made_at(n)) as system_modstamp from {numbers}",
        share=0.08,
    ),
    "campaign_member": Rows(
        "select sf('00v', n) as id, sf('701', pick(n, 53, 200)) as campaign_id, sf('003', n) as contact_id, "
        "sf('003', n) as lead_or_contact_id, 'Contact' as type, 'Responded' as status, true as has_responded, "
        "stamp_of(n, 54)::date as first_responded_date, false as is_deleted, moment(n, 54) as created_date, "
        "stamp_of(n, 54) as system_modstamp from {numbers}",
        share=0.30,
    ),
    "task": Rows(
        f"select * exclude (stamp, kind), {_AUDIT}, kind as type, kind as task_subtype, stamp as created_date, "
        "stamp as completed_date_time, (stamp + interval 9 hour)::date as activity_date from (select sf('00T', n) as id, "
        "case when pick(n, 55, 3) = 0 then sf('00Q', pick(n, 56, people() // 5)) else sf('003', pick(n, 56, people() * 35 // 100)) "
        "end as who_id, case when pick(n, 57, 4) = 0 then sf('006', pick(n, 58, people() * 8 // 100)) end as what_id, "
        "sf('001', pick(n, 59, people() // 10)) as account_id, sf('005', pick(n, 60, user_count())) as owner_id, "
        f"one_of(n, 61, {_texts('Call', 'Email', 'Email', 'Web Visit')}) as kind, 'Follow-up' as subject, 'Completed' as status, "
        f"true as is_closed, one_of(n, 62, {_texts('outbound', 'inbound')}) as direction_c, logged(n, 63) as stamp from {{numbers}})",
        share=1.0,
        is_log=True,
    ),
    "event": Rows(
        f"select * exclude (stamp), {_AUDIT}, stamp as created_date, stamp as start_date_time, stamp as activity_date_time "
        "from (select sf('00U', n) as id, sf('003', pick(n, 64, people() * 35 // 100)) as who_id, "
        "sf('006', pick(n, 65, people() * 8 // 100)) as what_id, sf('005', pick(n, 66, user_count())) as owner_id, "
        "'Meeting' as type, '打合せ' as subject, 'outbound' as direction_c, 60 as duration_in_minutes, "
        "logged(n, 67) as stamp from {numbers})",
        share=0.20,
        is_log=True,
    ),
}  # fmt: skip


def _set(to: str, type_id: int, label: str = "null") -> str:
    return f"""'[{{"to":"' || {to} || '","types":[{{"type_id":{type_id},"label":{label},"category":"HUBSPOT_DEFINED"}}]}}]'"""


def _entry(value: str, at: str) -> str:
    moment = f"strftime(({at}) at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.000Z')"
    return (
        f"""'{{"value":"' || {value} || '","timestamp":"' || {moment} || '","sourceType":"CRM_UI","sourceId":"x"}}'"""
    )


_RECORD = (
    "false as archived, id as hs_object_id, stamp as updated_at, made as created_at, "
    "pick_owner::varchar as hubspot_owner_id"
)
_HUBSPOT_DEAL_END = "if(is_ended(n), if(is_won_deal(n), 'closedwon', 'closedlost'), {stage})".replace(
    "{stage}", _stage("hubspot", "len(steps_of(n))")
)
_AMOUNT_HISTORY = (
    f"if(is_later(), {_entry('amount::bigint', 'stamp')} || ',', '') || "
    f"{_entry('(amount - if(is_later(), 1000, 0))::bigint', 'made')}"
)
_HUBSPOT_END = "if(is_won_deal(n), 'closedwon', 'closedlost')"
_DEAL_HISTORY = (
    f"list_aggregate([{_entry(_stage('hubspot', 'step'), 'step_at(n, step)')} for step in steps_of(n)], 'string_agg', ',')"
    f" || if(is_ended(n), ',' || {_entry(_HUBSPOT_END, 'ended_at(n)')}, '')"
)


def _engagement(columns: str, first: int, share: float) -> Rows:
    return Rows(
        f"select * exclude (stamp, made, pick_owner), {_RECORD}, made as hs_createdate, stamp as hs_lastmodifieddate, "
        f"stamp as hs_timestamp from (select ({first} + n)::varchar as id, {columns}, logged(n, {first}) as stamp, stamp as made, "
        f"71000000 + pick(n, {first + 1}, user_count()) as pick_owner from {{numbers}})",
        share=share,
        is_log=True,
    )


def _of(first: int, to: str, share: float) -> Rows:
    """Associations of engagements."""
    return Rows(
        f"select ({first} + n)::varchar as from_id, {_set(to, 198)} as associations, now() as read_at from {{numbers}}",
        share=share,
        is_log=True,
    )


_CONTACT = "(101 + pick(n, 70, people() * 60 // 100))::varchar"
_COMPANY = "(5100000000 + pick(n, 71, people() // 10))::varchar"
_COMPANY_OF = "(5100000000 + account_of(e) - people() * 5 // 100)::varchar"
_ENGAGEMENTS = {
    "emails": (
        "'資料送付' as hs_email_subject, one_of(n, 72, ['EMAIL', 'INCOMING_EMAIL']) as hs_email_direction, 'SENT' as hs_email_status",
        30_000_000,
        0.4,
    ),
    "calls": (
        "'見積の確認' as hs_call_title, 'OUTBOUND' as hs_call_direction, 'COMPLETED' as hs_call_status, "
        "60000.0 * pick(n, 73, 20) as hs_call_duration",
        60_000_000,
        0.2,
    ),
    "meetings": (
        "'要件定義' as hs_meeting_title, 'meeting' as hs_activity_type, 'COMPLETED' as hs_meeting_outcome",
        80_000_000,
        0.1,
    ),
}
_HUBSPOT = {
    "account_info": Rows(
        "select 24100731 as portal_id, 'Asia/Tokyo' as time_zone, 'JPY' as company_currency, 'app.hubspot.com' as ui_domain "
        "from {numbers}",
        fixed=1,
    ),
    "pipelines": Rows(
        "select 'default' as pipeline_id, 'Sales Pipeline' as pipeline_label, 0 as pipeline_display_order, "
        f"{_texts(*STAGES['hubspot'], 'closedwon', 'closedlost')}[n + 1] as stage_id, "
        f"{_texts(*STAGES['hubspot'][:4], 'Proposal Sent', 'contractsent', 'Papers Exchanged', 'Closed Won', 'Closed Lost')}[n + 1] "
        "as stage_label, n as display_order, 0.1 * n as probability, n >= 7 as is_closed, false as archived from {numbers}",
        fixed=9,
    ),
    "owners": Rows(
        "select (71000000 + n)::varchar as id, 'user' || n || '@bench.example' as email, family(n) as last_name, "
        "given(n) as first_name, false as archived, timestamptz '2023-01-01 00:00:00+00' as created_at, "
        "timestamptz '2023-01-01 00:00:00+00' as updated_at from {numbers}",
        fixed=40,
    ),
    "forms": Rows(
        "select 'form' || n as id, 'フォーム ' || n as name, false as archived, moment(n, 74) as created_at, "
        "moment(n, 74) as updated_at from {numbers}",
        fixed=10,
    ),
    "companies": Rows(
        f"select * exclude (stamp, made, pick_owner, a), {_RECORD}, made as createdate, stamp as hs_lastmodifieddate "
        "from (select n + people() * 5 // 100 as a, (5100000000 + n)::varchar as id, company_of(a) as name, "
        "domain_of(a) as domain, industry_of(a) as industry, 5 + pick(a, 35, 5000) + is_later()::bigint as numberofemployees, "
        "'PROSPECT' as type, '東京都' as state, 'JP' as country, moment(n, 75) as made, stamp_of(n, 75) as stamp, "
        "71000000 + pick(n, 76, user_count()) as pick_owner from {numbers})",
        share=0.10,
    ),
    "contacts": Rows(
        f"select * exclude (stamp, made, pick_owner, e), {_RECORD}, made as createdate, stamp as lastmodifieddate, "
        f"""'{{"lifecyclestage":[' || {_entry("'marketingqualifiedlead'", "made + interval 20 day")} || ',' || """
        f"""{_entry("'lead'", "made")} || '],"hubspot_owner_id":[' || {_entry("pick_owner", "made")} || """
        f"""'],"associatedcompanyid":[' || {_entry("coalesce(associatedcompanyid, '')", "made")} || ']}}' as properties_with_history """
        "from (select n + people() * 25 // 100 as e, (101 + n)::varchar as id, family(e) as lastname, given(e) as firstname, "
        "email_of(e) as email, title_of(e) as jobtitle, company_of(account_of(e)) as company, "
        f"if(account_of(e) >= people() * 5 // 100, {_COMPANY_OF}, null) as associatedcompanyid, "
        "'marketingqualifiedlead' as lifecyclestage, pick(n, 77, 100)::double + is_later()::bigint as hubspotscore, "
        "source_of(e) as lead_source, false as hs_email_optout, moment(n, 78) as made, stamp_of(n, 78) as stamp, "
        "71000000 + pick(n, 79, user_count()) as pick_owner from {numbers})",
        share=0.60,
    ),
    "contacts_companies": Rows(
        "select (101 + n)::varchar as from_id, "
        + _set(_COMPANY_OF, 1, '"Primary"')
        + " as associations, now() as read_at from (select n, n + people() * 25 // 100 as e from {numbers}) "
        "where account_of(e) >= people() * 5 // 100",
        share=0.60,
    ),
    "deals": Rows(
        f"select * exclude (n, stamp, made, pick_owner, history), {_RECORD}, made as createdate, stamp as hs_lastmodifieddate, "
        """'{"dealstage":[' || history || '],"pipeline":[' || """
        f"""{_entry("'default'", "made")} || '],"amount":[' || {_AMOUNT_HISTORY} || """
        f"""'],"hubspot_owner_id":[' || {_entry("pick_owner", "made")} || ']}}' as properties_with_history """
        f"from (select n, (9000000000 + n)::varchar as id, company_of(n) || ' 更新' as dealname, {_DEAL_HISTORY} as history, 'newbusiness' as dealtype, 'default' as pipeline, "
        f"{_HUBSPOT_DEAL_END} as dealstage, amount_of(n) as amount, 'JPY' as deal_currency_code, ended_at(n) as closedate, "
        "is_ended(n) as hs_is_closed, is_ended(n) and is_won_deal(n) as hs_is_closed_won, source_of(n) as lead_source, made_at(n) as made, if(is_later(), "
        "now() - to_seconds(pick(n, 99, 80000)), if(is_ended(n), ended_at(n), step_at(n, list_max(steps_of(n))))) as stamp, "
        "71000000 + pick(n, 80, user_count()) as pick_owner from {numbers})",
        share=0.04,
    ),
    "deals_companies": Rows(
        f"select (9000000000 + n)::varchar as from_id, {_set(_COMPANY, 5)} as associations, now() as read_at from {{numbers}}",
        share=0.04,
    ),
    "deals_contacts": Rows(
        f"select (9000000000 + n)::varchar as from_id, {_set(_CONTACT, 3)} as associations, now() as read_at from {{numbers}}",
        share=0.04,
    ),
    **{name: _engagement(*parts) for name, parts in _ENGAGEMENTS.items()},
    **{f"{name}_contacts": _of(first, _CONTACT, share) for name, (_, first, share) in _ENGAGEMENTS.items()},
    **{f"{name}_companies": _of(first, _COMPANY, share) for name, (_, first, share) in _ENGAGEMENTS.items()},
    "form_submissions": Rows(
        "select 'form' || n % 10 as form_id, (100000000 + n)::varchar as conversion_id, logged(n, 81) as submitted_at, "
        "email_of(people() * 25 // 100 + pick(n, 82, people() * 60 // 100)) as email, '[]' as form_values from {numbers}",
        share=0.20,
        is_log=True,
    ),
}  # fmt: skip

_MARKETO = {
    "activity_types": Rows(
        "select [1, 2, 10, 11][n + 1]::varchar as id, ['Visit Webpage', 'Fill Out Form', 'Open Email', 'Click Email'][n + 1] as name "
        "from {numbers}",
        fixed=4,
    ),
    "leads": Rows(
        "select * exclude (e) from (select n + people() * 80 // 100 as e, (500 + n)::varchar as id, family(e) as last_name, "
        "given(e) as first_name, email_of(e) as email, title_of(e) as title, company_of(account_of(e)) as company, "
        "pick(n, 83, 100)::double + is_later()::bigint as lead_score, source_of(e) as lead_source, false as unsubscribed, "
        "moment(n, 84) as created_at, stamp_of(n, 84) as updated_at from {numbers})",
        share=0.20,
    ),
    "activities": Rows(
        "select 'g' || n as marketo_guid, (500 + pick(n, 85, people() // 5))::varchar as lead_id, logged(n, 86) as activity_date, "
        "one_of(n, 87, [1, 1, 2, 10, 10, 11]) as activity_type_id, 'asset' || pick(n, 88, 300) as primary_attribute_value, "
        "'{}' as attributes from {numbers}",
        share=0.40,
        is_log=True,
    ),
}  # fmt: skip

TABLES: Mapping[str, Mapping[str, Rows]] = {"salesforce": _SALESFORCE, "hubspot": _HUBSPOT, "marketo": _MARKETO}
