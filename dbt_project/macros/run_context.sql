{#
  What this run may see: `run.context` has one row (as_of, since_seq, through_seq). Loads with
  since_seq < seq <= through_seq are new; since_seq 0 means everything. Orchestration writes the row itself and says so
  by TSUNAGU_RUN_CONTEXT=given; a bare `dbt build` computes it here. No clock: without a wanted instant (environment
  variable TSUNAGU_AS_OF) as-of is the newest committed_at in the ledger.
#}
{% macro prepare_run() -%}
    {%- if execute and flags.WHICH in ("build", "run", "test", "seed", "compile", "show") -%}
        {%- do run_query("create schema if not exists run") -%}
        {%- do run_query(
            "create table if not exists run.context (as_of timestamp, since_seq bigint, through_seq bigint)"
        ) -%}
        {%- do run_query(
            "create table if not exists run.built (through_seq bigint, as_of timestamp, fingerprint string)"
        ) -%}
        {%- if env_var("TSUNAGU_RUN_CONTEXT", "") != "given" and flags.WHICH in ("build", "run") -%}
            {%- do write_run_context() -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{% macro write_run_context() -%}
    {%- set wanted = env_var("TSUNAGU_AS_OF", "") -%}
    {%- set limit = "where committed_at <= cast('" ~ wanted ~ "' as timestamptz)" if wanted else "" -%}
    {%- set seen = run_query(
        "select coalesce(max(seq), 0), cast(max("
        ~ to_utc_timestamp("committed_at")
        ~ ") as string) from "
        ~ ledger("loads")
        ~ " "
        ~ limit
    ) -%}
    {%- set through_seq = seen.columns[0].values()[0] -%}
    {%- set newest = seen.columns[1].values()[0] -%}
    {%- set as_of = (
        to_utc_timestamp("'" ~ wanted ~ "'")
        if wanted
        else "cast('" ~ (newest or "1970-01-01") ~ "' as timestamp)"
    ) -%}
    {%- do run_query("delete from run.context") -%}
    {%- do run_query("insert into run.context select " ~ as_of ~ ", 0, " ~ through_seq) -%}
    {%- if not flags.FULL_REFRESH -%}
        {%- do run_query("update run.context set since_seq = " ~ since_last_build(through_seq)) -%}
    {%- endif -%}
{%- endmacro %}


{#
  The last load that every canonical table holds, or 0 when they must be made anew: another code or map version, another
  set of instances, or a table that is not there. Going back in time needs --full-refresh, because tables that already
  hold later loads cannot forget them.
#}
{% macro since_last_build(through_seq) -%}
    {%- set built = run_query("select through_seq, fingerprint from run.built order by through_seq desc limit 1") -%}
    {%- if built.rows | length == 0 -%} {{ return(0) }} {%- endif -%}
    {%- if built.columns[0].values()[0] > through_seq -%}
        {{
            exceptions.raise_compiler_error(
                "The models hold loads up to "
                ~ built.columns[0].values()[0]
                ~ ", the wanted as-of ends at load "
                ~ through_seq
                ~ ": add --full-refresh, or build the past day into another file (TSUNAGU_MODELS_PATH)."
            )
        }}
    {%- endif -%}
    {%- if built.columns[1].values()[0] != models_fingerprint() -%} {{ return(0) }} {%- endif -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.config.materialized == 'incremental' -%}
        {%- if adapter.get_relation(node.database, node.schema, node.alias) is none -%} {{ return(0) }} {%- endif -%}
    {%- endfor -%}
    {{ return(built.columns[0].values()[0]) }}
{%- endmacro %}


{# Changes whenever rows already in canonical could come out differently: models, seeds, company maps, instances, vars. #}
{% macro models_fingerprint() -%}
    {%- set parts = [env_var("TSUNAGU_INSTANCES", "[]"), var("timezone"), var("default_currency"), maps_version()] -%}
    {%- for node in graph.nodes.values() -%}
        {%- if node.resource_type == "seed" or (
            node.resource_type == "model" and node.fqn[1] in ("staging", "canonical", "maps")
        ) -%}
            {%- do parts.append(node.unique_id ~ "=" ~ node.checksum.checksum) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(local_md5(parts | sort | join("\n"))) }}
{%- endmacro %}


{# Moves run.built forward when the whole canonical layer succeeded in this (bare) run. #}
{% macro finish_run(results) -%}
    {%- if execute and flags.WHICH in ("build", "run") and env_var("TSUNAGU_RUN_CONTEXT", "") != "given" -%}
        {%- set wanted = [] -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.fqn[1] == 'canonical' -%}
            {%- do wanted.append(node.unique_id) -%}
        {%- endfor -%}
        {%- set done = [] -%}
        {%- for result in results if result.status == 'success' and result.node.unique_id in wanted -%}
            {%- do done.append(result.node.unique_id) -%}
        {%- endfor -%}
        {%- if wanted | length > 0 and done | length == wanted | length -%}
            {%- do run_query("delete from run.built") -%}
            {%- do run_query(
                "insert into run.built select through_seq, as_of, '"
                ~ models_fingerprint()
                ~ "' from run.context"
            ) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{# The instant that every rule takes for "now". Marts and work only: a model that reads it is rebuilt when it moves. #}
{% macro as_of() -%} (select as_of from {{ source("run", "context") }}) {%- endmacro %}


{#
  The day of as-of in the company's zone. For rules that need no more: a model that asks for the day is rebuilt once a
  day, one that asks for the instant after every load.
#}
{% macro as_of_date() -%} {{ local_date(as_of()) }} {%- endmacro %}


{# Loads up to this one are visible. #}
{% macro through_seq() -%} (select through_seq from {{ source("run", "context") }}) {%- endmacro %}


{# Loads up to this one are in canonical already. #}
{% macro since_seq() -%}(select since_seq from {{ source("run", "context") }}) {%- endmacro %}


{# A table of the ledgers in the precious file. #}
{% macro ledger(table) -%} {{ source("ledger", table) }} {%- endmacro %}


{#
  Hook before a canonical table whose rows belong to records of these entities: what it holds of the records that the new
  loads changed goes, because of one that has no row any more (a link taken back) staging says nothing. The same
  transaction brings the others anew.
#}
{% macro forget_changed(entities) -%}
    {%- set parents = [] -%}
    {%- for entity in entities -%} {%- do parents.append(ref("canonical_" ~ entity)) -%} {%- endfor -%}
    {%- if execute and is_incremental() -%}
        delete from {{ this }}
        where
            record_key in (
                {%- for parent in parents %}
                    select record_key
                    from {{ parent }}
                    where load_seq > {{ since_seq() }} {{- ' union all' if not loop.last }}
                {%- endfor %}
            )
    {%- endif -%}
{%- endmacro %}


{# Before an incremental table takes in a run that reads every load: what it held is forgotten, in the same transaction. #}
{% macro empty_when_rebuilding() -%}
    {%- if execute and model.config.materialized == "incremental" and is_incremental() -%}
        delete from {{ this }} where {{ since_seq() }} = 0
    {%- endif -%}
{%- endmacro %}
