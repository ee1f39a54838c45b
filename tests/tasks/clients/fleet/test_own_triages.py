"""Triages of their own for the services that need one: who is started, who is at work already, who waits."""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import ObjectNotFound

from tasks.clients.evidence.history import history_path
from tasks.model.diagnosis.diagnosis import Status
from tasks.model.evidence.evidence import TriageRequest
from tasks.model.fleet.sweep import ServiceSeen, Standing, Start, SweepRequest, TriageUnderWay
from tasks.model.probes.history import PastObservation
from tasks.settings import RunbookSettings
from tasks.work.fleet import child_runs as module
from tasks.work.fleet.child_runs import child_runs

pytestmark = pytest.mark.live

NOW = datetime.now(UTC)
NAMES = ("a", "b", "c", "d")
DUE_AT = NOW - timedelta(seconds=12)


class Prefect:
    """A server as far as a round asks it: runs under way, and runs that are created."""

    def __init__(self) -> None:
        self.under_way: list[TriageUnderWay] = []
        self.created: list[dict[str, Any]] = []
        self.fails: Exception | None = None

    async def triages_under_way(self, client: object, queue: str | None) -> tuple[TriageUnderWay, ...]:
        """Tell who is at work on this host."""
        assert client
        assert queue == "host-7"
        return tuple(self.under_way)

    async def arun_deployment(self, name: str, **words: Any) -> SimpleNamespace:
        """Create one run."""
        if self.fails is not None:
            raise self.fails
        self.created.append({"name": name, **words})
        self.under_way.append(TriageUnderWay(service=words["parameters"]["service"], since=NOW))
        return SimpleNamespace(id=uuid4())

    @property
    def services(self) -> list[str]:
        """The services that got a run, in order."""
        return [one["parameters"]["service"] for one in self.created]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Prefect:
    """Let a round of a deployed run meet this server, and not wait for places."""
    fake = Prefect()
    run = FlowRun(flow_id=uuid4(), deployment_id=uuid4(), work_queue_name="host-7")
    monkeypatch.setattr(module, "get_client", lambda: nullcontext(fake))
    monkeypatch.setattr(module, "triages_under_way", fake.triages_under_way)
    monkeypatch.setattr(module, "arun_deployment", fake.arun_deployment)
    monkeypatch.setattr(module, "url_for", lambda one: f"http://prefect/{one.id}")
    monkeypatch.setattr(module, "STARTING_FOR_S", 0.0)
    monkeypatch.setattr(module, "FlowRunContext", SimpleNamespace(get=lambda: SimpleNamespace(flow_run=run)))
    runtime = SimpleNamespace(flow_run=SimpleNamespace(scheduled_start_time=DUE_AT))
    monkeypatch.setattr(module, "runtime", runtime)
    monkeypatch.setattr(module, "ASK_EVERY_S", 0.0)
    return fake


def settings(tmp_path: Path, at_once: int = 2) -> RunbookSettings:
    """Watch four services, two triages at once."""
    services = {name: {} for name in NAMES}
    return RunbookSettings.model_validate({"state_dir": tmp_path, "triages_at_once": at_once, "services": services})


def needing(**status: Status) -> tuple[ServiceSeen, ...]:
    """Services that need a triage, with what one check says of them."""
    past = PastObservation(at=NOW, status="critical")
    return tuple(
        ServiceSeen(service=name, standing=Standing.NEEDS_TRIAGE, because="x", looked_at=NOW, status=found, past=past)
        for name, found in status.items()
    )


REQUEST = SweepRequest(services=NAMES, asked=TriageRequest(service=""))
ALL_DOWN = {"a": Status.DEGRADED, "b": Status.CRITICAL, "c": Status.DEGRADED, "d": Status.CRITICAL}


async def test_the_most_urgent_are_started_and_no_more_than_the_machine_bears(server: Prefect, tmp_path: Path) -> None:
    """Everybody triaged at once would make every check time out, and every service look ill."""
    found = await child_runs(settings(tmp_path), REQUEST, needing(**ALL_DOWN))

    assert server.services == ["b", "d"]
    assert {one.service: one.start for one in found} == {
        "b": Start.STARTED,
        "d": Start.STARTED,
        "a": Start.WAITS,
        "c": Start.WAITS,
    }


async def test_who_waits_was_looked_at_all_the_same(server: Prefect, tmp_path: Path) -> None:
    """The watch on the watch must not call a service unwatched that is only waiting its turn."""
    await child_runs(settings(tmp_path), REQUEST, needing(**ALL_DOWN))

    assert server.created
    kept = {name for name in NAMES if history_path(settings(tmp_path), name).exists()}
    assert kept == {"a", "c"}


async def test_one_that_is_at_work_is_not_triaged_twice(server: Prefect, tmp_path: Path) -> None:
    """A triage that hangs for a quarter of an hour must not be joined by fourteen more."""
    server.under_way = [TriageUnderWay(service="b", since=NOW - timedelta(minutes=5), run_url="http://prefect/old")]

    found = {one.service: one for one in await child_runs(settings(tmp_path), REQUEST, needing(**ALL_DOWN))}

    assert "b" not in server.services
    assert (found["b"].start, found["b"].run_url) == (Start.AT_WORK, "http://prefect/old")
    assert "at work since" in found["b"].detail


async def test_a_triage_is_as_late_as_its_round_and_runs_on_its_host(server: Prefect, tmp_path: Path) -> None:
    """Rule 11 holds in the triages of a late round; and only this host can see these processes."""
    await child_runs(settings(tmp_path), REQUEST, needing(a=Status.CRITICAL))

    (run,) = server.created
    assert run["name"] == "triage/one-service"
    assert run["scheduled_time"] == DUE_AT
    assert run["work_queue_name"] == "host-7"
    assert run["idempotency_key"].endswith("-a")


async def test_a_host_with_a_queue_starts_its_own_deployment(server: Prefect, tmp_path: Path) -> None:
    """On a server of several hosts there is none of the plain name, and another host's would run elsewhere."""
    here = settings(tmp_path).model_copy(update={"queue": "host-7"})
    await child_runs(here, REQUEST, needing(a=Status.CRITICAL))

    assert [one["name"] for one in server.created] == ["triage/one-service.host-7"]


async def test_the_work_of_another_host_takes_no_place_here() -> None:
    """One server serves many hosts, each with a work queue of its own and its own two cores."""
    queues: list[object] = []

    class Client:
        async def read_flow_runs(self, **asked: Any) -> list[FlowRun]:
            wanted = asked["flow_run_filter"].work_queue_name
            queues.append(wanted.any_ if wanted else None)
            return [FlowRun(flow_id=uuid4(), parameters={"service": "a"}), FlowRun(flow_id=uuid4(), parameters={})]

    found = await module.triages_under_way(Client(), "host-7")  # type: ignore[arg-type]

    assert queues == [["host-7"], ["host-7"]]
    assert [one.service for one in found] == ["a", "a"]


async def test_without_the_deployment_they_are_left_to_this_run(server: Prefect, tmp_path: Path) -> None:
    """A server that was deployed to by an older release still has its services triaged."""
    server.fails = ObjectNotFound(Exception("404"))

    found = await child_runs(settings(tmp_path), REQUEST, needing(a=Status.CRITICAL))

    assert [one.start for one in found] == [Start.HERE]


async def test_a_server_that_is_away_is_said_and_the_next_minute_looks_again(server: Prefect, tmp_path: Path) -> None:
    """Nothing is raised: the report of those that are well is still written."""
    server.fails = httpx.ConnectError("refused")

    found = await child_runs(settings(tmp_path), REQUEST, needing(a=Status.CRITICAL))

    assert [(one.start, one.detail) for one in found] == [
        (Start.WAITS, "Prefect could not be asked: ConnectError"),
    ]


async def test_outside_of_a_worker_everybody_is_left_to_this_run(tmp_path: Path) -> None:
    """A team's CI has no worker."""
    found = await child_runs(settings(tmp_path), REQUEST, needing(**ALL_DOWN))

    assert {one.start for one in found} == {Start.HERE}
    assert await child_runs(settings(tmp_path), REQUEST, ()) == ()
