"""What an object of the sandbox's org is made of: fields with type, label and the SQL that finds them, and describe's answer.

Types and attributes follow https://developer.salesforce.com/docs/platform/api-rest/guide/resources-sobject-describe.html
and https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/field_types.htm. Must not touch a database.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sources.salesforce.sandbox.ids import KEY_PREFIXES

FieldType = Literal[
    "id", "string", "textarea", "email", "phone", "url", "picklist", "multipicklist", "combobox", "reference", "boolean",
    "int", "double", "currency", "percent", "date", "datetime", "address", "anyType",
]  # fmt: skip
Deletion = Literal["flag", "feed", "silent", "none"]

_SOAP = {
    "id": "tns:ID", "reference": "tns:ID", "boolean": "xsd:boolean", "int": "xsd:int", "double": "xsd:double",
    "currency": "xsd:double", "percent": "xsd:double", "date": "xsd:date", "datetime": "xsd:dateTime",
    "address": "urn:address", "anyType": "xsd:anyType",
}  # fmt: skip
_LENGTHS = {"id": 18, "reference": 18, "string": 255, "textarea": 32000, "email": 80, "phone": 40, "url": 255}


@dataclass(frozen=True)
class Field:
    """One field. `sql` gives it from the object's `source`; empty SQL is a field that the org has and never fills."""

    name: str
    type: FieldType
    sql: str = ""
    to: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    nillable: bool = True
    filterable: bool = True

    @property
    def is_custom(self) -> bool:
        return self.name.endswith("__c")

    @property
    def relationship(self) -> str | None:
        """Name under which SOQL reaches the parent: `AccountId` -> `Account`, `Campaign__c` -> `Campaign__r`."""
        if self.type != "reference":
            return None
        return self.name[:-1] + "r" if self.is_custom else self.name.removesuffix("Id")


@dataclass(frozen=True)
class ObjectType:
    """One object of the org. `source` is the text after FROM that has a row per record; `order` the physical order of rows."""

    name: str
    label: str
    source: str
    fields: tuple[Field, ...]
    deletion: Deletion = "flag"
    order: str = "SystemModstamp"
    deleted_sql: str = ""  # a query (id, deleted_at) of the records gone, where the rows themselves no longer show them
    by_name: dict[str, Field] = field(default_factory=dict[str, Field], compare=False)

    def __post_init__(self) -> None:
        self.by_name.update({each.name.lower(): each for each in self.fields})

    def find(self, name: str) -> Field | None:
        """A field by name in any letter case, as SOQL reads names."""
        return self.by_name.get(name.lower())

    @property
    def has_is_deleted(self) -> bool:
        return "isdeleted" in self.by_name


def audit_fields(changed_by: str, *, created: bool = True, deleted: bool = True) -> tuple[Field, ...]:
    """System fields; instants are cut to the second, as Salesforce stores them."""
    fields = [
        Field("IsDeleted", "boolean", "r.is_deleted", nillable=False),
        Field("CreatedDate", "datetime", "date_trunc('second', r.created_at)", nillable=False),
        Field("CreatedById", "reference", changed_by, to=("User",), nillable=False),
        Field("LastModifiedDate", "datetime", "date_trunc('second', r.\"at\")", nillable=False),
        Field("LastModifiedById", "reference", changed_by, to=("User",), nillable=False),
        Field("SystemModstamp", "datetime", "date_trunc('second', r.\"at\")", nillable=False),
    ]
    left_out = {
        name for name, kept in (("IsDeleted", deleted), ("CreatedDate", created), ("CreatedById", created)) if not kept
    }
    return tuple(each for each in fields if each.name not in left_out)


def label_of(name: str) -> str:
    """`BillingStreet` -> `Billing Street`, `CorporateNumber__c` -> `Corporate Number`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name.removesuffix("__c").replace("_", " "))
    return words.removesuffix(" Id") + (" ID" if words.endswith(" Id") else "")


def describe_field(each: Field) -> dict[str, Any]:
    """One entry of `fields` in the answer of describe."""
    length = _LENGTHS.get(each.type, 255 if each.type in ("picklist", "multipicklist", "combobox") else 0)
    number = each.type in ("double", "currency", "percent")
    return {
        "aggregatable": each.type not in ("address", "anyType", "textarea"),
        "calculated": False,
        "createable": False,
        "custom": each.is_custom,
        "byteLength": length * 3,
        "defaultedOnCreate": each.type == "boolean",
        "digits": 8 if each.type == "int" else 0,
        "filterable": each.filterable and each.type not in ("address", "anyType"),
        "groupable": each.type not in ("address", "anyType", "datetime", "textarea", "double", "currency", "percent"),
        "idLookup": each.type == "id",
        "inlineHelpText": None,
        "label": "Record ID" if each.name == "Id" else label_of(each.name),
        "length": length,
        "name": each.name,
        "nameField": each.name == "Name",
        "nillable": each.nillable and each.type not in ("id", "boolean"),
        "permissionable": each.is_custom,
        "picklistValues": [
            {"active": True, "defaultValue": False, "label": value, "validFor": None, "value": value}
            for value in each.values
        ],
        "polymorphicForeignKey": len(each.to) > 1,
        "precision": 18 if number else 0,
        "queryByDistance": False,
        "referenceTo": list(each.to),
        "relationshipName": each.relationship,
        "restrictedPicklist": False,
        "scale": 2 if number else 0,
        "soapType": _SOAP.get(each.type, "xsd:string"),
        "sortable": each.type not in ("address", "textarea"),
        "type": each.type,
        "unique": False,
        "updateable": False,
    }


def describe_summary(each: ObjectType, version: str) -> dict[str, Any]:
    """One entry of the list of objects."""
    base = f"/services/data/v{version}/sobjects/{each.name}"
    replicates = each.deletion != "silent" and each.name not in ("Organization", "RecordType", "OpportunityStage")
    return {
        "activateable": False,
        "createable": False,
        "custom": False,
        "deletable": False,
        "keyPrefix": KEY_PREFIXES[each.name],
        "label": each.label,
        "labelPlural": each.label + "s",
        "layoutable": True,
        "mergeable": each.name in ("Account", "Contact", "Lead"),
        "name": each.name,
        "queryable": True,
        "replicateable": replicates,
        "retrieveable": True,
        "searchable": each.name in ("Account", "Contact", "Lead", "Opportunity", "Campaign", "Product2", "User"),
        "triggerable": True,
        "undeletable": each.deletion == "flag",
        "updateable": False,
        "urls": {"sobject": base, "describe": base + "/describe", "rowTemplate": base + "/{ID}"},
    }


def describe_object(each: ObjectType, version: str) -> dict[str, Any]:
    """The answer of `/sobjects/<object>/describe`."""
    return {
        **describe_summary(each, version),
        "actionOverrides": [],
        "childRelationships": [],
        "fields": [describe_field(one) for one in each.fields],
        "recordTypeInfos": [],
        "supportedScopes": [{"label": "All", "name": "everything"}],
    }


def case_of(column: str, words: Sequence[tuple[str, str]], otherwise: str) -> str:
    """A SQL `case` over fixed words."""
    arms = " ".join(f"when '{quote(left)}' then '{quote(right)}'" for left, right in words)
    return f"case {column} {arms} else {otherwise} end"


def quote(text: str) -> str:
    """Text inside a SQL literal."""
    return text.replace("'", "''")
