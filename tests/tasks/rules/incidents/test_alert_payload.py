"""Alerts as Alertmanager sends them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model.evidence.evidence import AlertSeen
from tasks.model.probes.orders import AssetClass
from tasks.rules.incidents.alertmanager import read_alert


def firing(name: str, starts_at: str, **labels: str) -> dict[str, Any]:
    """One alert of a webhook payload."""
    return {
        "status": "firing",
        "labels": {"alertname": name, **labels},
        "annotations": {"summary": f"{name} fires"},
        "startsAt": starts_at,
        "endsAt": "0001-01-01T00:00:00Z",
    }


def test_the_alert_that_has_fired_longest_is_the_one() -> None:
    """The first unbroken failure says since when, not the newest line."""
    payload = {
        "version": "4",
        "status": "firing",
        "alerts": [
            firing("OrdersSlow", "2026-11-23T15:02:00Z"),
            firing("OrdersFail", "2026-11-23T15:00:00.5Z", asset_class="fx"),
        ],
    }

    seen = read_alert(payload, "order-service")

    assert seen is not None
    assert seen.name == "OrdersFail"
    assert seen.asset_class == AssetClass.FX
    assert seen.began_at == datetime(2026, 11, 23, 15, 0, 0, 500_000, tzinfo=UTC)
    assert seen.summary == "OrdersFail fires"


def test_a_resolved_alert_is_none() -> None:
    """What is over starts nothing."""
    assert (
        read_alert(
            {"alerts": [{**firing("OrdersFail", "2026-11-23T15:00:00Z"), "status": "resolved"}]}, "order-service"
        )
        is None
    )


@pytest.mark.parametrize("payload", [None, {}, {"alerts": "none"}, {"alerts": [1, None, {}]}, {"labels": []}])
def test_a_payload_without_an_alert_is_a_routine_look(payload: dict[str, Any] | None) -> None:
    """A receiver that was set up wrongly must not break the run."""
    assert read_alert(payload, "order-service") is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["alerts", "labels", "alertname", "startsAt", "status"]), inner, max_size=4
            )
        ),
        max_leaves=15,
    )
)
def test_no_payload_raises(value: object) -> None:
    """Whatever a webhook sends, the answer is an alert or none."""
    found = read_alert(value if isinstance(value, dict) else {"alerts": value}, "order-service")

    assert found is None or isinstance(found, AlertSeen)


def test_each_service_of_a_group_has_its_own_alert_and_start() -> None:
    """The page of one service must not name the start of another's trouble."""
    payload = {
        "commonLabels": {"service": "orders-eu"},
        "alerts": [
            firing("OrdersFail", "2026-11-23T15:00:00Z", service="orders-us"),
            firing("OrdersSlow", "2026-11-23T15:02:00Z"),
            firing("QueueFull", "2026-11-23T15:03:00Z", service="orders-eu"),
        ],
    }

    us, eu = read_alert(payload, "orders-us"), read_alert(payload, "orders-eu")

    assert us is not None
    assert (us.name, us.began_at) == ("OrdersFail", datetime(2026, 11, 23, 15, 0, tzinfo=UTC))
    assert eu is not None
    assert (eu.name, eu.began_at) == ("OrdersSlow", datetime(2026, 11, 23, 15, 2, tzinfo=UTC))
    assert read_alert(payload, "orders-asia") is None
