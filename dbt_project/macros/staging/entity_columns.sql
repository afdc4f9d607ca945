{#
  The contract of staging: the columns, in order and with types, that a vendor's model stg_<folder>__<entity> gives for
  each entity. Canonical models read these and nothing else. `source_*` columns carry the vendor's words which canonical
  maps to ours (stage_map, pipeline_map, lifecycle_authority, channels): a vendor folder needs no look-up of its own.
#}
{% macro entity_columns(entity) -%}
    {%- set text, whole, real, money = "string", "bigint", "double", "decimal(18,4)" -%}
    {%- set flag, instant, day = "boolean", "timestamp", "date" -%}
    {%- set common = [
        ("record_key", text),
        ("source_system", text),
        ("vendor", text),
        ("source_object", text),
        ("source_id", text),
        ("created_at", instant),
        ("updated_at", instant),
        ("is_deleted", flag),
        ("deleted_at", instant),
        ("merged_into_key", text),
        ("record_url", text),
        ("extra_columns", text),
        ("load_id", text),
        ("load_seq", whole),
    ] -%}
    {%- set entities = {
        "account": common
        + [
            ("name", text),
            ("domain", text),
            ("website", text),
            ("phone", text),
            ("corporate_number", text),
            ("parent_key", text),
            ("industry", text),
            ("employee_count", whole),
            ("country", text),
            ("region", text),
            ("city", text),
            ("postal_code", text),
            ("street", text),
            ("account_type", text),
            ("owner_key", text),
        ],
        "person": common
        + [
            ("full_name", text),
            ("family_name", text),
            ("given_name", text),
            ("family_kana", text),
            ("given_kana", text),
            ("email", text),
            ("phone", text),
            ("mobile", text),
            ("job_title", text),
            ("department", text),
            ("company_name", text),
            ("account_key", text),
            ("lead_source", text),
            ("score", real),
            ("is_email_opted_out", flag),
            ("is_call_opted_out", flag),
            ("converted_to_key", text),
            ("converted_at", instant),
            ("owner_key", text),
        ],
        "person_account": common
        + [
            ("person_key", text),
            ("account_key", text),
            ("role", text),
            ("is_primary", flag),
            ("valid_from", instant),
            ("valid_to", instant),
        ],
        "sales_user": common
        + [
            ("name", text),
            ("email", text),
            ("team", text),
            ("department", text),
            ("manager_key", text),
            ("is_active", flag),
            ("valid_from", instant),
            ("valid_to", instant),
        ],
        "opportunity": common
        + [
            ("account_key", text),
            ("primary_person_key", text),
            ("name", text),
            ("opportunity_type", text),
            ("campaign_key", text),
            ("lead_source", text),
            ("loss_reason", text),
            ("competitor", text),
            ("close_date", day),
            ("next_step", text),
            ("mirror_of_key", text),
            ("source_pipeline_id", text),
            ("source_pipeline", text),
        ],
        "opportunity_version": [
            ("record_key", text),
            ("source_system", text),
            ("vendor", text),
            ("source_pipeline_id", text),
            ("source_pipeline", text),
            ("source_stage_id", text),
            ("source_stage", text),
            ("source_is_closed", flag),
            ("source_is_won", flag),
            ("amount_original", money),
            ("currency", text),
            ("expected_close_date", day),
            ("owner_key", text),
            ("probability", real),
            ("forecast_category", text),
            ("valid_from", instant),
            ("valid_to", instant),
            ("history_basis", text),
            ("load_seq", whole),
        ],
        "opportunity_line": common
        + [
            ("opportunity_key", text),
            ("product_key", text),
            ("product_family", text),
            ("product_name", text),
            ("quantity", real),
            ("amount_original", money),
            ("currency", text),
            ("service_start_date", day),
            ("service_end_date", day),
            ("is_recurring", flag),
        ],
        "opportunity_person": common
        + [
            ("opportunity_key", text),
            ("person_key", text),
            ("role", text),
            ("is_primary", flag),
        ],
        "opportunity_split": common
        + [
            ("opportunity_key", text),
            ("user_key", text),
            ("share", real),
        ],
        "product": common
        + [
            ("name", text),
            ("code", text),
            ("family", text),
            ("list_price", money),
            ("currency", text),
            ("is_recurring", flag),
            ("margin_rate", real),
        ],
        "lifecycle_event": [
            ("record_key", text),
            ("source_system", text),
            ("vendor", text),
            ("source_field", text),
            ("source_value", text),
            ("entered_at", instant),
            ("load_seq", whole),
        ],
        "interaction": common
        + [
            ("person_key", text),
            ("account_key", text),
            ("opportunity_key", text),
            ("owner_key", text),
            ("occurred_at", instant),
            ("touch_type", text),
            ("source_channel", text),
            ("direction", text),
            ("outcome", text),
            ("subject", text),
            ("minutes", real),
            ("campaign_key", text),
        ],
        "email_event": common
        + [
            ("person_key", text),
            ("campaign_key", text),
            ("send_key", text),
            ("event", text),
            ("occurred_at", instant),
            ("is_bot", flag),
        ],
        "campaign": common
        + [
            ("name", text),
            ("parent_key", text),
            ("source_channel", text),
            ("campaign_type", text),
            ("status", text),
            ("start_date", day),
            ("end_date", day),
            ("budget", money),
            ("actual_cost", money),
            ("currency", text),
        ],
        "campaign_member": common
        + [
            ("campaign_key", text),
            ("person_key", text),
            ("status", text),
            ("responded_at", instant),
        ],
        "record_link": [
            ("record_key", text),
            ("linked_key", text),
            ("kind", text),
            ("entity_type", text),
            ("source_system", text),
            ("load_seq", whole),
        ],
        "target": [
            ("record_key", text),
            ("source_system", text),
            ("period_start", day),
            ("team", text),
            ("owner_email", text),
            ("amount_original", money),
            ("currency", text),
            ("is_deleted", flag),
            ("load_seq", whole),
        ],
    } -%}
    {%- if entity not in entities -%}
        {{ exceptions.raise_compiler_error("No entity " ~ entity ~ " in CANONICAL") }}
    {%- endif -%}
    {{ return(entities[entity]) }}
{%- endmacro %}
