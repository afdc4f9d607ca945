"""Signing in to the sandbox: what is granted, what is refused in OAuth's shape, and when a token ends."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.sources.salesforce.serving import Sandbox

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def ask(sandbox: Sandbox, form: dict[str, str], **more: Any) -> requests.Response:
    return requests.post(f"{sandbox.base_url}/services/oauth2/token", data=form, timeout=10, **more)


def test_client_credentials_in_the_body_give_a_token_that_reads(sandbox: Sandbox) -> None:
    settings = sandbox.settings
    answer = ask(
        sandbox,
        {
            "grant_type": "client_credentials",
            "client_id": settings["client_id"],
            "client_secret": settings["client_secret"],
        },
    )
    granted = answer.json()
    assert answer.status_code == 200
    assert granted["token_type"] == "Bearer" and granted["instance_url"] == sandbox.base_url
    assert granted["id"].startswith(f"{sandbox.base_url}/id/00D") and "/005" in granted["id"]
    assert "expires_in" not in granted
    read = requests.get(
        f"{sandbox.base_url}/services/data/v62.0/limits",
        headers={"Authorization": f"Bearer {granted['access_token']}"},
        timeout=10,
    )
    assert read.status_code == 200


def test_client_credentials_by_basic_and_in_a_chunked_body_are_read(sandbox: Sandbox) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"grant_type=client"
        yield b"_credentials"

    pair = base64.b64encode(f"{sandbox.settings['client_id']}:{sandbox.settings['client_secret']}".encode()).decode()
    headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/x-www-form-urlencoded"}
    answer = requests.post(f"{sandbox.base_url}/services/oauth2/token", data=chunks(), headers=headers, timeout=10)
    assert answer.status_code == 200 and answer.json()["access_token"]


REFUSED = [
    ({}, "invalid_request"),
    ({"grant_type": "password", "username": "x", "password": "y"}, "unsupported_grant_type"),
    ({"grant_type": "client_credentials"}, "invalid_request"),
    ({"grant_type": "client_credentials", "client_id": "nobody", "client_secret": "x"}, "invalid_client_id"),
    ({"grant_type": "client_credentials", "client_id": "OURS", "client_secret": "wrong"}, "invalid_client"),
    ({"grant_type": JWT_GRANT, "assertion": "x.y.z"}, "invalid_app_access"),
]


@pytest.mark.parametrize(("form", "error"), REFUSED, ids=[error + str(n) for n, (_, error) in enumerate(REFUSED)])
def test_a_wrong_request_is_refused_in_the_shape_of_oauth(sandbox: Sandbox, form: dict[str, str], error: str) -> None:
    mine = {name: sandbox.settings["client_id"] if value == "OURS" else value for name, value in form.items()}
    answer = ask(sandbox, mine)
    assert answer.status_code == 400
    assert answer.json()["error"] == error and answer.json()["error_description"]


@pytest.fixture(scope="module")
def keys() -> tuple[str, str]:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem, public.decode()


def assertion(sandbox: Sandbox, private: str, **changed: object) -> str:
    claims = {
        "iss": sandbox.settings["client_id"], "sub": "integration@tsunagu.example", "aud": "https://login.salesforce.com",
        "exp": int(time.time()) + 120, **changed,
    }  # fmt: skip
    return jwt.encode(claims, private, algorithm="RS256")


def test_a_signed_assertion_is_a_sign_in(make_sandbox: Callable[..., Sandbox], keys: tuple[str, str]) -> None:
    sandbox = make_sandbox(public_key=keys[1])
    for audience in ("https://login.salesforce.com", "https://test.salesforce.com", sandbox.base_url):
        answer = ask(sandbox, {"grant_type": JWT_GRANT, "assertion": assertion(sandbox, keys[0], aud=audience)})
        assert answer.status_code == 200, answer.text


WRONG_CLAIMS = [
    ({"aud": "https://evil.example"}, "audience is invalid"),
    ({"exp": int(time.time()) - 600}, "expired authorization code"),
    ({"exp": int(time.time()) + 86_400}, "invalid assertion"),
    ({"sub": "somebody@else.example"}, "user hasn't approved this consumer"),
    ({"iss": "another app"}, "client identifier invalid"),
]


@pytest.mark.parametrize(("claims", "description"), WRONG_CLAIMS, ids=[text for _, text in WRONG_CLAIMS])
def test_a_wrong_claim_is_refused(
    make_sandbox: Callable[..., Sandbox], keys: tuple[str, str], claims: dict[str, object], description: str
) -> None:
    sandbox = make_sandbox(public_key=keys[1])
    answer = ask(sandbox, {"grant_type": JWT_GRANT, "assertion": assertion(sandbox, keys[0], **claims)})
    assert (answer.status_code, answer.json()["error_description"]) == (400, description)


def test_an_assertion_signed_with_another_key_is_refused(
    make_sandbox: Callable[..., Sandbox], keys: tuple[str, str]
) -> None:
    sandbox = make_sandbox(public_key=keys[1])
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    answer = ask(sandbox, {"grant_type": JWT_GRANT, "assertion": assertion(sandbox, other.decode())})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("header", ["", "Bearer nonsense", "Basic abc"])
def test_a_call_without_a_good_token_is_an_invalid_session(sandbox: Sandbox, header: str) -> None:
    headers = {"Authorization": header} if header else {}
    answer = requests.get(f"{sandbox.base_url}/services/data/v62.0/sobjects", headers=headers, timeout=10)
    assert answer.status_code == 401
    assert answer.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]


def test_a_token_ends_with_its_life_in_calls_or_in_seconds(make_sandbox: Callable[..., Sandbox]) -> None:
    by_calls, by_time = make_sandbox(token_life_requests=2), make_sandbox(token_life_seconds=0)
    headers = {"Authorization": f"Bearer {by_calls.token()}"}
    address = "/services/data/v62.0/limits"
    seen = [requests.get(by_calls.base_url + address, headers=headers, timeout=10).status_code for _ in range(3)]
    assert seen == [200, 200, 401]
    assert by_time.get(address).status_code == 401


def test_a_revoked_token_reads_no_more(sandbox: Sandbox) -> None:
    token = sandbox.token()
    requests.post(f"{sandbox.base_url}/services/oauth2/revoke", data={"token": token}, timeout=10)
    address = f"{sandbox.base_url}/services/data/v62.0/limits"
    assert requests.get(address, headers={"Authorization": f"Bearer {token}"}, timeout=10).status_code == 401


def test_the_quota_ends_in_request_limit_exceeded_and_shows_in_header_and_limits(
    make_sandbox: Callable[..., Sandbox],
) -> None:
    sandbox = make_sandbox(quota=2)
    first = sandbox.get("/services/data/v62.0/limits")
    assert first.headers["Sforce-Limit-Info"] == "api-usage=1/2"
    assert first.json()["DailyApiRequests"] == {"Max": 2, "Remaining": 1}
    assert sandbox.get("/services/data/v62.0/limits").status_code == 200
    spent = sandbox.get("/services/data/v62.0/limits")
    assert (spent.status_code, spent.json()[0]["errorCode"]) == (403, "REQUEST_LIMIT_EXCEEDED")
    assert "Retry-After" not in spent.headers
