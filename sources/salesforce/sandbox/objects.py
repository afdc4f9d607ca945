"""The org's objects about companies and people: Account, Contact, relations, Lead, users, roles, and small reference objects.

Each is written from the vendor's object reference, over the demo company's tables as of its clock; `r` is the record's row.
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/ Must not query anything itself.
"""

from __future__ import annotations

from sources.salesforce.sandbox.auth import INTEGRATION_USER, ORGANIZATION
from sources.salesforce.sandbox.fields import Field, ObjectType, audit_fields, case_of, quote
from sources.salesforce.sandbox.ids import with_suffix
from sources.salesforce.vocabulary import (
    ACCOUNT_TYPES,
    CONVERTED_STATUS,
    COUNTRIES,
    LEAD_STATUSES,
    RECORD_TYPES,
    STAGES,
)

OWNER = "r.owner_source_id"
# Salesforce's date fields carry no zone: the company works in Tokyo (no daylight saving).
LOCAL = "interval 9 hour"

ID = Field("Id", "id", "r.source_id", nillable=False)
CURRENCY = Field("CurrencyIsoCode", "picklist", "'JPY'", values=("JPY", "USD", "EUR"))


_COUNTRY = case_of("r.country", [*COUNTRIES.items()], "r.country")


def rows_of(view: str, object_name: str, alias: str = "r") -> str:
    """The newest visible versions of one object of the instance; `{instance}` is filled in by the reader."""
    return f"(select * from current.{view} where instance = '{{instance}}' and object = '{object_name}') {alias}"


def owner_fields() -> tuple[Field, ...]:
    return (
        Field("OwnerId", "reference", OWNER, to=("User",), nillable=False),
        Field("LastActivityDate", "date"),
        Field("LastViewedDate", "datetime"),
        Field("LastReferencedDate", "datetime"),
    )


def address_fields(prefix: str, columns: bool) -> tuple[Field, ...]:
    """The parts of an address and the compound field over them; `columns` says whether the rows have an address."""
    sources = {
        "Street": "r.street",
        "City": "r.city",
        "State": "r.region",
        "StateCode": "",
        "PostalCode": "r.postal_code",
        "Country": _COUNTRY,
        "CountryCode": "r.country",
    }
    parts = tuple(
        Field(prefix + part, "textarea" if part == "Street" else "string", sql if columns else "")
        for part, sql in sources.items()
    )
    return (*parts, *(Field(prefix + part, "double") for part in ("Latitude", "Longitude")), _compound(prefix, columns))


def _compound(prefix: str, columns: bool) -> Field:
    struct = (
        f"{{'city': r.city, 'country': {_COUNTRY}, 'countryCode': r.country, 'geocodeAccuracy': null,"
        " 'latitude': null, 'longitude': null, 'postalCode': r.postal_code, 'state': r.region, 'street': r.street}"
    )
    return Field(prefix + "Address", "address", f"to_json({struct})" if columns else "")


ACCOUNT = ObjectType(
    "Account",
    "Account",
    rows_of("accounts", "Account"),
    (
        ID,
        *audit_fields(OWNER),
        *owner_fields(),
        Field("MasterRecordId", "reference", "r.merged_into_source_id", to=("Account",)),
        Field("Name", "string", "r.name", nillable=False),
        Field(
            "Type", "picklist", case_of("r.account_type", [*ACCOUNT_TYPES.items()], "r.account_type"),
            values=tuple(ACCOUNT_TYPES.values()),
        ),
        Field("RecordTypeId", "reference", to=("RecordType",)),
        Field("ParentId", "reference", "r.parent_source_id", to=("Account",)),
        *address_fields("Billing", True),
        *address_fields("Shipping", False),
        Field("Phone", "phone", "r.phone"),
        Field("Fax", "phone"),
        Field("AccountNumber", "string"),
        Field("Website", "url", "r.website"),
        Field("PhotoUrl", "url"),
        Field("Sic", "string"),
        Field("Industry", "picklist", "r.industry"),
        Field("AnnualRevenue", "currency"),
        Field("NumberOfEmployees", "int", "r.employee_count"),
        Field("Ownership", "picklist", values=("Public", "Private", "Subsidiary", "Other")),
        Field("TickerSymbol", "string"),
        Field("Description", "textarea"),
        Field("Rating", "picklist", values=("Hot", "Warm", "Cold")),
        Field("Site", "string"),
        Field("AccountSource", "picklist"),
        CURRENCY,
        Field("CorporateNumber__c", "string", "r.corporate_number"),
        Field("Domain__c", "string", "r.domain"),
        Field(
            "SizeBand__c", "picklist",
            "case when r.employee_count >= 1000 then 'Enterprise' when r.employee_count >= 100 then 'Mid-market'"
            " when r.employee_count is not null then 'Small' end",
            values=("Enterprise", "Mid-market", "Small"),
        ),
    ),
)  # fmt: skip

_NAMES = (
    Field("LastName", "string", "r.family_name", nillable=False),
    Field("FirstName", "string", "r.given_name"),
    Field("Salutation", "picklist", values=("Mr.", "Ms.", "Mrs.", "Dr.", "Prof.")),
    Field("Name", "string", "concat_ws(' ', r.given_name, r.family_name)", nillable=False),
    Field("LastNameLocal", "string", "r.family_kana"),
    Field("FirstNameLocal", "string", "r.given_kana"),
)
_REACH = (
    Field("Email", "email", "r.email"),
    Field("Phone", "phone", "r.phone"),
    Field("MobilePhone", "phone", "r.mobile"),
    Field("Fax", "phone"),
    Field("Title", "string", "r.job_title"),
    Field("LeadSource", "picklist", "r.lead_source"),
    Field("Description", "textarea"),
    Field("HasOptedOutOfEmail", "boolean", "coalesce(r.is_email_opted_out, false)"),
    Field("HasOptedOutOfFax", "boolean", "false"),
    Field("DoNotCall", "boolean", "coalesce(r.is_call_opted_out, false)"),
    Field("EmailBouncedReason", "string"),
    Field("EmailBouncedDate", "datetime"),
    CURRENCY,
    Field("Score__c", "double", "r.score"),
)

CONTACT = ObjectType(
    "Contact",
    "Contact",
    rows_of("people", "Contact"),
    (
        ID,
        *audit_fields(OWNER),
        *owner_fields(),
        Field("MasterRecordId", "reference", "r.merged_into_source_id", to=("Contact",)),
        Field("AccountId", "reference", "r.account_source_id", to=("Account",)),
        *_NAMES,
        *_REACH,
        *address_fields("Mailing", False),
        Field("HomePhone", "phone"),
        Field("Department", "string", "r.department"),
        Field("ReportsToId", "reference", to=("Contact",)),
        Field("Birthdate", "date"),
        Field("IsEmailBounced", "boolean", "false"),
    ),
)

LEAD = ObjectType(
    "Lead",
    "Lead",
    rows_of("people", "Lead"),
    (
        ID,
        *audit_fields(OWNER),
        *owner_fields(),
        Field("MasterRecordId", "reference", "r.merged_into_source_id", to=("Lead",)),
        *_NAMES,
        *_REACH,
        *address_fields("", False),
        Field("Company", "string", "coalesce(r.company_name, '[not provided]')", nillable=False),
        Field("CompanyLocal", "string"),
        Field("Website", "url"),
        Field("Industry", "picklist"),
        Field("NumberOfEmployees", "int"),
        Field("AnnualRevenue", "currency"),
        Field(
            "Status", "picklist",
            f"case when r.is_converted then '{CONVERTED_STATUS}' else"
            f" {case_of('r.stage', [*LEAD_STATUSES.items()], 'r.stage')} end",
            values=tuple(LEAD_STATUSES.values()), nillable=False,
        ),
        Field(
            "Rating", "picklist",
            "case when r.score >= 70 then 'Hot' when r.score >= 35 then 'Warm' when r.score is not null then 'Cold' end",
            values=("Hot", "Warm", "Cold"),
        ),
        Field("RecordTypeId", "reference", to=("RecordType",)),
        Field("IsConverted", "boolean", "coalesce(r.is_converted, false)"),
        # ConvertedDate is a date: the instant of a conversion is the CreatedDate of what it created.
        Field("ConvertedDate", "date", f"(r.converted_at + {LOCAL})::date"),
        Field("ConvertedAccountId", "reference", "r.converted_account_source_id", to=("Account",)),
        Field("ConvertedContactId", "reference", "r.converted_contact_source_id", to=("Contact",)),
        Field("ConvertedOpportunityId", "reference", "r.converted_opportunity_source_id", to=("Opportunity",)),
        Field("IsUnreadByOwner", "boolean", "false"),
        Field("Department__c", "string", "r.department"),
        Field("CorporateNumber__c", "string"),
    ),
)  # fmt: skip

ACCOUNT_CONTACT_RELATION = ObjectType(
    "AccountContactRelation",
    "Account Contact Relationship",
    rows_of("person_accounts", "AccountContactRelation"),
    (
        ID,
        *audit_fields(f"'{INTEGRATION_USER}'"),
        Field("AccountId", "reference", "r.account_source_id", to=("Account",)),
        Field("ContactId", "reference", "r.person_source_id", to=("Contact",)),
        Field("Roles", "multipicklist", "r.role"),
        Field("IsDirect", "boolean", "coalesce(r.is_primary, false)"),
        Field("IsActive", "boolean", "coalesce(r.is_active, true)"),
        Field("StartDate", "date", "r.start_date"),
        Field("EndDate", "date", "r.end_date"),
        CURRENCY,
    ),
)

USER = ObjectType(
    "User",
    "User",
    rows_of("users", "User"),
    (
        ID,
        *audit_fields(f"'{INTEGRATION_USER}'", deleted=False),
        Field("Username", "string", "r.email", nillable=False),
        Field("LastName", "string", "r.family_name", nillable=False),
        Field("FirstName", "string", "r.given_name"),
        Field("Name", "string", "r.name", nillable=False),
        Field("CompanyName", "string"),
        Field("Division", "string"),
        Field("Department", "string", "r.department"),
        Field("Title", "string", "r.job_title"),
        *address_fields("", False),
        Field("Email", "email", "r.email", nillable=False),
        Field("Phone", "phone"),
        Field("MobilePhone", "phone"),
        Field("Alias", "string", "left(r.email, 8)", nillable=False),
        Field("IsActive", "boolean", "coalesce(r.is_active, true)"),
        Field("UserRoleId", "reference", "r.role_source_id", to=("UserRole",)),
        Field("ProfileId", "reference", f"'{with_suffix('00e5g000000Stnd')}'", to=("Profile",), nillable=False),
        Field("UserType", "picklist", "'Standard'"),
        Field("ManagerId", "reference", "r.manager_source_id", to=("User",)),
        Field("EmployeeNumber", "string"),
        Field("FederationIdentifier", "string"),
        Field("LastLoginDate", "datetime"),
        Field("DefaultCurrencyIsoCode", "picklist", "'JPY'", values=("JPY", "USD", "EUR")),
        Field("Team__c", "string", "r.team"),
    ),
    deletion="none",
)

USER_ROLE = ObjectType(
    "UserRole",
    "Role",
    f"(select * from {rows_of('roles', 'UserRole')} where not is_deleted) r",
    (
        ID,
        Field("Name", "string", "r.name", nillable=False),
        Field("ParentRoleId", "reference", "r.parent_source_id", to=("UserRole",)),
        Field("RollupDescription", "string"),
        Field("DeveloperName", "string", "'Role_' || left(r.source_id, 15)"),
        Field("PortalType", "picklist", "'None'"),
        *audit_fields(f"'{INTEGRATION_USER}'", created=False, deleted=False),
    ),
    deletion="silent",
)

_ORGANIZATION = ObjectType(
    "Organization",
    "Organization",
    f"(values ('{ORGANIZATION}')) r(source_id)",
    (
        ID,
        Field("Name", "string", "'Tsunagu Demo KK'", nillable=False),
        Field("OrganizationType", "picklist", "'Enterprise Edition'"),
        Field("InstanceName", "string", "'JPN001'"),
        Field("IsSandbox", "boolean", "false"),
        Field("DefaultLocaleSidKey", "picklist", "'ja_JP'"),
        Field("TimeZoneSidKey", "picklist", "'Asia/Tokyo'"),
        Field("FiscalYearStartMonth", "int", "4"),
        Field("SystemModstamp", "datetime", "timestamp '2023-11-01 00:00:00'"),
    ),
    deletion="none",
)

_RECORD_TYPE = ObjectType(
    "RecordType",
    "Record Type",
    "(values "
    + ", ".join(f"('{one}', '{name}', '{name.replace(' ', '_')}')" for name, one in RECORD_TYPES.items())
    + ") r(source_id, name, developer_name)",
    (
        ID,
        Field("Name", "string", "r.name", nillable=False),
        Field("DeveloperName", "string", "r.developer_name", nillable=False),
        Field("SobjectType", "picklist", "'Opportunity'"),
        Field("IsActive", "boolean", "true"),
        Field("SystemModstamp", "datetime", "timestamp '2023-11-01 00:00:00'"),
    ),
    deletion="none",
)

_STAGE_ROWS = ", ".join(
    f"('{quote(stage.label)}', {number}, {stage.probability}, '{stage.forecast}',"
    f" {str(stage.stage in ('won', 'lost')).lower()}, {str(stage.stage == 'won').lower()})"
    for number, stage in enumerate((each for stages in STAGES.values() for each in stages), start=1)
)
_OPPORTUNITY_STAGE = ObjectType(
    "OpportunityStage",
    "Opportunity Stage",
    f"(values {_STAGE_ROWS}) r(label, number, probability, forecast, is_closed, is_won)",
    (
        Field("Id", "id", "salesforce_id('01J5g0000' || lpad(r.number::varchar, 6, '0'))", nillable=False),
        Field("MasterLabel", "string", "r.label", nillable=False),
        Field("ApiName", "string", "r.label", nillable=False),
        Field("IsActive", "boolean", "true"),
        Field("SortOrder", "int", "r.number"),
        Field("IsClosed", "boolean", "r.is_closed"),
        Field("IsWon", "boolean", "r.is_won"),
        Field("DefaultProbability", "percent", "r.probability"),
        Field("ForecastCategoryName", "picklist", "r.forecast"),
        Field("SystemModstamp", "datetime", "timestamp '2023-11-01 00:00:00'"),
    ),
    deletion="none",
)

PEOPLE_OBJECTS = (ACCOUNT, CONTACT, ACCOUNT_CONTACT_RELATION, LEAD, USER, USER_ROLE)
REFERENCE_OBJECTS = (_ORGANIZATION, _RECORD_TYPE, _OPPORTUNITY_STAGE)
