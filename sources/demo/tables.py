"""The company's tool tables: their columns and types as data, and which instance is of which vendor.

One row of a `*_versions` table is one version of one record in one tool; `at` is the instant of the version. `object` is
the vendor's own name of the object; for kintone it is the app's name, its subtables are `deal_lines` and `deals_contacts`.
Relations that have no object of their own in HubSpot are objects `contacts_companies`, `deals_contacts` with `source_id`
"left:right"; Marketo's members of programs are `program_members` with "program:lead". Instants are naive UTC. This file must hold no behaviour.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

TEXT, FLAG, WHOLE, RATE = pa.string(), pa.bool_(), pa.int64(), pa.float64()
MONEY, INSTANT, DAY = pa.decimal128(18, 2), pa.timestamp("us"), pa.date32()

INSTANCE_VENDOR: Mapping[str, str] = {
    "salesforce": "salesforce",
    "hubspot": "hubspot",
    "hubspot_emea": "hubspot",
    "esales": "esales",
    "marketo": "marketo",
    "kintone": "kintone",
}

COMMON: Mapping[str, pa.DataType] = {
    "instance": TEXT,
    "object": TEXT,
    "source_id": TEXT,
    "entity_id": TEXT,
    "at": INSTANT,
    "created_at": INSTANT,
    "is_deleted": FLAG,
    "merged_into_source_id": TEXT,
}

_OWN: Mapping[str, Mapping[str, pa.DataType]] = {
    "account_versions": {
        "name": TEXT, "domain": TEXT, "website": TEXT, "corporate_number": TEXT, "industry": TEXT,
        "employee_count": WHOLE, "country": TEXT, "region": TEXT, "city": TEXT, "postal_code": TEXT, "street": TEXT,
        "phone": TEXT, "parent_source_id": TEXT, "owner_source_id": TEXT, "account_type": TEXT, "crm_source_id": TEXT,
    },
    "person_versions": {
        "family_name": TEXT, "given_name": TEXT, "family_kana": TEXT, "given_kana": TEXT, "email": TEXT, "phone": TEXT,
        "mobile": TEXT, "job_title": TEXT, "department": TEXT, "company_name": TEXT, "account_source_id": TEXT,
        "lead_source": TEXT, "stage": TEXT, "score": RATE, "is_email_opted_out": FLAG, "is_call_opted_out": FLAG,
        "owner_source_id": TEXT, "is_converted": FLAG, "converted_at": INSTANT, "converted_account_source_id": TEXT,
        "converted_contact_source_id": TEXT, "converted_opportunity_source_id": TEXT, "crm_source_id": TEXT,
    },
    "person_account_versions": {
        "person_source_id": TEXT, "account_source_id": TEXT, "role": TEXT, "is_primary": FLAG, "is_active": FLAG,
        "start_date": DAY, "end_date": DAY,
    },
    "deal_versions": {
        "name": TEXT, "account_source_id": TEXT, "deal_type": TEXT, "pipeline": TEXT, "stage": TEXT, "amount": MONEY,
        "currency": TEXT, "probability": RATE, "forecast_category": TEXT, "expected_close_date": DAY,
        "owner_source_id": TEXT, "lead_source": TEXT, "campaign_source_id": TEXT, "loss_reason": TEXT,
        "competitor": TEXT, "next_step": TEXT, "crm_source_id": TEXT, "changed_by_source_id": TEXT,
    },
    "deal_line_versions": {
        "deal_source_id": TEXT, "product_source_id": TEXT, "product_family": TEXT, "quantity": RATE,
        "unit_price": MONEY, "amount": MONEY, "service_start_date": DAY, "service_end_date": DAY, "is_recurring": FLAG,
    },
    "deal_person_versions": {
        "deal_source_id": TEXT, "person_source_id": TEXT, "role": TEXT, "is_primary": FLAG,
    },
    "deal_split_versions": {"deal_source_id": TEXT, "user_source_id": TEXT, "share": RATE},
    "product_versions": {
        "name": TEXT, "code": TEXT, "family": TEXT, "list_price": MONEY, "currency": TEXT, "is_recurring": FLAG,
        "margin_rate": RATE, "is_active": FLAG,
    },
    "user_versions": {
        "name": TEXT, "family_name": TEXT, "given_name": TEXT, "email": TEXT, "team": TEXT, "department": TEXT,
        "manager_source_id": TEXT, "job_title": TEXT, "is_active": FLAG, "role_source_id": TEXT,
    },
    "role_versions": {"name": TEXT, "parent_source_id": TEXT},
    "campaign_versions": {
        "name": TEXT, "campaign_type": TEXT, "channel": TEXT, "status": TEXT, "start_date": DAY, "end_date": DAY,
        "budget": MONEY, "actual_cost": MONEY, "parent_source_id": TEXT, "crm_source_id": TEXT,
    },
    "campaign_member_versions": {
        "campaign_source_id": TEXT, "person_object": TEXT, "person_source_id": TEXT, "status": TEXT,
        "responded_at": INSTANT,
    },
    "activity_versions": {
        "kind": TEXT, "occurred_at": INSTANT, "direction": TEXT, "subject": TEXT, "person_object": TEXT,
        "person_source_id": TEXT, "account_source_id": TEXT, "deal_source_id": TEXT, "owner_source_id": TEXT,
        "minutes": RATE, "outcome": TEXT, "status": TEXT, "campaign_source_id": TEXT, "form_name": TEXT,
    },
}  # fmt: skip

TABLES: Mapping[str, pa.Schema] = {name: pa.schema([*COMMON.items(), *own.items()]) for name, own in _OWN.items()}

TARGET: pa.Schema = pa.schema(
    {"period_start": DAY, "team": TEXT, "owner_email": TEXT, "amount": MONEY, "currency": TEXT}.items()
)

# The view of each table's newest visible versions: current.<name>.
CURRENT_NAME: Mapping[str, str] = {
    "account_versions": "accounts",
    "person_versions": "people",
    "person_account_versions": "person_accounts",
    "deal_versions": "deals",
    "deal_line_versions": "deal_lines",
    "deal_person_versions": "deal_people",
    "deal_split_versions": "deal_splits",
    "product_versions": "products",
    "user_versions": "users",
    "role_versions": "roles",
    "campaign_versions": "campaigns",
    "campaign_member_versions": "campaign_members",
    "activity_versions": "activities",
}
