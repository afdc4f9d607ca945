"""One loopback process that mounts every vendor's sandbox over one company, a port per instance, and a control port.

Vendors are found by folder (`sources/<vendor>/sandbox.py`); nothing here knows one by name. Plain HTTP on 127.0.0.1 and, where
the machine has it, ::1, so that `localhost` works too. Every port also answers the control paths:
`GET /_company` the JSON line as of now · `POST /_company/advance {"days": 7}` moves the clock, writes truth and files anew and
answers the new line · `GET /_requests` requests per instance · `DELETE /_requests` starts counting again.
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from tempfile import mkdtemp
from threading import Lock, Thread
from time import monotonic, sleep
from types import TracebackType
from typing import Any, cast

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

import sources
from sources.demo import truth
from sources.demo.chaos import chaos_of
from sources.demo.company import Company
from sources.demo.mounting import AsgiApp, Mount, MountFunction, SandboxOptions
from sources.errors import ConfigurationError

_CONTROL = ("/_company", "/_requests")
_START_SECONDS = 20.0


def sandbox_vendors() -> list[str]:
    """Folders of `sources/` that have a sandbox, in alphabetical order."""
    return [
        found.name
        for found in iter_modules(sources.__path__)
        if found.ispkg and find_spec(f"sources.{found.name}.sandbox") is not None
    ]


@dataclass(slots=True)
class _Served:
    """One app on one port; `server` is None until it runs."""

    name: str
    app: AsgiApp
    sockets: list[socket.socket]
    server: uvicorn.Server | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.sockets[0].getsockname()[1]}"


class Running:
    """The served company. A context manager; `stop()` ends the ports but leaves the folder."""

    def __init__(self, company: Company, folder: Path, truth_folder: Path) -> None:
        self.company, self.folder, self.truth_folder = company, folder, truth_folder
        self.requests: Counter[str] = Counter()
        self.apart: list[str] = []
        """Instances that are served but are none of the company's tools: the truth has no records of them."""
        self._mounts: list[Mount] = []
        self._served: list[_Served] = []
        self._lock = Lock()
        self._thread: Thread | None = None

    @property
    def base_urls(self) -> dict[str, str]:
        """{instance: base_url}, and `control`."""
        return {served.name: served.base_url for served in self._served}

    def line(self) -> dict[str, Any]:
        """The sandbox's JSON line as of the company's now."""
        line: dict[str, Any] = {}
        for mount in self._mounts:
            urls = {name: url for name, url in self.base_urls.items() if name in mount.apps}
            _merge(line, mount.describe(urls))
        line["apart"] = sorted(self.apart)
        line["truth"] = str(self.truth_folder)
        line["company_now"] = _stamp(self.company)
        line["control"] = {"base_url": self.base_urls["control"]}
        return line

    def advance(self, days: int) -> dict[str, Any]:
        """Moves the company's clock, renews truth and files, gives the new line."""
        with self._lock:
            self.company.advance(days)
            self.refresh()
        return self.line()

    def refresh(self) -> None:
        truth.write(self.company, self.truth_folder)
        for mount in self._mounts:
            mount.refresh()

    def add(self, name: str, app: AsgiApp, port: int) -> None:
        self._served.append(_Served(name, app, _bind(port)))

    def mount(self, mounted: Mount) -> None:
        self._mounts.append(mounted)

    def start(self) -> None:
        self._thread = Thread(target=self._run, name="sandbox", daemon=True)
        self._thread.start()
        until = monotonic() + _START_SECONDS
        while not all(served.server is not None and served.server.started for served in self._served):
            if monotonic() > until or not self._thread.is_alive():
                raise RuntimeError("the sandbox did not start within 20 seconds: see the log for the port that failed")
            sleep(0.01)

    def stop(self) -> None:
        for served in self._served:
            if served.server is not None:
                served.server.should_exit = True
        if self._thread is not None:
            self._thread.join(timeout=_START_SECONDS)
        for served in self._served:
            for each in served.sockets:
                each.close()

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        asyncio.run(self._serve_all())

    async def _serve_all(self) -> None:
        running: list[Any] = []
        for served in self._served:
            config = uvicorn.Config(served.app, log_level="error", access_log=False, timeout_graceful_shutdown=1)
            served.server = uvicorn.Server(config)
            running.append(served.server.serve(sockets=served.sockets))
        await asyncio.gather(*running)


def serve(
    company: Company,
    port: int = 0,
    *,
    folder: Path | None = None,
    truth_folder: Path | None = None,
    token_life_seconds: float = 7200.0,
    rate_limit: bool = False,
    chaos: str | None = None,
) -> Running:
    """Serves the company in a thread until `stop()`.

    `port` is that of the control app, the instances take the next ones; 0 lets the machine choose. `folder` gets the drops
    of vendors of files (`folder/<instance>`), `truth_folder` the truth (default `folder/truth`). `chaos` names a profile of
    `chaos.py`: the wire then misbehaves, the same way for the company's seed.
    """
    folder = Path(mkdtemp(prefix="tsunagu-sandbox-")) if folder is None else folder
    folder.mkdir(parents=True, exist_ok=True)
    running = Running(company, folder, folder / "truth" if truth_folder is None else truth_folder)
    control = _control_app(running)
    running.add("control", control, port)
    options = SandboxOptions(lambda: company.now, folder, token_life_seconds, rate_limit)
    misbehaving = chaos_of(chaos, company.seed) if chaos else None
    # A vendor that the company does not use is served all the same: last, under its own name.
    for vendor in sorted(sandbox_vendors(), key=lambda vendor: not company.instances(vendor)):
        instances = company.instances(vendor)
        if not instances:
            running.apart.append(vendor)
            instances = [vendor]
        mount = cast(MountFunction, import_module(f"sources.{vendor}.sandbox").mount)
        mounted = mount(company, instances, options)
        running.mount(mounted)
        for name, app in mounted.apps.items():
            following = port + len(running.base_urls) if port else 0
            front = misbehaving.in_front_of(name, app, mounted.refusals) if misbehaving else app
            running.add(name, _counted(running, name, front, control), following)
    try:
        running.refresh()
        running.start()
    except BaseException:
        running.stop()
        raise
    return running


def _bind(port: int) -> list[socket.socket]:
    """The port on 127.0.0.1, and on ::1 where that is possible.

    asyncio turns Nagle's algorithm off only for sockets that name TCP as their protocol; with it, the body of an answer
    waits for the client's delayed acknowledgement of the headers: 40 ms a request on Linux.
    """
    four = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    four.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        four.bind(("127.0.0.1", port))
    except OSError as problem:
        four.close()
        raise ConfigurationError(
            f"sandbox: port {port} on 127.0.0.1 cannot be used ({problem.strerror}); stop what listens there, choose another"
            " port, or 0 to let the machine choose"
        ) from problem
    bound = [four]
    with suppress(OSError):
        six = socket.socket(socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        six.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            six.bind(("::1", four.getsockname()[1]))
            bound.append(six)
        except OSError:
            six.close()
    return bound


def _counted(running: Running, name: str, app: AsgiApp, control: AsgiApp) -> AsgiApp:
    async def counted(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith(_CONTROL):
            await control(scope, receive, send)
            return
        if scope["type"] == "http":
            running.requests[name] += 1
        await app(scope, receive, send)

    return counted


def _control_app(running: Running) -> AsgiApp:
    async def advance(request: Request) -> JSONResponse:
        body: Any = None
        with suppress(ValueError):
            body = await request.json()
        days = cast(Mapping[str, Any], body).get("days") if isinstance(body, dict) else None
        if not isinstance(days, int) or isinstance(days, bool) or days < 0:
            return JSONResponse({"error": 'send {"days": N} with a whole number of days, 0 or more'}, 400)
        return JSONResponse(await asyncio.to_thread(running.advance, days))

    def show(_: Request) -> JSONResponse:
        return JSONResponse(running.line())

    def counts(_: Request) -> JSONResponse:
        return JSONResponse({name: running.requests[name] for name in running.base_urls if name != "control"})

    def reset(_: Request) -> JSONResponse:
        running.requests.clear()
        return JSONResponse({})

    routes = [
        Route("/_company", show, methods=["GET"]),
        Route("/_company/advance", advance, methods=["POST"]),
        Route("/_requests", counts, methods=["GET"]),
        Route("/_requests", reset, methods=["DELETE"]),
    ]
    return cast(AsgiApp, Starlette(routes=routes))


def _merge(into: dict[str, Any], part: Mapping[str, Any]) -> None:
    for key, value in part.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], cast(Mapping[str, Any], value))
        else:
            into[key] = value


def _stamp(company: Company) -> str:
    return company.now.strftime("%Y-%m-%dT%H:%M:%SZ")
