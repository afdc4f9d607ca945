"""Runs that end early, start elsewhere or fail: state and rows as before, no secret left behind."""

from __future__ import annotations

import signal
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sources import extract
from sources.config import Config
from sources.demo.chaos import Fault
from sources.errors import TsunaguSourceError
from tests.contract.conftest import Serve
from tests.contract.layers import listening
from tests.contract.small_company import BORN, MARK, NOW
from tests.contract.tools import Served, Tool


def test_cancelled_in_the_middle(tool: Tool, living: Served) -> None:
    living.has_wire()
    loads, before = _loads(living), set(living.found())
    main = threading.main_thread().ident
    assert main is not None
    living.at_request = {len(living.requests) + 2: lambda: signal.pthread_kill(main, signal.SIGINT)}
    with pytest.raises(BaseException) as caught:
        living.sync()
    assert not isinstance(caught.value, AssertionError)
    assert not living.at_request
    assert _loads(living) == loads
    assert set(living.found()) == before
    living.sync()
    living.has_landed()


def _loads(served: Served) -> list[dict[str, Any]]:
    return served.select("select * from ledger.loads order by seq")


@pytest.mark.soak
def test_a_first_load_that_goes_on_where_it_stopped(tool: Tool, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extract, "PAGE_BYTES", 1)  # else small pages are read together, and there is one part
    records = tool.records()
    for place in range(4_500):
        records.add(tool.kind, BORN + timedelta(seconds=place))
    whole = serve(tool, records)
    whole.has_wire()
    whole.home.vendor = _in_parts(tool)
    whole.lay(listening(whole.answers))
    whole.sync()
    whole.has_landed()
    served = serve(tool, records)
    served.home.vendor = _in_parts(tool)
    served.misbehave(Fault("500", at=tuple(range(int(0.7 * len(whole.requests)), 10_000))))
    with pytest.raises(TsunaguSourceError):
        served.sync()
    found = set(served.found())
    assert found, "nothing of the first load has landed"
    served.behave()
    served.lay(listening(served.answers))
    served.sync()
    served.has_landed()
    again, every = (len(set(MARK.findall("\n".join(one.answers)))) for one in (served, whole))
    assert again < 0.7 * every, f"it began from the start: {again} of {every} records were given again"


def _in_parts(tool: Tool) -> Any:
    """The vendor, with windows that are cut after few rows."""
    vendor = tool.vendor
    few = lambda streams: tuple(replace(stream, window_rows=500) for stream in streams)  # noqa: E731
    of = vendor.streams_of
    return replace(vendor, streams=few(vendor.streams), streams_of=(lambda c: few(of(c))) if of else None)


def test_a_run_from_a_foreign_directory(
    tool: Tool, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    records = tool.records()
    for kind in tool.kinds:
        records.add(kind)
        records.add(kind, NOW + timedelta(hours=1))
    served = serve(tool, records)
    served.sync()
    served.later(days=1)
    served.sync()
    served.has_landed()
    assert not list(elsewhere.iterdir())


def test_secrets_in_nothing_that_a_failing_run_leaves_behind(
    tool: Tool, living: Served, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    served, said = living, ""
    served.has_wire()
    for fault in ("500", "html", "expired", "echo"):
        if fault == "echo":
            served.lay(_echo)
        else:
            served.misbehave(Fault(fault, 1.0))
        with pytest.raises(TsunaguSourceError) as caught:
            served.sync()
        said += str(caught.value) + repr(caught.value)
    names = tuple(param.name for param in tool.vendor.params if param.secret)
    secrets = {*Config(served.home.instance, served.home.config, names).secrets, *served.secrets}
    assert secrets
    said += caplog.text + "".join(capfd.readouterr())
    files = [path.read_bytes() for path in served.home.folder.rglob("*") if path.is_file()]
    for secret in secrets:
        assert secret not in said, said
        assert not [1 for content in files if secret.encode() in content]


def _echo(app: Any) -> Any:
    """Refuses, and repeats what it was told."""

    async def within(scope: Any, receive: Any, send: Any) -> None:
        told = b"; ".join(name + b": " + value for name, value in scope["headers"])
        await send({"type": "http.response.start", "status": 400, "headers": [(b"content-length", b"%d" % len(told))]})
        await send({"type": "http.response.body", "body": told})

    return within
