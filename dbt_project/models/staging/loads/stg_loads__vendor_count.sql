with
    counts as (
        {{
            engine_rows(
                "vendor_count",
                [
                    ("stream", "string"),
                    ("object", "string"),
                    ("live_count", "bigint"),
                    ("status", "string"),
                    ("message", "string"),
                    ("counted_at", "timestamp"),
                ],
            )
        }}
    )

select source_system, vendor, stream, object as source_object, live_count, status, message, counted_at, load_seq
from counts
