{#
  The rows of a map: the shipped seed with the company's own rows laid over it by key. The company's rows (home,
  `maps/<name>.csv`) are read into the ledger as versions, so that they obey as-of like every load; a row whose columns
  other than the key are all empty takes the shipped row away.
#}
{% macro map_rows(name) -%} select * from {{ ref(name) }} {%- endmacro %}
