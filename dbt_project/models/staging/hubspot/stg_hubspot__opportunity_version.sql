{{ config(enabled=connected("hubspot")) }}

-- The history of deals: what every property was from an instant on, by propertiesWithHistory of all loaded versions. A
-- deal that came without history has the values of its loaded versions, the first since it was created.
-- https://developers.hubspot.com/docs/api-reference/crm-deals-v3/guide
{% set properties = [
    "dealstage",
    "pipeline",
    "amount",
    "deal_currency_code",
    "closedate",
    "hubspot_owner_id",
    "hs_deal_stage_probability",
    "hs_manual_forecast_category",
] %}
{% set touched_deals = [
    touched("hubspot", "deals", "id"),
    touched("hubspot", "deals", "hs_merged_object_ids", ";"),
    touched_by_lookup("hubspot", "pipelines", "deals"),
    touched_by_lookup("hubspot", "account_info", "deals"),
] %}

with
    touched_deals as ({{ touched_deals | join(" union ") }}),

    deals as (
        {{
            latest(
                "hubspot",
                "deals",
                ["createdate", "deal_currency_code"],
                cursor="hs_lastmodifieddate",
                flag="archived",
                also_touched=["select * from touched_deals"],
            )
        }}
    ),

    loaded_versions as (
        select
            every_version.*,
            {{ json_text("properties_with_history", "$.dealstage") }} is not null as has_history,
            {{ to_utc_timestamp("createdate") }} as made_at,
            row_number() over (partition by source_system, id order by stamp, load_seq, _seq) as version_number
        from
            (
                {{
                    versions(
                        "hubspot",
                        "deals",
                        properties + ["createdate", "properties_with_history"],
                        cursor="hs_lastmodifieddate",
                        flag="archived",
                        also_touched=["select * from touched_deals"],
                    )
                }}
            ) as every_version
    ),

    {% for property in properties %}
        {{ property }}_histories as (
            select source_system, id, {{ json_text("properties_with_history", "$." ~ property) }} as entries
            from loaded_versions
            where has_history
        ),

        {{ property }}_entries as (
            {{ explode_json_list(property ~ "_histories", "entries", ["source_system", "id"]) }}
        ),
    {% endfor %}

    -- An emptied property has the value ''.
    given_entries as (
        {% for property in properties %}
            select distinct
                source_system,
                id,
                '{{ property }}' as property,
                coalesce({{ json_text("item", "$.value") }}, '') as value,
                {{ to_utc_timestamp(json_text("item", "$.timestamp")) }} as at_instant,
                'vendor' as basis
            from {{ property }}_entries
            union all
        {% endfor %}
        {% for property in properties %}
            select
                source_system,
                id,
                '{{ property }}' as property,
                {% if property == "closedate" %}
                    coalesce(cast({{ to_utc_timestamp(property) }} as string) || 'Z', '') as value,
                {% else %} coalesce(cast({{ property }} as string), '') as value,
                {% endif %}
                case when version_number = 1 then made_at else stamp end as at_instant,
                case when version_number = 1 then 'assumed' else 'observed' end as basis
            from loaded_versions
            where
                not exists (
                    select 1
                    from loaded_versions as others
                    where
                        others.source_system = loaded_versions.source_system
                        and others.id = loaded_versions.id
                        and others.has_history
                )
                {{ 'union all' if not loop.last }}
        {% endfor %}
    ),

    first_stages as (
        select source_system, id, min(at_instant) as first_at
        from given_entries
        where property = 'dealstage' and value <> ''
        group by source_system, id
    ),

    -- What was set in the moments before the stage, while the deal was made, belongs to its first version.
    entries as (
        select
            given_entries.source_system,
            given_entries.id,
            given_entries.property,
            given_entries.value,
            given_entries.basis,
            greatest(given_entries.at_instant, first_stages.first_at) as at_instant
        from given_entries
        inner join
            first_stages
            on given_entries.source_system = first_stages.source_system
            and given_entries.id = first_stages.id
        qualify
            row_number() over (
                partition by
                    given_entries.source_system,
                    given_entries.id,
                    given_entries.property,
                    greatest(given_entries.at_instant, first_stages.first_at)
                order by given_entries.at_instant desc, given_entries.value desc
            )
            = 1
    ),

    instants as (
        select
            source_system,
            id,
            at_instant,
            {% for property in properties %}
                max(case when property = '{{ property }}' then value end) as {{ property }},
            {% endfor %}
            max(basis) as basis
        from entries
        group by source_system, id, at_instant
    ),

    filled as (
        select
            source_system,
            id,
            at_instant,
            basis,
            {% for property in properties %}
                nullif({{ last_known(property, "source_system, id", "at_instant") }}, '') as {{ property }},
            {% endfor %}
            lead(at_instant) over (partition by source_system, id order by at_instant) as next_instant
        from instants
    )

select
    {{ record_key("filled.source_system", "'deals'", "filled.id") }} as record_key,
    filled.source_system,
    deals.vendor,
    filled.pipeline as source_pipeline_id,
    stages.pipeline_label as source_pipeline,
    filled.dealstage as source_stage_id,
    coalesce(stages.stage_label, filled.dealstage) as source_stage,
    stages.is_closed as source_is_closed,
    stages.is_won as source_is_won,
    try_cast(filled.amount as decimal(18, 4)) as amount_original,
    coalesce(
        filled.deal_currency_code, deals.deal_currency_code, portals.company_currency, '{{ var("default_currency") }}'
    ) as currency,
    {{ local_date(instant_of_text("filled.closedate")) }} as expected_close_date,
    {{ record_key("filled.source_system", "'owners'", "filled.hubspot_owner_id") }} as owner_key,
    try_cast(filled.hs_deal_stage_probability as double) as probability,
    case
        upper(filled.hs_manual_forecast_category)
        when 'PIPELINE'
        then 'pipeline'
        when 'BEST_CASE'
        then 'best_case'
        when 'COMMIT'
        then 'commit'
        when 'CLOSED'
        then 'closed'
        when 'OMIT'
        then 'omitted'
    end as forecast_category,
    filled.at_instant as valid_from,
    case
        when filled.next_instant is null and (deals.is_gone or coalesce(deals.archived, false))
        then coalesce(deals.gone_at, deals.stamp)
        else filled.next_instant
    end as valid_to,
    filled.basis as history_basis,
    deals.load_seq
from filled
inner join deals on filled.source_system = deals.source_system and filled.id = deals.id
left join
    {{ ref("stg_hubspot__stage") }} as stages
    on filled.source_system = stages.source_system
    and filled.dealstage = stages.stage_id
    and filled.pipeline = stages.pipeline_id
left join {{ ref("stg_hubspot__portal") }} as portals on filled.source_system = portals.source_system
