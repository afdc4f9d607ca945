"""The SQL of a portal's associations and merges over the demo company's tables.

An association is listed in both directions, with HubSpot's type ids and the company's own labels. Ends that were merged
away are moved to the surviving record, as HubSpot does (https://knowledge.hubspot.com/records/merge-records); ends that
are archived have no associations. Text builders only; nothing is executed here.
"""

from __future__ import annotations

from typing import Final

from sources.hubspot.sandbox import words
from sources.hubspot.sandbox.sql import text

# Objects that can be merged, and the current view they live in.
_CURRENT: Final = {
    "contacts": "people",
    "companies": "accounts",
    "deals": "deals",
    "products": "products",
    "line_items": "deal_lines",
}
_ENGAGEMENTS: Final = ("calls", "emails", "meetings", "notes", "tasks")


def merge_table(instance: str) -> str:
    """(object, loser, winner, at): every merged-away record with the one it lives on in, chains followed to the end."""
    parts = " union all ".join(
        f'select object, source_id as loser, merged_into_source_id as winner, "at" from current.{view}'
        f" where instance = {text(instance)} and merged_into_source_id is not null"
        for view in ("people", "accounts", "deals")
    )
    return (
        f"with recursive direct as ({parts}), chain as ("
        'select object, loser, winner, "at" from direct union '
        'select c.object, c.loser, d.winner, greatest(c."at", d."at") from chain c'
        " join direct d on d.object = c.object and d.loser = c.winner) "
        "select c.* from chain c anti join direct d on d.object = c.object and d.loser = c.winner"
    )


def association_tables(instance: str, merges: str) -> str:
    """(from_type, from_id, to_type, to_id, type_id, label, category) of all live pairs."""
    pairs = " union all ".join(_pairs(instance))
    live = " union all ".join(
        f"select object, source_id from current.{view} where instance = {text(instance)} and not is_deleted"
        for view in (*_CURRENT.values(), "activities")
    )
    typed = " union all ".join(_typed())
    return f"""
        with pairs as ({pairs}),
        followed as (
            select p.from_type, coalesce(f.winner, p.from_id) as from_id, p.to_type, coalesce(t.winner, p.to_id) as to_id,
                p.is_primary, p.label
            from pairs p
            left join {merges} f on f.object = p.from_type and f.loser = p.from_id
            left join {merges} t on t.object = p.to_type and t.loser = p.to_id
        ),
        live as ({live}),
        kept as (
            select f.from_type, cast(f.from_id as bigint) as from_id, f.to_type, cast(f.to_id as bigint) as to_id,
                f.is_primary, f.label
            from followed f
            semi join live a on a.object = f.from_type and a.source_id = f.from_id
            semi join live b on b.object = f.to_type and b.source_id = f.to_id
        ),
        each_way as (
            select * from kept union all
            select to_type, to_id, from_type, from_id, is_primary, label from kept
        ),
        names as (
            select label, 100 + row_number() over (order by label) as type_id
            from (select distinct label from kept where label is not null)
        ),
        typed as ({typed})
        select distinct * from typed order by from_type, from_id, to_type, to_id, type_id
    """


def _pairs(instance: str) -> list[str]:
    """One select per relation: (from_type, from_id, to_type, to_id, is_primary, label)."""
    here = f"instance = {text(instance)} and not is_deleted"
    both = f"case when is_primary then {text(words.PRIMARY_LABEL)} end"
    former = f"case when is_active then role else {text(words.FORMER_LABEL)} end"
    pairs = [
        "select object as from_type, source_id as from_id, 'companies' as to_type, account_source_id as to_id,"
        f" true as is_primary, null as label from current.people where {here} and account_source_id is not null",
        "select 'contacts', person_source_id, 'companies', account_source_id, false as is_primary,"
        f" {former} as label from current.person_accounts where {here}",
        "select 'deals', source_id, 'companies', account_source_id, true, null"
        f" from current.deals where {here} and account_source_id is not null",
        f"select 'deals', deal_source_id, 'contacts', person_source_id, false, role from current.deal_people where {here}",
        f"select 'deals', deal_source_id, 'contacts', person_source_id, false, {both} from current.deal_people where {here}",
        f"select 'deals', deal_source_id, 'line_items', source_id, false, null from current.deal_lines where {here}",
    ]
    engagement = f"{here} and object in ({', '.join(text(e) for e in _ENGAGEMENTS)})"
    for to_type, column in (
        ("contacts", "person_source_id"),
        ("companies", "account_source_id"),
        ("deals", "deal_source_id"),
    ):
        pairs.append(
            f"select object, source_id, {text(to_type)}, {column}, false, null from current.activities"
            f" where {engagement} and {column} is not null"
        )
    return pairs


def _typed() -> list[str]:
    """The types of a pair: always the one without a label, the primary one, and the company's own label."""
    rows = ", ".join(f"({text(a)}, {text(b)}, {type_id})" for (a, b), type_id in words.ASSOCIATION_TYPES.items())
    primary = ", ".join(
        f"({text(a)}, {text(b)}, {type_id}, {text(words.PRIMARY_COMPANY_LABELS[a, b])})"
        for (a, b), type_id in words.PRIMARY_TYPES.items()
    )
    base = "k.from_type, k.from_id, k.to_type, k.to_id"
    return [
        f"select {base}, v.type_id, null as label, 'HUBSPOT_DEFINED' as category from each_way k"
        f" join (values {rows}) v(a, b, type_id) on v.a = k.from_type and v.b = k.to_type",
        f"select {base}, v.type_id, v.label, 'HUBSPOT_DEFINED' from each_way k"
        f" join (values {primary}) v(a, b, type_id, label) on v.a = k.from_type and v.b = k.to_type where k.is_primary",
        f"select {base}, n.type_id, n.label, 'USER_DEFINED' from each_way k join names n on n.label = k.label",
    ]
