"""Every rate, median and share that the demo company is simulated with, in one place.

`truth.py` copies these into company.json. Values are stated for the real events, before the tools' copies. Behaviour does
not belong here.
"""

from __future__ import annotations

from collections.abc import Mapping

# --- size: what is visible at the company's first "now" ---
SCALES: Mapping[str, Mapping[str, int]] = {
    "small": {"people": 2_000, "accounts": 600, "deals": 500, "touches": 20_000, "users": 30, "campaigns": 36},
    "medium": {"people": 50_000, "accounts": 15_000, "deals": 12_500, "touches": 500_000, "users": 150, "campaigns": 120},
    "large": {
        "people": 1_000_000, "accounts": 300_000, "deals": 250_000, "touches": 10_000_000, "users": 600,
        "campaigns": 400,
    },
}  # fmt: skip
FUTURE_SHARE = 0.2  # how much more comes in the half year after the first "now"

# --- divisions: who sells, and in which tool ---
DIVISION_SHARE = {"jp": 0.62, "online": 0.12, "emea": 0.12, "west": 0.14}
DIVISION_TOOL = {"jp": "salesforce", "online": "hubspot", "emea": "hubspot_emea", "west": "esales"}
FOLLOW_UP_TOOL = {"west": "kintone"}  # renewals, upsells and cross-sells of these divisions
CURRENCY = {"jp": "JPY", "online": "JPY", "emea": "EUR", "west": "JPY"}
EMEA_COUNTRIES = {"DE": 0.3, "FR": 0.16, "GB": 0.18, "NL": 0.1, "ES": 0.08, "IT": 0.08, "SE": 0.05, "CH": 0.05}
FOREIGN_IN_JP = {"US": 0.04, "SG": 0.02}

# --- accounts ---
EMPLOYEES_MEDIAN, EMPLOYEES_SIGMA = 180.0, 1.4  # log-normal
BRANCH_RATE, SUBSIDIARY_RATE = 0.035, 0.05
NO_DOMAIN_RATE, FORMER_NAME_RATE, SHARED_MAIL_RATE = 0.03, 0.035, 0.08
ACCOUNT_DUPLICATE_RATE, ACCOUNT_JUNK_RATE = 0.04, 0.008
MERGED_SHARE_OF_DUPLICATES, CHAIN_SHARE_OF_MERGES = 0.55, 0.25

# --- people ---
LEAD_SOURCES = {  # share, lift of the log odds of becoming an MQL, and of a win
    "Web": (0.24, 0.0, 0.0),
    "Paid Search": (0.14, -0.2, -0.15),
    "Organic Search": (0.13, 0.1, 0.05),
    "Newsletter": (0.09, -0.1, 0.0),
    "Seminar": (0.16, 0.35, 0.15),
    "Trade Show": (0.08, -0.35, -0.1),
    "Referral": (0.08, 0.7, 0.5),
    "Outbound": (0.08, -0.4, -0.25),
}
TOOL_BORN = {"Trade Show", "Referral", "Outbound"}  # entered by sales, not by a form
ENGAGED_RATE, MQL_RATE, SQL_RATE = 0.78, 0.52, 0.5  # of the stage before, at lift 0
MQL_SKIPPED_RATE = 0.06  # straight from engaged to SQL
DAYS_TO_ENGAGED, DAYS_TO_MQL, DAYS_TO_SQL = (4.0, 1.0), (21.0, 0.9), (12.0, 0.8)  # log-normal median, sigma
DISQUALIFIED_RATE = 0.12  # of those who stop before SQL
PERSON_DUPLICATE_RATE, PERSON_JUNK_RATE = 0.045, 0.01
PRIVATE_MAIL_RATE, ROMAJI_RATE, SPELLING_RATE, JOB_CHANGE_RATE = 0.03, 0.05, 0.06, 0.02
OPT_OUT_RATE, CALL_OPT_OUT_RATE = 0.07, 0.03
EXTRA_RELATION_RATE = 0.03

# --- deals ---
STAGES = ("inquiry", "discovery", "first_meeting", "decision_maker", "proposal", "agreement", "contract")
PROBABILITY = {
    "inquiry": 0.05, "discovery": 0.1, "first_meeting": 0.2, "decision_maker": 0.35, "proposal": 0.5, "agreement": 0.75,
    "contract": 0.9, "won": 1.0, "lost": 0.0,
}  # fmt: skip
STAY_RATE = (0.80, 0.82, 0.83, 0.87, 0.70, 0.87, 0.95)  # a visit to the stage does not end in a loss, at lift 0
RENEWAL_STAY_RATE = (0.97, 0.97, 0.97, 0.97, 0.90, 0.96, 0.99)
STAGE_DAYS = ((4.0, 0.9), (8.0, 0.8), (12.0, 0.8), (12.0, 0.8), (18.0, 0.7), (12.0, 0.7), (8.0, 0.6))
SKIP_RATE, BACK_RATE, STALL_RATE, STALL_FACTOR = 0.09, 0.05, 0.07, 4.0
LIFTS = {  # of the log odds at every stage; this is what drives a win beyond the stage
    "decision_maker": 0.3, "industry_fit": 0.25, "competitor": -0.3, "push": -0.1, "owner_skill_sigma": 0.25,
    "existing_customer": 0.45, "noise_sigma": 0.3,
}  # fmt: skip
FIT_INDUSTRIES = {"Manufacturing", "Electronics", "Information Technology", "Logistics"}
COMPETITORS = ("セールスウェーブ", "KizunaSoft", "Northbase", "Pipewise", "自社開発")
COMPETITOR_RATE = 0.35
LOSS_REASONS = {
    "Price": 0.27, "Competitor": 0.22, "No Budget": 0.17, "No Decision": 0.2, "Missing Feature": 0.09, "Timing": 0.05,
}  # fmt: skip
REOPEN_RATE, REOPENED_WIN_RATE, WIN_REVERSED_RATE = 0.05, 0.4, 0.01
AMOUNT_MEDIAN, AMOUNT_SIGMA = {"JPY": 1_400_000.0, "EUR": 9_500.0}, 0.9  # first estimate, log-normal
AMOUNT_SIZE_EXPONENT = 0.35  # grows with employees
DISCOUNT_RATE, DISCOUNT_RANGE = 0.35, (0.03, 0.15)
HANDOVER_RATE, SPLIT_RATE, DEAL_DELETED_RATE, DEAL_DUPLICATE_RATE = 0.06, 0.1, 0.012, 0.012
FISCAL_END_PULL, QUARTER_END_PULL = (
    0.75,
    0.25,
)  # a win due in January..March moves into late March; others to a quarter's end
OTHER_CLOSE_DATE_RATE = 0.03  # closed deals whose close date was set by hand to another day
RENEWAL_RATE, UPSELL_RATE, CROSS_SELL_RATE = 0.93, 0.25, 0.2
UNMERGEABLE_DUPLICATES_AT_MOST = 0.008  # of all deals; keeps undecidable pairs under one in a hundred for any seed
MIRROR_RATE = 0.45  # Salesforce deals that HubSpot's sync mirrors
ROUTINE = {"max_pushes": 12, "max_visits": 24}

# --- touches ---
DEAL_TOUCH_SHARE = 0.4
KIND_SHARE = {  # by (with a deal, without)
    "deal": {"call": 0.28, "email": 0.34, "meeting": 0.22, "visit": 0.16},
    "person": {"form": 0.34, "email": 0.36, "call": 0.24, "meeting": 0.06},
}
KIND_CHANNEL = {
    "form": "website", "email": "email", "call": "phone", "meeting": "meeting", "visit": "visit", "web_visit": "website",
    "email_open": "newsletter", "email_click": "newsletter", "seminar": "seminar",
}  # fmt: skip
MINUTES = {"call": 8.0, "meeting": 50.0, "visit": 70.0}
TOUCH_DELETED_RATE = 0.004
TASK_PER_TOUCH, NOTE_PER_TOUCH = 0.04, 0.03
HOUR_WEIGHTS = (0.13, 0.16, 0.14, 0.05, 0.12, 0.14, 0.12, 0.09, 0.05)  # 9 to 18 o'clock, lunch is quiet

# --- presence: which tool holds a copy ---
ACCOUNT_COPY = {  # division: {instance: share}; the division's own tool always has one once sales works on it
    "jp": {"hubspot": 0.78, "esales": 0.03},
    "online": {"salesforce": 0.1},
    "emea": {"salesforce": 0.12},
    "west": {"salesforce": 0.2, "hubspot": 0.3},
}
SALES_FIRST_RATE = 0.45  # jp accounts that sales enters into Salesforce before marketing knows them
LINKED_RATE = 0.8  # copies that carry the vendor's cross-reference
PERSON_COPY = {
    "jp": {"hubspot": 0.65},
    "online": {},
    "emea": {"salesforce": 0.4},
    "west": {"salesforce": 0.5, "hubspot": 0.6},
}

# --- Marketo: webinar and newsletter people of division jp, and people of division west ---
MARKETO_BORN_SOURCES, MARKETO_BORN_RATE = {"Newsletter", "Seminar"}, 0.5  # of those whom marketing would enter first
MARKETO_COPY = {"jp": 0.3, "west": 0.4}  # of people whom the division's own tool holds
MARKETO_DUPLICATE_RATE, MARKETO_DELETED_RATE = 0.06, 0.08  # the latter of copies of people who were never qualified
MARKETO_JUNK_RATE = 0.3
MARKETO_TOUCHES = {  # of touches without a deal that another tool would note: how many Marketo has instead
    "jp": {"form": 0.5, "email": 0.45},
    "west": {"email": 0.6, "call": 0.25},
}
MARKETO_KINDS = {  # what such a touch is in Marketo
    "form": {"form": 0.5, "web_visit": 0.34, "seminar": 0.16},
    "email": {"email": 0.36, "email_open": 0.4, "email_click": 0.24},
    "call": {"web_visit": 0.55, "email_open": 0.3, "seminar": 0.15},
}

# --- kintone: customers of division west and some of jp, from their first win on ---
KINTONE_ACCOUNTS = {"west": 1.0, "jp": 0.5}
KINTONE_DUPLICATE_RATE, KINTONE_CONTACT_DUPLICATE_RATE = 0.1, 0.06
KINTONE_DUPLICATE_DELETED_RATE, KINTONE_CONTACT_DELETED_RATE = 0.5, 0.06
KINTONE_TOUCHES = {
    "call": 0.5,
    "email": 0.4,
    "meeting": 0.5,
    "visit": 0.6,
}  # of west, without a deal, once it is a customer
