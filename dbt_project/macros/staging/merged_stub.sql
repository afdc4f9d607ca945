{#
  A record of which nothing is known but that it was merged away: its key, flagged, with the key of the survivor. So that
  what still names it finds its way. `merges` is a CTE or relation with source_system, loser_id, winner_id and load_seq.
  Columns of the entity beside the common ones are NULL.
#}
{% macro merged_stub(entity, object, vendor, merges) -%}
    {%- set given = {
        "record_key": key_of(object, "loser_id"),
        "source_system": "source_system",
        "vendor": "'" ~ vendor ~ "'",
        "source_object": "'" ~ object ~ "'",
        "source_id": "loser_id",
        "is_deleted": "true",
        "merged_into_key": key_of(object, "winner_id"),
        "extra_columns": "'{}'",
        "load_seq": "load_seq",
    } -%}
    select
        {%- for name, type in entity_columns(entity) %}
            {{ given.get(name, "cast(null as " ~ type ~ ")") }} as {{ name }} {{- ',' if not loop.last }}
        {%- endfor %}
    from {{ merges }}
{%- endmacro %}
