{#
  Which tools are connected. The environment variable TSUNAGU_INSTANCES is a JSON list of
  {"name": instance, "vendor": vendor, "staging": folder in models/staging}; settings export it.
#}
{% macro instances(folder=none) -%}
    {%- set found = [] -%}
    {%- for instance in fromjson(env_var('TSUNAGU_INSTANCES', '[]')) -%}
        {%- set staging = instance.get('staging') or instance.get('vendor') or instance['name'] -%}
        {%- if folder is none or staging == folder -%}
            {%- do found.append(
                {
                    'name': instance['name'],
                    'vendor': instance.get('vendor', instance['name']),
                    'staging': staging,
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
        {%- if instance['staging'] not in folders -%} {%- do folders.append(instance['staging']) -%} {%- endif -%}
    {%- endfor -%}
    {{ return(folders) }}
{%- endmacro %}


{# For `config(enabled=connected('folder'))`: a staging model exists only while a tool of its vendor is connected. #}
{% macro connected(folder) -%} {{ return(instances(folder) | length > 0) }} {%- endmacro %}


{#
  The entities that a staging folder feeds: its own macro `<folder>_entities()`, kept in the folder
  (`models/staging/<folder>/<folder>_entities.sql`). So a new vendor needs no list anywhere else.
#}
{% macro staging_entities(folder) -%}
    {%- set listing = context.get(folder ~ '_entities') -%}
    {%- if listing is none or listing is undefined -%}
        {{ exceptions.raise_compiler_error(
            "models/staging/" ~ folder ~ " has no macro " ~ folder ~ "_entities(): add the file " ~ folder
            ~ "_entities.sql there, returning the list of entities for which it has a model stg_" ~ folder ~ "__<entity>."
        ) }}
    {%- endif -%}
    {{ return(listing()) }}
{%- endmacro %}
