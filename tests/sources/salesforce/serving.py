"""A Salesforce sandbox on a loopback port, with a log of every request it got."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

import requests
import uvicorn

from sources.demo.company import Company


@dataclass
class Sandbox:
    """A served org: its address and JSON line, and every request it got as (method, path)."""

    base_url: str
    line: dict[str, Any]
    company: Company
    log: list[tuple[str, str]]
    """(method, path with its query) of every request, oldest first."""

    @property
    def settings(self) -> dict[str, str]:
        names = ("base_url", "client_id", "client_secret", "bulk_poll_seconds")
        return {name: str(self.line["salesforce"][name]) for name in names}

    def clock(self) -> datetime:
        return self.company.now

    def token(self) -> str:
        answer = requests.post(
            f"{self.base_url}/services/oauth2/token",
            data={"grant_type": "client_credentials", **{k: self.settings[k] for k in ("client_id", "client_secret")}},
            timeout=10,
        )
        return answer.json()["access_token"]

    def get(self, path: str, **params: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token()}"}
        return requests.get(self.base_url + path, params=params, headers=headers, timeout=30)

    def soql(self, text: str, kind: str = "query") -> requests.Response:
        return self.get(f"/services/data/v62.0/{kind}", q=text)


@contextmanager
def serve(app: Any) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    log: list[tuple[str, str]] = []

    async def logged(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            query = unquote_plus(scope["query_string"].decode())
            log.append((scope["method"], scope["path"] + (f"?{query}" if query else "")))
        await app(scope, receive, send)

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(logged, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.005)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", log
        server.should_exit = True
        thread.join(10)
