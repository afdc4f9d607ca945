"""Pipedrive's API over the demo company's records: what the demo server mounts, and its part of the JSON line.

The company does not use Pipedrive; the account is derived from its CRM (`sql.py`). Must not be imported by anything that
reads a real account.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sources.demo.mounting import Mount, Refusal, SandboxOptions
from sources.pipedrive.sandbox.rest import OVER_LIMIT, Account, AccountOptions, make_app
from sources.pipedrive.sandbox.store import Store

if TYPE_CHECKING:
    from sources.demo.company import Company

CRM = "salesforce"
"""The tool whose records it shows."""


def mount(
    company: Company, instances: Sequence[str], options: SandboxOptions, account_options: AccountOptions | None = None
) -> Mount:
    """An app per instance; `account_options` are this vendor's own switches (token, page size, allowance)."""
    switches = account_options or AccountOptions()
    crm = (company.instances(CRM) or [CRM])[0]
    accounts = {
        name: Account(Store(company, name, crm), switches, limited=options.rate_limit, now=options.now)
        for name in instances
    }

    def describe(addresses: Mapping[str, str]) -> dict[str, Any]:
        line: dict[str, Any] = {"expected": {}}
        for name, base_url in addresses.items():
            line[name] = {"base_url": base_url, "api_token": switches.api_token}
            line["expected"][name] = accounts[name].store.counts()
        return line

    apps = {name: make_app(account) for name, account in accounts.items()}
    return Mount(describe=describe, apps=apps, refusals={"quota": Refusal(429, OVER_LIMIT)})
