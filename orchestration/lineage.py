"""What must be built: tokens of every node of dbt's manifest, compared with those of the last build.

A token is a hash of all that a node's content depends on: its code, its inputs' tokens, the loads that touched its raw
tables, and as-of where it asks for it. Equal tokens mean equal content, so such a node is left as it is. Pure: reads a
manifest and facts, opens nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

MODELS = ("model", "seed", "snapshot")
IDENTITY = "identity"
"""Source name of identity's tables, and the name under which its own token is kept."""
AS_OF_MACRO = "as_of"
AS_OF_DATE_MACRO = "as_of_date"
GRAPH = "graph.nodes"
_LEDGER = "ledger"
_LEDGER_OF_LOADS = "ledger.loads"
_LEDGER_OF_MAPS = "ledger.map_versions"
_IGNORED_SOURCES = ("run.context", "run.built")
_RAW_ROOMS = ("staging", "canonical")


@dataclass(frozen=True)
class Facts:
    """What the outside is like now. `raw`: "folder.table" -> (columns, newest load that brought rows)."""

    raw: Mapping[str, tuple[str, int]]
    as_of: str
    as_of_date: str
    """The day of as-of in the company's zone: it moves once a day, as-of with every load."""
    through_seq: int
    history_rows: int = 0
    map_versions: Mapping[str, str] = field(default_factory=dict[str, str])
    """Map -> what of the company's own rows this build may see; a map without rows of its own is not in it."""
    environment: str = ""
    identity_rules: str = ""
    identity_content: str = ""
    """Changes when identity's result does; what it is made of can change without that."""
    identity_reads: tuple[str, ...] = ()
    """Names of the canonical models from which identity is made."""


@dataclass(frozen=True)
class Token:
    """`code` changes when rows already there could come out differently, `data` also when new rows came."""

    code: str
    data: str


@dataclass
class Plan:
    """Unique ids to build, in two selections around identity, and whether tables begin from nothing."""

    anew: list[str] = field(default_factory=list[str])
    """Built ahead of `before`, from nothing: tables that cannot take in new rows only, where others can."""
    before: list[str] = field(default_factory=list[str])
    after: list[str] = field(default_factory=list[str])
    resolve: bool = False
    fresh_before: bool = False
    fresh_after: bool = False
    skipped: list[str] = field(default_factory=list[str])

    @property
    def is_empty(self) -> bool:
        return not (self.anew or self.before or self.after or self.resolve)


class Lineage:
    """Tokens and order of one manifest (the JSON document) under some facts."""

    def __init__(self, manifest: Mapping[str, Any], facts: Facts) -> None:
        self.facts = facts
        self.nodes: Mapping[str, Any] = {
            unique_id: node
            for unique_id, node in manifest["nodes"].items()
            if node["resource_type"] in (*MODELS, "test")
        }
        self._sources = manifest["sources"]
        self._macros = manifest["macros"]
        self._project = manifest["metadata"]["project_name"]
        self._tokens: dict[str, Token] = {}
        self._after: dict[str, bool] = {}

    def token(self, unique_id: str) -> Token:
        """The token of a node, a source or identity itself."""
        found = self._tokens.get(unique_id)
        if found is None:
            found = self._compute(unique_id)
            self._tokens[unique_id] = found
        return found

    def is_after_identity(self, unique_id: str) -> bool:
        """Whether the node needs identity's tables or its history, directly or through others."""
        known = self._after.get(unique_id)
        if known is None:
            known = any(
                self._is_made_by_identity(parent) if parent in self._sources else self.is_after_identity(parent)
                for parent in self.parents(unique_id)
            )
            self._after[unique_id] = known
        return known

    def parents(self, unique_id: str) -> list[str]:
        return [
            parent
            for parent in self.nodes[unique_id]["depends_on"].get("nodes", [])
            if parent in self.nodes or parent in self._sources
        ]

    def with_ancestors(self, unique_ids: Iterable[str]) -> set[str]:
        """These nodes and all that they are made of."""
        found, waiting = set[str](), list(unique_ids)
        while waiting:
            unique_id = waiting.pop()
            if unique_id not in found:
                found.add(unique_id)
                waiting += [parent for parent in self.parents(unique_id) if parent in self.nodes]
        return found

    def asked_as_of(self, unique_id: str) -> str:
        """What the node's SQL asks for, itself or through a macro: the instant, its day, or nothing ('')."""
        called = set(self.nodes[unique_id]["depends_on"].get("macros", []))
        if called & self._as_of_macros:
            return self.facts.as_of
        return self.facts.as_of_date if called & self._as_of_date_macros else ""

    @cached_property
    def _as_of_macros(self) -> set[str]:
        return self._callers_of(AS_OF_MACRO, without=AS_OF_DATE_MACRO)

    @cached_property
    def _as_of_date_macros(self) -> set[str]:
        return self._callers_of(AS_OF_DATE_MACRO)

    def _callers_of(self, name: str, without: str = "") -> set[str]:
        """A macro of the project and all that call it, at any depth, but not through `without`."""
        found = {f"macro.{self._project}.{name}"}
        while True:
            more = {
                unique_id
                for unique_id, macro in self._macros.items()
                if unique_id not in found
                and unique_id != f"macro.{self._project}.{without}"
                and found.intersection(macro["depends_on"]["macros"])
            }
            if not more:
                return found
            found |= more

    @cached_property
    def _project_code(self) -> str:
        """All macros of the project together: they call each other by names made up at run time."""
        own = {
            unique_id: macro["macro_sql"]
            for unique_id, macro in self._macros.items()
            if macro["package_name"] == self._project
        }
        return _hash(own, self.facts.environment)

    def _compute(self, unique_id: str) -> Token:
        if unique_id == IDENTITY:
            return self._identity_token()
        if unique_id in self._sources:
            return self._source_token(self._sources[unique_id])
        node = self.nodes[unique_id]
        parents = {parent: self._as_input(parent, node) for parent in sorted(self.parents(unique_id))}
        code = _hash(
            self._project_code,
            node["checksum"]["checksum"],
            node.get("raw_code", ""),
            {key: value for key, value in node["config"].items() if key not in ("meta", "docs", "tags")},
            {name: column.get("data_type") for name, column in node.get("columns", {}).items()},
            node.get("test_metadata"),
            self._words_in(node),
            {parent: token.code for parent, token in parents.items()},
        )
        return Token(
            code, _hash(code, self.asked_as_of(unique_id), {parent: token.data for parent, token in parents.items()})
        )

    def _words_in(self, node: Mapping[str, Any]) -> object:
        """What descriptions add to the node: a table carries its own as comments, a list of metrics holds those of all."""
        if any(macro in self._graph_readers for macro in node["depends_on"].get("macros", [])):
            return {name: _described(one) for name, one in self.nodes.items() if one["resource_type"] in MODELS}
        return _described(node) if node["config"].get("materialized") == "table" else None

    @cached_property
    def _graph_readers(self) -> set[str]:
        """Macros whose result depends on dbt's graph."""
        return {unique_id for unique_id, macro in self._macros.items() if GRAPH in macro["macro_sql"]}

    def _as_input(self, parent: str, node: Mapping[str, Any]) -> Token:
        source = self._sources.get(parent)
        if source is not None:
            name = _source_name(source)
            if name in _IGNORED_SOURCES:
                return Token("", "")
            if name == _LEDGER_OF_LOADS and _is_in(node, *_RAW_ROOMS):
                return Token("", "")  # they join it in every case; loads of other tables do not concern them
            if name == _LEDGER_OF_MAPS:
                return self._maps_of(node)
        elif self._is_read_by_a_hook(parent, node):
            return Token("", self._loads_under(parent))
        return self.token(parent)

    def _is_read_by_a_hook(self, parent: str, node: Mapping[str, Any]) -> bool:
        """A canonical table may ask another one which records the new loads changed; what they hold is not in it."""
        other = self.nodes[parent]
        both = all(_is_incremental(one) and _is_in(one, "canonical") for one in (node, other))
        return both and other["name"] not in node.get("raw_code", "")

    def _loads_under(self, unique_id: str) -> str:
        """Changes with every load of what the node is made of, and with nothing else."""
        names = {
            _source_name(self._sources[parent])
            for above in self.with_ancestors([unique_id])
            for parent in self.parents(above)
            if parent in self._sources
        }
        return _hash({name: self.facts.raw[name][1] for name in sorted(names & self.facts.raw.keys())})

    def _maps_of(self, node: Mapping[str, Any]) -> Token:
        """A company's rows of the maps that the node reads: of each it reads the shipped rows too, from a seed."""
        seeds = [u for u in node["depends_on"].get("nodes", []) if u in self.nodes and _is_seed(self.nodes[u])]
        read = {name: self.facts.map_versions.get(name) for name in sorted(self.nodes[u]["name"] for u in seeds)}
        return Token(_hash(read), _hash(read))

    def _source_token(self, source: Mapping[str, Any]) -> Token:
        name = _source_name(source)
        if source["source_name"] == IDENTITY:
            return Token("", self.facts.identity_content)
        if name == "ledger.identity_history":
            return Token("", _hash(self.facts.history_rows))
        if name == _LEDGER_OF_MAPS:
            return Token(_hash(self.facts.map_versions), _hash(self.facts.map_versions))
        if name in self.facts.raw:
            columns, newest = self.facts.raw[name]
            return Token(columns, _hash(columns, newest))
        return Token("", str(self.facts.through_seq) if source["source_name"] == _LEDGER else "")

    def _identity_token(self) -> Token:
        read = [self.token(u) for u, node in sorted(self.nodes.items()) if node["name"] in self.facts.identity_reads]
        return Token(
            _hash(self.facts.identity_rules, [token.code for token in read]),
            _hash(self.facts.identity_rules, [token.data for token in read]),
        )

    def _is_made_by_identity(self, unique_id: str) -> bool:
        source = self._sources[unique_id]
        return source["source_name"] == IDENTITY or _source_name(source) == "ledger.identity_history"


def plan(lineage: Lineage, known: Mapping[str, Token], relations: Iterable[str], *, full_refresh: bool = False) -> Plan:
    """Compare with the tokens of the last build. `relations`: "schema.name" of what is in the models file."""
    present = set(relations)
    made = Plan()
    stale = {u for u in lineage.nodes if _is_stale(lineage, u, known, present, full_refresh=full_refresh)}
    fresh = {u for u in stale if _is_fresh(lineage, u, known, present, full_refresh=full_refresh)}
    begun = {u for u in fresh if not lineage.is_after_identity(u)}
    kept = {
        u for u, node in lineage.nodes.items() if _is_incremental(node) and not lineage.is_after_identity(u)
    } - begun
    made.fresh_before = bool(begun) and not kept
    made.fresh_after = full_refresh or any(lineage.is_after_identity(u) for u in fresh)
    ahead = lineage.with_ancestors(begun) & stale if kept else set[str]()
    made.resolve = full_refresh or known.get(IDENTITY) != lineage.token(IDENTITY)
    for unique_id in lineage.nodes:
        if unique_id in ahead:
            made.anew.append(unique_id)
        elif unique_id in stale:
            (made.after if lineage.is_after_identity(unique_id) else made.before).append(unique_id)
        elif lineage.nodes[unique_id]["resource_type"] in MODELS:
            made.skipped.append(unique_id)
    return made


def _is_stale(
    lineage: Lineage, unique_id: str, known: Mapping[str, Token], present: set[str], *, full_refresh: bool
) -> bool:
    node, token, last = lineage.nodes[unique_id], lineage.token(unique_id), known.get(unique_id)
    kind = node["config"].get("materialized")
    if node["resource_type"] == "test":
        return full_refresh or last is None or last.data != token.data
    if kind == "ephemeral":
        return False
    if full_refresh or last is None or f"{node['schema']}.{node['alias']}" not in present:
        return True
    return last.code != token.code if kind == "view" else last != token


def _is_fresh(
    lineage: Lineage, unique_id: str, known: Mapping[str, Token], present: set[str], *, full_refresh: bool
) -> bool:
    """Whether an incremental table cannot take in new rows only."""
    node, last = lineage.nodes[unique_id], known.get(unique_id)
    if not _is_incremental(node):
        return False
    missing = f"{node['schema']}.{node['alias']}" not in present
    return full_refresh or missing or last is None or last.code != lineage.token(unique_id).code


def _is_seed(node: Mapping[str, Any]) -> bool:
    return node["resource_type"] == "seed"


def _is_incremental(node: Mapping[str, Any]) -> bool:
    return node["config"].get("materialized") == "incremental"


def _described(node: Mapping[str, Any]) -> object:
    columns = {
        name: (column.get("description"), column.get("meta"), column.get("config", {}).get("meta"))
        for name, column in node.get("columns", {}).items()
    }
    return node.get("description"), node["config"].get("meta"), columns


def _is_in(node: Mapping[str, Any], *rooms: str) -> bool:
    return len(node["fqn"]) > 1 and node["fqn"][1] in rooms


def _source_name(source: Mapping[str, Any]) -> str:
    return f"{source['source_name']}.{source['name']}"


def _hash(*parts: object) -> str:
    text = json.dumps(parts, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:20]
