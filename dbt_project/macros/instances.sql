{#
  Which tools are connected. The environment variable TSUNAGU_INSTANCES is a JSON list of
  {"name": instance, "vendor": vendor, "staging": folder in models/staging}; settings export it.
#}
{% macro instances(folder=none) -%}
    {%- set found = [] -%}
    {%- for instance in fromjson(env_var("TSUNAGU_INSTANCES", "[]")) -%}
        {%- set staging = instance.get("staging") or instance.get("vendor") or instance["name"] -%}
        {%- if folder is none or staging == folder -%}
            {%- do found.append(
                {
                    "name": instance["name"],
                    "vendor": instance.get("vendor", instance["name"]),
                    "staging": staging,
                }
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}


{# Staging folders with at least one connected instance, in order of first mention. #}
{% macro staging_folders() -%}
    {%- set folders = [] -%}
    {%- for instance in instances() -%}
        {%- if instance["staging"] not in folders -%} {%- do folders.append(instance["staging"]) -%} {%- endif -%}
    {%- endfor -%}
    {{ return(folders) }}
{%- endmacro %}


{# For `config(enabled=connected('folder'))`: a staging model exists only while a tool of its vendor is connected. #}
{% macro connected(folder) -%} {{ return(instances(folder) | length > 0) }} {%- endmacro %}
