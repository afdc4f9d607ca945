"""When things run by themselves: schedules, the way from extraction to models, retries, and a window typed by hand."""

# Dagster reads the annotation of a config at run time: no postponed evaluation in this file.
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration import assets, automation, syncs
from orchestration.assets import BUILD_STEP, FRESH, Surroundings, source_assets
from orchestration.journal import Journal
from orchestration.settings import Instance, Settings, SettingsError
from orchestration.sync_report import SyncReport
from sources.errors import ConfigurationError, CredentialsRejected, QuotaExhausted, Unreachable
from tests.orchestration.shop import know_shop

HOME = Settings(home=Path("/nowhere"), instances=(Instance("shop", "shop"),), timezone="Europe/Berlin")
STATUS = dg.DagsterRunStatus


def clock() -> datetime:
    return datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


class Weather(dg.Config):
    fails: bool = False


@dg.asset(group_name="sources")
def read(config: Weather) -> None:
    if config.fails:
        raise OSError("the tool does not answer")


@dg.asset(deps=[read], group_name="marts", name="mart")
def mart() -> None: ...


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as made:
        yield made


# schedules -----------------------------------------------------------------------------------------------------------
def test_refresh_runs_hourly_and_full_check_nightly_in_the_companys_zone() -> None:
    found = {schedule.name: schedule for schedule in automation.schedules(HOME)}
    assert {name: schedule.cron_schedule for name, schedule in found.items()} == {
        "refresh": "5 * * * *",
        "full_check": "30 2 * * *",
        "tidy": "45 3 * * *",
    }
    assert {schedule.execution_timezone for schedule in found.values()} == {"Europe/Berlin"}


@pytest.mark.parametrize(("is_demo", "status"), [(False, "RUNNING"), (True, "STOPPED")])
def test_schedules_are_on_in_a_real_home_and_off_in_a_demos(is_demo: bool, status: str) -> None:
    found = automation.schedules(replace(HOME, is_demo=is_demo))
    assert {schedule.default_status.value for schedule in found} == {status}


@pytest.mark.parametrize(
    ("under_way", "is_left_out"), [("refresh", True), ("models", False), (None, False)], ids=["same", "other", "none"]
)
def test_an_hour_that_finds_the_last_refresh_still_at_work_is_left_out(
    instance: dg.DagsterInstance, under_way: str | None, is_left_out: bool
) -> None:
    if under_way:

        @dg.job(name=under_way)
        def job() -> None: ...

        instance.create_run_for_job(job, status=STATUS.STARTED)
    definitions = dg.Definitions(
        assets=[read, mart], jobs=automation.jobs()[:1], schedules=automation.schedules(HOME)[:1]
    )
    schedule = definitions.resolve_schedule_def("refresh")
    context = dg.build_schedule_context(instance=instance, repository_def=definitions.get_repository_def())
    assert bool(schedule.evaluate_tick(context).skip_message) is is_left_out


# jobs ----------------------------------------------------------------------------------------------------------------
def test_jobs_part_the_assets_at_the_sources() -> None:
    definitions = dg.Definitions(assets=[read, mart], jobs=automation.jobs()[:2])
    selected = {
        name: {key.to_user_string() for key in definitions.resolve_job_def(name).asset_layer.executable_asset_keys}
        for name in ("refresh", "models")
    }
    assert selected == {"refresh": {"read"}, "models": {"mart"}}


def test_the_nightly_check_rebuilds_everything() -> None:
    full_check = next(job for job in automation.jobs() if job.name == "full_check")
    assert full_check.config == {"ops": {BUILD_STEP: {"config": {"full_refresh": True}}}}


# sensors -------------------------------------------------------------------------------------------------------------
def ticks(instance: dg.DagsterInstance, *happened: str) -> list[dg.RunRequest]:
    """What the sensors ask for after these runs, looking twice."""
    refresh, models, _ = automation.jobs()
    sensors = automation.sensors(refresh, models)
    definitions = dg.Definitions(assets=[read, mart], jobs=[refresh, models], sensors=sensors)
    cursors = {
        sensor.name: look(instance, sensor, None)[1] for sensor in sensors
    }  # the first look only remembers where it is
    for job in happened:
        config = {"ops": {"read": {"config": {"fails": job == "refresh that fails"}}}}
        definitions.resolve_job_def(job.split()[0]).execute_in_process(
            instance=instance, raise_on_error=False, run_config=config if "refresh" in job else None
        )
    asked: list[dg.RunRequest] = []
    for _ in range(2):
        for sensor in sensors:
            requests, cursors[sensor.name] = look(instance, sensor, cursors[sensor.name])
            asked += requests
    return asked


def look(
    instance: dg.DagsterInstance, sensor: dg.SensorDefinition, cursor: str | None
) -> tuple[list[dg.RunRequest], str | None]:
    context = dg.build_sensor_context(instance=instance, cursor=cursor, sensor_name=sensor.name)
    answer = sensor.evaluate_tick(context)
    return list(answer.run_requests or []), answer.cursor


@pytest.mark.parametrize("how", ["refresh", "refresh that fails"])
def test_after_a_refresh_good_or_not_the_models_are_asked_for_once(instance: dg.DagsterInstance, how: str) -> None:
    [request] = ticks(instance, how)
    [run] = instance.get_runs(dg.RunsFilter(job_name="refresh"))
    assert request.run_key == run.run_id  # and Dagster starts one run per key
    assert run.status.value == ("SUCCESS" if how == "refresh" else "FAILURE")


def test_models_that_wait_already_are_not_asked_for_again(instance: dg.DagsterInstance) -> None:
    definitions = dg.Definitions(assets=[read, mart], jobs=automation.jobs()[:2])
    instance.create_run_for_job(definitions.resolve_job_def("models"), status=STATUS.NOT_STARTED)
    assert ticks(instance, "refresh") == []


def test_a_run_of_the_models_asks_for_nothing(instance: dg.DagsterInstance) -> None:
    assert ticks(instance, "models") == []


def test_tidying_drops_old_records(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    monkeypatch.setattr("orchestration.run_records.prune", lambda _, now: seen.append(now) or [])
    assert automation.tidy_job(HOME, clock).execute_in_process(instance=instance).success
    assert seen == [clock()]


# steps of the sources ------------------------------------------------------------------------------------------------
@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    know_shop(monkeypatch)
    monkeypatch.setattr(assets, "RETRIES", dg.RetryPolicy(max_retries=assets.RETRIES.max_retries, delay=0))
    return []


def read_shop(
    monkeypatch: pytest.MonkeyPatch, tries: list[dict[str, Any]], error: Exception | None = None, **window: Any
) -> tuple[dg.ExecuteInProcessResult, Journal]:
    def sync(settings: Settings, instance: str, clock: object, **asked: Any) -> SyncReport:
        tries.append(asked)
        if error is not None:
            raise error
        return SyncReport(instance)

    monkeypatch.setattr(syncs, "sync", sync)
    journal = Journal()
    around = Surroundings(HOME, clock, journal)
    config = {"ops": {"sync_shop": {"config": window}}}
    result = dg.materialize(
        source_assets(around), run_config=config, raise_on_error=False, instance=dg.DagsterInstance.ephemeral()
    )
    return result, journal


@pytest.mark.parametrize(
    ("error", "times"),
    [
        (Unreachable("the host does not answer"), 3),
        (QuotaExhausted("the day's requests are used up"), 3),
        (OSError("something passing"), 3),
        (CredentialsRejected("refused"), 1),
        (ConfigurationError("no such folder"), 1),
        (SettingsError("not an instance"), 1),
    ],
)
def test_what_passes_is_tried_three_times_and_what_does_not_once(
    monkeypatch: pytest.MonkeyPatch, tries: list[dict[str, Any]], error: Exception, times: int
) -> None:
    result, journal = read_shop(monkeypatch, tries, error)
    assert not result.success
    assert len(tries) == times
    assert journal.errors["shop"] is error


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ({"start": "01/03/2026", "end": "2026-04-01"}, "start = '01/03/2026' is not an ISO date"),
        ({"start": "2026-03-01", "end": "April"}, "end = 'April' is not an ISO date"),
        ({"start": "2026-03-01"}, "start = '2026-03-01' is given and end is not"),
        ({"end": "2026-03-01"}, "end = '2026-03-01' is given and start is not"),
        ({"start": "2026-03-02", "end": "2026-03-01"}, "is not before"),
        ({"start": "2026-03-01", "end": "2026-03-01"}, "is not before"),
        ({"streams": ["acount"]}, "no stream 'acount'. It has: account, person"),
    ],
)
def test_a_window_typed_wrong_is_refused_in_words_and_not_tried_again(
    monkeypatch: pytest.MonkeyPatch, tries: list[dict[str, Any]], window: dict[str, Any], words: str
) -> None:
    result, journal = read_shop(monkeypatch, tries, **window)
    assert not result.success and tries == []
    assert words in str(journal.errors["shop"])
    failures = [e for e in result.all_events if e.event_type_value == "STEP_FAILURE"]
    assert len(failures) == 1
    assert words in str(failures[0].step_failure_data.error)
    assert not [e for e in result.all_events if e.event_type_value == "STEP_UP_FOR_RETRY"]


def test_a_streams_list_that_names_nothing_selected_reads_nothing(
    monkeypatch: pytest.MonkeyPatch, tries: list[dict[str, Any]]
) -> None:
    monkeypatch.setattr(syncs, "sync", lambda *_, **__: tries.append({}))
    journal = Journal()
    config = {"ops": {"sync_shop": {"config": {"streams": ["person"]}}}}
    result = dg.materialize(
        source_assets(Surroundings(HOME, clock, journal)),
        selection=dg.AssetSelection.assets(dg.AssetKey(["shop", "account"])),
        run_config=config,
        raise_on_error=False,
        instance=dg.DagsterInstance.ephemeral(),
    )
    assert not result.success and tries == []
    assert "none of person is among the selected assets" in str(journal.errors["shop"])


def test_a_window_without_an_offset_is_in_utc(monkeypatch: pytest.MonkeyPatch, tries: list[dict[str, Any]]) -> None:
    read_shop(monkeypatch, tries, start="2026-03-01", end="2026-04-01T09:00:00+09:00", streams=["account"])
    [asked] = tries
    window = asked["backfill"]
    assert (window.start, window.end) == (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    assert window.backfill and asked["streams"] == ["account"]


def test_without_a_window_a_step_reads_on(monkeypatch: pytest.MonkeyPatch, tries: list[dict[str, Any]]) -> None:
    result, _ = read_shop(monkeypatch, tries)
    assert result.success
    assert tries == [{"streams": ["account", "person"], "backfill": None}]


def test_a_stream_says_which_table_it_is_and_how_fresh_it_must_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    know_shop(monkeypatch)
    [step] = source_assets(Surroundings(HOME, clock, Journal()))
    account = step.get_asset_spec(dg.AssetKey(["shop", "account"]))
    assert account.metadata["dagster/table_name"] == "raw.raw_shop.account"
    assert [column.name for column in account.metadata["dagster/column_schema"].columns] == ["id", "name"]
    assert account.freshness_policy == FRESH
    assert (account.group_name, account.owners) == ("sources", ["team:data"])
    person = step.get_asset_spec(dg.AssetKey(["shop", "person"]))
    assert person.metadata["deletes"] == "sweep"
