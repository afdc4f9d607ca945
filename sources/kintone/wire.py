"""kintone's requests: an app's token, the pages by record number, and what its refusals mean.

- Tokens belong to one app: https://kintone.dev/en/docs/kintone/authentication/ ; each app has a session of its own here.
- Pages: `$id > n order by $id asc limit 500`, as the official JavaScript client reads everything
  (https://github.com/kintone/js-sdk, RecordClient): no offset, which ends at 10,000, and no cursor, of which a domain has
  ten, shared with its plug-ins.
- An address over 4,096 characters goes as POST with X-HTTP-Method-Override (KintoneRequestConfigBuilder, ibid.).
- Errors are {code, id, message}; the codes are in no public list, those below are what the vendor's own command line tool
  expects in its tests (https://github.com/kintone/cli-kintone, features). Their HTTP status has changed over time (520,
  then 400 or 401), so the code decides.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlencode

from sources.arrow import loads
from sources.errors import ConfigurationError, CredentialsRejected
from sources.http import Http, Rule

if TYPE_CHECKING:
    from sources.config import Config

PAGE: Final = 500
LONGEST_ADDRESS: Final = 4096
CALLS_A_DAY: Final = 10_000
"""A day and app in the Standard plan, counted from 09:00 Japan time:
https://kintone.dev/en/docs/kintone/overview/kintone-rest-api-overview/"""

Row = dict[str, Any]


@dataclass(frozen=True)
class Access:
    """How one app is reached."""

    name: str
    id: str
    token: str
    guest_space: str | None = None

    @property
    def api(self) -> str:
        """The API's path of this app's space."""
        return f"/k/guest/{self.guest_space}/v1" if self.guest_space else "/k/v1"

    @property
    def page(self) -> str:
        """The path of the app's pages for people."""
        return f"/k/guest/{self.guest_space}/{self.id}/" if self.guest_space else f"/k/{self.id}/"


def accesses(config: Config) -> dict[str, Access]:
    """The apps of the setting `apps`. Raises `ConfigurationError` that names app and key, never a value."""
    where = f"{config.setting('apps')} (or [sources.{config.instance}.apps.NAME] in .dlt/secrets.toml)"
    shape = 'Write {"NAME": {"id": "12", "token": "…"}}.'
    try:
        given: Any = json.loads(config["apps"])
    except json.JSONDecodeError as problem:
        raise ConfigurationError(f"{config.instance}: {where} is no JSON (at {problem.pos}). {shape}") from None
    if not isinstance(given, dict) or not given:
        raise ConfigurationError(f"{config.instance}: {where} names no app. {shape}")
    found: dict[str, Access] = {}
    for name, app in cast("dict[str, Any]", given).items():
        entries = cast("dict[str, Any]", app) if isinstance(app, dict) else {}
        for key in ("id", "token"):
            if not str(entries.get(key) or "").strip():
                raise ConfigurationError(f"{config.instance}: app {name} has no {key} in {where}. {shape}")
        space = str(entries.get("guest_space") or "") or None
        found[name] = Access(name, str(entries["id"]), str(entries["token"]), space)
    return found


def _rules(app: Access) -> tuple[Rule, ...]:
    of_app = f"of app {app.name} (id {app.id}) in {{setting[apps]}}"
    return (
        Rule(
            "stop", None, text=r'"(GAIA_IA02|GAIA_AP15|CB_WA01|CB_AU01|CB_IL02)"', raises=CredentialsRejected,
            remedy=f"Correct the token {of_app}, and press Update App in kintone after a token was made.",
        ),
        Rule(
            "skip", None, text=r'"(GAIA_NO01|CB_NO02)"',
            remedy=f"Tick View records for the token {of_app}, and update the app.",
        ),
        Rule(
            "stop", None, text=r'"GAIA_AP01"', raises=ConfigurationError,
            remedy=f"Correct the id {of_app}; an app in a guest space needs its guest_space too.",
        ),
        # 100 at once in a domain: https://kintone.dev/en/tutorials/development-productivity/how-to-avoid-kintone-rest-api-limits
        Rule("wait_quota", 429, wait=5),
        # Refusals of a query or a parameter are the same however often they are repeated.
        Rule("stop", (400, 520), text=r'"(CB_VA01|CB_IJ01|GAIA_QU\d+|GAIA_IQ\d+)"'),
    )  # fmt: skip


class Wire:
    """All apps of one instance."""

    def __init__(self, config: Config, sleep: Callable[[float], None] | None = None) -> None:
        self.apps = accesses(config)
        self._totals: dict[str, int] = {}
        base = config["base_url"]
        self._http = {
            app.name: Http(config, base, headers={"X-Cybozu-API-Token": app.token}, rules=_rules(app), sleep=sleep)
            for app in self.apps.values()
        }

    @property
    def requests(self) -> int:
        """Requests sent so far, over all apps."""
        return sum(http.requests for http in self._http.values())

    def sent(self) -> dict[str, int]:
        """Requests sent so far, by app: kintone counts them by app."""
        return {name: http.requests for name, http in self._http.items()}

    def get(self, name: str, path: str, parameters: Mapping[str, Any]) -> Row:
        """The answer of one request of an app."""
        app = self.apps[name]
        asked = {"app": app.id, **parameters}
        address = f"{app.api}/{path}"
        flat = {
            key if part is None else f"{key}[{part}]": value
            for key, values in asked.items()
            for part, value in (enumerate(values) if isinstance(values, list) else ((None, values),))
        }
        if len(address) + len(urlencode(flat)) + len(self._http[name].base_url) > LONGEST_ADDRESS:
            override = {"X-HTTP-Method-Override": "GET"}
            return loads(self._http[name].post(address, json=asked, headers=override).content)
        return loads(self._http[name].get(address, flat).content)

    def form(self, name: str) -> Row:
        """The app's fields."""
        return self.get(name, "app/form/fields.json", {})

    def pages(
        self, name: str, condition: str = "", fields: list[str] | None = None, after: int = 0
    ) -> Iterator[list[Row]]:
        """All records that meet the condition, by record number, in pages of 500; those up to `after` are left out."""
        last = after
        while True:
            where = f"{f'({condition}) and ' if condition else ''}$id > {last}"
            asked: dict[str, Any] = {"query": f"{where} order by $id asc limit {PAGE}"}
            if fields:
                asked["fields"] = fields
            if last == 0 and not condition:  # a listing of everything: its first page can tell how many there are
                asked["totalCount"] = "true"
            answer = self.get(name, "records.json", asked)
            if "totalCount" in asked:
                self._totals[name] = int(answer["totalCount"])
            records: list[Row] = answer["records"]
            if records:
                yield records
            if len(records) < PAGE:
                return
            last = int(records[-1]["$id"]["value"])

    def total(self, name: str) -> int:
        """kintone's own count of the app's records, which comes as a text: of this run's listing, else asked for."""
        if name in self._totals:
            return self._totals[name]
        asked: dict[str, Any] = {"query": "limit 1", "fields": ["$id"], "totalCount": "true"}
        return int(self.get(name, "records.json", asked)["totalCount"])

    def close(self) -> None:
        """Frees the sessions."""
        for http in self._http.values():
            http.close()
