"""SOSL, as far as clients use it to look a record up: FIND {words} IN … FIELDS RETURNING objects with fields and limits.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_sosl_syntax.htm
It becomes SOQL over the name, e-mail, phone and company fields. Must not read the company's tables itself.
"""

from __future__ import annotations

import re

from sources.salesforce.sandbox.org import Org
from sources.salesforce.sandbox.query import Result, json_rows, object_of, run
from sources.salesforce.sandbox.soql import SoqlError, parse

_FIND = re.compile(
    r"\s*FIND\s*\{(?P<words>(?:\\.|[^}\\])*)\}\s*(?:IN\s+(?P<scope>ALL|NAME|EMAIL|PHONE|SIDEBAR)\s+FIELDS\s*)?"
    r"(?:RETURNING\s+(?P<returning>.*?))?(?:\s+LIMIT\s+(?P<limit>\d+))?\s*$",
    re.I | re.S,
)
_OBJECT = re.compile(r"\s*(?P<name>\w+)\s*(?:\((?P<inside>[^()]*(?:\([^()]*\)[^()]*)*)\))?\s*(?:,|$)", re.S)
_SCOPES = {
    "NAME": ("Name",),
    "EMAIL": ("Email",),
    "PHONE": ("Phone", "MobilePhone"),
    "ALL": ("Name", "Email", "Phone", "MobilePhone", "Company", "ProductCode"),
}
_DEFAULT_OBJECTS = "Account, Contact, Lead, Opportunity"
MOST_RECORDS = 2000


def search(org: Org, text: str, version: str) -> list[str]:
    """The records found, as JSON texts; raises `SoqlError`."""
    found = _FIND.match(text)
    if found is None:
        raise SoqlError("MALFORMED_SEARCH", f"unexpected token: {text[:40]!r}. The SOSL must begin with FIND {{words}}")
    words = re.sub(r"\\(.)", r"\1", found["words"]).strip().strip('"').strip("*")
    if len(words) < 2:
        raise SoqlError("MALFORMED_SEARCH", "search term must be longer than one character")
    scope = _SCOPES.get((found["scope"] or "ALL").upper(), _SCOPES["ALL"])
    most = min(int(found["limit"] or MOST_RECORDS), MOST_RECORDS)
    rows: list[str] = []
    returning, place = found["returning"] or _DEFAULT_OBJECTS, 0
    while place < len(returning):
        one = _OBJECT.match(returning, place)
        if one is None:
            raise SoqlError("MALFORMED_SEARCH", f"unexpected token: {returning[place : place + 40]!r}")
        rows += _rows(org, one["name"], one["inside"] or "Id", words, scope, version)
        place = one.end()
    return rows[:most]


def _rows(org: Org, name: str, inside: str, words: str, scope: tuple[str, ...], version: str) -> list[str]:
    each = object_of(org, name)
    names = [one for one in scope if each.find(one) is not None]
    if not names:
        return []
    pattern = re.sub(r"(['\\%_])", r"\\\1", words)
    match = " OR ".join(f"{one} LIKE '%{pattern}%'" for one in names)
    parts = re.match(
        r"(?P<fields>.*?)(?:\bWHERE\b(?P<where>.*?))?(?P<rest>\b(?:ORDER\s+BY|LIMIT)\b.*)?$", inside, re.I | re.S
    )
    fields, where, rest = (parts["fields"], parts["where"], parts["rest"]) if parts else (inside, None, None)
    condition = f"({match}) AND ({where})" if where else match
    result = run(org, parse(f"SELECT {fields} FROM {each.name} WHERE {condition} {rest or ''}"), with_deleted=False)
    return json_rows(org, result, 0, MOST_RECORDS, version) if isinstance(result, Result) else []
