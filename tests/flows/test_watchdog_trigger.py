"""The automation that starts the watchdog when no triage completes, on a real server."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from deployments.stack.local_http import ask
from tasks.rules.fleet.watchdog import STALLED_AFTER
from tests.fakes.polling import eventually
from tests.house.source import REPOSITORY

DEPLOYED = yaml.safe_load((REPOSITORY / "prefect.yaml").read_text("utf-8"))["deployments"]
(WATCHDOG,) = [one for one in DEPLOYED if one["entrypoint"] == "flows.watchdog.watchdog"]
(TRIGGER,) = WATCHDOG["triggers"]
FLOW_IDS = {"triage": uuid.uuid4(), "watchdog": uuid.uuid4()}
# The least that Prefect allows for a trigger that waits.
WITHIN_S = 10


def test_the_automation_waits_as_long_as_the_watchdog_does() -> None:
    """Fired sooner, the watchdog would find nothing; and the deployment is one that `prefect deploy` knows."""
    assert TRIGGER["within"] == STALLED_AFTER.total_seconds()
    assert TRIGGER["posture"] == "Proactive"
    assert TRIGGER["after"] == TRIGGER["expect"] == ["prefect.flow-run.*"]
    assert TRIGGER["match"]["prefect.state-type"] == "COMPLETED", "its name says how the service is"


@pytest.fixture
def automation(prefect_api: str) -> Iterator[str]:
    """Set the automation of prefect.yaml up on the session's server, with the least wait that there is."""
    trigger = {key: value for key, value in TRIGGER.items() if key not in {"name", "enabled"}}
    spec = {
        "name": f"test {uuid.uuid4()}",
        "trigger": {**trigger, "within": WITHIN_S},
        "actions": [{"type": "do-nothing"}],
    }
    made = ask(f"{prefect_api}/automations/", spec, timeout_s=10)
    assert made
    assert "id" in made, made
    yield made["id"]
    ask(f"{prefect_api}/automations/{made['id']}", {"enabled": False})


def ended(flow: str, kind: str = "COMPLETED", name: str = "Healthy") -> dict[str, Any]:
    """Write the event of a flow run that ended, as the server writes it."""
    related = {"prefect.resource.id": f"prefect.flow.{FLOW_IDS[flow]}", "prefect.resource.role": "flow"}
    return {
        "id": str(uuid.uuid4()),
        "occurred": datetime.now(UTC).isoformat(),
        "event": f"prefect.flow-run.{name}",
        "resource": {"prefect.resource.id": f"prefect.flow-run.{uuid.uuid4()}", "prefect.state-type": kind},
        "related": [{**related, "prefect.resource.name": flow}],
        "payload": {},
    }


def fired_at(api: str, automation: str) -> list[datetime]:
    """Find when an automation fired."""
    asked = {
        "filter": {
            "event": {"name": ["prefect.automation.triggered"]},
            "resource": {"id": [f"prefect.automation.{automation}"]},
        }
    }
    found = ask(f"{api}/events/filter", asked, timeout_s=10) or {}
    return [datetime.fromisoformat(one["occurred"]) for one in found.get("events", [])]


@pytest.mark.e2e
def test_the_real_server_fires_when_triages_no_longer_complete_and_not_before(
    prefect_api: str, automation: str
) -> None:
    """It waits for nothing before a first triage; then they keep it still, other flows do not; silence fires it."""
    deployed = datetime.now(UTC)
    ask(f"{prefect_api}/events", [ended("watchdog")])
    eventually(lambda: datetime.now(UTC) - deployed > timedelta(seconds=WITHIN_S * 1.6), within_s=30)
    assert fired_at(prefect_api, automation) == [], "a deploy is no triage that was missed"
    last = datetime.now(UTC)
    for name in ("Healthy", "Critical"):
        ask(f"{prefect_api}/events", [ended("triage", name=name)])
        last = datetime.now(UTC)
        eventually(lambda since=last: datetime.now(UTC) - since > timedelta(seconds=WITHIN_S * 0.6), within_s=10)
        ask(f"{prefect_api}/events", [ended("watchdog"), ended("triage", "FAILED", "Failed")])
        assert fired_at(prefect_api, automation) == []

    eventually(lambda: fired_at(prefect_api, automation), within_s=60, every_s=0.5)
    assert timedelta(seconds=WITHIN_S) <= fired_at(prefect_api, automation)[-1] - last
