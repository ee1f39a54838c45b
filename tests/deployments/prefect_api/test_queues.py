"""One work queue for each trading host: names, queue and triggers that are its own, from the one prefect.yaml."""

from typing import Any

import pytest
import yaml

from deployments.monitoring.alerts import TriageOrder
from deployments.monitoring.prefect_door import start_triage
from deployments.prefect_api.client import any_door
from deployments.prefect_api.queues import in_queue
from deployments.stack.state_dir import REPOSITORY
from tasks.model.errors import Code, RunbookError
from tasks.model.fleet.queues import deployment_name
from tasks.settings import load_settings

DOCUMENT: dict[str, Any] = yaml.safe_load((REPOSITORY / "prefect.yaml").read_text("utf-8"))
HERE: dict[str, Any] = in_queue(DOCUMENT, "ldn-1", ["futures", "equities"])
TRIGGERS = [one for each in HERE["deployments"] for one in each.get("triggers", [])]


def test_every_deployment_is_told_by_its_name_and_works_in_the_queue_of_its_host() -> None:
    """A schedule without a queue of its own would look at another host's service."""
    assert [one["name"] for one in HERE["deployments"]] == [f"{one['name']}.ldn-1" for one in DOCUMENT["deployments"]]
    assert {one["work_pool"]["work_queue_name"] for one in HERE["deployments"]} == {"ldn-1"}
    assert all("ldn-1" in one["tags"] for one in HERE["deployments"])


def test_what_is_not_the_hosts_own_stays_as_prefect_yaml_says_it() -> None:
    """There is one source: schedule, limits, forms and parameters are the same on every host."""
    own = {"name", "tags", "work_pool", "triggers"}
    plain = [{key: one[key] for key in one.keys() - own} for one in DOCUMENT["deployments"]]

    assert [{key: one[key] for key in one.keys() - own} for one in HERE["deployments"]] == plain
    assert {one["work_pool"]["name"] for one in HERE["deployments"]} == {"runbook"}


def test_every_event_trigger_hears_the_hosts_own_services_alone() -> None:
    """An incident of another desk's service would start a run here that knows nothing of it."""
    heard = [one["match"]["prefect.resource.id"] for one in TRIGGERS if "match_related" not in one]

    assert heard
    for resources in heard:
        assert set(resources) == {
            "order-service.equities",
            "order-service.futures",
            "order-service.watch.equities",
            "order-service.watch.futures",
        }


def test_the_watchdog_misses_this_hosts_triages() -> None:
    """Another host's triages go on while this one's have stopped."""
    (watchdog,) = [one for one in TRIGGERS if "match_related" in one]

    assert {"prefect.resource.role": "work-queue", "prefect.resource.name": "ldn-1"} in watchdog["match_related"]
    assert {"prefect.resource.role": "flow", "prefect.resource.name": "triage"} in watchdog["match_related"]


def test_the_default_queue_keeps_the_plain_names() -> None:
    """One host needs none of this."""
    assert deployment_name("triage/do-triage", None) == "triage/do-triage"
    assert deployment_name("triage/do-triage", "ldn-1") == "triage/do-triage.ldn-1"


@pytest.mark.parametrize("queue", ["", " ", "a/b", "-a", "a b", "x" * 64, "ä"])
def test_a_queue_that_prefect_could_not_name_is_one_line(queue: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It becomes part of names and addresses."""
    monkeypatch.setenv("RUNBOOK_QUEUE", queue)

    with pytest.raises(RunbookError) as caught:
        load_settings()
    assert caught.value.code is Code.BAD_SETTING


def test_commands_of_a_host_use_its_own_deployments(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """`runbook triage` on one host must not look at another one's service."""
    monkeypatch.setenv("RUNBOOK_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    monkeypatch.setenv("RUNBOOK_QUEUE", "ldn-1")
    door = any_door()

    assert door is not None
    assert door.deployment("triage/do-triage") == "triage/do-triage.ldn-1"


def test_an_alert_starts_the_hosts_own_triage() -> None:
    """Alertmanager posts to the host whose service is meant."""
    from tests.fakes.prefect.prefect_api import serving_prefect  # noqa: PLC0415

    order = TriageOrder(service="equities", alert=None, payload={}, key="k")
    with serving_prefect() as prefect, pytest.raises(RunbookError) as caught:
        start_triage(order, {"PREFECT_API_URL": prefect.url}, "ldn-1")

    assert "triage/do-triage.ldn-1" in caught.value.detail
