"""The words of the Salesforce org that the demo shows: stage names of its two sales processes and other picklists.

Plain data, so that the maps (`stage_map` and others) can hold exactly these words. Must not import the demo company.
The default stages are those of a new org: https://help.salesforce.com/s/articleView?id=sales.creating_a_sales_process.htm
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class StageName:
    """One value of Opportunity.StageName: its canonical stage, the default probability in percent and the forecast category."""

    label: str
    stage: str
    probability: int
    forecast: str = "Pipeline"


# `Pipeline__c` of an opportunity -> the stages of its sales process, in their order.
NEW_BUSINESS = "New Business"
RENEWAL = "Renewal"

# Salesforce's ten default stages, and one that the company added, because no default stands for the exchange of documents.
DEFAULT_STAGES: tuple[StageName, ...] = (
    StageName("Prospecting", "inquiry", 10),
    StageName("Qualification", "discovery", 10),
    StageName("Needs Analysis", "first_meeting", 20),
    StageName("Value Proposition", "first_meeting", 50),
    StageName("Id. Decision Makers", "decision_maker", 60),
    StageName("Perception Analysis", "decision_maker", 70),
    StageName("Proposal/Price Quote", "proposal", 75),
    StageName("Negotiation/Review", "agreement", 90, "Commit"),
    StageName("Contract Sent", "contract", 95, "Commit"),
    StageName("Closed Won", "won", 100, "Closed"),
    StageName("Closed Lost", "lost", 0, "Omitted"),
)

# The eight questions of the article: a stage is reached when its question can be answered with yes.
QUESTION_STAGES: tuple[StageName, ...] = (
    StageName("1. 可能性の確認", "inquiry", 10),
    StageName("2. 課題の合意", "discovery", 20),
    StageName("3. 変えるメリットの認識", "first_meeting", 30),
    StageName("4. 会社の課題としての認識(決裁者)", "decision_maker", 50),
    StageName("5. 進め方と体制の合意", "proposal", 70, "Best Case"),
    StageName("6. 金額の合意", "agreement", 85, "Commit"),
    StageName("7. 書類の取り交わし", "contract", 95, "Commit"),
    StageName("8. 受注", "won", 100, "Closed"),
    StageName("失注", "lost", 0, "Omitted"),
)

STAGES: Mapping[str, tuple[StageName, ...]] = {NEW_BUSINESS: DEFAULT_STAGES, RENEWAL: QUESTION_STAGES}

# The company's pipelines, and the record type of each.
PIPELINES: Mapping[str, str] = {"new_business": NEW_BUSINESS, "renewal": RENEWAL}
RECORD_TYPES: Mapping[str, str] = {NEW_BUSINESS: "0125g000000NewBAAS", RENEWAL: "0125g000000RnwlAAC"}

OPPORTUNITY_TYPES: Mapping[str, str] = {
    "new": "New Customer",
    "renewal": "Renewal",
    "upsell": "Existing Customer - Upgrade",
    "cross_sell": "Existing Customer - Cross-Sell",
}

# ForecastCategoryName as people read it; ForecastCategory is the API's older word for the same.
FORECAST_CATEGORIES: Mapping[str, tuple[str, str]] = {
    "pipeline": ("Pipeline", "Pipeline"),
    "best_case": ("Best Case", "BestCase"),
    "commit": ("Commit", "Forecast"),
    "closed": ("Closed", "Closed"),
    "omitted": ("Omitted", "Omitted"),
}

# Lead.Status by the stage of the person; a converted lead has the converted status whatever its stage.
LEAD_STATUSES: Mapping[str, str] = {
    "lead": "Open - Not Contacted",
    "engaged": "Working - Contacted",
    "mql": "Marketing Qualified",
    "sql": "Sales Qualified",
    "customer": "Closed - Converted",
    "disqualified": "Closed - Not Converted",
}
CONVERTED_STATUS = "Closed - Converted"

ACCOUNT_TYPES: Mapping[str, str] = {"prospect": "Prospect", "customer": "Customer", "former": "Former Customer"}

# Task.Type and Event.Type by the kind of activity.
ACTIVITY_TYPES: Mapping[str, str] = {
    "call": "Call",
    "email": "Email",
    "meeting": "Meeting",
    "visit": "Visit",
    "task": "Other",
    "note": "Note",
    "form": "Form",
    "web_visit": "Web Visit",
    "seminar": "Seminar",
    "email_open": "Email Open",
    "email_click": "Email Click",
}

# BillingCountry by BillingCountryCode, as the state and country picklists spell them.
COUNTRIES: Mapping[str, str] = {
    "JP": "Japan",
    "US": "United States",
    "GB": "United Kingdom",
    "FR": "France",
    "DE": "Germany",
    "IT": "Italy",
    "ES": "Spain",
    "NL": "Netherlands",
    "CH": "Switzerland",
    "SE": "Sweden",
    "SG": "Singapore",
}
