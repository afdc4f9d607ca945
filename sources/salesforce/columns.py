"""The columns of Salesforce's objects that staging reads: raw column -> type. Data only, one table per object.

Every field that an object's describe shows is read, custom ones too; these are the ones that exist (typed, NULL) even in an
org that lacks them. Names are dlt's snake case of the vendor's (`SystemModstamp` -> `system_modstamp`, `Foo__c` -> `foo_c`).
Field lists: https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/
"""

from collections.abc import Mapping

from sources.stream import DataType

Columns = Mapping[str, DataType]

_AUDIT: Columns = {
    "created_by_id": "text",
    "created_date": "timestamp",
    "last_modified_by_id": "text",
    "last_modified_date": "timestamp",
    "system_modstamp": "timestamp",
}
_RECORD: Columns = {"id": "text", "is_deleted": "bool", **_AUDIT}
_OWNED: Columns = {**_RECORD, "owner_id": "text", "last_activity_date": "date"}


def _address(prefix: str) -> Columns:
    """Columns of a compound address: Salesforce gives each part as a field of its own beside the compound."""
    parts = ("street", "city", "state", "state_code", "postal_code", "country", "country_code")
    return {f"{prefix}{part}": "text" for part in parts}


ACCOUNT: Columns = {
    **_OWNED,
    **_address("billing_"),
    "master_record_id": "text",
    "name": "text",
    "type": "text",
    "record_type_id": "text",
    "parent_id": "text",
    "phone": "text",
    "fax": "text",
    "website": "text",
    "industry": "text",
    "sic": "text",
    "annual_revenue": "decimal",
    "number_of_employees": "bigint",
    "ownership": "text",
    "rating": "text",
    "site": "text",
    "account_number": "text",
    "account_source": "text",
    "description": "text",
    "currency_iso_code": "text",
    "corporate_number_c": "text",
    "domain_c": "text",
}

CONTACT: Columns = {
    **_OWNED,
    **_address("mailing_"),
    "master_record_id": "text",
    "account_id": "text",
    "last_name": "text",
    "first_name": "text",
    "salutation": "text",
    "name": "text",
    "last_name_local": "text",
    "first_name_local": "text",
    "email": "text",
    "phone": "text",
    "mobile_phone": "text",
    "home_phone": "text",
    "title": "text",
    "department": "text",
    "reports_to_id": "text",
    "lead_source": "text",
    "description": "text",
    "has_opted_out_of_email": "bool",
    "has_opted_out_of_fax": "bool",
    "do_not_call": "bool",
    "email_bounced_reason": "text",
    "email_bounced_date": "timestamp",
    "currency_iso_code": "text",
    "score_c": "double",
}

ACCOUNT_CONTACT_RELATION: Columns = {
    **_RECORD,
    "account_id": "text",
    "contact_id": "text",
    "roles": "text",
    "is_direct": "bool",
    "is_active": "bool",
    "start_date": "date",
    "end_date": "date",
    "currency_iso_code": "text",
}

LEAD: Columns = {
    **_OWNED,
    **_address(""),
    "master_record_id": "text",
    "last_name": "text",
    "first_name": "text",
    "salutation": "text",
    "name": "text",
    "last_name_local": "text",
    "first_name_local": "text",
    "company": "text",
    "company_local": "text",
    "title": "text",
    "email": "text",
    "phone": "text",
    "mobile_phone": "text",
    "website": "text",
    "industry": "text",
    "number_of_employees": "bigint",
    "annual_revenue": "decimal",
    "lead_source": "text",
    "status": "text",
    "rating": "text",
    "description": "text",
    "record_type_id": "text",
    "has_opted_out_of_email": "bool",
    "has_opted_out_of_fax": "bool",
    "do_not_call": "bool",
    "email_bounced_reason": "text",
    "email_bounced_date": "timestamp",
    "is_converted": "bool",
    "converted_date": "date",
    "converted_account_id": "text",
    "converted_contact_id": "text",
    "converted_opportunity_id": "text",
    "is_unread_by_owner": "bool",
    "currency_iso_code": "text",
    "corporate_number_c": "text",
    "department_c": "text",
    "score_c": "double",
}

# Field histories hold values of any type; each is kept as the text that the vendor sent.
HISTORY: Columns = {
    "id": "text",
    "is_deleted": "bool",
    "created_by_id": "text",
    "created_date": "timestamp",
    "field": "text",
    "data_type": "text",
    "old_value": "text",
    "new_value": "text",
}

OPPORTUNITY: Columns = {
    **_OWNED,
    "account_id": "text",
    "record_type_id": "text",
    "name": "text",
    "description": "text",
    "stage_name": "text",
    "amount": "decimal",
    "probability": "double",
    "expected_revenue": "decimal",
    "total_opportunity_quantity": "double",
    "close_date": "date",
    "type": "text",
    "next_step": "text",
    "lead_source": "text",
    "is_closed": "bool",
    "is_won": "bool",
    "is_private": "bool",
    "forecast_category": "text",
    "forecast_category_name": "text",
    "currency_iso_code": "text",
    "campaign_id": "text",
    "contact_id": "text",
    "has_opportunity_line_item": "bool",
    "pricebook2_id": "text",
    "push_count": "bigint",
    "last_stage_change_date": "timestamp",
    "fiscal_year": "bigint",
    "fiscal_quarter": "bigint",
    "pipeline_c": "text",
    "loss_reason_c": "text",
    "competitor_c": "text",
}

OPPORTUNITY_HISTORY: Columns = {
    "id": "text",
    "is_deleted": "bool",
    "opportunity_id": "text",
    "created_by_id": "text",
    "created_date": "timestamp",
    "stage_name": "text",
    "amount": "decimal",
    "expected_revenue": "decimal",
    "close_date": "date",
    "probability": "double",
    "forecast_category": "text",
    "currency_iso_code": "text",
    "system_modstamp": "timestamp",
}

OPPORTUNITY_CONTACT_ROLE: Columns = {
    **_RECORD,
    "opportunity_id": "text",
    "contact_id": "text",
    "role": "text",
    "is_primary": "bool",
    "currency_iso_code": "text",
}

OPPORTUNITY_LINE_ITEM: Columns = {
    **_RECORD,
    "opportunity_id": "text",
    "sort_order": "bigint",
    "pricebook_entry_id": "text",
    "product2_id": "text",
    "product_code": "text",
    "name": "text",
    "quantity": "double",
    "discount": "double",
    "subtotal": "decimal",
    "total_price": "decimal",
    "unit_price": "decimal",
    "list_price": "decimal",
    "service_date": "date",
    "description": "text",
    "currency_iso_code": "text",
    "service_start_date_c": "date",
    "service_end_date_c": "date",
    "is_recurring_c": "bool",
}

OPPORTUNITY_SPLIT: Columns = {
    **_RECORD,
    "opportunity_id": "text",
    "split_owner_id": "text",
    "split_percentage": "double",
    "split_amount": "decimal",
    "split_note": "text",
    "split_type_id": "text",
    "currency_iso_code": "text",
}

PRODUCT2: Columns = {
    **_RECORD,
    "name": "text",
    "product_code": "text",
    "description": "text",
    "is_active": "bool",
    "is_archived": "bool",
    "family": "text",
    "stock_keeping_unit": "text",
    "quantity_unit_of_measure": "text",
    "currency_iso_code": "text",
    "list_price_c": "decimal",
    "margin_rate_c": "double",
    "is_recurring_c": "bool",
}

_ACTIVITY: Columns = {
    **_RECORD,
    "owner_id": "text",
    "who_id": "text",
    "what_id": "text",
    "account_id": "text",
    "subject": "text",
    "description": "text",
    "type": "text",
    "activity_date": "date",
    "is_archived": "bool",
    "is_recurrence": "bool",
    "currency_iso_code": "text",
    "direction_c": "text",
    "outcome_c": "text",
    "campaign_c": "text",
}

TASK: Columns = {
    **_ACTIVITY,
    "status": "text",
    "priority": "text",
    "is_closed": "bool",
    "is_high_priority": "bool",
    "task_subtype": "text",
    "call_duration_in_seconds": "bigint",
    "call_type": "text",
    "call_disposition": "text",
    "completed_date_time": "timestamp",
}

EVENT: Columns = {
    **_ACTIVITY,
    "location": "text",
    "is_all_day_event": "bool",
    "activity_date_time": "timestamp",
    "start_date_time": "timestamp",
    "end_date_time": "timestamp",
    "duration_in_minutes": "bigint",
    "event_subtype": "text",
    "show_as": "text",
    "is_private": "bool",
    "is_child": "bool",
    "is_group_event": "bool",
}

CAMPAIGN: Columns = {
    **_OWNED,
    "name": "text",
    "parent_id": "text",
    "type": "text",
    "record_type_id": "text",
    "status": "text",
    "start_date": "date",
    "end_date": "date",
    "currency_iso_code": "text",
    "expected_revenue": "decimal",
    "budgeted_cost": "decimal",
    "actual_cost": "decimal",
    "expected_response": "double",
    "number_sent": "double",
    "is_active": "bool",
    "description": "text",
    "channel_c": "text",
}

CAMPAIGN_MEMBER: Columns = {
    **_RECORD,
    "campaign_id": "text",
    "lead_id": "text",
    "contact_id": "text",
    "lead_or_contact_id": "text",
    "type": "text",
    "status": "text",
    "has_responded": "bool",
    "first_responded_date": "date",
    "currency_iso_code": "text",
}

USER: Columns = {
    "id": "text",
    **_AUDIT,
    "username": "text",
    "last_name": "text",
    "first_name": "text",
    "name": "text",
    "company_name": "text",
    "division": "text",
    "department": "text",
    "title": "text",
    "email": "text",
    "phone": "text",
    "mobile_phone": "text",
    "alias": "text",
    "is_active": "bool",
    "user_role_id": "text",
    "profile_id": "text",
    "user_type": "text",
    "manager_id": "text",
    "employee_number": "text",
    "federation_identifier": "text",
    "default_currency_iso_code": "text",
    "last_login_date": "timestamp",
    "team_c": "text",
}

USER_ROLE: Columns = {
    "id": "text",
    "name": "text",
    "developer_name": "text",
    "parent_role_id": "text",
    "rollup_description": "text",
    "portal_type": "text",
    "last_modified_by_id": "text",
    "last_modified_date": "timestamp",
    "system_modstamp": "timestamp",
}
