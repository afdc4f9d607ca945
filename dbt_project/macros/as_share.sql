{#
  A share within 0..1. Staging converts the vendor's scale (it knows it); what still lies outside is no probability and
  becomes NULL: shown as 20 it would make a forecast a hundred times too large.
#}
{% macro as_share(expression) -%} case when {{ expression }} between 0 and 1 then {{ expression }} end {%- endmacro %}
