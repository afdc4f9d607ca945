{{ union_staging("opportunity_version") }}
