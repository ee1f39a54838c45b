"""What starts a triage between the minutes: the automations of prefect.yaml, by what the server makes of them."""

from typing import Any

import pytest
import yaml
from jinja2.sandbox import SandboxedEnvironment
from prefect.events.schemas.deployment_triggers import DeploymentEventTrigger

from flows.triage import triage
from order_service.runtime.settings import Settings
from order_service.telemetry.events import TROUBLE
from tasks.model.incidents.incident import AlertType
from tests.house.source import REPOSITORY

DEPLOYED = yaml.safe_load((REPOSITORY / "prefect.yaml").read_text("utf-8"))["deployments"]
(EVENT,) = [one for one in DEPLOYED if one["name"] == "event"]
TRIGGERS = {one["posture"]: one for one in EVENT["triggers"]}
INCIDENT, SILENCE = TRIGGERS["Reactive"], TRIGGERS["Proactive"]


def alert_for(kind: str) -> str:
    """Fill the alert in from an event, as the server does."""
    template = SandboxedEnvironment().from_string(INCIDENT["parameters"]["alert"])
    return template.render(event={"payload": {"type": kind}})


def test_it_is_the_triage_of_every_minute_one_at_a_time() -> None:
    """Lock, guards, budget and mode are those of the one flow; what comes while it works is canceled."""
    assert EVENT["entrypoint"] == "flows.triage.triage"
    assert EVENT["concurrency_limit"] == {"limit": 1, "collision_strategy": "CANCEL_NEW"}


@pytest.mark.parametrize("trigger", EVENT["triggers"], ids=lambda one: one["name"])
def test_each_trigger_is_one_that_prefect_takes_and_gives_parameters_that_exist(trigger: dict[str, Any]) -> None:
    """A parameter that the flow does not know would fail each run just when it is needed."""
    assert DeploymentEventTrigger.model_validate(trigger).as_automation
    assert set(trigger["parameters"]) <= set(triage.parameters.properties)


@pytest.mark.parametrize("kind", sorted(TROUBLE))
def test_each_trouble_of_the_service_starts_it_with_an_alert_that_it_knows(kind: str) -> None:
    """The server refuses a run whose alert is none of the form's."""
    assert alert_for(kind) in set(AlertType)


def test_the_alert_says_what_the_service_said() -> None:
    """The first check goes where the trouble is."""
    assert alert_for("gateway_unreachable") == AlertType.GATEWAY_UNREACHABLE
    assert alert_for("order_routing_failed") == AlertType.ORDER_DELIVERY_FAILED


def test_a_storm_starts_one_run_for_each_service() -> None:
    """The first event starts it at once, and the time until another may is longer than a triage takes."""
    assert (INCIDENT["threshold"], INCIDENT["expect"]) == (1, ["order-service.incident"])
    assert INCIDENT["for_each"] == SILENCE["for_each"] == ["prefect.resource.id"]
    assert INCIDENT["within"] >= 30


def test_silence_is_waited_for_after_each_heartbeat_and_not_after_a_stop_that_was_told() -> None:
    """With `expect` alone it never fires; a planned stop is no silence."""
    assert SILENCE["after"] == ["order-service.heartbeat"]
    assert set(SILENCE["expect"]) == {"order-service.heartbeat", "order-service.service_stopped"}


def test_silence_is_told_in_time_and_one_lost_heartbeat_is_none() -> None:
    """Prefect waits ten seconds at least; three beats fit into them."""
    assert SILENCE["within"] == 10
    assert 3 * Settings.model_fields["heartbeat_s"].default < SILENCE["within"]
