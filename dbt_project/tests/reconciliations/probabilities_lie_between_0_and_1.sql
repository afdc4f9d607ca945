-- A probability of 0 to 100 makes a forecast a hundred times too large.
select opportunity_id, probability from {{ ref("opportunities") }} where probability < 0 or probability > 1
