"""Salesforce record ids: the 18-character form, in Python and as a SQL macro.

The last three characters say which of the first fifteen are capitals, so that a case-insensitive reader keeps ids apart.
https://help.salesforce.com/s/articleView?id=000385585 (15 to 18 characters). Must hold nothing else.
"""

SUFFIX_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"

# Object -> the three characters that its ids begin with.
# http://www.fishofprey.com/2011/09/obscure-salesforce-object-key-prefixes.html
KEY_PREFIXES = {
    "Account": "001",
    "Contact": "003",
    "AccountContactRelation": "07k",
    "Lead": "00Q",
    "LeadHistory": "017",
    "Opportunity": "006",
    "OpportunityHistory": "008",
    "OpportunityFieldHistory": "017",
    "OpportunityContactRole": "00K",
    "OpportunityLineItem": "00k",
    "OpportunitySplit": "1tK",
    "Product2": "01t",
    "Task": "00T",
    "Event": "00U",
    "Campaign": "701",
    "CampaignMember": "00v",
    "User": "005",
    "UserRole": "00E",
    "Organization": "00D",
    "RecordType": "012",
    "OpportunityStage": "01J",
}


def with_suffix(id15: str) -> str:
    """The 18-character form of a 15-character id; an id of another length comes back as it is."""
    if len(id15) != 15:
        return id15
    suffix = ""
    for start in (0, 5, 10):
        bits = sum(1 << place for place, letter in enumerate(id15[start : start + 5]) if "A" <= letter <= "Z")
        suffix += SUFFIX_ALPHABET[bits]
    return id15 + suffix


def suffix_macro(name: str) -> str:
    """`create macro` text for the same in DuckDB's SQL."""

    def block(start: int) -> str:
        bits = " + ".join(
            f"(case when regexp_matches(substr(id15, {start + place + 1}, 1), '[A-Z]') then {1 << place} else 0 end)"
            for place in range(5)
        )
        return f"substr('{SUFFIX_ALPHABET}', 1 + {bits}, 1)"

    return f"create or replace macro {name}(id15) as id15 || {block(0)} || {block(5)} || {block(10)}"
