"""The objects of Account Engagement that are read: their fields by API name with types, how each is ordered and filtered.

Tables only. From the object pages of the reference of version 5, of which long ones could be read in excerpts only, and never
seen against a business unit (prospect-v5, visitor-v5, visitor-activity-v5, campaign-v5,
list-v5, list-membership-v5, form-v5, email-v5, list-email-v5, lifecycle-stage-v5, lifecycle-history-v5, opportunity-v5,
prospect-account-v5 under https://developer.salesforce.com/docs/marketing/pardot/guide/).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sources.tables import DataType

# Identities and times of almost every object.
_MADE: Final[Mapping[str, DataType]] = {"createdAt": "timestamp"}
_KEPT: Final[Mapping[str, DataType]] = {**_MADE, "updatedAt": "timestamp"}


@dataclass(frozen=True)
class Object:
    """One object of the API."""

    path: str
    """Below `/api/v5/objects/`."""
    fields: Mapping[str, DataType]
    """API name -> type, without `id`."""
    order: str | None = None
    """The stamp by which it can be ordered and filtered; None = by id, and the whole object is read in every run."""
    recycled: bool = False
    """It has a recycle bin: `deleted=all` lists what lies there too, `isDeleted` tells it apart."""


def _texts(*names: str) -> dict[str, DataType]:
    return dict.fromkeys(names, "text")


OBJECTS: Final[Mapping[str, Object]] = {
    "lifecycle_stages": Object(
        "lifecycle-stages",
        {"name": "text", "position": "bigint", "isLocked": "bool", "isDeleted": "bool", **_KEPT},
        "updatedAt",
        recycled=True,
    ),
    "campaigns": Object(
        "campaigns",
        {**_texts("name", "salesforceId", "parentCampaignId", "folderId"), "cost": "decimal", "isDeleted": "bool", **_KEPT},
        "updatedAt",
        recycled=True,
    ),
    "prospect_accounts": Object(
        "prospect-accounts",
        {
            **_texts(
                "name", "salesforceId", "phone", "website", "industry", "employees", "type", "billingAddressOne",
                "billingAddressTwo", "billingCity", "billingState", "billingZip", "billingCountry", "assignedToId",
            ),
            "isDeleted": "bool",
            **_KEPT,
        },
        recycled=True,
    ),
    "prospects": Object(
        "prospects",
        {
            **_texts(
                "email", "firstName", "lastName", "salutation", "jobTitle", "department", "company", "prospectAccountId",
                "campaignId", "lifecycleStageId", "assignedToId", "profileId", "source", "grade", "phone", "fax",
                "addressOne", "addressTwo", "city", "state", "zip", "country", "website", "industry", "employees",
                "annualRevenue", "territory", "salesforceId", "salesforceContactId", "salesforceLeadId",
                "salesforceAccountId", "salesforceCampaignId", "salesforceOwnerId", "salesforceUrl",
                "convertedFromObjectName", "convertedFromObjectType", "firstReferrerType", "firstReferrerUrl",
                "sourceParameter", "campaignParameter", "mediumParameter", "contentParameter", "termParameter",
                "emailBouncedReason", "recentInteraction",
            ),
            "score": "bigint",
            "optedOut": "bool", "isDoNotEmail": "bool", "isDoNotCall": "bool", "isEmailHardBounced": "bool",
            "isReviewed": "bool", "isStarred": "bool", "doNotSell": "bool",
            "lastActivityAt": "timestamp", "firstActivityAt": "timestamp", "firstAssignedAt": "timestamp",
            "convertedAt": "timestamp", "emailBouncedAt": "timestamp", "salesforceLastSync": "timestamp",
            "isDeleted": "bool",
            **_KEPT,
        },
        "updatedAt",
        recycled=True,
    ),
    "lifecycle_histories": Object(
        "lifecycle-histories",
        {**_texts("prospectId", "previousStageId", "nextStageId"), "secondsElapsed": "bigint", **_MADE},
        "createdAt",
    ),
    "visitors": Object(
        "visitors",
        {
            **_texts(
                "prospectId", "campaignId", "ipAddress", "hostname", "sourceParameter", "campaignParameter",
                "mediumParameter", "contentParameter", "termParameter",
            ),
            "pageViewCount": "bigint", "isIdentified": "bool", "doNotSell": "bool",
            **_KEPT,
        },
        "updatedAt",
    ),
    "lists": Object(
        "lists",
        {
            **_texts("name", "title", "description", "campaignId", "folderId"),
            "isPublic": "bool", "isDynamic": "bool", "isDeleted": "bool",
            **_KEPT,
        },
        "updatedAt",
        recycled=True,
    ),
    "list_memberships": Object(
        "list-memberships",
        {**_texts("listId", "prospectId"), "optedOut": "bool", **_KEPT},
        "updatedAt",
    ),
    "forms": Object(
        "forms",
        {**_texts("name", "campaignId", "folderId", "salesforceId"), "isDeleted": "bool", **_KEPT},
        recycled=True,
    ),
    "list_emails": Object(
        "list-emails",
        {
            **_texts("name", "subject", "campaignId", "emailTemplateId", "clientType", "folderId"),
            "isPaused": "bool", "isSent": "bool", "isOperational": "bool", "sentAt": "timestamp", "isDeleted": "bool",
            **_KEPT,
        },
        "updatedAt",
        recycled=True,
    ),
    "emails": Object(
        "emails",
        {
            **_texts(
                "name", "subject", "type", "clientType", "campaignId", "prospectId", "listId", "listEmailId",
                "emailTemplateId", "folderId",
            ),
            "isOperational": "bool", "sentAt": "timestamp",
        },
        "sentAt",
    ),
    "visitor_activities": Object(
        "visitor-activities",
        {
            **_texts(
                "prospectId", "visitorId", "visitId", "typeName", "details", "campaignId", "emailId", "listEmailId",
                "emailTemplateId", "formId", "formHandlerId", "landingPageId", "fileId", "customRedirectId",
                "opportunityId", "visitorPageViewId", "siteSearchQueryId", "paidSearchAdId",
                "multivariateTestVariationId",
            ),
            "type": "bigint",
            **_KEPT,
        },
        "updatedAt",
    ),
    "opportunities": Object(
        "opportunities",
        {
            **_texts("name", "type", "stage", "status", "campaignId", "salesforceId"),
            "value": "decimal", "probability": "bigint", "closedAt": "timestamp",
            **_KEPT,
        },
        "updatedAt",
    ),
}  # fmt: skip
# In this order: what others name by id comes first.
