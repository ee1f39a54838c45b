"""Retention of the local stack's server: nothing grows for ever, by Prefect's own reading of our settings."""

from datetime import timedelta
from pathlib import Path

import pytest
from prefect.settings.models.root import Settings

from deployments.stack.environment import server_environment
from deployments.stack.ports import SERVER
from deployments.stack.state_dir import REPOSITORY, StateDir


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Read the server's environment as the server does."""
    for name, value in server_environment(StateDir(tmp_path), {SERVER: 4200}).items():
        monkeypatch.setenv(name, value)
    return Settings()


def test_runs_logs_artifacts_and_events_are_all_deleted_after_a_day(server: Settings) -> None:
    """A run takes its states, logs and artifacts along; what an interrupted clean-up left is found by `orphans`."""
    vacuum = server.server.services.db_vacuum

    assert vacuum.enabled_vacuum_types == {"events", "flow_runs", "orphans"}
    assert vacuum.retention_period == server.server.events.retention_period == timedelta(days=1)
    assert timedelta(seconds=vacuum.orphan_cleanup_loop_seconds) <= timedelta(hours=1)


def test_heartbeats_and_the_events_of_steps_that_went_well_are_kept_for_an_hour(server: Settings) -> None:
    """They are nearly all events; a beat is of no use after the next, and a step's states tell the same for a day."""
    overrides = server.server.services.db_vacuum.event_retention_overrides

    assert set(overrides.values()) == {timedelta(hours=1)}
    assert {"order-service.heartbeat", "prefect.task-run.Completed"} <= set(overrides)
    assert not {"prefect.task-run.Failed", "order-service.incident"} & set(overrides)
    assert timedelta(seconds=server.server.services.db_vacuum.loop_seconds) < timedelta(hours=1)


def test_the_docs_give_the_values_that_the_stack_sets(tmp_path: Path) -> None:
    """Who runs a server of their own copies them; a value that was only changed here would fill their disk."""
    page = (REPOSITORY / "docs" / "deploying.md").read_text("utf-8").replace("'", "")
    wanted = {
        name: value
        for name, value in server_environment(StateDir(tmp_path), {SERVER: 4200}).items()
        if "_DB_VACUUM_" in name or "_EVENTS_" in name
    }

    assert len(wanted) == 7
    assert [name for name, value in wanted.items() if f"{name}={value}" not in page] == []


def test_the_switch_looks_often_enough_to_hold_its_fifteen_seconds(server: Settings) -> None:
    """Silence begins at the last beat: window, look and start of the run must fit beside it."""
    assert server.server.events.proactive_granularity <= timedelta(seconds=1)
