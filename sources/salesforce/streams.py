"""The objects read from Salesforce: key, cursor, how deletions are seen. One row per object, no code that talks to anything.

Deletions, by https://developer.salesforce.com/docs/platform/api-rest/guide/resources-queryall.html and `resources-getdeleted`:
rows in the recycle bin come with IsDeleted (flag), rows deleted for good are in the feed of deletions of the last 15 days
(feed), and some vanish without a word (sweep). Histories only grow.
"""

from collections.abc import Mapping
from datetime import timedelta

from sources.salesforce import columns
from sources.stream import DataType, Deletes, Stream

# Stamps of the signed-in user's own looking about: they change without the record changing.
VIEWED = ("last_viewed_date", "last_referenced_date")

# Rows with an older stamp can appear after a window was read (long transactions, a clock that differs from the vendor's).
# The next window therefore begins earlier, which is as safe as ending early and leaves nothing recent out.
LOOKBACK = timedelta(minutes=15)


def _stream(
    name: str,
    vendor_object: str,
    its_columns: Mapping[str, DataType],
    *,
    deletes: Deletes = "flag",
    cursor: str = "system_modstamp",
    volatile: tuple[str, ...] = VIEWED,
) -> Stream:
    return Stream(
        name=name,
        object=vendor_object,
        key=("id",),
        columns=its_columns,
        cursor=cursor,
        lag=timedelta(0),
        lookback=LOOKBACK,
        deletes=deletes,
        volatile=volatile,
    )


STREAMS: tuple[Stream, ...] = (
    _stream("account", "Account", columns.ACCOUNT),
    _stream("contact", "Contact", columns.CONTACT),
    _stream("account_contact_relation", "AccountContactRelation", columns.ACCOUNT_CONTACT_RELATION),
    _stream("lead", "Lead", columns.LEAD),
    _stream(
        "lead_history", "LeadHistory", {**columns.HISTORY, "lead_id": "text"}, cursor="created_date", deletes="none"
    ),
    _stream("opportunity", "Opportunity", columns.OPPORTUNITY),
    _stream("opportunity_history", "OpportunityHistory", columns.OPPORTUNITY_HISTORY, deletes="none"),
    _stream(
        "opportunity_field_history",
        "OpportunityFieldHistory",
        {**columns.HISTORY, "opportunity_id": "text"},
        cursor="created_date",
        deletes="none",
    ),
    _stream("opportunity_contact_role", "OpportunityContactRole", columns.OPPORTUNITY_CONTACT_ROLE, deletes="sweep"),
    _stream("opportunity_line_item", "OpportunityLineItem", columns.OPPORTUNITY_LINE_ITEM),
    _stream("opportunity_split", "OpportunitySplit", columns.OPPORTUNITY_SPLIT),
    _stream("product2", "Product2", columns.PRODUCT2),
    _stream("task", "Task", columns.TASK),
    _stream("event", "Event", columns.EVENT),
    _stream("campaign", "Campaign", columns.CAMPAIGN),
    _stream("campaign_member", "CampaignMember", columns.CAMPAIGN_MEMBER, deletes="feed"),
    _stream("user", "User", columns.USER, deletes="none", volatile=(*VIEWED, "last_login_date", "system_modstamp")),
    _stream("user_role", "UserRole", columns.USER_ROLE, deletes="sweep"),
)
