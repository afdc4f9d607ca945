"""The command: which verbs there are, how fast it answers, what it refuses, and which code it ends with."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from orchestration import cli
from orchestration.journal import Journal
from orchestration.outcome import CREDENTIALS, DONE, GATE, HELD, OTHER, PARTIAL, USAGE, Outcome
from orchestration.publish import GateClosed
from orchestration.settings import HOME_FILE
from orchestration.warehouse import WarehouseHeld
from sources.errors import CredentialsRejected, Unreachable
from tests.orchestration.shop import environment_kept

VERBS = {"demo", "init", "doctor", "dev", "run", "backfill", "publish", "explain", "sandbox"}
HEAVY = {"dagster", "dlt", "dbt", "duckdb", "pyarrow", "pandas", "numpy", "rich", "starlette", "requests"}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    with environment_kept():
        monkeypatch.setenv("TSUNAGU_HOME", str(tmp_path / "home"))
        yield tmp_path / "home"


def write_settings(home: Path, text: str) -> None:
    home.mkdir(parents=True)
    (home / HOME_FILE).write_text(text, encoding="utf-8")


def test_help_lists_just_the_verbs_that_are_built(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--help"])
    assert ended.value.code == 0
    listed = re.findall(r"^    (\w+) ", capsys.readouterr().out, flags=re.MULTILINE)
    assert set(listed) == VERBS and len(listed) == len(VERBS)


def test_the_version_is_that_of_the_project(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert capsys.readouterr().out == f"tsunagu {project['version']}\n"


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([verb, "--help"])
    assert ended.value.code == 0
    assert f"tsunagu {verb}" in capsys.readouterr().out


def test_help_answers_at_once_because_it_imports_nothing_heavy(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom orchestration.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        f"print(sorted({HEAVY!r} & {{name.partition('.')[0] for name in sys.modules}}))"
    )
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr
    assert time.perf_counter() - started < 2  # 0.2 s on an idle machine; dagster alone takes 1.5 s


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "VERB"),
        (["fly"], "fly"),
        (["backfill", "crm", "--start", "2026-13-01", "--end", "2026-02-01"], "'2026-13-01' is not an ISO date"),
        (["backfill", "crm", "--start", "2026-01-01"], "--end"),
        (["demo", "--advance", "181"], "from 0 to 180"),
        (["demo", "--advance", "soon"], "--advance"),
        (["demo", "--scale", "huge"], "huge"),
    ],
)
def test_wrong_usage_is_said_in_words_and_ends_with_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == USAGE
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["run", "dev"])
def test_a_home_without_an_instance_is_told_how_to_begin(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([verb]) == USAGE
    assert "tsunagu init" in one_paragraph(capsys)


def test_a_wrong_setting_ends_every_verb_that_reads_it_with_2(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_settings(home, "timezone = 'Mars'")
    for arguments in (["run"], ["doctor"], ["publish"], ["dev"], ["explain", "x"]):
        assert cli.main(arguments) == USAGE
        assert "timezone = 'Mars'" in one_paragraph(capsys)


def test_readable_secrets_stop_a_run_before_it_begins(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_settings(home, "[instances.hubspot]")
    (home / ".dlt").mkdir()
    (home / ".dlt" / "secrets.toml").write_text("")
    (home / ".dlt" / "secrets.toml").chmod(0o644)
    assert cli.main(["run"]) == USAGE
    assert "chmod 600" in one_paragraph(capsys)
    assert not (home / "dagster").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["backfill", "crm", "--start", "2026-01-01", "--end", "2026-02-01"], "'crm' is not an instance"),
        (["backfill", "hubspot", "--start", "2026-02-01", "--end", "2026-01-01"], "is not before"),
        (
            ["backfill", "hubspot", "--start", "2026-01-01", "--end", "2026-02-01", "--streams", "contactz"],
            "no stream 'contactz'",
        ),
        (["run", "--source", "crm"], "'crm' is not an instance"),
    ],
)
def test_what_cannot_be_right_is_refused_before_anything_runs(
    home: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_settings(home, "[instances.hubspot]")
    assert cli.main(arguments) == USAGE
    assert words in one_paragraph(capsys)
    assert not (home / "dagster").exists()


def test_explain_without_a_warehouse_says_what_to_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", "Yamada"]) == USAGE
    assert "tsunagu run" in one_paragraph(capsys)


OUTCOMES = [
    ({}, DONE),
    ({"crm": CredentialsRejected("crm: refused")}, PARTIAL),
    ({"crm": CredentialsRejected("crm: refused"), "ma": CredentialsRejected("ma: refused")}, CREDENTIALS),
    ({"publish": GateClosed("Not published: 1 failed", [], None)}, GATE),
    ({"models": WarehouseHeld("held by someone")}, HELD),
    ({"crm": Unreachable("crm: no answer"), "models": RuntimeError("boom")}, OTHER),
]


@pytest.mark.parametrize(("errors", "code"), OUTCOMES, ids=[str(code) for _, code in OUTCOMES])
def test_run_ends_with_the_code_of_what_it_came_to(
    errors: dict[str, Exception], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "orchestration.headless.refresh", lambda *_, **__: Outcome(Journal(errors=errors), ("crm", "ma"))
    )
    assert cli.main(["run"]) == code
    said = capsys.readouterr().err
    assert "Traceback" not in said
    named = {
        name for line in said.splitlines() for name in line.removeprefix("tsunagu: ").partition(":")[0].split(", ")
    }
    assert errors.keys() <= named


def test_run_and_backfill_hand_on_what_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []

    def note(_: object, *rest: object, **__: object) -> Outcome:
        asked.append(rest[:-1])  # the last one is the journal
        return Outcome(Journal(), ())

    monkeypatch.setattr("orchestration.headless.refresh", note)
    monkeypatch.setattr("orchestration.headless.backfill", note)
    cli.main(["run"])
    cli.main(["run", "--source", "crm", "--source", "ma"])
    cli.main(["backfill", "crm", "--start", "2026-01-01", "--end", "2026-02-01T09:00:00+09:00", "--streams", "a", "b"])
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    assert asked == [(None,), (["crm", "ma"],), ("crm", start, end, ["a", "b"])]


def test_an_error_that_nobody_foresaw_is_one_sentence_and_its_traceback_is_in_the_log(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("client_secret=abc123 was divided")

    home.mkdir()
    monkeypatch.setattr("orchestration.headless.refresh", fail)
    assert cli.main(["run"]) == OTHER
    said = one_paragraph(capsys)
    assert "ZeroDivisionError" in said and "abc123" not in said
    log = (home / "logs" / "tsunagu.log").read_text()
    assert "Traceback" in log and "abc123" not in log


def test_ctrl_c_is_no_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("orchestration.headless.refresh", stop)
    assert cli.main(["run"]) == OTHER
    assert one_paragraph(capsys) == "stopped"


def test_init_writes_a_home_once_and_names_unknown_vendors(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["init", "salesfroce"]) == USAGE
    assert "salesfroce" in one_paragraph(capsys) and not home.exists()
    assert cli.main(["init", "salesforce", "esales"]) == DONE
    assert (home / ".dlt" / "secrets.toml").stat().st_mode & 0o077 == 0
    written = (home / HOME_FILE).read_text()
    capsys.readouterr()
    assert cli.main(["init"]) == USAGE
    assert "already" in one_paragraph(capsys)
    assert (home / HOME_FILE).read_text() == written


def test_what_init_writes_can_be_loaded(home: Path) -> None:
    from orchestration.settings import Settings

    assert cli.main(["init", "salesforce", "hubspot", "esales", "files"]) == DONE
    assert [instance.vendor for instance in Settings.load().instances] == ["salesforce", "hubspot", "esales", "files"]


def one_paragraph(capsys: pytest.CaptureFixture[str]) -> str:
    """What was said on stderr but for the steps' progress: one line, no traceback."""
    lines = capsys.readouterr().err.strip().splitlines()
    said = "\n".join(line for line in lines if not line.strip().startswith(("✓", "✗"))).removeprefix("tsunagu: ")
    assert "\n" not in said and "Traceback" not in said, said
    return said
