"""What the demo connects of all that its sandbox serves."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from orchestration.verbs.demo import Life, Sandbox, write_home


def test_the_demo_connects_the_companys_own_tools_and_nothing_that_is_served_apart(tmp_path: Path) -> None:
    unit = {"base_url": "http://127.0.0.1:2", "login_url": "http://127.0.0.1:2", "client_id": "c", "client_secret": "s"}
    line = {
        "company_now": "2026-10-30T09:00:00+00:00",
        "hubspot": {"base_url": "http://127.0.0.1:1", "token": "t"},
        "account_engagement": {**unit, "business_unit_id": "0Uv000000000001AAA"},
    }
    served = Sandbox(cast(Any, None), {**line, "apart": ["account_engagement"]})
    assert list(served.instances()) == ["hubspot"]
    settings = write_home(tmp_path, Life(7, "small"), served)
    assert [instance.name for instance in settings.instances] == ["hubspot"]
    assert "account_engagement" not in settings.secrets_path.read_text(encoding="utf-8")
    assert list(Sandbox(cast(Any, None), line).instances()) == ["hubspot", "account_engagement"]
