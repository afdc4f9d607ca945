"""The published rule of `records.is_decidable`: could any reader of all the tools know that two records are the same?

The rule was written before any matcher and uses no code of one. A record shows *evidence*: values that a careful person
would accept as proof of identity. A value counts only if all the records that show it are of one entity (a shared info@
address, a branch's domain and a namesake prove nothing). Records of one entity that are connected by evidence, directly or
through others, are one group. Records outside their entity's largest group are undecidable, for nobody could join them.

Evidence
- accounts: 法人番号 with the branch; domain; phone number; name without its legal form, together with the branch.
- people: e-mail; mobile number; name (in any script that two records share) with the company's domain, or with its name.
- deals: the vendors' cross-reference ids and merges only; deals are never joined by likeness.
- users: e-mail.
- all: cross-reference id, conversion, merge.
"""

from __future__ import annotations

import duckdb

_KEY = "instance || '|' || object || '|' || source_id"

_NODES = f"""
create or replace temp table nodes as
select {_KEY} as node, 'account' as kind, entity_id, instance, object, source_id, is_deleted from current.accounts
union all select {_KEY}, 'person', entity_id, instance, object, source_id, is_deleted from current.people
union all select {_KEY}, 'opportunity', entity_id, instance, object, source_id, is_deleted from current.deals
union all select {_KEY}, 'user', entity_id, instance, object, source_id, is_deleted from current.users
"""

_DIGITS = "regexp_replace(regexp_replace(translate({0}, '０１２３４５６７８９－＋', '0123456789-+'), '^\\+81', '0'), '[^0-9]', '', 'g')"
_CORE = (
    "lower(regexp_replace(translate({0}, 'ａｂｃ　', 'abc '),"
    " '株式会社|（株）|㈱|\\(株\\)|[ 　,.]|GmbH|SAS|Ltd|B\\.V\\.|S\\.L\\.|S\\.r\\.l\\.|AB$|AG$|Inc\\.|Pte\\.', '', 'g'))"
)

# Every version counts: a former name or address is evidence too.
_EVIDENCE = f"""
create or replace temp table evidence as
with account as (
    select *, regexp_extract(name, '[^ ]*(支店|営業所)$') as branch from visible.account_versions
),
person as (
    select p.*, a.name as account_name, a.domain as account_domain from visible.person_versions as p
    left join current.accounts as a on a.instance = p.instance and a.source_id = p.account_source_id
),
written as (
    select {_KEY} as node, unnest([
        regexp_replace(lower(family_name || '/' || given_name), '[ 　]', '', 'g'),
        regexp_replace(family_kana || '/' || given_kana, '[ 　]', '', 'g')
    ]) as name, unnest([account_domain, regexp_extract(email, '@(.*)$', 1)]) as domain,
    {_CORE.format("coalesce(account_name, company_name)")} as company from person
)
select {_KEY} as node, 'a:number:' || corporate_number || branch as value from account
union all select {_KEY}, 'a:domain:' || domain from account
union all select {_KEY}, 'a:phone:' || {_DIGITS.format("phone")} from account
union all select {_KEY}, 'a:name:' || {_CORE.format("name")} from account
union all select {_KEY}, 'p:mail:' || lower(email) from person
union all select {_KEY}, 'p:mobile:' || {_DIGITS.format("mobile")} from person
union all select node, 'p:at:' || name || '@' || domain from written
union all select node, 'p:in:' || name || '@' || company from written
union all select {_KEY}, 'u:mail:' || lower(email) from visible.user_versions
"""

_LINKS = """
create or replace temp table links as
select instance || '|' || object || '|' || source_id as node, instance || '|' || object || '|' || merged_into_source_id as other
from (
    select instance, object, source_id, merged_into_source_id from visible.account_versions
    union all select instance, object, source_id, merged_into_source_id from visible.person_versions
    union all select instance, object, source_id, merged_into_source_id from visible.deal_versions
) where merged_into_source_id is not null
union all
select instance || '|Lead|' || source_id, instance || '|Contact|' || converted_contact_source_id
from visible.person_versions where converted_contact_source_id is not null
union all
select v.instance || '|' || v.object || '|' || v.source_id, n.node
from (
    select instance, object, source_id, crm_source_id from visible.account_versions
    union all select instance, object, source_id, crm_source_id from visible.person_versions
    union all select instance, object, source_id, crm_source_id from visible.deal_versions
) as v join nodes as n on n.instance = 'salesforce' and n.source_id = v.crm_source_id
"""


def write_decidable(con: duckdb.DuckDBPyConnection) -> None:
    """Makes the temporary table `undecidable(instance, object, source_id)` on this connection, as of the company's now."""
    con.execute(_NODES)
    con.execute(_EVIDENCE)
    con.execute(_LINKS)
    rows = con.execute(
        """
        with proof as (
            select e.value, e.node, n.kind || n.entity_id as entity from (select distinct * from evidence) as e
            join nodes as n using (node) where e.value is not null
        ),
        certain as (select value from proof group by value having count(distinct entity) = 1 and count(*) > 1)
        select node, 'v:' || value as other from proof semi join certain using (value)
        union all select node, other from links
        """
    ).fetchall()
    groups = _Groups()
    for left, right in rows:
        groups.join(left, right)
    sizes: dict[tuple[str, str], dict[str, list[str]]] = {}
    every = con.execute("select node, kind, entity_id from nodes order by is_deleted, node").fetchall()
    for node, kind, entity in every:
        sizes.setdefault((kind, entity), {}).setdefault(groups.find(node), []).append(node)
    lonely: list[str] = []
    for found in sizes.values():
        if len(found) > 1:
            largest = max(found.values(), key=len)  # of equal ones the first, which has a live record
            lonely += [node for nodes in found.values() if nodes is not largest for node in nodes]
    con.execute("create or replace temp table undecidable (instance varchar, object varchar, source_id varchar)")
    if lonely:
        con.executemany("insert into undecidable values (?, ?, ?)", [node.split("|") for node in lonely])


class _Groups:
    """Union-find over strings."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def find(self, node: str) -> str:
        parent = self._parent
        root = node
        while parent.get(root, root) != root:
            root = parent[root]
        while parent.get(node, node) != root:
            parent[node], node = root, parent[node]
        return root

    def join(self, left: str, right: str) -> None:
        one, two = self.find(left), self.find(right)
        if one != two:
            self._parent[max(one, two)] = min(one, two)
