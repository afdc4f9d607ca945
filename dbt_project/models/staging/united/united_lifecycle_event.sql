{{ union_staging("lifecycle_event") }}
