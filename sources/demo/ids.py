"""Record ids in each vendor's own format. Ids carry no meaning; both HubSpot portals count from the same number.

Salesforce: 15 characters, case-sensitive, plus 3 that make them safe to compare without case
(https://help.salesforce.com/s/articleView?id=000385585); prefixes:
https://help.salesforce.com/s/articleView?id=000385203 (the one of OpportunitySplit is not published there; nothing reads it).
"""

from __future__ import annotations

from collections import Counter

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
SALESFORCE_PREFIX = {
    "Account": "001", "Contact": "003", "Lead": "00Q", "Opportunity": "006", "User": "005", "UserRole": "00E",
    "OpportunityLineItem": "00k", "OpportunityContactRole": "00K", "Task": "00T", "Event": "00U", "Campaign": "701",
    "CampaignMember": "00v", "Product2": "01t", "AccountContactRelation": "07k", "OpportunitySplit": "1tK",
}  # fmt: skip
_HUBSPOT_FIRST = {
    "companies": 5_100_000_000,
    "contacts": 101,
    "deals": 9_000_000_000,
    "owners": 71_000_000,
    "teams": 40_000,
}
_ESALES_FIRST = {
    "customer": 100_001,
    "businesscard": 200_001,
    "businessplan": 300_001,
    "activity": 400_001,
    "employee": 501,
}
_MARKETO_FIRST = {"leads": 1_000_001, "programs": 1_001, "activities": 800_000_001}


def salesforce_suffix(short: str) -> str:
    """The three checking characters: one per five, a bit per capital letter."""
    return "".join(
        _SUFFIX[sum(1 << place for place, char in enumerate(short[start : start + 5]) if "A" <= char <= "Z")]
        for start in (0, 5, 10)
    )


def salesforce_id(object_name: str, number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = _BASE62[rest] + digits
    short = f"{SALESFORCE_PREFIX[object_name]}5i{digits:0>10}"
    return short + salesforce_suffix(short)


class Ids:
    """Counts records per instance and object and gives the next id."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def next(self, instance: str, object_name: str) -> str:
        return self.block(instance, object_name, 1)[0]

    def block(self, instance: str, object_name: str, size: int) -> list[str]:
        first = self._counts[instance, object_name]
        self._counts[instance, object_name] += size
        numbers = range(first, first + size)
        if instance == "salesforce":
            return [salesforce_id(object_name, 4_000 + number) for number in numbers]
        if instance == "esales":
            return [str(_ESALES_FIRST[object_name] + number) for number in numbers]
        if instance == "marketo":
            return [str(_MARKETO_FIRST[object_name] + number) for number in numbers]
        if instance == "kintone":
            return [str(1 + number) for number in numbers]  # every app counts its records from 1, a subtable its rows
        start, step = _HUBSPOT_FIRST.get(object_name, 30_000_000), 1 if object_name == "owners" else 50
        return [str(start + number * step + (number * 7) % min(step, 41)) for number in numbers]
