"""Account Engagement's API over the demo company's Salesforce org: what the demo server mounts, and its part of the JSON line.

The company does not use Account Engagement; the unit is derived from its CRM (`sql.py`). Must not be imported by anything that
reads a real business unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sources.account_engagement.sandbox.rest import Unit, UnitOptions, make_app
from sources.account_engagement.sandbox.store import Store
from sources.demo.mounting import Mount, Refusal, SandboxOptions
from sources.salesforce.sandbox.auth import OrgOptions, Sessions

if TYPE_CHECKING:
    from sources.demo.company import Company

CRM = "salesforce"
DAY_IS_OVER = Refusal(429, b'{"code":122,"message":"Daily API rate limit met"}')
APP = OrgOptions(client_id="3MVG9demo.tsunagu.pardot", client_secret="71B0E3C5F2A94D68demo")


def mount(
    company: Company,
    instances: Sequence[str],
    options: SandboxOptions,
    unit_options: UnitOptions | None = None,
    sessions: Sessions | None = None,
) -> Mount:
    """An app per instance; `unit_options` are this vendor's own switches (page size, limits, refusals)."""
    switches = unit_options or UnitOptions()
    crm = (company.instances(CRM) or [CRM])[0]
    units = {
        name: Unit(
            Store(company, name, crm),
            sessions or Sessions(APP, options.token_life_seconds),
            switches,
            limited=options.rate_limit,
        )
        for name in instances
    }

    def describe(addresses: Mapping[str, str]) -> dict[str, Any]:
        line: dict[str, Any] = {"expected": {}}
        for name, base_url in addresses.items():
            line[name] = {
                "base_url": base_url,
                "business_unit_id": switches.business_unit_id,
                "login_url": base_url,
                "client_id": APP.client_id,
                "client_secret": APP.client_secret,
            }
            line["expected"][name] = units[name].store.counts()
        return line

    apps = {name: make_app(unit) for name, unit in units.items()}
    return Mount(describe=describe, apps=apps, refusals={"quota": DAY_IS_OVER})
