"""What Prefect's list of runs says of an incident, and where each message leads; through a real server."""

import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deployments.stack.local_http import ask
from flows import manual_action
from flows.triage import triage
from tasks.clients.messages.local_file import read_deliveries
from tasks.clients.prefect.artifacts import renamed
from tests.fakes.service.monitored_service import Patient, running

pytestmark = [
    pytest.mark.prefect,
    pytest.mark.skipif(sys.platform == "win32", reason="the drills are POSIX signals"),
    # Prefect leaves sockets of its own client to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
def patient(tmp_path: Path, prefect: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Patient]:
    """A running healthy stub that the flows watch."""
    assert prefect
    with running(tmp_path) as one:
        one.watch_from_the_environment(monkeypatch)
        yield one


def newest(api: str, flow: str) -> dict[str, Any]:
    """The run of a flow that began last, which nothing else started."""
    question = {
        "sort": "START_TIME_DESC",
        "flows": {"name": {"any_": [flow]}},
        "flow_runs": {"parent_task_run_id": {"is_null_": True}},
        "limit": 1,
    }
    (found,) = ask(f"{api}/flow_runs/filter", question) or []
    return dict(found)


def reports_of(run_id: str) -> dict[str, Any]:
    """Ask for the reports of a run."""
    return {"flow_runs": {"id": {"any_": [run_id]}}, "artifacts": {"key": {"like_": "triage-"}}}


def links(patient: Patient) -> set[str | None]:
    """Where the messages lead that people got."""
    return {one.run_url for one in read_deliveries(patient.settings.notifications_path)}


async def test_an_incident_is_in_the_name_and_the_tags_of_its_run_and_every_message_leads_there(
    patient: Patient, prefect: str
) -> None:
    """At three in the morning the page's link and the list of runs both lead to the report."""
    assert patient.pid
    os.kill(patient.pid, signal.SIGSTOP)

    await triage()

    run = newest(prefect, "triage")
    (incident_id,) = {one.incident_id for one in read_deliveries(patient.settings.notifications_path)}
    assert re.fullmatch(r"order-service hung since \d\d:\d\dZ, recovered", run["name"])
    assert (run["state_type"], run["state_name"]) == ("COMPLETED", "Recovered")
    assert {"order-service", "service_hung", incident_id} <= set(run["tags"])
    (report,) = ask(f"{prefect}/artifacts/filter", reports_of(run["id"])) or []
    assert links(patient) == {f"{prefect.removesuffix('/api')}/artifacts/artifact/{report['id']}"}
    assert report["data"].startswith(f"## {run['name']}")


async def test_an_order_by_hand_says_who_and_what_came_of_it(patient: Patient, prefect: str) -> None:
    """The list of runs is the log of what people did; their messages lead to the run with the outcome."""
    await manual_action.restart(reason="it hangs", by="ada")

    run = newest(prefect, "remediation")
    assert run["name"] == "order-service: restart by ada → recovered"
    assert "order-service" in run["tags"]
    assert any(tag.startswith("INC-") for tag in run["tags"])
    assert links(patient) == {f"{prefect.removesuffix('/api')}/flow-runs/flow-run/{run['id']}"}


async def test_outside_of_a_run_there_is_nothing_to_name() -> None:
    """A step that is called as plain Python must not reach for a server."""
    assert not await renamed("anything")
