{#
  The maps that a company may lay its own rows over: columns with types, and the columns by which an own row replaces a
  shipped one. A new column of a seed is named here too (a test compares the two).
#}
{% macro map_definition(name) -%}
    {%- set definitions = {
        "stages": {
            "keys": ["entity", "stage"],
            "columns": {
                "entity": "string",
                "stage": "string",
                "stage_order": "bigint",
                "is_closed": "boolean",
                "is_won": "boolean",
                "label_en": "string",
                "label_ja": "string",
                "exit_criterion": "string",
            },
        },
        "stage_map": {
            "keys": ["source_system", "pipeline", "source_stage", "valid_from"],
            "columns": {
                "source_system": "string",
                "pipeline": "string",
                "source_stage": "string",
                "stage": "string",
                "valid_from": "date",
            },
        },
        "pipelines": {
            "keys": ["pipeline"],
            "columns": {
                "pipeline": "string",
                "label_en": "string",
                "label_ja": "string",
                "is_new_business": "boolean",
            },
        },
        "pipeline_map": {
            "keys": ["source_system", "source_pipeline"],
            "columns": {
                "source_system": "string",
                "source_pipeline": "string",
                "pipeline": "string",
            },
        },
        "lifecycle_authority": {
            "keys": ["source_system", "source_field", "source_value"],
            "columns": {
                "source_system": "string",
                "source_field": "string",
                "source_value": "string",
                "stage": "string",
                "rank": "bigint",
            },
        },
        "channels": {
            "keys": ["source_system", "source_value"],
            "columns": {
                "source_system": "string",
                "source_value": "string",
                "channel": "string",
                "is_marketing": "boolean",
            },
        },
        "product_map": {
            "keys": ["source_system", "source_product"],
            "columns": {
                "source_system": "string",
                "source_product": "string",
                "product_family": "string",
                "margin_rate": "double",
                "is_recurring": "boolean",
            },
        },
        "engagement_weights": {
            "keys": ["touch_type", "direction"],
            "columns": {
                "touch_type": "string",
                "direction": "string",
                "weight": "double",
            },
        },
        "segments": {
            "keys": ["segment"],
            "columns": {
                "segment": "string",
                "priority": "bigint",
                "industry": "string",
                "min_employee_count": "bigint",
                "max_employee_count": "bigint",
                "min_won_amount": "double",
            },
        },
        "key_accounts": {
            "keys": ["source_system", "source_object", "source_id", "domain"],
            "columns": {
                "source_system": "string",
                "source_object": "string",
                "source_id": "string",
                "domain": "string",
                "note": "string",
            },
        },
        "system_of_record": {
            "keys": ["entity_type", "source_system"],
            "columns": {
                "entity_type": "string",
                "source_system": "string",
                "mirrors_source_system": "string",
                "rank": "bigint",
            },
        },
        "field_map": {
            "keys": ["source_system", "source_object", "source_field"],
            "columns": {
                "source_system": "string",
                "source_object": "string",
                "source_field": "string",
                "canonical_column": "string",
            },
        },
        "identity_overrides": {
            "keys": [
                "entity_type",
                "source_system",
                "source_object",
                "source_id",
                "other_system",
                "other_object",
                "other_id",
            ],
            "columns": {
                "entity_type": "string",
                "source_system": "string",
                "source_object": "string",
                "source_id": "string",
                "other_system": "string",
                "other_object": "string",
                "other_id": "string",
                "decision": "string",
                "note": "string",
            },
        },
        "budget_rates": {
            "keys": ["fiscal_year", "from_currency", "to_currency"],
            "columns": {
                "fiscal_year": "bigint",
                "from_currency": "string",
                "to_currency": "string",
                "rate": "double",
            },
        },
        "fx_rates": {
            "keys": ["rate_date", "from_currency", "to_currency"],
            "columns": {
                "rate_date": "date",
                "from_currency": "string",
                "to_currency": "string",
                "rate": "double",
            },
        },
        "teams": {
            "keys": ["team"],
            "columns": {
                "team": "string",
                "department": "string",
                "department_label": "string",
                "is_key_account_team": "boolean",
            },
        },
        "targets": {
            "keys": ["period_start", "team", "owner_email"],
            "columns": {
                "period_start": "date",
                "team": "string",
                "owner_email": "string",
                "amount": "decimal(18,2)",
                "currency": "string",
            },
        },
    } -%}
    {{ return(definitions.get(name)) }}
{%- endmacro %}
