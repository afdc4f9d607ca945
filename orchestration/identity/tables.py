"""The tables of schema `identity` and the canonical columns that identity reads: data, no logic.

No key, no constraint and no index: DuckDB's replay of the write-ahead log around them is where data was lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field

TABLES: dict[str, str] = {
    "records": (
        "entity_type varchar, record_key varchar, fingerprint ubigint, created_at timestamp, updated_at timestamp, "
        "source_system varchar, source_object varchar, source_id varchar"
    ),
    "keys": "entity_type varchar, record_key varchar, key_type varchar, key_value varchar",
    "matches": (
        "entity_type varchar, left_key varchar, right_key varchar, rule varchar, probability double, evidence varchar"
    ),
    "kept_apart": "entity_type varchar, left_key varchar, right_key varchar",
    "clusters": (
        "entity_type varchar, record_key varchar, entity_id varchar, matched_by varchar, match_probability double, "
        "valid_from timestamp"
    ),
    "changed_entities": "entity_type varchar, entity_id varchar",
    "branch_links": "branch_key varchar, head_key varchar, corporate_number varchar",
    "held_back": "entity_type varchar, rule varchar, evidence varchar, record_count bigint, reason varchar",
    "history_outbox": (
        "entity_type varchar, old_entity_id varchar, new_entity_id varchar, changed_at timestamp, reason varchar, "
        "run_seq bigint"
    ),
    "content": "clusters_hash varchar",
    "state": "rules_version varchar, through_seq bigint",
}


@dataclass(frozen=True)
class Entity:
    """One entity type: its canonical table, the columns that identity compares, and where else its rows change."""

    table: str
    attributes: tuple[str, ...] = ()
    link_columns: dict[str, str] = field(default_factory=dict[str, str])
    """column that holds another record's key -> kind of link"""
    dependents: tuple[tuple[str, str], ...] = ()
    """(canonical table, its column with this entity's record key): a change there changes the entity"""
    newest_first: str = ""
    """order that picks one row where the table has several a record"""


ENTITIES: dict[str, Entity] = {
    "account": Entity(
        "canonical_account",
        ("name", "domain", "website", "corporate_number"),
        {"merged_into_key": "merged"},
        (("canonical_person_account", "account_key"),),
    ),
    "person": Entity(
        "canonical_person",
        ("full_name", "family_name", "given_name", "family_kana", "given_kana", "email"),
        {"merged_into_key": "merged", "converted_to_key": "converted"},
        (
            ("canonical_person_account", "person_key"),
            ("canonical_lifecycle_event", "record_key"),
            ("canonical_campaign_member", "person_key"),
            ("canonical_opportunity_person", "person_key"),
        ),
    ),
    "opportunity": Entity(
        "canonical_opportunity",
        (),
        {"merged_into_key": "merged", "mirror_of_key": "mirror"},
        (
            ("canonical_opportunity_version", "record_key"),
            ("canonical_opportunity_line", "opportunity_key"),
            ("canonical_opportunity_person", "opportunity_key"),
            ("canonical_opportunity_split", "opportunity_key"),
        ),
    ),
    "campaign": Entity(
        "canonical_campaign",
        (),
        {"merged_into_key": "merged"},
        (("canonical_campaign_member", "campaign_key"),),
    ),
    "activity": Entity("canonical_interaction", (), {"merged_into_key": "merged"}),
    "user": Entity(
        "canonical_sales_user",
        ("name", "email"),
        {"merged_into_key": "merged"},
        newest_first="is_current desc nulls last, valid_from desc nulls last, created_at nulls last",
    ),
}
"""Every type of INTERFACE's identity map. Attributes not listed here cannot move a record to another entity."""

ATTRIBUTES = tuple(dict.fromkeys(column for entity in ENTITIES.values() for column in entity.attributes))
