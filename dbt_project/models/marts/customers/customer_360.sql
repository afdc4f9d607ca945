-- One row per account: everything that is known of it at as-of.
with
    today as (select {{ as_of() }} as as_of_at, {{ as_of_date() }} as as_of_date),
    deals as (
        select
            account_id,
            count(*) filter (where not is_closed) as open_opportunity_count,
            {{ amount_sum("case when not is_closed then amount end") }} as open_pipeline_amount,
            count(*) filter (where is_won) as won_count,
            {{ amount_sum("case when is_won then amount end") }} as won_amount,
            min(case when is_won then coalesce(closed_at, {{ start_of_day("close_date") }}) end) as first_won_at,
            max(case when is_won then coalesce(closed_at, {{ start_of_day("close_date") }}) end) as last_won_at
        from {{ ref("opportunities") }}
        where account_id is not null
        group by account_id
    ),
    -- What lies ahead of recurring lines already sold is not historical value yet: the days of service after as-of, as
    -- a share of all its days; each line rounded once.
    unearned as (
        select
            deals.account_id,
            sum(
                cast(
                    lines.amount * cast(
                        {{
                            days_between(
                                "greatest(today.as_of_date, cast("
                                ~ dbt.dateadd("day", -1, "lines.service_start_date")
                                ~ " as date))",
                                "lines.service_end_date",
                            )
                        }} as double
                    )
                    / ({{ days_between("lines.service_start_date", "lines.service_end_date") }} + 1) as decimal(18, 2)
                )
            ) as unearned_amount
        from {{ ref("opportunities") }} as deals
        cross join today
        inner join {{ ref("opportunity_lines") }} as lines on deals.opportunity_id = lines.opportunity_id
        where
            deals.is_won
            and lines.is_recurring
            and lines.service_end_date > today.as_of_date
            and lines.service_end_date >= lines.service_start_date
        group by deals.account_id
    ),
    products as (
        select account_id, count(*) as product_count
        from {{ ref("account_products") }}
        where product_family <> 'none'
        group by account_id
    ),
    people as (
        select
            people.account_id,
            count(*) as people_count,
            count(people.mql_at) as mql_count,
            max(coalesce(stages.stage_order, 0)) as furthest_order,
            min(case when people.lifecycle_stage <> 'disqualified' then 0 else 1 end) = 1 as is_disqualified
        from {{ ref("person_360") }} as people
        left join
            {{ ref("funnel_stages") }} as stages
            on stages.entity_type = 'person'
            and people.lifecycle_stage = stages.stage
        where people.account_id is not null
        group by people.account_id
    ),
    past_touches as (
        select
            touches.account_id,
            touches.touchpoint_id,
            touches.occurred_at,
            touches.channel,
            touches.touch_type,
            touches.direction,
            {{ elapsed_days("touches.occurred_at", "today.as_of_at") }} as age_days
        from {{ ref("touchpoints") }} as touches
        cross join today
        where touches.account_id is not null and touches.occurred_at <= today.as_of_at
    ),
    -- A task or a note of our own is an activity, and no touch of the customer.
    first_touches as (
        select account_id, occurred_at, channel
        from past_touches
        where direction is distinct from 'internal'
        qualify row_number() over (partition by account_id order by occurred_at, touchpoint_id) = 1
    ),
    last_touches as (
        select account_id, max(occurred_at) as occurred_at
        from past_touches
        where direction is distinct from 'internal'
        group by account_id
    ),
    last_activities as (
        select account_id, occurred_at, touch_type
        from past_touches
        qualify row_number() over (partition by account_id order by occurred_at desc, touchpoint_id) = 1
    ),
    engagement_weights as ({{ map_rows("engagement_weights") }}),
    engagement as (
        select
            touches.account_id,
            sum(
                coalesce(exact_weights.weight, general_weights.weight, 0)
                * power(cast(2 as double), - touches.age_days / {{ var("engagement_half_life_days") }})
            ) as engagement_score
        from past_touches as touches
        left join
            engagement_weights as exact_weights
            on touches.touch_type = exact_weights.touch_type
            and touches.direction = exact_weights.direction
        left join
            engagement_weights as general_weights
            on touches.touch_type = general_weights.touch_type
            and general_weights.direction = '*'
        where touches.age_days < {{ var("engagement_days") }}
        group by touches.account_id
    ),
    person_stages as (select stage, stage_order from {{ ref("funnel_stages") }} where entity_type = 'person'),
    -- A won deal makes a customer, an open one at least an account that sales works on.
    lifecycles as (
        select
            accounts.account_id,
            max(
                case
                    when deals.won_count > 0 and person_stages.stage = 'customer'
                    then person_stages.stage_order
                    when deals.open_opportunity_count > 0 and person_stages.stage = 'sql'
                    then person_stages.stage_order
                    when person_stages.stage_order = people.furthest_order
                    then person_stages.stage_order
                    when person_stages.stage = 'lead' and not coalesce(people.is_disqualified, false)
                    then person_stages.stage_order
                    else 0
                end
            ) as stage_order
        from {{ ref("account_attributes") }} as accounts
        left join deals on accounts.account_id = deals.account_id
        left join people on accounts.account_id = people.account_id
        cross join person_stages
        group by accounts.account_id
    )

select
    accounts.account_id,
    accounts.account_name,
    accounts.corporate_number,
    accounts.domain,
    accounts.industry,
    accounts.employee_count,
    accounts.country,
    accounts.region,
    accounts.parent_account_id,
    accounts.owner_id,
    owners.owner_name,
    person_stages.stage as lifecycle_stage,
    accounts.segment,
    first_touches.occurred_at as first_touch_at,
    coalesce(first_touches.channel, 'none') as first_touch_channel,
    last_touches.occurred_at as last_touch_at,
    cast(coalesce(people.people_count, 0) as bigint) as people_count,
    cast(coalesce(people.mql_count, 0) as bigint) as mql_count,
    cast(coalesce(deals.open_opportunity_count, 0) as bigint) as open_opportunity_count,
    coalesce(deals.open_pipeline_amount, cast(0 as decimal(18, 2))) as open_pipeline_amount,
    -- The win model comes later.
    cast(null as decimal(18, 2)) as weighted_pipeline_amount,
    cast(coalesce(deals.won_count, 0) as bigint) as won_count,
    coalesce(deals.won_amount, cast(0 as decimal(18, 2))) as won_amount,
    deals.first_won_at,
    deals.last_won_at,
    cast(
        coalesce(deals.won_amount, 0) - coalesce(unearned.unearned_amount, 0) as decimal(18, 2)
    ) as historical_value_amount,
    -- Expected value needs the churn of segments, which comes with revenue.
    cast(null as decimal(18, 2)) as expected_value_amount,
    cast(null as decimal(18, 2)) as lifetime_value_amount,
    cast(deals.won_amount / nullif(deals.won_count, 0) as decimal(18, 2)) as average_order_amount,
    cast(
        {{ days_between(local_date("last_activities.occurred_at"), "today.as_of_date") }} as bigint
    ) as days_since_last_activity,
    last_activities.touch_type as last_activity_type,
    cast(coalesce(products.product_count, 0) as bigint) as product_count,
    cast(null as string) as next_best_product,
    -- Rounded, because a sum of doubles depends on its order in the last digits.
    cast(round(coalesce(engagement.engagement_score, 0), 4) as double) as engagement_score,
    accounts.is_key_account,
    accounts.source_systems,
    cast(accounts.source_record_count as bigint) as source_record_count
from {{ ref("account_attributes") }} as accounts
cross join today
left join {{ ref("owners") }} as owners on accounts.owner_id = owners.owner_id
left join deals on accounts.account_id = deals.account_id
left join unearned on accounts.account_id = unearned.account_id
left join products on accounts.account_id = products.account_id
left join people on accounts.account_id = people.account_id
left join lifecycles on accounts.account_id = lifecycles.account_id
left join person_stages on lifecycles.stage_order = person_stages.stage_order
left join first_touches on accounts.account_id = first_touches.account_id
left join last_touches on accounts.account_id = last_touches.account_id
left join last_activities on accounts.account_id = last_activities.account_id
left join engagement on accounts.account_id = engagement.account_id
