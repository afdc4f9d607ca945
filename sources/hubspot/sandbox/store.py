"""One portal's records, property histories and associations as of the company's clock, as tables built on demand.

The tables live in the company's own in-memory database (schema `hubspot_<instance>`), are built when first asked for and
again after the clock moved. This file must not know HTTP: it gives plain rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from threading import RLock
from typing import TYPE_CHECKING, Any, Final

from sources.hubspot.columns import HISTORY, MODIFIED, MODIFIED_OF
from sources.hubspot.sandbox import words
from sources.hubspot.sandbox.associations import association_tables, merge_table
from sources.hubspot.sandbox.properties import types
from sources.hubspot.sandbox.sql import LIFECYCLE_WINDOW, View, instant, text, views

if TYPE_CHECKING:
    from sources.demo.company import Company

Row = dict[str, Any]

# A list of ids goes into a query as one text: DuckDB takes 70 microseconds to bind each value.
ID_LIST: Final = "(select unnest(string_split(?, ',')::bigint[]))"
# Columns of a record table that are not properties.
SYSTEM: Final = ("id", "created_at", "updated_at", "archived", "archived_at")
CREATED: Final[Mapping[str, str]] = {
    **dict.fromkeys(("contacts", "companies", "deals", "products", "line_items"), "createdate"),
    **dict.fromkeys(("calls", "emails", "meetings", "notes", "tasks"), "hs_createdate"),
}


def modified_property(name: str) -> str:
    """The property that search filters changes by: contacts have a name of their own for it."""
    return MODIFIED_OF.get(name, MODIFIED)


def _system(name: str) -> tuple[str, ...]:
    """Properties that HubSpot sets itself on every record."""
    return ("hs_object_id", CREATED[name], modified_property(name), "hs_merged_object_ids")


class Store:
    """The records of one portal. Safe for several threads; each call takes a cursor of its own."""

    def __init__(self, company: Company, instance: str) -> None:
        self.instance, self.portal = instance, words.PORTALS[instance]
        self.views: dict[str, View] = views(self.portal)
        self._company, self._lock = company, RLock()
        self._schema = f"hubspot_{instance}"
        self._built: dict[str, datetime] = {}
        company.cursor().execute(f"create schema if not exists {self._schema}")

    def properties(self, name: str) -> tuple[str, ...]:
        """All property names of an object."""
        return tuple(types(name))

    def table(self, name: str) -> str:
        """The record table of an object, up to date; columns SYSTEM and one per property."""
        return self._ensure(name, self._select_records)

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The answer to a query over the tables."""
        return self._company.cursor().execute(sql, list(values)).fetchall()

    def records(self, name: str, wanted: Sequence[str], where: str, values: Sequence[Any]) -> list[Row]:
        """Records with the wanted properties: {id, created_at, updated_at, archived, archived_at, properties}."""
        columns = ", ".join(f'"{p}"' for p in wanted)
        stamps = f"{instant('created_at')}, {instant('updated_at')}, archived, {instant('archived_at')}"
        found = self.rows(f"select cast(id as varchar), {stamps}, {columns} from {self.table(name)} {where}", values)
        return [
            dict(zip(SYSTEM, row[:5], strict=True), properties=dict(zip(wanted, row[5:], strict=True))) for row in found
        ]

    def history(self, name: str, ids: Sequence[str], wanted: Sequence[str]) -> dict[str, dict[str, list[Row]]]:
        """id -> property -> earlier values, newest first. A property that is not kept has its present value only."""
        kept = [p for p in wanted if p in HISTORY.get(name, ())]
        found: dict[str, dict[str, list[Row]]] = {i: {p: [] for p in wanted} for i in ids}
        if not kept or not ids:
            return found
        table = self._ensure(f"{name}_history", self._select_history)
        stamped = instant('"at"')
        sql = (
            f"select cast(id as varchar), property, value, {stamped}, source from {table}"
            f' where id in {ID_LIST} and property in ({", ".join(text(p) for p in kept)}) order by id, property, "at" desc'
        )
        for record, name_of, value, stamp, source in self.rows(sql, [id_list(ids)]):
            entry = {"value": value, "timestamp": stamp, "sourceType": source, "sourceId": "sandbox"}
            found[record][name_of].append(entry)
        return found

    def associations(self, from_type: str, to_type: str, ids: Sequence[str]) -> dict[str, list[Row]]:
        """from id -> [{toObjectId, associationTypes}], in the order of the to ids."""
        if not ids:
            return {}
        table = self._associations()
        sql = (
            "select cast(from_id as varchar), cast(to_id as varchar), type_id, label, category "
            f"from {table} where from_type = ? and to_type = ? and from_id in {ID_LIST} order by from_id, to_id, type_id"
        )
        found: dict[str, list[Row]] = {}
        for from_id, to_id, type_id, label, category in self.rows(sql, [from_type, to_type, id_list(ids)]):
            kind = {"category": category, "typeId": type_id, "label": label}
            targets = found.setdefault(from_id, [])
            if targets and targets[-1]["toObjectId"] == to_id:
                targets[-1]["associationTypes"].append(kind)
            else:
                targets.append({"toObjectId": to_id, "associationTypes": [kind]})
        return found

    def association_counts(self) -> dict[str, int]:
        """`contacts>companies` -> number of associated pairs."""
        table = self._associations()
        sql = f"select from_type || '>' || to_type, count(distinct (from_id, to_id)) from {table} group by 1 order by 1"
        return {pair: int(count) for pair, count in self.rows(sql)}

    def labels(self, from_type: str, to_type: str) -> list[Row]:
        """The association types of a pair of objects."""
        table = self._associations()
        sql = (
            f"select distinct type_id, label, category from {table}"
            " where from_type = ? and to_type = ? order by type_id"
        )
        return [{"category": c, "typeId": t, "label": label} for t, label, c in self.rows(sql, [from_type, to_type])]

    def winners(self, name: str, ids: Sequence[str]) -> list[str]:
        """The records that merged ones live on in, in the order of `ids`; those never merged stand for themselves."""
        table = self._merges()
        merged = dict(self.rows(f"select loser, winner from {table} where object = ?", [name]))
        return [str(merged.get(one, one)) for one in ids]

    def submissions(self, form: str, start: int, most: int) -> list[tuple[Any, ...]]:
        """A form's submissions, newest first: (id, epoch ms, subject, and the contact's values as they were then)."""
        table = self._ensure("submissions", lambda _: submission_table(self.instance))
        columns = "source_id, occurred_ms, subject, email, family_name, given_name, company_name"
        return self.rows(
            f"select {columns} from {table} where form_name = ? order by occurred_at desc, source_id limit ? offset ?",
            [form, most, start],
        )

    def counts(self) -> dict[str, int]:
        """Live records per object."""
        return {
            name: int(self.rows(f"select count(*) from {self.table(name)} where not archived")[0][0])
            for name in self.views
        }

    def _ensure(self, name: str, select: Callable[[str], str]) -> str:
        """The table of that name, built again when the clock has moved since."""
        with self._lock:
            now = self._company.now
            if self._built.get(name) != now:
                sql = select(name)
                self._company.cursor().execute(f"create or replace table {self._schema}.{name} as {sql}")
                self._built[name] = now
        return f"{self._schema}.{name}"

    def _merges(self) -> str:
        return self._ensure("merges", lambda _: merge_table(self.instance))

    def _associations(self) -> str:
        return self._ensure("associations", lambda _: association_tables(self.instance, self._merges()))

    def _select_records(self, name: str) -> str:
        view, merges = self.views[name], self._merges()
        refers, joins = "", ""
        for number, (prop, (target, column)) in enumerate(view.refers.items()):
            joins += (
                f" left join {merges} m{number} on m{number}.object = {text(target)} and m{number}.loser = r.{column}"
            )
            refers += f', coalesce(m{number}.winner, r.{column}) as "{prop}"'
        own = "".join(f', {sql} as "{prop}"' for prop, sql in view.properties.items())
        given = {*view.properties, *view.refers, *_system(name)}
        own += "".join(f', cast(null as varchar) as "{prop}"' for prop in self.properties(name) if prop not in given)
        lifecycle = f", {LIFECYCLE_WINDOW} as lifecycle" if name == "contacts" else ""
        touched = _touched_by(name, self.instance)
        return f"""
            with real as (
                select *{lifecycle} from visible.{view.table}
                where instance = {text(self.instance)} and object = {text(name)} and not is_deleted
                qualify row_number() over (partition by source_id order by "at" desc) = 1
            ),
            newest as (
                select source_id, "at", is_deleted, merged_into_source_id from current.{view.current}
                where instance = {text(self.instance)} and object = {text(name)}
            ),
            gained as (
                select winner, string_agg(loser, ';' order by cast(loser as bigint)) as ids, max("at") as "at"
                from {merges} where object = {text(name)} group by winner
            ),
            touched as ({touched}),
            stamped as (
                select r.*, n.is_deleted as gone, n."at" as gone_at, g.ids as gained_ids,
                    date_trunc('milliseconds', greatest(r."at", coalesce(g."at", r."at"), coalesce(t."at", r."at"))) as moved
                from real r join newest n on n.source_id = r.source_id and n.merged_into_source_id is null
                left join gained g on g.winner = r.source_id
                left join touched t on t.source_id = r.source_id
            )
            select cast(r.source_id as bigint) as id, date_trunc('milliseconds', r.created_at) as created_at,
                r.moved as updated_at, r.gone as archived, case when r.gone then r.gone_at end as archived_at,
                r.source_id as hs_object_id, {instant("r.created_at")} as "{CREATED[name]}",
                {instant("r.moved")} as "{modified_property(name)}", r.gained_ids as hs_merged_object_ids{own}{refers}
            from stamped r {view.lookups} {joins} order by id
            """

    def _select_history(self, table: str) -> str:
        name = table.removesuffix("_history")
        view, merges = self.views[name], self._merges()
        lifecycle = f", {LIFECYCLE_WINDOW} as lifecycle" if name == "contacts" else ""
        versions = (
            f"select *{lifecycle} from visible.{view.table}"
            f" where instance = {text(self.instance)} and object = {text(name)} and not is_deleted"
        )
        window, parts = '(partition by r.source_id order by r."at")', list[str]()
        for prop in HISTORY[name]:
            value, join = view.properties.get(prop, ""), ""
            if prop in view.refers:
                target, column = view.refers[prop]
                value = f"coalesce(m.winner, r.{column})"
                join = f" left join {merges} m on m.object = {text(target)} and m.loser = r.{column}"
            source = "case when r.crm_source_id is null then 'CRM_UI' else 'SALESFORCE' end"
            parts.append(
                f'select cast(r.source_id as bigint) as id, {text(prop)} as property, {value} as value, r."at", '
                f"{source} as source, lag({value}) over {window} as earlier, row_number() over {window} as place"
                f" from versions r{join}"
            )
        return (
            f"with versions as ({versions}), parts as ({' union all '.join(parts)}) "
            "select id, property, coalesce(value, '') as value, \"at\", source from parts "
            "where case when place = 1 then value is not null else value is distinct from earlier end "
            'order by id, property, "at" desc'
        )


def submission_table(instance: str) -> str:
    """Each form's submissions with what the contact filled in: its version at the moment, else the nearest one."""
    return f"""
        select a.form_name, a.occurred_at, a.source_id, epoch_ms(a.occurred_at) as occurred_ms, a.subject,
            p.email, p.family_name, p.given_name, p.company_name
        from current.activities a left join lateral (
            select * from visible.person_versions v
            where v.instance = a.instance and v.object = 'contacts' and v.source_id = a.person_source_id
                and not v.is_deleted
            order by v."at" > a.occurred_at, abs(epoch_ms(v."at") - epoch_ms(a.occurred_at)) limit 1
        ) p on true
        where a.instance = {text(instance)} and a.object = 'forms' and not a.is_deleted
        order by a.form_name, a.occurred_at desc, a.source_id
        """


def id_list(ids: Sequence[str]) -> str:
    """The value of an `ID_LIST`; at least one id."""
    return ",".join(str(int(one)) for one in ids)


def _touched_by(name: str, instance: str) -> str:
    """Changes of a record's associations that move its modification stamp: HubSpot recounts them in properties
    (`num_associated_contacts`, `associatedcompanyid`), and a recount is a change of the record."""
    where = f"instance = {text(instance)}"
    sources = {
        "deals": (
            ("visible.deal_person_versions", "deal_source_id"),
            ("visible.deal_line_versions", "deal_source_id"),
        ),
        "contacts": (("visible.person_account_versions", "person_source_id"),),
    }.get(name, ())
    if not sources:
        return 'select null::varchar as source_id, null::timestamp as "at" where false'
    union = " union all ".join(
        f'select {column} as source_id, "at" from {table} where {where}' for table, column in sources
    )
    return f'select source_id, max("at") as "at" from ({union}) group by 1'
