"""Fields that the reference has and the source does not read: the sandbox knows them too, without a value.

Names alone, from the object pages under https://developer.salesforce.com/docs/marketing/pardot/guide/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_BY: Final = ("createdById", "updatedById")
_SENDER: Final = tuple(
    f"{part}.{name}"
    for part in ("senderOptions", "replyToOptions")
    for name in ("type", "address", "name", "userId", "prospectCustomFieldId", "accountCustomFieldId")
)

ALSO: Final[Mapping[str, tuple[str, ...]]] = {
    "lifecycle_stages": ("matchType",),
    "campaigns": _BY,
    "prospect_accounts": (
        *_BY, "annualRevenue", "description", "fax", "number", "ownership", "rating", "shippingAddressOne",
        "shippingAddressTwo", "shippingCity", "shippingCountry", "shippingState", "shippingZip", "sic", "site", "tickerSymbol",
    ),
    "prospects": (*_BY, "userId", "firstReferrerQuery", "yearsInBusiness", "comments", "notes"),
    "lists": _BY,
    "list_memberships": _BY,
    "forms": (
        *_BY, "layoutTemplateId", "trackerDomainId", "isUseRedirectLocation", "isAlwaysDisplay", "isCookieless",
        "isCaptchaEnabled", "showNotProspect", "embedCode", "submitButtonText", "beforeFormContent", "afterFormContent",
        "thankYouContent", "thankYouCode", "redirectLocation", "fontSize", "fontFamily", "fontColor", "labelAlignment",
        "radioAlignment", "checkboxAlignment", "requiredCharacter",
    ),
    "list_emails": (*_BY, *_SENDER, "trackerDomainId"),
    "emails": ("createdById", *_SENDER, "trackerDomainId"),
    "opportunities": _BY,
}  # fmt: skip
# Objects without a recycle bin of their own that take `deleted` all the same.
TAKE_DELETED: Final = frozenset({"visitors", "list_memberships"})
