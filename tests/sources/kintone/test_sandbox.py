"""The sandbox's wire, as kintone's documentation and its own JavaScript client have it: shapes, queries, cursors, tokens.

The calls are those that the official client sends (https://github.com/kintone/js-sdk, packages/rest-api-client): lists in
addresses as `fields[0]`, several tokens by comma, POST with X-HTTP-Method-Override for long addresses.
"""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.sources.kintone.domain import CUSTOMERS, Served


class Client:
    def __init__(self, served: Served) -> None:
        self.served = served
        self.base = f"{served.config['base_url']}/k/v1"
        self.tokens = {name: app["token"] for name, app in served.config["apps"].items()}

    def send(self, method: str, path: str, token: str | None = None, **more: Any) -> requests.Response:
        headers = {"X-Cybozu-API-Token": token or ",".join(self.tokens.values()), **more.pop("headers", {})}
        return requests.request(method, f"{self.base}/{path}", headers=headers, timeout=10, **more)

    def get(self, path: str, **parameters: Any) -> Any:
        answer = self.send("GET", path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ids(self, query: str, app: int = 11) -> list[int]:
        return [int(record["$id"]["value"]) for record in self.get("records.json", app=app, query=query)["records"]]

    def refusal(self, method: str, path: str, token: str | None = None, **more: Any) -> tuple[int, str]:
        answer = self.send(method, path, token, **more)
        body = answer.json()
        assert set(body) == {"code", "id", "message"}
        return answer.status_code, body["code"]


@pytest.fixture
def client(served: Served) -> Client:
    return Client(served)


def test_the_base_url_names_localhost(served: Served) -> None:
    assert served.config["base_url"].startswith("http://localhost:")


def test_a_record_has_typed_values(client: Client) -> None:
    record = client.get("record.json", app=13, id=1)["record"]
    assert record["$id"] == {"type": "__ID__", "value": "1"}
    assert record["$revision"] == {"type": "__REVISION__", "value": "1"}
    assert record["金額"] == {"type": "NUMBER", "value": "1234567.5"}
    assert record["加重金額"] == {"type": "CALC", "value": "617283.75"}
    assert record["担当者"] == {"type": "USER_SELECT", "value": [{"code": "shota", "name": "遠藤 翔太"}]}
    assert record["更新者"] == {"type": "MODIFIER", "value": {"code": "shota", "name": "遠藤 翔太"}}
    assert record["更新日時"] == {"type": "UPDATED_TIME", "value": "2026-03-07T01:02:00Z"}
    assert record["受注予定日"] == {"type": "DATE", "value": "2026-12-31"}
    assert record["失注理由"] == {"type": "SINGLE_LINE_TEXT", "value": ""}
    lines = record["明細"]
    assert lines["type"] == "SUBTABLE" and [line["id"] for line in lines["value"]] == ["1", "2"]
    assert lines["value"][0]["value"]["利用終了日"] == {"type": "DATE", "value": None}
    assert [line["value"]["継続"]["value"] for line in lines["value"]] == [[], ["継続"]]


def test_a_total_is_a_text_and_null_when_not_asked(client: Client) -> None:
    assert client.get("records.json", app=11, query="limit 1", totalCount="true")["totalCount"] == str(CUSTOMERS)
    assert client.get("records.json", app=11, query="limit 1")["totalCount"] is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("limit 2", [20, 19]),
        ("order by $id asc limit 3 offset 4", [5, 6, 7]),
        ("$id > 17 order by $id asc", [18, 19, 20]),
        ('更新日時 >= "2026-03-06T01:20:00Z" and $id > 0 order by $id asc', [18, 19, 20]),
        ('更新日時 = "2026-03-06T10:21:00+09:00"', [19]),
        ('(更新日時 < "2026-03-06T01:04:00Z" or $id in (7, "8")) and $id != 8 order by $id asc', [1, 7]),
        ('会社名 like "商事" and $id <= 4 order by $id desc', [4, 2]),
        ('会社名 = "\\"山田\\" \\\\ 商事\n" and $id < 4', [2]),
        ('担当者 in ("taro")', [4]),
        ('担当者 not in ("shota")', [4]),
        ('取引状況 in ("取引中") and $id not in (1, 2, 3) order by $id asc limit 1', [4]),
        ('従業員数 >= 170 order by 従業員数 desc', [20, 19, 17]),
        ('従業員数 = "" order by $id asc limit 2', [3, 6]),
        ("親会社番号 = 1", [2]),
    ],
)  # fmt: skip
def test_queries(client: Client, query: str, expected: list[int]) -> None:
    assert client.ids(query) == expected


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit 501", "GAIA_QU01"),
        ("limit 1 offset 10001", "GAIA_QU02"),
        ('無い = "1"', "GAIA_IQ11"),
        ('取引状況 = "取引中"', "GAIA_IQ03"),
        ('更新日時 like "2026"', "GAIA_IQ03"),
        ("$id >", "CB_VA01"),
        ("$id > 1 and", "CB_VA01"),
        ("order $id", "CB_VA01"),
    ],
)
def test_refused_queries(client: Client, query: str, code: str) -> None:
    assert client.refusal("GET", "records.json", params={"app": 11, "query": query}) == (400, code)


def test_fields_are_taken_in_every_spelling(client: Client, served: Served) -> None:
    wanted = {"会社名", "$id"}
    spelled: list[dict[str, Any]] = [
        {"params": [("app", 11), ("fields[0]", "会社名"), ("fields[1]", "$id")]},
        {"params": [("app", 11), ("fields", "会社名"), ("fields", "$id")]},
        {"params": {"app": 11}, "json": {"fields": ["会社名", "$id"]}},
    ]
    for parts in spelled:
        assert set(client.send("GET", "records.json", **parts).json()["records"][0]) == wanted
    override = {"X-HTTP-Method-Override": "GET"}
    sent = {"app": 11, "fields": ["会社名", "$id"], "query": "$id = 3"}
    answer = client.send("POST", "records.json", headers=override, json=sent).json()
    assert [record["$id"]["value"] for record in answer["records"]] == ["3"] and set(answer["records"][0]) == wanted


def test_a_token_is_of_one_app(client: Client) -> None:
    asked = {"params": {"app": 11}}
    deals = client.tokens["deals"]
    assert client.refusal("GET", "records.json", "nonsense", **asked) == (400, "GAIA_IA02")
    assert client.refusal("GET", "records.json", deals, **asked) == (400, "GAIA_AP15")
    assert client.refusal("GET", "records.json", params={"app": 99}) == (404, "GAIA_AP01")
    none = requests.get(f"{client.base}/records.json?app=11", timeout=10)
    assert (none.status_code, none.json()["code"]) == (401, "CB_AU01")
    assert client.send("GET", "records.json", f"{deals},{client.tokens['customers']}", **asked).status_code == 200


def test_a_cursor_gives_what_is_left_and_then_is_gone(client: Client) -> None:
    made = client.send(
        "POST",
        "records/cursor.json",
        json={"app": 11, "fields": ["$id"], "query": "$id > 2 order by $id asc", "size": 10},
    )
    cursor = made.json()
    assert cursor["totalCount"] == "18"
    first = client.get("records/cursor.json", id=cursor["id"])
    second = client.get("records/cursor.json", id=cursor["id"])
    found = [int(record["$id"]["value"]) for page in (first, second) for record in page["records"]]
    assert found == list(range(3, 21)) and (first["next"], second["next"]) == (True, False)
    assert client.refusal("GET", "records/cursor.json", params={"id": cursor["id"]}) == (404, "GAIA_CU01")


def test_a_domain_has_ten_cursors(client: Client) -> None:
    made = [client.send("POST", "records/cursor.json", json={"app": 11}).json()["id"] for _ in range(10)]
    assert client.refusal("POST", "records/cursor.json", json={"app": 11}) == (429, "GAIA_TM12")
    assert client.send("DELETE", "records/cursor.json", params={"id": made[0]}).json() == {}
    assert client.send("POST", "records/cursor.json", json={"app": 11}).status_code == 200


def test_a_form_tells_types_labels_choices_subtables_and_look_ups(client: Client) -> None:
    properties = client.get("app/form/fields.json", app=13)["properties"]
    assert properties["更新日時"]["type"] == "UPDATED_TIME" and "$id" not in properties
    assert list(properties["見込区分"]["options"]) == ["A", "B", "C", "確定", "対象外"]
    assert properties["明細"]["fields"]["小計"]["type"] == "CALC"
    assert properties["顧客番号"]["lookup"]["relatedApp"]["app"] == "11"
    customers = client.get("app/form/fields.json", app=11)["properties"]
    assert customers["会社名"]["label"] == "会社名（正式名称）" and customers["案件一覧"]["type"] == "REFERENCE_TABLE"


def test_apps_are_told(client: Client) -> None:
    assert client.get("app.json", id=13)["name"] == "案件管理"
    assert [app["appId"] for app in client.get("apps.json")["apps"]] == ["11", "12", "13", "14", "15", "16"]


def test_paths_are_taken_with_a_slash_and_in_guest_spaces(client: Client) -> None:
    assert client.send("GET", "records.json/", params={"app": 11}).status_code == 200
    guest = requests.get(
        client.base.replace("/k/v1", "/k/guest/3/v1") + "/records.json?app=11",
        headers={"X-Cybozu-API-Token": client.tokens["customers"]},
        timeout=10,
    )
    assert guest.status_code == 200
    assert client.refusal("GET", "nothing.json") == (404, "CB_NF01")
