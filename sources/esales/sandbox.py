"""eSales Manager's CSV exports of the demo company: one CP932 file per sheet, written whole whenever the company's clock moves.

What an export shows is what the tool would show today: current records only, no deleted ones, no ids of merged ones. It
reads the company's tables for this vendor and must not read the truth.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sources.demo.mounting import Mount, SandboxOptions
from sources.esales import MAPPING

if TYPE_CHECKING:
    from sources.demo.company import Company

_STAGES = {
    "inquiry": "問い合わせ", "discovery": "ヒアリング", "first_meeting": "初訪問", "decision_maker": "決裁者へリーチ",
    "proposal": "提案", "agreement": "合意", "contract": "契約", "won": "受注", "lost": "失注",
}  # fmt: skip
_RANKS = {"commit": "A", "best_case": "B", "pipeline": "C", "closed": "確定", "omitted": "対象外"}
_PERSON_STAGES = {
    "lead": "リード", "engaged": "育成中", "mql": "有望", "sql": "商談化", "customer": "顧客", "disqualified": "対象外",
}  # fmt: skip
_COUNTRIES = {"JP": "日本", "US": "アメリカ", "DE": "ドイツ", "FR": "フランス", "GB": "イギリス"}
_TYPES = {"prospect": "見込", "customer": "既存", "former": "過去"}
_DEAL_TYPES = {"new": "新規", "renewal": "更新", "upsell": "アップセル", "cross_sell": "クロスセル"}
_PIPELINES = {"new_business": "新規営業", "renewal": "契約更新"}
_KINDS = {
    "call": "電話", "email": "メール", "meeting": "打合せ", "visit": "訪問", "task": "作業", "note": "メモ",
    "form": "問合せフォーム", "web_visit": "Web閲覧", "seminar": "セミナー", "email_open": "メール開封",
    "email_click": "メールクリック",
}  # fmt: skip
_DIRECTIONS = {"inbound": "受信", "outbound": "発信", "internal": "社内"}


def mount(company: Company, instances: Sequence[str], options: SandboxOptions) -> Mount:
    """No address, only files: `options.folder/<instance>/<sheet>.csv`, renewed by `refresh`."""

    def refresh() -> None:
        for instance in instances:
            export(company, instance, options.folder / instance)

    def describe(_addresses: Mapping[str, str]) -> dict[str, Any]:
        places = {name: {"folder": str(options.folder / name), "mapping": str(MAPPING)} for name in instances}
        return {"files": places}

    return Mount(describe=describe, refresh=refresh)


def export(company: Company, instance: str, folder: Path) -> None:
    """Writes all sheets into `folder`, each atomically: a reader sees the old file or the new one."""
    folder.mkdir(parents=True, exist_ok=True)
    cursor = company.cursor()
    for sheet, query in _SHEETS.items():
        cursor.execute(query, {"instance": instance})
        names = [str(column[0]) for column in cursor.description or ()]
        _write(folder / f"{sheet}.csv", names, cursor.fetchall())


def _write(path: Path, names: list[str], rows: list[tuple[Any, ...]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows(rows)
    part = path.with_name(f".{path.name}.part")
    # A character that CP932 lacks is exported as a question mark.
    part.write_bytes(text.getvalue().encode("cp932", "replace"))
    os.replace(part, path)  # noqa: PTH105 (the reader must never see half a file)


def _words(column: str, words: Mapping[str, str]) -> str:
    cases = " ".join(f"when '{ours}' then '{theirs}'" for ours, theirs in words.items())
    return f"case {column} {cases} else {column} end"


def _stamp(column: str) -> str:
    """yyyy/mm/dd hh:MM:ss in the company's zone."""
    return f"strftime(({column} at time zone 'UTC') at time zone 'Asia/Tokyo', '%Y/%m/%d %H:%M:%S')"


def _day(column: str) -> str:
    return f"strftime({column}, '%Y/%m/%d')"


def _money(column: str) -> str:
    """With thousands separators; decimals only where there are some."""
    whole = f"format('{{:,}}', trunc({column})::bigint)"
    return f"case when {column} = trunc({column}) then {whole} else {whole} || '.' || right({column}::varchar, 2) end"


def _yes(column: str) -> str:
    return f"case when {column} then 'はい' else 'いいえ' end"


_STAMPS = f'{_stamp("created_at")} as "登録日時", {_stamp(chr(34) + "at" + chr(34))} as "更新日時"'
_OPEN_STAGE = _words("open_stage", _STAGES)
_OUTCOME = f"case when stage in ('won', 'lost') then {_words('stage', _STAGES)} end"
_FIGURES = f"""
    {_money("amount")} as "金額", currency as "通貨", round(probability * 100)::bigint || '%' as "確度",
    {_words("forecast_category", _RANKS)} as "見込ランク", {_day("expected_close_date")} as "受注予定日"
"""

# Each version of a deal with the last open stage until then and the instant at which its own stage began.
_DEAL_STATES = """
    deal_steps as (
        select *,
            lag(stage) over known is distinct from stage as enters,
            lag((stage, amount, currency, probability, forecast_category, expected_close_date, owner_source_id)) over known
                is distinct from
                (stage, amount, currency, probability, forecast_category, expected_close_date, owner_source_id) as changes,
            last_value(case when stage not in ('won', 'lost') then stage end ignore nulls) over known as open_stage,
            row_number() over known as step
        from visible.deal_versions
        where instance = $instance
        window known as (partition by source_id order by "at" rows between unbounded preceding and current row)
    ),
    deal_states as (
        select *,
            max(case when enters then "at" end) over
                (partition by source_id order by "at" rows between unbounded preceding and current row) as entered_at
        from deal_steps
    ),
    living_deals as (
        select deal_states.* from deal_states
        inner join current.deals as now on now.instance = $instance and now.source_id = deal_states.source_id
        where not now.is_deleted
    )
"""

_SHEETS: Mapping[str, str] = {
    "employee": f"""
        select source_id as "社員ID", name as "社員名", email as "メールアドレス", department as "部署名", team as "チーム",
            manager_source_id as "上長社員ID", job_title as "役職", {_yes("is_active")} as "有効", {_STAMPS}
        from current.users where instance = $instance and not is_deleted order by source_id
    """,
    "customer": f"""
        select source_id as "顧客ID", name as "顧客名", {_words("account_type", _TYPES)} as "顧客タイプ",
            postal_code as "郵便番号", {_words("country", _COUNTRIES)} as "国", region as "都道府県", city as "市区町村",
            street as "番地", phone as "電話番号", website as "URL", corporate_number as "法人番号", industry as "業種",
            format('{{:,}}', employee_count) as "従業員数", parent_source_id as "親顧客ID",
            owner_source_id as "主担当者ID", '存続' as "存続フラグ", {_STAMPS}
        from current.accounts where instance = $instance and not is_deleted order by source_id
    """,
    "businesscard": f"""
        with stages as (
            select source_id, stage, "at",
                lag(stage) over (partition by source_id order by "at") is distinct from stage as enters
            from visible.person_versions where instance = $instance
        ),
        entries as (select source_id, max("at") as stage_since from stages where enters group by source_id)
        select source_id as "名刺ID", account_source_id as "顧客ID", company_name as "会社名", family_name as "姓",
            given_name as "名", family_kana as "姓（かな）", given_kana as "名（かな）", department as "部署名",
            job_title as "役職", email as "メールアドレス", phone as "電話番号", mobile as "携帯電話番号",
            lead_source as "流入経路", {_words("stage", _PERSON_STAGES)} as "ステージ",
            {_stamp("stage_since")} as "ステージ更新日時", score as "スコア",
            {_yes("is_email_opted_out")} as "メール配信停止", {_yes("is_call_opted_out")} as "電話停止",
            owner_source_id as "担当者ID", {_STAMPS}
        from current.people left join entries using (source_id)
        where instance = $instance and not is_deleted order by source_id
    """,
    "businessplan": f"""
        with {_DEAL_STATES},
        primaries as (
            select deal_source_id, min(person_source_id) as person_id
            from current.deal_people
            where instance = $instance and not is_deleted and is_primary group by 1
        )
        select living_deals.source_id as "案件ID", name as "案件名", account_source_id as "顧客ID", person_id as "名刺ID",
            {_words("deal_type", _DEAL_TYPES)} as "案件区分", {_words("pipeline", _PIPELINES)} as "業務タイプ",
            {_OPEN_STAGE} as "進捗度", {_stamp("entered_at")} as "進捗更新日時", {_OUTCOME} as "結果", {_FIGURES},
            case when stage in ('won', 'lost') then {_day("expected_close_date")} end as "受注日",
            lead_source as "流入経路", loss_reason as "失注理由", competitor as "競合", next_step as "次のアクション",
            owner_source_id as "担当者ID", {_STAMPS}
        from living_deals left join primaries on primaries.deal_source_id = living_deals.source_id
        qualify row_number() over (partition by living_deals.source_id order by step desc) = 1
        order by living_deals.source_id
    """,
    "activity": f"""
        with {_DEAL_STATES},
        reports as (
            select source_id || '-' || step as "活動ID", '進捗報告' as "活動種別", {_stamp(chr(34) + "at" + chr(34))} as "活動日時",
                account_source_id as "顧客ID", source_id as "案件ID", null as "名刺ID", name as "件名", null as "方向",
                null as "活動結果", null as "活動時間（分）", {_OPEN_STAGE} as "進捗度", {_OUTCOME} as "結果", {_FIGURES},
                owner_source_id as "担当者ID", {_stamp(chr(34) + "at" + chr(34))} as "登録日時",
                {_stamp(chr(34) + "at" + chr(34))} as "更新日時"
            from living_deals where changes
        ),
        done as (
            select source_id as "活動ID", {_words("kind", _KINDS)} as "活動種別", {_stamp("occurred_at")} as "活動日時",
                account_source_id as "顧客ID", deal_source_id as "案件ID", person_source_id as "名刺ID", subject as "件名",
                {_words("direction", _DIRECTIONS)} as "方向", outcome as "活動結果", minutes as "活動時間（分）",
                null as "進捗度", null as "結果", null as "金額", null as "通貨", null as "確度", null as "見込ランク",
                null as "受注予定日", owner_source_id as "担当者ID", {_STAMPS}
            from current.activities where instance = $instance and not is_deleted
        )
        select * from done union all select * from reports order by "活動ID"
    """,
}
