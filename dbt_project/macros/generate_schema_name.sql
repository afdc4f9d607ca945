{#
  Schemas are named by what they hold (staging, canonical, marts …), not prefixed by the target: published SQL and
  semantic queries carry these names.
#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{- (custom_schema_name or target.schema) | trim -}}
{%- endmacro %}
