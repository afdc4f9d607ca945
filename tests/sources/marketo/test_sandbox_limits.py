"""Limits of the sandbox, and the source's pace below them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from sources.config import read_config
from sources.marketo import VENDOR
from sources.marketo.pace import CALLS, SECONDS, Pace
from sources.marketo.wire import Wire
from tests.sources.marketo.subscription import Served, hand_made_company, serving


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Served]:
    with serving(hand_made_company(), tmp_path, rate_limit=True) as running:
        yield running


def signed(served: Served) -> dict[str, str]:
    config = served.config
    asked = {"grant_type": "client_credentials", **{name: config[name] for name in ("client_id", "client_secret")}}
    token = requests.get(f"{config['base_url']}/identity/oauth/token", asked, timeout=10).json()["access_token"]
    return {"Authorization": f"Bearer {token}"}


def ask(served: Served, path: str, headers: dict[str, str], **more: Any) -> dict[str, Any]:
    answer = requests.get(f"{served.config['base_url']}{path}", headers=headers, timeout=30, **more)
    assert answer.status_code == 200
    return answer.json()


def test_the_hundred_and_first_call_in_twenty_seconds_is_refused_in_http_200(limited: Served) -> None:
    headers = signed(limited)
    answers = [ask(limited, "/rest/v1/stats/usage.json", headers) for _ in range(CALLS + 1)]
    assert [one["success"] for one in answers] == [True] * CALLS + [False]
    error = {"code": "606", "message": "Max rate limit '100' exceeded with in '20' secs"}
    assert answers[-1]["errors"] == [error] and "result" not in answers[-1]
    assert "calls_per_20_seconds" not in limited.config  # the source keeps its own pace then


def test_more_than_ten_calls_at_once_are_refused(limited: Served) -> None:
    import time

    headers = signed(limited)
    limited.subscription.fail("usage", lambda _call: time.sleep(0.5), times=20)
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: ask(limited, "/rest/v1/stats/usage.json", headers), range(20)))
    codes = [one["errors"][0]["code"] for one in answers if not one["success"]]
    assert set(codes) == {"615"} and 0 < len(codes) <= 10


def test_the_daily_quota_is_refused_and_refused_calls_do_not_count(limited: Served) -> None:
    headers = signed(limited)
    limited.subscription.limits.daily_calls = 2
    answers = [ask(limited, "/rest/v1/stats/usage.json", headers) for _ in range(4)]
    assert [one["success"] for one in answers] == [True, True, False, False]
    assert answers[2]["errors"][0]["code"] == "607" and limited.subscription.limits.calls == 2


def test_tokens_go_in_the_header_only(limited: Served) -> None:
    token = signed(limited)["Authorization"].split()[1]
    path = "/rest/v1/stats/usage.json"
    assert ask(limited, path, {}, params={"access_token": token})["errors"][0]["code"] == "600"
    assert ask(limited, path, {"Authorization": "Bearer nonsense"})["errors"][0]["code"] == "601"


def test_an_address_over_eight_kilobytes_is_refused_by_http(limited: Served) -> None:
    values = ",".join(str(n) for n in range(10_000_000, 10_001_000))
    address = f"{limited.config['base_url']}/rest/v1/leads.json?filterType=id&filterValues={values}"
    assert requests.get(address, headers=signed(limited), timeout=10).status_code == 414


def test_what_is_not_there_and_what_is_not_allowed_have_codes_of_their_own(limited: Served) -> None:
    headers = signed(limited)
    assert ask(limited, "/rest/v1/nothing.json", headers)["errors"][0]["code"] == "610"
    address = f"{limited.config['base_url']}/rest/v1/activities/types.json"
    assert requests.post(address, headers=headers, timeout=10).json()["errors"][0]["code"] == "605"
    wrong = {"filterType": "firstName", "filterValues": "x"}
    assert ask(limited, "/rest/v1/leads.json", headers, params=wrong)["errors"][0]["code"] == "1011"


def test_the_pace_uses_nine_tenths_of_the_limit_and_never_breaks_it() -> None:
    now, sent = 0.0, list[float]()

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    pace = Pace(CALLS, lambda: now, sleep)
    for _ in range(1_050):
        pace.wait()
        sent.append(now)
        now += 0.01
    assert max(sum(start <= one < start + SECONDS for one in sent) for start in sent) == CALLS
    assert len(sent) / (now / SECONDS) >= 0.9 * CALLS
    assert pace.in_words() == "100 in 20 s"


def test_a_limit_of_nothing_is_no_limit() -> None:
    pace = Pace(0, lambda: 0.0, lambda _seconds: pytest.fail("there is nothing to wait for"))
    for _ in range(500):
        pace.wait()
    assert pace.in_words() == "none"


@pytest.mark.slow
def test_a_paced_run_is_never_refused(limited: Served) -> None:
    wire = Wire(read_config(VENDOR.params, "marketo", limited.config))
    for _ in range(CALLS + 30):
        wire.get("/rest/v1/stats/usage.json")
    assert limited.subscription.limits.errors == {} and wire.requests == CALLS + 31
    wire.close()
