"""The session executes an error table: renewals, retries, quotas, refusals, and never shows a secret."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from sources.config import Config
from sources.errors import (
    BadAnswer,
    CredentialsRejected,
    ObjectNotPermitted,
    QuotaExhausted,
    TsunaguSourceError,
    Unreachable,
    redact,
)
from sources.http import Http, Rule, Token

SECRET = "s3cr3t-value-42"
CONFIG = Config("crm", {"client_secret": SECRET, "base_url": "http://x"}, ("client_secret",))
Answer = tuple[int, dict[str, str], bytes]


class Server:
    """Gives the answers of a list in turn and remembers what was asked."""

    def __init__(self, answers: list[Answer] | Callable[[str, Any], Answer]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str, str]] = []


@contextmanager
def serving(answers: list[Answer] | Callable[[str, Any], Answer]) -> Iterator[tuple[Server, str]]:
    told = Server(answers)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            told.asked.append((self.command, self.path, self.headers.get("Authorization") or ""))
            answers = told.answers
            status, headers, body = answers(self.path, self.headers) if callable(answers) else answers.pop(0)
            self.send_response_only(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield told, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def http(url: str, **more: Any) -> tuple[Http, list[float]]:
    pauses: list[float] = []
    return Http(CONFIG, url, sleep=pauses.append, jitter=lambda: 0.0, **more), pauses


OK: Answer = (200, {}, b'{"ok":true}')


def test_an_answer_comes_whole_and_requests_are_counted() -> None:
    with serving([(200, {}, b"x" * 300_000)]) as (_, url):
        client, _ = http(url)
        assert client.get("/a", {"q": "1"}).content == b"x" * 300_000
        assert client.requests == 1


def test_a_compressed_answer_is_read() -> None:
    import gzip

    with serving([(200, {"Content-Encoding": "gzip"}, gzip.compress(b'{"a":1}'))]) as (_, url):
        assert http(url)[0].get("/a").json() == {"a": 1}


def test_a_stale_token_is_renewed_once_and_the_request_repeated() -> None:
    tokens = iter(("old", "new"))

    def sign_in(client: Http) -> Token:
        token = next(tokens)
        return Token({"Authorization": f"Bearer {token}"}, secret=token)

    def answer(path: str, headers: Any) -> Answer:
        return OK if headers["Authorization"] == "Bearer new" else (401, {}, b"stale")

    with serving(answer) as (server, url):
        client, _ = http(url, sign_in=sign_in)
        assert client.get("/a").status_code == 200
        assert [authorization for *_, authorization in server.asked] == ["Bearer old", "Bearer new"]


def test_a_second_refusal_after_a_renewal_names_the_setting() -> None:
    with serving(lambda *_: (401, {}, b"no")) as (server, url):
        client, _ = http(url, sign_in=lambda _: Token({"Authorization": "Bearer abcdef"}, secret="abcdef"))
        with pytest.raises(CredentialsRejected, match="SOURCES__CRM__CLIENT_SECRET"):
            client.get("/a")
        assert len(server.asked) == 2


def test_a_passing_fault_is_retried_with_growing_pauses_and_then_named() -> None:
    with serving([(503, {}, b"")] * 3 + [OK]) as (_, url):
        client, pauses = http(url)
        assert client.get("/a").status_code == 200
        assert pauses == [0.5, 1.0, 2.0]
    with serving(lambda *_: (503, {}, b"down")) as (_, url):
        client, pauses = http(url)
        with pytest.raises(Unreachable, match="503: down"):
            client.get("/a")
        assert client.requests == 6


def test_retry_after_is_obeyed_as_seconds_and_as_a_date() -> None:
    date = {"Date": "Tue, 24 Nov 2026 10:00:00 GMT", "Retry-After": "Tue, 24 Nov 2026 10:00:30 GMT"}
    with serving([(429, {"Retry-After": "7"}, b""), (429, date, b""), OK]) as (_, url):
        client, pauses = http(url)
        client.get("/a")
        assert pauses == [7, 30]


def test_a_quota_that_lasts_longer_than_the_patience_stops_the_run() -> None:
    with serving(lambda *_: (429, {}, b"too many")) as (_, url):
        client, pauses = http(url, rules=(Rule("wait_quota", 429, wait=300),), patience=900)
        with pytest.raises(QuotaExhausted, match="nothing is lost"):
            client.get("/a")
        assert pauses == [300, 300, 300]


def test_an_error_inside_a_successful_answer_is_found_by_the_table() -> None:
    bad = (200, {}, b'{"success":false,"errors":[{"code":"601","message":"Access token invalid"}]}')
    rules = (Rule("renew", 200, text=r'"code":\s*"60[12]"'),)
    with serving([bad, OK]) as (_, url):
        client, _ = http(url, rules=rules, sign_in=lambda _: Token({}))
        assert client.get("/a").json() == {"ok": True}


def test_the_first_matching_row_decides_and_a_remedy_names_settings() -> None:
    rules = (
        Rule("stop", 400, text="invalid_client", raises=CredentialsRejected, remedy="Set {setting[client_id]}."),
        Rule("skip", 403, text="NO_ACCESS"),
        Rule("stop", 403, header=("X-Kind", "quota"), raises=QuotaExhausted),
        Rule("stop", 403, path="/login$", raises=CredentialsRejected),
    )
    cases: list[tuple[str, Answer, type[TsunaguSourceError], str]] = [
        ("/a", (400, {}, b"invalid_client"), CredentialsRejected, "SOURCES__CRM__CLIENT_ID"),
        ("/a", (403, {}, b"NO_ACCESS"), ObjectNotPermitted, "NO_ACCESS"),
        ("/a", (403, {"X-Kind": "quota"}, b""), QuotaExhausted, "403"),
        ("/login", (403, {}, b""), CredentialsRejected, "403"),
        ("/a", (403, {}, b"other"), ObjectNotPermitted, "other"),
        ("/a", (418, {}, b"teapot"), BadAnswer, "teapot"),
    ]
    for path, answer, kind, words in cases:
        with serving([answer]) as (_, url), pytest.raises(kind, match=words):
            http(url, rules=rules)[0].get(path)


def test_an_unreachable_host_is_named_with_the_remedy() -> None:
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9 does not answer .*SOURCES__CRM__BASE_URL"):
        http("http://127.0.0.1:9", attempts=2)[0].get("/a")


def test_an_unknown_host_is_named_without_a_traceback_of_urllib() -> None:
    with pytest.raises(Unreachable, match=r"no-such-host\.invalid does not answer") as caught:
        http("http://no-such-host.invalid", attempts=1)[0].get("/a")
    assert "HTTPConnectionPool" not in str(caught.value)


def test_a_connection_that_breaks_in_the_middle_of_a_body_is_asked_again() -> None:
    with serving([(200, {"Content-Length": "500", "Connection": "close"}, b"half"), OK]) as (server, url):
        assert http(url)[0].get("/a").content == OK[2]
        assert len(server.asked) == 2


def test_a_token_is_not_sent_to_another_host_nor_along_a_redirect() -> None:
    with serving([(302, {"Location": "http://evil.example/x"}, b"")]) as (_, url):
        client, _ = http(url)
        with pytest.raises(BadAnswer, match="another host"):
            client.get("http://evil.example/next")
        with pytest.raises(BadAnswer, match=r"evil\.example"):
            client.get("/a")


def test_no_secret_is_in_a_message() -> None:
    body = f'{{"error":"bad {SECRET}","access_token":"00Dxyz!abc","echo":"Bearer tok-123456789"}}'.encode()
    with serving([(400, {}, body)]) as (_, url), pytest.raises(BadAnswer) as caught:
        http(url)[0].get(f"/a?access_token=tok-123456789&client_secret={SECRET}")
    for secret in (SECRET, "00Dxyz", "tok-123456789"):
        assert secret not in str(caught.value)
        assert secret not in repr(caught.value.__context__)


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("https://user:hunter22@host/x", "hunter22"),
        ("GET /x?api_key=abcd1234&b=1", "abcd1234"),
        ("{'Authorization': 'Basic dXNlcjpwYXNz'}", "dXNlcjpwYXNz"),
        ("Bearer eyJhbGciOi.J9.abc-_", "eyJhbGciOi"),
        ('"refresh_token": "r-999999"', "r-999999"),
        ("X-Cybozu-API-Token: zzz111", "zzz111"),
    ],
)
def test_what_looks_like_a_secret_is_taken_out(text: str, gone: str) -> None:
    assert gone not in redact(text)
    assert "***" in redact(text)


def test_what_is_no_secret_stays() -> None:
    text = "contacts: 12 rows at 2026-01-01T00:00:00Z, key=5, tokenised names stay"
    assert redact(text) == text
