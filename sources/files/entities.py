"""What a mapping may fill: the business entities and their columns, near the canonical names.

Data only. A new column is one line here and one in the staging model; nothing in this file reads a file or a mapping.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sources.stream import DataType

# Types are dlt's: text bigint double decimal bool timestamp date.
COMMON: Mapping[str, DataType] = {
    "created_at": "timestamp",
    "updated_at": "timestamp",
    "is_deleted": "bool",
    "record_url": "text",
}

# Each record is known by its object and the tool's own id of it, joined with "|": `customer|1042`. A column that points to
# another record holds the same, so that one value says which record of which object is meant.
KEY: tuple[str] = ("id",)
# Where a row came from: left out of the content hash, so that the same record in tomorrow's export is no new version.
PROVENANCE: Mapping[str, DataType] = {
    "version_at": "timestamp",
    "delivered_at": "timestamp",
    "file_name": "text",
    "file_line": "bigint",
}


@dataclass(frozen=True)
class Entity:
    """One raw table: its own columns, and which of them point to a record of another entity."""

    columns: Mapping[str, DataType]
    references: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def mappable(self) -> dict[str, DataType]:
        """Columns a mapping may name, with their types; references are ids, so text."""
        return {**dict.fromkeys(self.references, "text"), **self.columns, **COMMON}

    @property
    def raw_columns(self) -> dict[str, DataType]:
        """All columns of the raw table, in the order in which they land."""
        return {
            "id": "text",
            "source_object": "text",
            "source_id": "text",
            **{reference_column(name): "text" for name in self.references},
            **self.columns,
            **COMMON,
            "unmapped_columns": "text",
            **PROVENANCE,
        }


def reference_column(reference: str) -> str:
    """The raw column of a reference that a mapping calls `account_id`: `account_ref`."""
    return reference.removesuffix("_id") + "_ref"


ENTITIES: Mapping[str, Entity] = {
    "account": Entity(
        columns={
            "name": "text",
            "domain": "text",
            "website": "text",
            "phone": "text",
            "corporate_number": "text",
            "industry": "text",
            "employee_count": "bigint",
            "country": "text",
            "region": "text",
            "city": "text",
            "postal_code": "text",
            "street": "text",
            "account_type": "text",
        },
        references={"parent_id": "account", "owner_id": "sales_user"},
    ),
    "person": Entity(
        columns={
            "full_name": "text",
            "family_name": "text",
            "given_name": "text",
            "family_kana": "text",
            "given_kana": "text",
            "email": "text",
            "phone": "text",
            "mobile": "text",
            "job_title": "text",
            "department": "text",
            "company_name": "text",
            "lead_source": "text",
            "score": "double",
            "is_email_opted_out": "bool",
            "is_call_opted_out": "bool",
            "converted_at": "timestamp",
        },
        references={"account_id": "account", "owner_id": "sales_user", "converted_to_id": "person"},
    ),
    "opportunity": Entity(
        columns={
            "name": "text",
            "opportunity_type": "text",
            "pipeline": "text",
            "stage": "text",
            # When the record entered its present stage, and the stage that it had when it was created: with them
            # a list of today's deals carries the two ends of its own history (see README, "History").
            "stage_entered_at": "timestamp",
            "created_stage": "text",
            # The same where no file says so, but deals of this tool begin there.
            "assumed_created_stage": "text",
            "amount": "decimal",
            "currency": "text",
            "probability": "double",
            "forecast_category": "text",
            "expected_close_date": "date",
            "close_date": "date",
            "lead_source": "text",
            "loss_reason": "text",
            "competitor": "text",
            "next_step": "text",
        },
        references={
            "account_id": "account",
            "person_id": "person",
            "owner_id": "sales_user",
            "campaign_id": "campaign",
        },
    ),
    # States of opportunities in the past, as far as the tool tells them: one row each time something changed.
    "opportunity_state": Entity(
        columns={
            "entered_at": "timestamp",
            "stage": "text",
            "amount": "decimal",
            "currency": "text",
            "probability": "double",
            "forecast_category": "text",
            "expected_close_date": "date",
        },
        references={"opportunity_id": "opportunity", "owner_id": "sales_user"},
    ),
    "opportunity_line": Entity(
        columns={
            "product_family": "text",
            "product_name": "text",
            "quantity": "double",
            "amount": "decimal",
            "currency": "text",
            "service_start_date": "date",
            "service_end_date": "date",
            "is_recurring": "bool",
        },
        references={"opportunity_id": "opportunity", "product_id": "product"},
    ),
    "opportunity_person": Entity(
        columns={"role": "text", "is_primary": "bool"},
        references={"opportunity_id": "opportunity", "person_id": "person"},
    ),
    "activity": Entity(
        columns={
            "occurred_at": "timestamp",
            "touch_type": "text",
            "channel": "text",
            "direction": "text",
            "outcome": "text",
            "subject": "text",
            "minutes": "double",
        },
        references={
            "person_id": "person",
            "account_id": "account",
            "opportunity_id": "opportunity",
            "owner_id": "sales_user",
            "campaign_id": "campaign",
        },
    ),
    "sales_user": Entity(
        columns={
            "name": "text",
            "email": "text",
            "team": "text",
            "department": "text",
            "is_active": "bool",
        },
        references={"manager_id": "sales_user"},
    ),
    "product": Entity(
        columns={
            "name": "text",
            "code": "text",
            "family": "text",
            "list_price": "decimal",
            "currency": "text",
            "is_recurring": "bool",
            "margin_rate": "double",
        },
    ),
    "lifecycle": Entity(
        columns={"stage": "text", "source_field": "text", "source_value": "text", "entered_at": "timestamp"},
        references={"person_id": "person"},
    ),
    "campaign": Entity(
        columns={
            "name": "text",
            "channel": "text",
            "campaign_type": "text",
            "status": "text",
            "start_date": "date",
            "end_date": "date",
            "budget": "decimal",
            "actual_cost": "decimal",
            "currency": "text",
        },
        references={"parent_id": "campaign"},
    ),
    "target": Entity(
        columns={
            "period_start": "date",
            "team": "text",
            "owner_email": "text",
            "amount": "decimal",
            "currency": "text",
        },
    ),
}
