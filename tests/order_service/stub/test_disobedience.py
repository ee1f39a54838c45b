"""Control planes of the stub that do not obey, and its orders that nobody ever proves."""

from collections.abc import Callable

import pytest

from tests.order_service.stub.conftest import Stub

Run = Callable[..., Stub]


@pytest.mark.parametrize(
    ("scenario", "status"), [("no_control", 404), ("control_not_allowed", 405), ("control_unauthorized", 401)]
)
def test_a_control_plane_that_refuses_changes_nothing(run: Run, scenario: str, status: int) -> None:
    """An action that cannot be taken must escalate, and must never be reported as taken."""
    stub = run(scenario)

    answers = [
        stub.ask("PUT", "/control/trading/equity", {"state": "halted", "reason": "drill"})[0],
        stub.ask("POST", "/control/restore", {"hash": "0" * 64, "reason": "drill"})[0],
    ]

    assert answers == [status, status]
    assert stub.send()[0] == 201


def test_a_control_plane_that_hangs_leaves_the_rest_well(run: Run) -> None:
    """A change without an answer may be in force or not; only a look at the routes tells."""
    stub = run("control_hangs")

    with pytest.raises(TimeoutError):
        stub.raw("PUT", "/control/trading/equity", {"state": "halted", "reason": "drill"}, timeout_s=0.3)
    assert stub.ask("GET", "/routing")[1]["asset_classes"]["equity"]["trading_state"] == "active"
    assert stub.send()[0] == 201


@pytest.mark.parametrize(
    ("method", "path", "change"),
    [
        ("PUT", "trading/equity", {"state": "halted"}),
        ("PUT", "strategies/probe", {"state": "halted"}),
        ("PUT", "routes/equity", {"gateway": "XNYS"}),
        ("PUT", "gateways/XNAS", {"state": "disabled"}),
        ("POST", "drain", {}),
    ],
)
def test_a_change_without_effect_is_answered_as_done(
    run: Run, method: str, path: str, change: dict[str, object]
) -> None:
    """What counts is the effect, not the answer: the next order still goes where it went."""
    stub = run("control_without_effect")

    status = stub.ask(method, f"/control/{path}", {**change, "reason": "drill"})[0]

    assert status == 200
    assert stub.send()[1]["gateway"] == "XNAS"


def test_unresolved_orders_are_real_and_stay_unknown(run: Run) -> None:
    """Before a restart somebody must look after them; no waiting proves them."""
    stub = run("unresolved_orders")

    listed = stub.ask("GET", "/orders?status=unknown")[1]["orders"]

    assert [(each["status"], each["synthetic"]) for each in listed] == [("unknown", False)] * 3
    assert stub.ask("GET", "/orders/unresolved-1")[1]["status"] == "unknown"
    assert b"orders_unknown 3\n" in stub.raw("GET", "/metrics")[1]
    assert stub.ask("GET", "/health")[1]["status"] == "ok"


def test_any_scenario_can_have_unresolved_orders_and_an_ill_control_plane(run: Run) -> None:
    """The hard cases are two faults at once."""
    stub = run("orders_fail", "--unresolved", "7", "--control", "not_allowed")

    assert len(stub.ask("GET", "/orders?status=unknown")[1]["orders"]) == 7
    assert stub.ask("PUT", "/control/trading/equity", {"state": "halted", "reason": "drill"})[0] == 405
    assert stub.send()[0] == 500


def test_orders_are_listed_page_by_page(run: Run) -> None:
    """A reader that follows `next` sees each order once."""
    stub = run("unresolved_orders")
    stub.send()

    first = stub.ask("GET", "/orders?status=unknown&limit=2")[1]
    second = stub.ask("GET", f"/orders?status=unknown&limit=2&after={first['next']}")[1]

    seen = [each["client_order_id"] for page in (first, second) for each in page["orders"]]
    assert seen == ["unresolved-1", "unresolved-2", "unresolved-3"]
    assert second["next"] is None
    assert stub.ask("GET", "/orders?limit=0")[0] == 422
