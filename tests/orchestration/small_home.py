"""A home over a dbt project of a few models, so that building and publishing are tested in seconds.

Raw tables and ledgers are real; the vendor is made up. Used by tests only.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from orchestration.settings import Instance, Settings
from orchestration.warehouse import Load, migrate, stamp_load

MONDAY = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
COMMON = (
    "record_key, source_system, vendor, source_object, source_id, created_at, updated_at, is_deleted, "
    "merged_into_key, load_seq"
)

FILES = {
    "dbt_project.yml": """
name: tsunagu
version: "1.0.0"
profile: tsunagu
on-run-start: ["{{ fail_when_asked() }}"]
models:
  tsunagu:
    +persist_docs: {relation: true, columns: true}
    staging: {+materialized: view, +schema: staging}
    canonical: {+materialized: incremental, +incremental_strategy: delete+insert, +unique_key: record_key, +schema: canonical}
    marts: {+materialized: table, +schema: marts}
seeds: {tsunagu: {+schema: maps}}
""",
    "profiles.yml": """
tsunagu:
  target: local
  outputs:
    local:
      type: duckdb
      path: "{{ env_var('TSUNAGU_MODELS_PATH') }}"
      schema: main
      threads: 2
      keep_open: false
      attach: [{path: "{{ env_var('TSUNAGU_RAW_PATH') }}", alias: raw, read_only: true}]
""",
    "macros/all.sql": """
{% macro generate_schema_name(name, node) %}{{ name or target.schema }}{% endmacro %}
{% macro as_of() %}(select as_of from {{ source('run', 'context') }}){% endmacro %}
{% macro fail_when_asked() %}{% endmacro %}
{% macro words() %}{% if execute %}{% for node in graph.nodes.values() if node.name == 'customers' %}
  {{ dbt.string_literal(dbt.escape_single_quotes(node.description)) }}{% endfor %}{% else %}''{% endif %}{% endmacro %}
{% macro empty_when_rebuilding() %}
  {% if execute and is_incremental() %}delete from {{ this }} where (select since_seq from {{ source('run', 'context') }}) = 0{% endif %}
{% endmacro %}
""",
    "seeds/regions.csv": "region,label\nkanto,Kanto\nkansai,Kansai\n",
    "models/sources.yml": """
version: 2
sources:
  - {name: shop, database: raw, schema: raw_shop, tables: [{name: account}, {name: person}]}
  - {name: ledger, database: raw, schema: ledger, tables: [{name: loads}, {name: identity_history}]}
  - {name: engine, database: raw, schema: raw_engine, tables: [{name: vendor_count}]}
  - {name: run, schema: run, tables: [{name: context}]}
  - {name: identity, schema: identity, tables: [{name: clusters}]}
""",
    "models/marts/marts.yml": """
version: 2
models:
  - name: customers
    description: "One row per customer; it's the one to read."
    columns:
      - {name: account_id, description: "Id of the customer.", data_tests: [not_null, unique]}
      - name: account_name
        data_tests:
          - not_null: {config: {severity: warn}, description: "every customer has a name"}
          - accepted_values:
              arguments: {values: ['forbidden']}
              config: {where: "account_name = 'broken'"}
              description: "no customer is called broken"
  - {name: ages, description: Age of each person's record at as-of.}
""",
    "models/marts/customers.sql": """
select c.entity_id as account_id, max(a.name) as account_name, count(*) as records, max(a.load_seq) as marker
from {{ ref('canonical_account') }} a join {{ source('identity', 'clusters') }} c using (record_key) group by 1
""",
    "models/marts/ages.sql": """
select record_key, date_diff('day', created_at, {{ as_of() }}) as age_days from {{ ref('canonical_person') }}
""",
    "models/marts/regions_known.sql": "select region, label from {{ ref('regions') }}",
    "models/marts/words.sql": "select {{ words() }} as words",
    "models/marts/marker.sql": "select max(load_seq) as marker from {{ ref('canonical_account') }}",
    "models/marts/data_health.sql": """
select 'rows' as check_name, 'shop' as source_system, 'ok' as status, 'warn' as severity,
  count(*)::double as measured_value, null::double as expected_value, '' as details, {{ as_of() }} as checked_at
from {{ ref('canonical_account') }}
""",
}
STAGING = """
select md5('{object}|' || log.id) as record_key, 'shop' as source_system, 'shop' as vendor, '{object}' as source_object,
  log.id as source_id, log.created_at::timestamp as created_at, null::timestamp as updated_at, false as is_deleted,
  null::varchar as merged_into_key, loads.seq as load_seq, {columns}
from {{{{ source('shop', '{object}') }}}} log join {{{{ source('ledger', 'loads') }}}} loads on loads.load_id = log._dlt_load_id
where loads.seq > (select since_seq from {{{{ source('run', 'context') }}}})
  and loads.seq <= (select through_seq from {{{{ source('run', 'context') }}}})
qualify row_number() over (partition by log.id order by loads.seq desc) = 1
"""
COLUMNS = {
    "account": "log.name, null::varchar as domain, null::varchar as website, log.corporate_number",
    "person": (
        "log.name as full_name, null::varchar as family_name, null::varchar as given_name, null::varchar as family_kana, "
        "null::varchar as given_kana, log.email, null::varchar as converted_to_key"
    ),
}
TABLES = {
    "account": "id varchar, name varchar, corporate_number varchar, created_at timestamptz, _dlt_load_id varchar",
    "person": "id varchar, name varchar, email varchar, created_at timestamptz, _dlt_load_id varchar",
    "vendor_count": "live_count bigint, _dlt_load_id varchar",
}


@dataclass(frozen=True)
class SmallSettings(Settings):
    """Settings whose models are those of this file."""

    @property
    def dbt_project_dir(self) -> Path:
        return self.home / "project"

    def export(self) -> dict[str, str]:
        instances = [{"name": "shop", "vendor": "shop", "staging": "shop"}]
        return {
            "TSUNAGU_HOME": str(self.home),
            "TSUNAGU_RAW_PATH": str(self.raw_path),
            "TSUNAGU_MODELS_PATH": str(self.models_path),
            "TSUNAGU_INSTANCES": json.dumps(instances),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        }


def small_home(folder: Path) -> SmallSettings:
    """Write the project and the empty raw file; return the home's settings."""
    settings = SmallSettings(home=folder, instances=(Instance("shop", "shop"),))
    settings.make_folders()
    for name, text in FILES.items():
        write(settings, name, text)
    engine = "{% do source('engine', 'vendor_count') %}select live_count from raw.raw_shop.vendor_count"
    write(settings, "models/staging/stg_loads__vendor_count.sql", engine)
    write(settings, "models/staging/stg_shop__product.sql", "select null::varchar as record_key where 1 = 0")
    write(settings, "models/canonical/canonical_product.sql", "select * from {{ ref('stg_shop__product') }}")
    counts = (
        "{{ config(materialized='table') }} select max(live_count) as live from {{ ref('stg_loads__vendor_count') }}"
    )
    write(settings, "models/canonical/canonical_vendor_count.sql", counts)
    for name, columns in COLUMNS.items():
        write(settings, f"models/staging/stg_shop__{name}.sql", STAGING.format(object=name, columns=columns))
        body = (
            "{{ config(pre_hook='{{ empty_when_rebuilding() }}') }}\nselect * from {{ ref('stg_shop__" + name + "') }}"
        )
        write(settings, f"models/canonical/canonical_{name}.sql", body)
    with duckdb.connect(str(settings.raw_path)) as raw:
        migrate(raw)
        raw.execute("create schema raw_shop")
        for name, columns in TABLES.items():
            raw.execute(f"create table raw_shop.{name} ({columns})")
    return settings


def copy_home(settings: SmallSettings, folder: Path) -> SmallSettings:
    """The same home in another place."""
    shutil.copytree(settings.home, folder)
    return SmallSettings(home=folder, instances=settings.instances)


def write(settings: Settings, name: str, text: str) -> None:
    path = settings.dbt_project_dir / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def load(settings: Settings, day: float, **rows: Sequence[tuple[Any, ...]]) -> int:
    """Land rows as one load, `day` days after MONDAY. Returns its seq."""
    with duckdb.connect(str(settings.raw_path)) as raw:
        load_id = f"{day:07.2f}.{sum(len(r) for r in rows.values())}"
        for table, table_rows in rows.items():
            for row in table_rows:
                marks = ", ".join("?" * len(row))
                raw.execute(f"insert into raw_shop.{table} values ({marks}, ?)", [*row, load_id])
        counts = {table: (len(table_rows), 0) for table, table_rows in rows.items()} or {"account": (0, 0)}
        return stamp_load(raw, Load(load_id, "shop", "shop", counts), MONDAY + timedelta(days=day))


def account(number: int, name: str | None, corporate_number: str | None = None, day: int = 1) -> tuple[Any, ...]:
    return (str(number), name, corporate_number, datetime(2026, 1, day, tzinfo=UTC))


def person(number: int, name: str, email: str | None = None, day: int = 1) -> tuple[Any, ...]:
    return (str(number), name, email, datetime(2026, 1, day, tzinfo=UTC))


def rows(settings: Settings, query: str, path: Path | None = None) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path or settings.models_path), read_only=True) as con:
        return con.execute(query).fetchall()
