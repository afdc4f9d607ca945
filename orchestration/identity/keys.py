"""Keys: what of a record is compared, as normal forms computed once per distinct value.

A table of key kinds. Adding one (a telephone number for probabilistic matching) is one row here and one rule in
`rules`; nothing is computed that no rule asks for. No SQL in here: Arrow in, Arrow out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from orchestration.identity.company_names import normalize_company
from orchestration.identity.contact_points import corporate_number, email_domain, normalize_email
from orchestration.identity.person_names import normalize_person

Normalizer = Callable[..., object]


@dataclass(frozen=True)
class KeyKind:
    """`normalize(*columns)` gives an object whose text is the key, or None."""

    entity_type: str
    key_type: str
    columns: tuple[str, ...]
    normalize: Normalizer


def _company_domain(domain: str | None, website: str | None) -> str | None:
    return email_domain(domain) or email_domain(website)


def _person_name(*parts: str | None) -> object:
    return normalize_person(*parts)


KEY_KINDS: tuple[KeyKind, ...] = (
    KeyKind("account", "corporate_number", ("corporate_number",), corporate_number),
    KeyKind("account", "domain", ("domain", "website"), _company_domain),
    KeyKind("account", "company_name", ("name",), normalize_company),
    KeyKind("person", "email", ("email",), normalize_email),
    KeyKind(
        "person",
        "person_name",
        ("full_name", "family_name", "given_name", "family_kana", "given_kana"),
        _person_name,
    ),
    KeyKind("user", "email", ("email",), normalize_email),
    KeyKind("user", "person_name", ("name",), _person_name),
)


def normal_forms(kind: KeyKind, values: pa.Table) -> pa.Table:
    """Distinct values of the kind's columns -> the same rows with `key_value`, those without a key left out."""
    columns = [values.column(name).to_pylist() for name in kind.columns]
    found = [kind.normalize(*row) for row in zip(*columns, strict=True)]
    texts = pa.array([None if form is None else str(form) for form in found], pa.string())
    table = values.select(list(kind.columns)).append_column("key_value", texts)
    return table.filter(texts.is_valid())
