"""Settings of a home: what is read, what is refused in which words, what the libraries are told."""

from __future__ import annotations

import dataclasses
import json
import os
import stat
from pathlib import Path

import pytest

from orchestration.settings import HOME_FILE, TELEMETRY_OFF, Settings, SettingsError
from tests.orchestration.shop import environment_kept


def home(folder: Path, text: str) -> Path:
    (folder / HOME_FILE).write_text(text, encoding="utf-8")
    return folder


def test_a_home_without_a_file_has_no_instance_and_the_defaults_of_the_market(tmp_path: Path) -> None:
    settings = Settings.load(tmp_path / "nowhere")
    assert settings.instances == ()
    assert (settings.timezone, settings.reporting_currency, settings.fiscal_year_start_month) == (
        "Asia/Tokyo",
        "JPY",
        4,
    )
    assert not (tmp_path / "nowhere").exists()


def test_the_home_is_named_by_the_environment_and_else_stands_in_the_users_folder(tmp_path: Path) -> None:
    assert Settings.load(environ={"TSUNAGU_HOME": str(tmp_path)}).home == tmp_path
    assert Settings.load(environ={}).home == Path.home() / ".tsunagu"
    assert Settings.load(tmp_path / "given", {"TSUNAGU_HOME": "/elsewhere"}).home == tmp_path / "given"


def test_everything_that_the_file_may_say_is_read(tmp_path: Path) -> None:
    settings = Settings.load(
        home(
            tmp_path,
            """
            company = "山田商事"
            timezone = "Europe/Berlin"
            reporting_currency = "EUR"
            fiscal_year_start_month = 1
            demo = true
            [vars]
            engagement_days = 30
            [instances.hubspot_emea]
            vendor = "hubspot"
            base_url = "https://example.invalid"
            [instances.esales]
            folder = "drops/esales"
            """,
        )
    )
    assert settings.company == "山田商事"
    assert settings.is_demo
    assert [(i.name, i.vendor) for i in settings.instances] == [("hubspot_emea", "hubspot"), ("esales", "esales")]
    assert settings.instance("hubspot_emea").options == {"base_url": "https://example.invalid"}
    assert settings.dbt_vars() == {
        "timezone": "Europe/Berlin",
        "reporting_currency": "EUR",
        "fiscal_year_start_month": 1,
        "engagement_days": 30,
    }


WRONG = [
    ("timezon = 'x'", ["timezon", "timezone", "known"]),
    ("timezone = 'Mars/Olympus'", ["timezone", "Mars/Olympus", "Asia/Tokyo"]),
    ("timezone = '../etc/passwd'", ["timezone", "../etc/passwd", "Asia/Tokyo"]),
    ("reporting_currency = 'yen'", ["reporting_currency", "yen", "JPY"]),
    ("fiscal_year_start_month = 13", ["fiscal_year_start_month", "13", "1 to 12"]),
    ("fiscal_year_start_month = true", ["fiscal_year_start_month", "True", "1 to 12"]),
    ("fiscal_year_start_month = '4'", ["fiscal_year_start_month", "'4'", "1 to 12"]),
    ("[instances.Sales-Force]\nvendor = 'salesforce'", ["Sales-Force", "lower-case"]),
    ("[instances.a__b]\nvendor = 'salesforce'", ["a__b", "single '_'"]),
    ("[instances.crm]\nvendor = 'salesfroce'", ["crm", "salesfroce", "salesforce"]),
    ("[instances.crm]\nbase_url = 'x'", ["crm", "vendor", "salesforce"]),
    ("[instances]\ncrm = 'salesforce'", ["crm", "table", 'vendor = "salesforce"']),
    ("instances = 'salesforce'", ["instances", "salesforce", "[instances."]),
    ("vars = 3", ["vars", "3", "[vars]"]),
    ("demo = 'no'", ["demo", "'no'", "true or false"]),
    ("company = 3", ["company", "3", "text"]),
    ("[instances.crm]\nvendor = 'hubspot'\ntoken = 'x9'", ["crm", "token", "secrets.toml", "[sources.crm]"]),
    ("timezone = ", ["tsunagu init"]),
]


@pytest.mark.parametrize(("text", "words"), WRONG, ids=[text.splitlines()[-1] for text, _ in WRONG])
def test_a_wrong_value_is_refused_with_file_key_value_and_remedy(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.load(home(tmp_path, text))
    message = str(refused.value)
    assert str(tmp_path / HOME_FILE) in message
    assert [word for word in words if word not in message] == []
    assert "\n" not in message.strip() and "x9" not in message


def test_a_file_that_is_not_utf_8_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / HOME_FILE).write_bytes('company = "山田"'.encode("cp932"))
    with pytest.raises(SettingsError, match=HOME_FILE):
        Settings.load(tmp_path)


def test_an_unknown_instance_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    settings = Settings.load(home(tmp_path, "[instances.salesforce]"))
    with pytest.raises(SettingsError, match=r"'hubspot' is not an instance of .*tsunagu\.toml \(known: salesforce\)"):
        settings.instance("hubspot")
    with pytest.raises(SettingsError, match="known: none"):
        Settings(home=tmp_path).instance("hubspot")


@pytest.mark.parametrize(("mode", "is_refused"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True)])
def test_secrets_that_others_can_read_are_refused_with_the_command_that_mends_it(
    tmp_path: Path, mode: int, is_refused: bool
) -> None:
    settings = Settings(home=tmp_path)
    settings.check_secrets_mode()
    settings.make_folders()
    settings.secrets_path.write_text("")
    settings.secrets_path.chmod(mode)
    if not is_refused:
        settings.check_secrets_mode()
        return
    with pytest.raises(SettingsError) as refused:
        settings.check_secrets_mode()
    assert f"{mode:04o}" in str(refused.value)
    assert f"chmod 600 {settings.secrets_path}" in str(refused.value)


def test_a_home_is_closed_to_others(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    settings.make_folders()
    assert stat.S_IMODE(settings.home.stat().st_mode) == 0o700


def test_paths_follow_the_home_and_both_duckdb_files_have_the_catalogs_name(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert settings.models_path.stem == settings.published_path.stem == "tsunagu"
    for name in dir(settings):
        value = getattr(settings, name)
        if isinstance(value, Path) and name != "dbt_project_dir":
            assert value.is_relative_to(tmp_path), name


def test_what_the_libraries_are_told_has_no_telemetry_and_follows_the_home(tmp_path: Path) -> None:
    text = "[instances.hubspot_emea]\nvendor = 'hubspot'\nbase_url = 'https://example.invalid'\npage_size = 50\nfast = true"
    exported = Settings.load(home(tmp_path, text)).export()
    assert exported.items() >= TELEMETRY_OFF.items()
    assert exported["DAGSTER_HOME"] == str(tmp_path / "dagster")
    assert exported["DLT_PROJECT_DIR"] == str(tmp_path)
    assert exported["NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID"] == "true"
    assert exported["SOURCES__HUBSPOT_EMEA__BASE_URL"] == "https://example.invalid"
    assert exported["SOURCES__HUBSPOT_EMEA__PAGE_SIZE"] == "50"
    assert exported["SOURCES__HUBSPOT_EMEA__FAST"] == "true"
    assert json.loads(exported["TSUNAGU_INSTANCES"]) == [
        {"name": "hubspot_emea", "vendor": "hubspot", "staging": "hubspot", "base_url": "https://example.invalid"}
    ]


def test_no_secret_can_be_in_a_setting(tmp_path: Path) -> None:
    settings = Settings.load(home(tmp_path, "[instances.hubspot]"))
    settings.make_folders()
    settings.secrets_path.write_text('[sources.hubspot]\ntoken = "hidden-value"')
    assert "hidden-value" not in repr(settings) + json.dumps(settings.export())
    assert not [field.name for field in dataclasses.fields(settings) if "secret" in field.name]


def test_loading_leaves_the_environment_alone_and_activating_sets_it(tmp_path: Path) -> None:
    with environment_kept():
        os.environ.pop("DAGSTER_HOME", None)
        settings = Settings.load(tmp_path / "home")
        assert "DAGSTER_HOME" not in os.environ and not settings.home.exists()
        settings.activate()
        assert os.environ["DAGSTER_HOME"] == str(settings.dagster_home)
        assert settings.logs_dir.is_dir()
