"""Salesforce's API over the demo company: what the demo server mounts, and its part of the sandbox's JSON line.

The API itself is in the files beside this one. Must not be imported by anything that reads a real org.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sources.demo.mounting import Mount, Refusal, SandboxOptions
from sources.salesforce.sandbox.app import make_app
from sources.salesforce.sandbox.auth import OrgOptions, Sessions
from sources.salesforce.sandbox.org import DATA_OBJECTS, OBJECTS, Org

if TYPE_CHECKING:
    from sources.demo.company import Company

# https://developer.salesforce.com/docs/platform/api-rest/guide/errorcodes.html
DAY_IS_OVER = Refusal(403, b'[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]')
WINDOW_DAYS = 7  # of the JSON line's window; the vendor's feeds reach back 15 days


def mount(
    company: Company, instances: Sequence[str], options: SandboxOptions, org_options: OrgOptions | None = None
) -> Mount:
    """An app per instance; `org_options` are this vendor's own switches (quota, forbidden objects, page size)."""
    switches = org_options or OrgOptions()
    orgs = {instance: Org(company, instance, switches.forbidden_objects) for instance in instances}

    def describe(addresses: Mapping[str, str]) -> dict[str, Any]:
        line: dict[str, Any] = {"expected": {}}
        now = options.now()
        for instance, base_url in addresses.items():
            line[instance] = {
                "base_url": base_url,
                "client_id": switches.client_id,
                "client_secret": switches.client_secret,
                "bulk_poll_seconds": 0,
                "window": {
                    "start": f"{now - timedelta(days=WINDOW_DAYS):%Y-%m-%dT%H:%M:%SZ}",
                    "end": f"{now:%Y-%m-%dT%H:%M:%SZ}",
                },
            }
            line["expected"] |= expected_rows(orgs[instance], instance)
        return line

    return Mount(
        describe=describe,
        apps={
            instance: make_app(org, Sessions(switches, options.token_life_seconds), switches)
            for instance, org in orgs.items()
        },
        refusals={"quota": DAY_IS_OVER},
    )


def expected_rows(org: Org, instance: str) -> dict[str, dict[str, int]]:
    """Rows per object: of `query` under the instance's name, of `queryAll` under `<instance>_all`."""
    readable = [OBJECTS[name] for name in DATA_OBJECTS if org.find(name) is not None]
    return {
        instance: {each.name: org.count(each, with_deleted=False) for each in readable},
        f"{instance}_all": {each.name: org.count(each, with_deleted=True) for each in readable},
    }
