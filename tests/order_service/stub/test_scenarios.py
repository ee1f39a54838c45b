"""Each scenario does what its name says."""

import http.client
import json
import time
from collections.abc import Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families

from order_service.stub.scenarios import HUGE_BODY_BYTES
from tests.order_service.stub.conftest import ORDER, Stub

pytestmark = pytest.mark.live

Run = Callable[..., Stub]
CALLS = [("GET", "/health"), ("GET", "/metrics"), ("GET", "/routing"), ("POST", "/orders")]


def test_healthy_fills_and_says_ok(run: Run) -> None:
    """A flow against it must find nothing to do."""
    stub = run("healthy")

    assert stub.ask("GET", "/health")[1]["status"] == "ok"
    status, order = stub.send()
    assert (status, order["status"], order["execution"]["exec_type"]) == (201, "filled", "trade")
    assert stub.ask("GET", "/orders/synthetic-1")[1]["order_id"] == order["order_id"]
    assert stub.ask("GET", "/orders?status=unknown")[1]["orders"] == []
    assert stub.ask("GET", "/orders/never")[0] == 404


def test_healthy_exposes_every_number_of_the_contract(run: Run) -> None:
    """Rates and routes are read from these names."""
    stub = run("healthy")
    stub.send()

    families = {each.name: each for each in text_string_to_metric_families(stub.raw("GET", "/metrics")[1].decode())}

    assert set(families) >= {
        *("orders", "order_seconds", "gateway_up", "orders_unknown", "build_info", "feature_enabled", "trading_state"),
    }
    assert [sample.value for sample in families["orders"].samples] == [1]


def test_healthy_names_a_route_for_every_asset_class(run: Run) -> None:
    """One synthetic order goes out per routed class."""
    routing = run("healthy").ask("GET", "/routing")[1]

    routes = routing["asset_classes"]
    assert set(routes) == {"equity", "future", "fx", "crypto"}
    assert all(route["gateway"] and route["trading_state"] == "active" for route in routes.values())


def test_the_same_order_gets_the_first_answer_and_another_body_a_conflict(run: Run) -> None:
    """Idempotency is part of the contract that clients lean on."""
    stub = run("healthy")

    first, second, other = stub.send(), stub.send(), stub.send(quantity="2")

    assert first == second
    assert (other[0], other[1]["error"]["code"]) == (409, "DUPLICATE_CLIENT_ORDER_ID")


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_hung_accepts_and_never_answers(run: Run, method: str, path: str) -> None:
    """An open port is no sign of life."""
    with pytest.raises(TimeoutError):
        run("hung").raw(method, path, ORDER, timeout_s=0.3)


def test_slow_answers_rightly_but_late(run: Run) -> None:
    """Slow is not hung: the answer is the right one."""
    stub = run("slow", "--slow-s", "0.4")

    before = time.monotonic()
    status, order = stub.send()

    assert time.monotonic() - before >= 0.4
    assert (status, order["status"]) == (201, "filled")


def test_error_says_so_and_denies_orders(run: Run) -> None:
    """Health and orders agree."""
    stub = run("error")

    health, order = stub.ask("GET", "/health"), stub.send()

    assert (health[0], health[1]["status"]) == (503, "error")
    assert (order[0], order[1]["error"]["code"]) == (503, "JOURNAL_UNAVAILABLE")


def test_degraded_has_one_gateway_down_and_serves_the_rest(run: Run) -> None:
    """The cause is the gateway; restarting the service would help nobody."""
    stub = run("degraded")

    status, health = stub.ask("GET", "/health")
    equity, crypto = stub.send("a"), stub.send("b", asset_class="crypto", symbol="TST-USD")

    assert (status, health["status"], health["dependencies"]["XNAS"]["status"]) == (200, "degraded", "error")
    assert (equity[0], equity[1]["error"]["code"]) == (503, "GATEWAY_UNREACHABLE")
    assert crypto[0] == 201
    assert b'gateway_up{gateway="XNAS"} 0' in stub.raw("GET", "/metrics")[1]


def test_degraded_fills_again_once_rerouted(run: Run) -> None:
    """A remediation against the stub shows its effect."""
    stub = run("degraded")
    change = {"gateway": "XNYS", "reason": "XNAS is down"}

    assert stub.ask("PUT", "/control/routes/equity", change)[0] == 200
    assert stub.send()[1]["gateway"] == "XNYS"


def test_no_execution_block_accepts_without_one(run: Run) -> None:
    """Accepted without execution is not delivered (§1.3)."""
    status, order = run("no_execution_block").send()

    assert status == 201
    assert "execution" not in order


@pytest.mark.parametrize(
    ("scenario", "code"),
    [("accepted_but_rejected_downstream", "RISK_LIMIT"), ("market_closed_reject", "MARKET_CLOSED")],
)
def test_rejects_carry_the_code_of_the_venue(run: Run, scenario: str, code: str) -> None:
    """Accepted by the API and rejected behind it: the code tells a fault from a closed market."""
    status, order = run(scenario).send()

    assert (status, order["status"], order["execution"]["reject"]["code"]) == (201, "rejected", code)


def test_unknown_orders_are_sent_and_stay_unproven(run: Run) -> None:
    """The order-state gate must see them."""
    stub = run("unknown_orders")

    status, order = stub.send()

    assert (status, order["status"], order["execution"]) == (202, "unknown", None)
    assert order["error"]["code"] == "GATEWAY_TIMEOUT"
    assert [each["client_order_id"] for each in stub.ask("GET", "/orders?status=unknown")[1]["orders"]] == [
        "synthetic-1"
    ]
    assert b"orders_unknown_synthetic 1" in stub.raw("GET", "/metrics")[1]
    stub.send("real-1", synthetic=False)
    assert b"orders_unknown 1\n" in stub.raw("GET", "/metrics")[1]


def test_truncated_json_ends_early_under_a_right_length(run: Run) -> None:
    """HTTP is whole, the JSON is not."""
    stub = run("truncated_json")

    for method, path in (("GET", "/health"), ("POST", "/orders")):
        with pytest.raises(json.JSONDecodeError):
            stub.ask(method, path, ORDER)


def test_truncated_body_ends_before_its_length(run: Run) -> None:
    """The connection ends in the middle of the answer."""
    with pytest.raises(http.client.IncompleteRead):
        run("truncated_body").raw("GET", "/health")


def test_wrong_types_are_json_all_the_same(run: Run) -> None:
    """The right names with wrong types must not pass for health."""
    stub = run("wrong_types")

    assert stub.ask("GET", "/health")[1]["status"] == ["ok"]
    assert stub.send()[1]["execution"] == "filled"


def test_huge_body_goes_on_for_64_mebibytes(run: Run) -> None:
    """A look without a bound would swallow all of it."""
    status, body = run("huge_body").raw("GET", "/health", timeout_s=10)

    assert status == 200
    assert len(body) > HUGE_BODY_BYTES


def test_drip_sends_one_byte_at_a_time(run: Run) -> None:
    """Each byte resets a read timeout; only a total deadline ends it."""
    stub = run("drip", "--drip-interval-s", "0.001")

    before = time.monotonic()
    status, _ = stub.raw("GET", "/health")

    assert status == 200
    assert time.monotonic() - before >= 0.3


def test_reset_breaks_the_connection(run: Run) -> None:
    """Neither an answer nor silence."""
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        run("reset").raw("GET", "/health")


def test_redirect_loop_leads_back_to_itself(run: Run) -> None:
    """A client that follows would follow for ever."""
    stub = run("redirect_loop")
    connection = http.client.HTTPConnection("127.0.0.1", stub.port, timeout=1)
    connection.request("GET", "/health")
    response = connection.getresponse()
    response.read()
    connection.close()

    assert (response.status, response.headers["Location"]) == (307, "/health")


def test_flapping_is_well_and_in_error_in_turn(run: Run) -> None:
    """One symptom, many changes: one incident."""
    stub = run("flapping", "--period-s", "0.2")
    seen: list[int] = []

    deadline = time.monotonic() + 5
    while len(seen) < 3 and time.monotonic() < deadline:
        status = stub.ask("GET", "/health")[0]
        if not seen or seen[-1] != status:
            seen.append(status)

    assert seen == [200, 503, 200]


def test_orders_hang_while_health_is_fine(run: Run) -> None:
    """The synthetic order decides, not the health page."""
    stub = run("orders_hang")

    assert stub.ask("GET", "/health")[0] == 200
    with pytest.raises(TimeoutError):
        stub.raw("POST", "/orders", ORDER, timeout_s=0.3)


def test_orders_fail_while_health_is_fine(run: Run) -> None:
    """A 500 is the service's own failure, not a denial."""
    stub = run("orders_fail")

    assert stub.ask("GET", "/health")[0] == 200
    assert stub.send()[0] == 500


def test_health_error_while_orders_fill(run: Run) -> None:
    """A service that fills orders must not be restarted."""
    stub = run("health_error_orders_fill")

    assert stub.ask("GET", "/health")[0] == 503
    assert stub.send()[1]["status"] == "filled"


def test_metrics_garbage_leaves_the_rest_well(run: Run) -> None:
    """The instrument is broken, not the service."""
    stub = run("metrics_garbage")

    with pytest.raises(ValueError, match=r"."):
        list(text_string_to_metric_families(stub.raw("GET", "/metrics")[1].decode("latin-1")))
    assert stub.send()[1]["status"] == "filled"


def test_metrics_hang_leaves_the_rest_well(run: Run) -> None:
    """The instrument is silent, the service is not."""
    stub = run("metrics_hang")

    with pytest.raises(TimeoutError):
        stub.raw("GET", "/metrics", timeout_s=0.3)
    assert stub.ask("GET", "/health")[0] == 200


def test_no_control_means_the_action_is_not_available(run: Run) -> None:
    """A service without control paths is looked after as well."""
    stub = run("no_control")

    assert stub.ask("PUT", "/control/trading/equity", {"state": "halted", "reason": "drill"})[0] == 404
    assert stub.send()[0] == 201
