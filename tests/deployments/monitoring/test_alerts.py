"""One webhook of Alertmanager, and the triages that it starts."""

import json
from typing import Any

import pytest

from deployments.monitoring.alerts import read_webhook
from tasks.model.errors import Code, RunbookError
from tasks.settings import RunbookSettings, ServiceSettings

BOTH = RunbookSettings(services={"orders-eu": ServiceSettings(), "orders-us": ServiceSettings()})


def alert(service: str | None, name: str = "OrdersFail", at: str = "2026-11-23T15:00:00Z", **more: Any) -> Any:
    """Write one alert of a group."""
    labels = {"alertname": name, **({"service": service} if service else {})}
    return {"status": "firing", "labels": labels, "startsAt": at, "fingerprint": f"{service}-{name}", **more}


def webhook(*alerts: Any, **more: Any) -> bytes:
    """Write what Alertmanager sends for one group."""
    return json.dumps({"version": "4", "groupKey": "{}", "alerts": alerts, **more}).encode()


def test_each_service_of_a_group_is_triaged_for_its_own_alerts() -> None:
    """Two services fail in one group: the second one's people wait for nobody's resend."""
    us = alert("orders-us", at="2026-11-23T15:01:00Z", labels={"service": "orders-us", "incident_type": "other"})
    found = read_webhook(webhook(alert("orders-eu"), us, alert("orders-eu", "OrdersSlow")), BOTH)

    by_service = {order.service: order for order in found.orders}
    assert set(by_service) == {"orders-eu", "orders-us"}
    assert by_service["orders-us"].payload["alerts"] == [us]
    assert [one["labels"]["alertname"] for one in by_service["orders-eu"].payload["alerts"]] == [
        "OrdersFail",
        "OrdersSlow",
    ]
    assert (by_service["orders-eu"].alert, by_service["orders-us"].alert) == (None, "other")
    assert by_service["orders-eu"].key != by_service["orders-us"].key
    assert found.refused == ()


@pytest.mark.parametrize(
    ("stray", "words"),
    [
        (alert("orders-asia"), "orders-asia"),
        (alert(None), "name it"),
        (17, "no object"),
        (alert("orders-us", status="suppressed"), "suppressed"),
        ({"labels": {"service": "orders-us"}}, "None"),
    ],
    ids=["a service of nobody", "no service among two", "no alert", "another status", "no status"],
)
def test_an_alert_without_a_triage_is_named_beside_those_that_have_one(stray: object, words: str) -> None:
    """Whoever reads the answer, the log or the run knows that one alert of the group went nowhere, and why."""
    found = read_webhook(webhook(stray, alert("orders-eu")), BOTH)

    (order,) = found.orders
    assert order.service == "orders-eu"
    assert [words in reason for reason in found.refused] == [True]
    assert words in order.parameters["note"]


@pytest.mark.parametrize(
    ("stray", "code"),
    [(alert("orders-asia"), Code.UNKNOWN_SERVICE), (17, Code.BAD_ARGUMENT)],
)
def test_a_group_with_no_alert_of_ours_is_refused(stray: object, code: Code) -> None:
    """A wrong receiver is corrected by who set it up."""
    with pytest.raises(RunbookError) as refused:
        read_webhook(webhook(stray, {**alert("orders-eu"), "status": "resolved"}), BOTH)

    assert refused.value.code is code


def test_a_resolved_alert_beside_a_firing_one_starts_nothing() -> None:
    """What is over in one service is no reason to triage it while another fails."""
    found = read_webhook(webhook({**alert("orders-us"), "status": "resolved"}, alert("orders-eu")), BOTH)

    assert [order.service for order in found.orders] == ["orders-eu"]
    assert found.refused == ()


def test_one_alert_sent_twice_is_the_same_triage_and_another_start_is_a_new_one() -> None:
    """Each Alertmanager of a pair sends; what fires again is checked again."""
    keys = [
        read_webhook(webhook(*alerts), BOTH).orders[0].key
        for alerts in (
            [alert("orders-eu")],
            [alert("orders-eu"), alert("orders-eu"), alert("orders-us")],
            [alert("orders-eu", at="2026-11-23T15:09:00Z")],
        )
    ]

    assert keys[0] == keys[1] != keys[2]


def test_alerts_without_a_fingerprint_are_told_apart_by_their_labels() -> None:
    """A second alert of a home-made sender must not be taken for the first one sent again."""
    first, second = ({**alert("orders-eu", name), "fingerprint": None} for name in ("A", "B"))

    assert read_webhook(webhook(first), BOTH).orders[0].key != read_webhook(webhook(second), BOTH).orders[0].key


def test_alerts_that_alertmanager_cut_off_are_named() -> None:
    """A group that was larger than what was sent is no complete picture."""
    found = read_webhook(webhook(alert("orders-eu"), truncatedAlerts=3), BOTH)

    assert "3 alerts" in found.refused[0]
    assert "3 alerts" in found.orders[0].note


def test_a_common_label_names_the_service_of_every_alert() -> None:
    """A sender may give what all alerts share once."""
    found = read_webhook(webhook(alert(None), commonLabels={"service": "orders-us"}), BOTH)

    assert [order.service for order in found.orders] == ["orders-us"]


def test_every_alert_of_a_large_group_counts() -> None:
    """The thousand-and-first alert is the second service's only one."""
    many = [alert("orders-eu", f"A{number}") for number in range(1001)]

    assert len(read_webhook(webhook(*many, alert("orders-us")), BOTH).orders) == 2
