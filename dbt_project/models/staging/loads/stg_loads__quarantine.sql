with
    rejected as (
        {{
            engine_rows(
                "quarantine",
                [
                    ("stream", "string"),
                    ("source_key", "string"),
                    ("file", "string"),
                    ("line", "bigint"),
                    ("column_name", "string"),
                    ("value", "string"),
                    ("reason", "string"),
                    ("found_at", "timestamp"),
                ],
            )
        }}
    )

select source_system, vendor, stream, source_key, reason, found_at, file, line, column_name, value, load_seq
from rejected
