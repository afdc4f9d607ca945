-- The header's amount rules: lines and what none of them holds are the deal's amount, which is nothing where it is
-- unknown.
with lines as (select opportunity_id, sum(amount) as amount from {{ ref("opportunity_lines") }} group by opportunity_id)

select deals.opportunity_id, deals.amount, lines.amount as line_amount
from {{ ref("opportunities") }} as deals
left join lines on deals.opportunity_id = lines.opportunity_id
where coalesce(deals.amount, 0) <> coalesce(lines.amount, 0)
