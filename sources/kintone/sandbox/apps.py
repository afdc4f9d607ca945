"""The demo company's kintone apps: their forms, and where the value of each field comes from.

Data only. `sql` is an expression over the current row `r` of the company's table; field types are those of
https://kintone.dev/en/docs/kintone/overview/field-types/. Codes are Japanese, as a team in Japan would leave them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

STAGES: Final[Mapping[str, str]] = {
    "inquiry": "引合", "discovery": "課題ヒアリング", "first_meeting": "初回面談", "decision_maker": "決裁者面談",
    "proposal": "提案中", "agreement": "条件合意", "contract": "契約手続き", "won": "受注", "lost": "失注",
}  # fmt: skip
KINDS: Final = {"call": "電話", "email": "メール", "meeting": "打合せ", "visit": "訪問"}
DEAL_TYPES: Final = {"renewal": "更新", "upsell": "アップセル", "cross_sell": "クロスセル"}
PIPELINES: Final = {"new_business": "新規営業", "renewal": "契約更新"}
FORECASTS: Final = {"commit": "A", "best_case": "B", "pipeline": "C", "closed": "確定", "omitted": "対象外"}
ACCOUNT_TYPES: Final = {"prospect": "見込", "customer": "取引中", "former": "解約"}
DIRECTIONS: Final = {"outbound": "発信", "inbound": "受信"}


@dataclass(frozen=True)
class AppField:
    """One field. `options` are the choices; `looks_up` the app whose record number a look-up holds."""

    code: str
    type: str
    sql: str = "null"
    label: str = ""
    options: Sequence[str] = ()
    looks_up: str | None = None
    expression: str = ""


@dataclass(frozen=True)
class Table:
    """A subtable: rows `r` of a company's table; `parent` is the expression of the record number they belong to."""

    code: str
    source: str
    parent: str
    row_id: str
    fields: Sequence[AppField]


@dataclass(frozen=True)
class AppForm:
    """An app over one object of the company."""

    name: str
    id: int
    title: str
    source: str
    object: str
    fields: Sequence[AppField]
    tables: Sequence[Table] = ()
    number: str = "r.source_id::bigint"
    modifier: str = "r.owner_source_id"
    form_only: Sequence[AppField] = field(default_factory=tuple)
    """Fields that the form has and no record shows."""


def _words(column: str, words: Mapping[str, str]) -> str:
    cases = " ".join(f"when '{ours}' then '{theirs}'" for ours, theirs in words.items())
    return f"case {column} {cases} end"


def _text(code: str, sql: str, label: str = "") -> AppField:
    return AppField(code, "SINGLE_LINE_TEXT", sql, label)


def _number(code: str, sql: str) -> AppField:
    return AppField(code, "NUMBER", sql)


def _choice(code: str, column: str, words: Mapping[str, str], kind: str = "DROP_DOWN") -> AppField:
    return AppField(code, kind, _words(column, words), options=tuple(words.values()))


def _lookup(code: str, sql: str, app: str) -> AppField:
    return AppField(code, "NUMBER", f"{sql}::bigint", looks_up=app)


def _tick(code: str, sql: str, word: str) -> AppField:
    return AppField(code, "CHECK_BOX", f"case when {sql} then '{word}' end", options=(word,))


def _name_of(view: str, objects: str, reference: str, column: str) -> str:
    return (
        f"(select {column} from current.{view} c where c.instance = r.instance and c.object = '{objects}'"
        f" and c.source_id = {reference})"
    )


OWNER: Final = AppField("担当者", "USER_SELECT", "r.owner_source_id")

_LINES: Final = Table(
    "明細", "deal_lines", "r.deal_source_id::bigint", "r.source_id::bigint",
    (
        _lookup("商品番号", "r.product_source_id", "products"),
        _text("明細商品名", _name_of("products", "products", "r.product_source_id", "c.name")),
        _text("明細分類", "r.product_family"),
        _number("数量", "r.quantity"),
        _number("単価", "r.unit_price"),
        AppField("小計", "CALC", "r.amount", expression="数量 * 単価"),
        AppField("利用開始日", "DATE", "r.service_start_date"),
        AppField("利用終了日", "DATE", "r.service_end_date"),
        _tick("継続", "r.is_recurring", "継続"),
    ),
)  # fmt: skip
_PEOPLE: Final = Table(
    "関係者", "deal_people", "r.deal_source_id::bigint", "n.number",
    (
        _lookup("関係者番号", "r.person_source_id", "contacts"),
        _text("関係者名", _name_of("people", "contacts", "r.person_source_id", "c.family_name || ' ' || c.given_name")),
        _text("役割", "r.role"),
        _tick("主担当", "r.is_primary", "主担当"),
    ),
)  # fmt: skip

APPS: Final[tuple[AppForm, ...]] = (
    AppForm(
        "customers", 11, "顧客管理", "accounts", "customers",
        (
            _text("会社名", "r.name", "会社名（正式名称）"),
            _text("ドメイン", "r.domain"),
            AppField("ウェブサイト", "LINK", "r.website"),
            AppField("電話番号", "LINK", "r.phone", "代表電話"),
            _text("法人番号", "r.corporate_number"),
            _lookup("親会社番号", "r.parent_source_id", "customers"),
            _text("業種", "r.industry"),
            _number("従業員数", "r.employee_count"),
            _text("国", "r.country"),
            _text("都道府県", "r.region"),
            _text("市区町村", "r.city"),
            _text("郵便番号", "r.postal_code"),
            _text("番地", "r.street"),
            _choice("取引状況", "r.account_type", ACCOUNT_TYPES, "RADIO_BUTTON"),
            OWNER,
            AppField("備考", "MULTI_LINE_TEXT", "case when r.source_id::bigint % 5 = 0 then '担当替えあり\n要確認' end"),
            AppField("添付", "FILE"),
        ),
        form_only=(AppField("基本情報", "GROUP"), AppField("案件一覧", "REFERENCE_TABLE")),
    ),
    AppForm(
        "contacts", 12, "担当者名簿", "people", "contacts",
        (
            _text("姓", "r.family_name"),
            _text("名", "r.given_name"),
            _text("セイ", "r.family_kana"),
            _text("メイ", "r.given_kana"),
            AppField("メールアドレス", "LINK", "r.email"),
            AppField("電話番号", "LINK", "r.phone"),
            AppField("携帯電話", "LINK", "r.mobile"),
            _text("役職", "r.job_title"),
            _text("部署", "r.department"),
            _lookup("顧客番号", "r.account_source_id", "customers"),
            _text("会社名", "r.company_name", "会社名（ルックアップ）"),
            OWNER,
        ),
    ),
    AppForm(
        "deals", 13, "案件管理", "deals", "deals",
        (
            _text("案件名", "r.name"),
            _lookup("顧客番号", "r.account_source_id", "customers"),
            _text("顧客名", _name_of("accounts", "customers", "r.account_source_id", "c.name")),
            _lookup(
                "主担当者番号",
                "(select min(p.person_source_id::bigint) from current.deal_people p where p.instance = r.instance"
                " and p.deal_source_id = r.source_id and p.is_primary and not p.is_deleted)",
                "contacts",
            ),
            _choice("案件区分", "r.deal_type", DEAL_TYPES),
            _choice("業務区分", "r.pipeline", PIPELINES, "RADIO_BUTTON"),
            _choice("進捗", "r.stage", STAGES),
            _number("金額", "r.amount"),
            _number("確度", "cast(r.probability * 100 as decimal(5, 1))"),
            AppField(
                "加重金額", "CALC", "cast(r.amount * r.probability as decimal(18, 2))", expression="金額 * 確度 / 100"
            ),
            _choice("見込区分", "r.forecast_category", FORECASTS),
            AppField("受注予定日", "DATE", "r.expected_close_date"),
            _text("失注理由", "r.loss_reason"),
            _text("競合", "r.competitor"),
            _text("次のアクション", "r.next_step"),
            OWNER,
        ),
        tables=(_LINES, _PEOPLE),
        modifier="coalesce(r.changed_by_source_id, r.owner_source_id)",
    ),
    AppForm(
        "activities", 14, "活動履歴", "activities", "activities",
        (
            AppField("対応日時", "DATETIME", "r.occurred_at"),
            _choice("種別", "r.kind", KINDS),
            _choice("方向", "r.direction", DIRECTIONS, "RADIO_BUTTON"),
            _text("件名", "r.subject"),
            _text("結果", "r.outcome"),
            _number("所要時間", "r.minutes"),
            _lookup("顧客番号", "r.account_source_id", "customers"),
            _lookup("担当者番号", "r.person_source_id", "contacts"),
            _lookup("案件番号", "r.deal_source_id", "deals"),
            OWNER,
        ),
    ),
    AppForm(
        "products", 15, "商品マスタ", "products", "products",
        (
            _text("商品名", "r.name"),
            _text("商品コード", "r.code"),
            _text("商品分類", "r.family"),
            _number("標準価格", "r.list_price"),
            _tick("継続課金", "r.is_recurring", "継続課金"),
            _number("粗利率", "cast(r.margin_rate * 100 as decimal(5, 1))"),
            _tick("販売中", "r.is_active", "販売中"),
        ),
        modifier="null",
    ),
    AppForm(
        "users", 16, "社員名簿", "users", "users",
        (
            _text("ログイン名", "r.source_id"),
            _text("氏名", "r.name"),
            AppField("メールアドレス", "LINK", "r.email"),
            _text("チーム", "r.team"),
            _text("部署", "r.department"),
            _text("役職", "r.job_title"),
            AppField("上長", "USER_SELECT", "r.manager_source_id"),
            AppField(
                "在籍状況", "RADIO_BUTTON", "case when r.is_active then '在籍' else '退職' end", options=("在籍", "退職")
            ),
        ),
        number="n.number",
        modifier="null",
    ),
)  # fmt: skip
