"""Several services of one host, through Prefect: each looked at, each that needs it triaged, none held up."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect import tags

from deployments.stack.local_http import ask
from flows.triage import triage
from tasks.clients.incidents.ledger import append, read_ledger
from tasks.clients.messages.local_file import read_deliveries
from tasks.clients.process.probe import service_identity
from tasks.model.diagnosis.diagnosis import Audience, Cause
from tasks.model.incidents.incident import Event, LedgerRecord
from tests.fakes.service.several_services import Ward, ward

pytestmark = [
    pytest.mark.prefect,
    pytest.mark.timeout(240),
    pytest.mark.skipif(sys.platform == "win32", reason="the drills are POSIX signals"),
    # Prefect leaves sockets of its own client to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
NAMES = ("alpha", "beta", "gamma")


@pytest.fixture
def host(tmp_path: Path, prefect: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ward]:
    """Three healthy services that one run looks after."""
    assert prefect
    with ward(tmp_path, dict.fromkeys(NAMES, "healthy")) as one:
        one.watch_from_the_environment(monkeypatch)
        yield one


def newest_run(api: str) -> dict[str, Any]:
    """The triage that began last and that nothing else started."""
    question = {
        "sort": "START_TIME_DESC",
        "flows": {"name": {"any_": ["triage"]}},
        "flow_runs": {"parent_task_run_id": {"is_null_": True}},
        "limit": 1,
    }
    (found,) = ask(f"{api}/flow_runs/filter", question) or []
    return dict(found)


def steps_of(api: str, run_id: str) -> list[str]:
    """The steps of one run."""
    question = {"flow_runs": {"id": {"any_": [run_id]}}}
    found = ask(f"{api}/task_runs/filter", question) or []
    return sorted(one["name"].rsplit("-", 1)[0] for one in found)


def events(one: Ward, name: str) -> list[str | None]:
    """The story of one service as its ledger tells it."""
    return [record.event for record in read_ledger(one.ledger(name)).records]


def stop(one: Ward, name: str) -> None:
    """Let a service hang."""
    pid = one.patients[name].pid
    assert pid
    os.kill(pid, signal.SIGSTOP)


def was_restarted(one: Ward, name: str) -> bool:
    """Say whether another process serves now."""
    identity = service_identity(one.patients[name].service)
    return identity is not None and identity.pid != one.patients[name].pid


async def test_a_healthy_minute_of_several_services_is_three_steps_and_one_report(host: Ward, prefect: str) -> None:
    """However many services there are, the healthy minute costs the database no more rows."""
    line = await triage()

    assert line == "All 3 services are healthy."
    run = newest_run(prefect)
    assert run["name"] == "healthy: all 3 services"
    question = {"artifacts": {"key": {"like_": "triage-all"}}, "sort": "CREATED_DESC", "limit": 1}
    (report,) = ask(f"{prefect}/artifacts/filter", question) or []
    assert all(f"| {name} | healthy |" in report["data"] for name in NAMES)
    assert all(events(host, name) == [] for name in NAMES)
    # Prefect writes the steps of a run behind its end.
    steps = await asyncio.to_thread(lambda: steps_of(prefect, run["id"]))
    assert set(steps) <= {"sweep_services", "start_triages", "write_sweep"}


async def test_one_that_hangs_goes_through_its_whole_page_and_the_others_are_left_alone(host: Ward) -> None:
    """Without a worker the page is gone down within the run itself: a team's CI sees what production does."""
    stop(host, "beta")

    line = await triage()

    assert line == "2 of 3 services are healthy; not: beta (critical)."
    assert was_restarted(host, "beta")
    assert {Event.RECOVERED, Event.CLOSED} <= set(events(host, "beta"))
    assert events(host, "alpha") == events(host, "gamma") == []


async def test_two_that_hang_at_once_are_not_restarted_and_the_platform_team_is_told(host: Ward) -> None:
    """Rule 6: two sick services of one host point to what they share."""
    stop(host, "alpha")
    stop(host, "beta")

    await triage()

    assert not was_restarted(host, "alpha")
    assert not was_restarted(host, "beta")
    assert Event.ACTION_STARTED not in {*events(host, "alpha"), *events(host, "beta")}
    told = read_deliveries(host.settings.notifications_path)
    shared = [one for one in told if "SHARED_CAUSE" in one.text and one.audience is Audience.TIER_3]
    assert {name for name in ("alpha", "beta") if any(name in one.text for one in shared)} == {"alpha", "beta"}


async def test_a_neighbor_that_was_sick_long_before_is_no_shared_cause(host: Ward) -> None:
    """One service that is down since this morning does not switch off the restarts of the whole host."""
    stop(host, "alpha")
    stop(host, "beta")
    details = {"cause": Cause.SERVICE_HUNG}
    old = LedgerRecord(
        timestamp=datetime.now(UTC) - timedelta(hours=5),
        type="service_hung",
        service="alpha",
        incident_id="INC-OLD",
        event=Event.OPENED,
        details=details,
    )
    append(host.ledger("alpha"), [old])

    await triage(service="beta")

    assert was_restarted(host, "beta")


async def test_an_event_of_somebody_elses_service_ends_quietly(host: Ward, prefect: str) -> None:
    """Two hosts share one server: what the other one's service says is no fault of ours, and pages nobody."""
    assert host.settings.services
    with tags("event"):
        state: Any = await triage(service="delta", return_state=True)

    assert state.is_completed()
    assert "delta is not monitored here" in state.message
    assert newest_run(prefect)["state_type"] == "COMPLETED"


async def test_a_persons_typing_error_names_the_services_there_are(host: Ward) -> None:
    """Silence would read as health."""
    assert host.settings.services
    with pytest.raises(Exception, match="expected one of alpha, beta, gamma was delta"):
        await triage(service="delta")


async def test_one_service_of_any_name_is_the_page_itself(
    tmp_path: Path, prefect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where one service is watched nothing is in between: the same steps, the same report."""
    with ward(tmp_path, {"orders-eu": "healthy"}) as one:
        one.watch_from_the_environment(monkeypatch)

        line = await triage()

    assert line == "orders-eu is healthy: health passed, its process runs, 1 of 1 test orders filled."
    run = newest_run(prefect)
    assert run["name"] == "healthy: orders-eu"
    question = {"artifacts": {"key": {"any_": ["triage-orders-eu"]}}, "limit": 1}
    assert ask(f"{prefect}/artifacts/filter", question)
