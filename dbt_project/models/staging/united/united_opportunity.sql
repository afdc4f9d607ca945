{{ union_staging("opportunity") }}
