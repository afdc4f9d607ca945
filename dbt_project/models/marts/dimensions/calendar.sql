-- One row per day of the company's calendar.
with
    days as (
        {{ date_spine("cast('" ~ var("calendar_start") ~ "' as date)", "cast('" ~ var("calendar_end") ~ "' as date)") }}
    ),
    fiscal as (
        select
            day_date,
            cast(
                {{ dbt.dateadd("month", -(var("fiscal_year_start_month") | int - 1), "day_date") }} as date
            ) as shifted_date
        from days
    )

select
    fiscal.day_date,
    cast(date_trunc('week', fiscal.day_date) as date) as week_start,
    cast(date_trunc('month', fiscal.day_date) as date) as month_start,
    cast(date_trunc('quarter', fiscal.day_date) as date) as quarter_start,
    cast(extract(year from fiscal.day_date) as bigint) as calendar_year,
    cast(extract(year from fiscal.shifted_date) as bigint) as fiscal_year,
    cast(
        {{ dbt.dateadd("month", var("fiscal_year_start_month") | int - 1, "date_trunc('year', fiscal.shifted_date)") }}
        as date
    ) as fiscal_year_start,
    cast(
        {{
            dbt.dateadd(
                "month",
                "case when extract(month from fiscal.shifted_date) > 6 then "
                ~ (var("fiscal_year_start_month") | int + 5)
                ~ " else "
                ~ (var("fiscal_year_start_month") | int - 1)
                ~ " end",
                "date_trunc('year', fiscal.shifted_date)",
            )
        }} as date
    ) as fiscal_half_start,
    cast(
        {{
            dbt.dateadd(
                "month", var("fiscal_year_start_month") | int - 1, "date_trunc('quarter', fiscal.shifted_date)"
            )
        }} as date
    ) as fiscal_quarter_start,
    cast(extract(quarter from fiscal.shifted_date) as bigint) as fiscal_quarter,
    cast(
        1 + {{ dbt.datediff("cast(date_trunc('week', fiscal.day_date) as date)", "fiscal.day_date", "day") }} as bigint
    ) as weekday,
    {{ dbt.datediff("cast(date_trunc('week', fiscal.day_date) as date)", "fiscal.day_date", "day") }}
    >= 5 as is_weekend,
    holidays.holiday_name is not null as is_holiday,
    holidays.holiday_name,
    holidays.holiday_name is null
    and {{ dbt.datediff("cast(date_trunc('week', fiscal.day_date) as date)", "fiscal.day_date", "day") }}
    < 5 as is_business_day
from fiscal
left join {{ ref("holidays") }} as holidays on fiscal.day_date = holidays.holiday_date
