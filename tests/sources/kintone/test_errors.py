"""kintone's refusals: each says which app, what was wrong and what to do, and nothing that is left behind holds a token."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sources.config import Config, read_config
from sources.errors import ConfigurationError, CredentialsRejected, Unreachable
from sources.kintone import VENDOR
from sources.kintone.sandbox.query import Refused
from sources.kintone.wire import Wire, accesses
from tests.sources.kintone.conftest import Loader, cause
from tests.sources.kintone.domain import Served


def refusing(status: int, code: str, message: str) -> Callable[[Any], None]:
    def fault(_call: Any) -> None:
        raise Refused(status, code, message)

    return fault


def answering(status: int, body: bytes, media_type: str = "text/html") -> Callable[[Any], tuple[int, str, bytes]]:
    return lambda _call: (status, media_type, body)


def with_token(served: Served, app: str, token: str) -> dict[str, Any]:
    apps = served.config["apps"]
    return {**apps, app: {**apps[app], "token": token}}


@pytest.mark.parametrize("token", ["nonsense-token-of-no-app", "of-another-app"])
def test_a_wrong_token_names_the_app_and_the_setting(loader: Loader, token: str) -> None:
    other = loader.served.config["apps"]["deals"]["token"]
    loader.settings["apps"] = with_token(loader.served, "contacts", other if token == "of-another-app" else token)
    problem = cause(loader)
    assert isinstance(problem, CredentialsRejected)
    assert "token of app contacts (id 12) in SOURCES__KINTONE__APPS" in str(problem)
    assert token not in str(problem) and other not in str(problem)


def test_the_code_decides_whatever_the_status(loader: Loader) -> None:
    loader.served.domain.fail("form/fields", refusing(520, "GAIA_IA02", "The specified API token does not match."))
    assert isinstance(cause(loader), CredentialsRejected)
    assert loader.slept == []


def test_an_app_that_may_not_be_read_is_skipped_and_reported(loader: Loader) -> None:
    refusal = refusing(403, "GAIA_NO01", "Using this API token, you cannot run the specified API.")

    def only_products(call: Any) -> None:
        if call.parameters["app"] == "15":
            refusal(call)

    for path in ("form/fields", "records"):
        loader.served.domain.fail(path, only_products, times=20)
    notes = loader.run()
    assert list(notes.skipped) == ["product"]
    assert "Tick View records for the token of app products (id 15)" in notes.skipped["product"]
    assert notes.rows["account"] > 0 and notes.rows["opportunity"] > 0
    status = loader.rows("select status from raw_kintone.vendor_count where stream = 'product'")
    assert status == [("no_permission",)]


def test_a_wrong_id_is_a_wrong_setting(loader: Loader) -> None:
    apps = loader.served.config["apps"]
    loader.settings["apps"] = {**apps, "deals": {**apps["deals"], "id": "99"}}
    problem = cause(loader)
    assert isinstance(problem, ConfigurationError)
    assert "Correct the id of app deals (id 99)" in str(problem)


def test_too_many_at_once_is_waited_for_and_a_maintenance_page_is_repeated(loader: Loader) -> None:
    loader.served.domain.fail("records", refusing(429, "GAIA_TM01", "Too many requests."), times=2)
    loader.served.domain.fail("records", answering(503, b"<html>maintenance</html>"))
    notes = loader.run()
    assert notes.rows["account"] == 20
    assert len(loader.slept) == 3 and min(loader.slept[:2]) >= 5


def test_html_instead_of_json_is_never_an_empty_page(loader: Loader) -> None:
    loader.served.domain.fail("records", answering(200, b"<html>sign in</html>"), times=9)
    assert "The answer is not JSON" in str(cause(loader))


def test_a_refused_query_is_not_repeated(loader: Loader) -> None:
    loader.served.domain.fail("records", refusing(400, "GAIA_IQ11", "Specified field not found."))
    assert "GAIA_IQ11" in str(cause(loader)) and loader.slept == []


def test_a_value_that_does_not_fit_goes_to_quarantine_and_the_rest_lands(loader: Loader) -> None:
    def with_a_bad_number(call: Any) -> tuple[int, str, bytes] | None:
        if call.parameters["app"] != "11":
            return None
        answer = loader.served.domain.rest.answer(call)
        answer["records"][0]["従業員数"]["value"] = "約30名"
        return 200, "application/json", json.dumps(answer).encode()

    loader.served.domain.fail("records", with_a_bad_number, times=1)
    notes = loader.run(streams=["account"])
    assert notes.rows["account"] == 19 and notes.quarantined == {"account": 1}
    bad = loader.rows("select source_key, column_name, value from raw_kintone.quarantine")
    assert bad == [("customers|1", "employee_count", "約30名")]


@pytest.mark.parametrize(
    ("apps", "expected"),
    [
        ("{customers", "is no JSON"),
        ("[]", "names no app"),
        ("{}", "names no app"),
        ('{"customers": "abcdefgh"}', "app customers has no id"),
        ('{"customers": {"id": 11}}', "app customers has no token"),
        ({"customers": {"token": "abcdefghijkl"}}, "app customers has no id"),
    ],
)
def test_a_wrong_setting_of_apps_names_the_app_and_never_the_token(apps: Any, expected: str) -> None:
    config = Config("kintone", {"base_url": "https://x.cybozu.com", "apps": apps}, ("apps",))
    with pytest.raises(ConfigurationError) as problem:
        accesses(config)
    assert expected in str(problem.value) and "SOURCES__KINTONE__APPS" in str(problem.value)
    assert "abcdefgh" not in str(problem.value)


def test_apps_may_come_from_tables_of_the_secrets_file_or_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apps = {"deals": {"id": "13", "token": "t" * 40}, "guests": {"id": 4, "token": "u" * 40, "guest_space": 2}}
    found = accesses(read_config(VENDOR.params, "kintone", {"base_url": "https://x.cybozu.com", "apps": apps}))
    assert found["guests"].api == "/k/guest/2/v1" and found["guests"].page == "/k/guest/2/4/"
    monkeypatch.setenv("SOURCES__KINTONE__BASE_URL", "https://x.cybozu.com")
    monkeypatch.setenv("SOURCES__KINTONE__APPS", json.dumps(apps))
    assert accesses(read_config(VENDOR.params, "kintone")) == found


def test_every_token_is_a_secret_of_its_own(loader: Loader) -> None:
    config = Config("kintone", loader.served.config, ("apps",))
    tokens = {app["token"] for app in loader.served.config["apps"].values()}
    assert tokens <= set(config.secrets) and "11" not in config.secrets
    assert all(token not in repr(config) for token in tokens)


def test_a_failing_run_leaves_no_token_behind(
    loader: Loader, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    tokens = [app["token"] for app in loader.served.config["apps"].values()]

    def echoing(call: Any) -> None:
        raise Refused(400, "CB_VA01", f"Bad header X-Cybozu-API-Token: {call.tokens[0]}")

    loader.served.domain.fail("records", echoing, times=3)
    with caplog.at_level(logging.DEBUG):
        problem = str(cause(loader))
    told = capfd.readouterr()
    kept = [
        path.read_bytes().decode("utf-8", "replace") for path in (tmp_path / "pipelines").rglob("*") if path.is_file()
    ]
    for text in (problem, caplog.text, told.out, told.err, *kept):
        assert not [token for token in tokens if token in text]


def test_a_domain_that_does_not_answer_names_the_address(loader: Loader) -> None:
    loader.settings["base_url"] = "http://localhost:9"
    problem = cause(loader)
    assert isinstance(problem, Unreachable) and "SOURCES__KINTONE__BASE_URL" in str(problem)


def test_a_long_address_goes_as_post_that_is_meant_as_get(served: Served) -> None:
    wire = Wire(Config("kintone", served.config, ("apps",)))
    numbers = ", ".join(str(n) for n in range(1, 900))
    answer = wire.get(
        "customers", "records.json", {"query": f"$id in ({numbers}) limit 500", "fields": ["会社名", "$id"]}
    )
    assert len(answer["records"]) == 20 and set(answer["records"][0]) == {"会社名", "$id"}
    wire.close()
