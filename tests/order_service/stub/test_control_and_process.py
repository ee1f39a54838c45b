"""The stub's control plane, and how it starts and stops."""

import re
import subprocess
import sys
from collections.abc import Callable

import pytest

from order_service.stub.scenarios import SCENARIOS
from order_service.stub.server import parse_arguments
from tests.order_service.stub.conftest import ORDER, Stub

Run = Callable[..., Stub]
Start = Callable[..., subprocess.Popen[str]]


def test_a_halted_class_is_denied_and_the_others_trade(run: Run) -> None:
    """A pause shows its effect on the next order."""
    stub = run("healthy")

    changed = stub.ask("PUT", "/control/trading/equity", {"state": "halted", "reason": "drill"})

    assert changed[0] == 200
    assert stub.send("a")[1]["error"]["code"] == "TRADING_HALTED"
    assert stub.send("b", asset_class="fx", symbol="TST/USD")[0] == 201
    assert stub.ask("GET", "/routing")[1]["asset_classes"]["equity"]["reason"] == "drill"


def test_a_gateway_marked_degraded_shows_in_health(run: Run) -> None:
    """The mark is what the desk reads."""
    stub = run("healthy")

    stub.ask("PUT", "/control/gateways/XNAS", {"state": "degraded", "reason": "drill"})

    health = stub.ask("GET", "/health")[1]
    assert (health["status"], health["dependencies"]["XNAS"]["status"]) == ("degraded", "degraded")


def test_a_feature_can_be_switched_off(run: Run) -> None:
    """Disabling a feature is the smaller remedy."""
    stub = run("healthy")

    stub.ask("PUT", "/control/features/limit_price_band", {"enabled": False, "reason": "drill"})

    assert b'feature_enabled{feature="limit_price_band"} 0' in stub.raw("GET", "/metrics")[1]


def test_a_halted_strategy_is_denied_and_the_others_trade(run: Run) -> None:
    """A runaway client is stopped alone."""
    stub = run("healthy")

    stub.ask("PUT", "/control/strategies/probe", {"state": "halted", "reason": "drill"})

    error = stub.send("a")[1]["error"]
    assert (error["code"], error["field"]) == ("TRADING_HALTED", "strategy")
    assert stub.send("b", strategy="other")[0] == 201
    assert b'strategy_state{strategy="probe"} 0' in stub.raw("GET", "/metrics")[1]


def test_a_trial_moves_test_orders_alone_until_all_move(run: Run) -> None:
    """An alternate is proven before real orders go there."""
    stub = run("healthy")
    trial = {"gateway": "XNYS", "scope": "synthetic", "reason": "drill"}

    stub.ask("PUT", "/control/routes/equity", trial)
    moved = [stub.send("a")[1]["gateway"], stub.send("b", synthetic=False)[1]["gateway"]]
    stub.ask("PUT", "/control/routes/equity", {"gateway": None, "reason": "drill"})

    assert moved == ["XNYS", "XNAS"]
    assert stub.send("c")[1]["gateway"] == "XNAS"


def test_a_kept_table_is_restored_and_an_unknown_one_is_not(run: Run) -> None:
    """The hashes to choose from are in the routing document."""
    stub = run("healthy")
    table = stub.ask("GET", "/routing")[1]["table"]
    other = next(one["hash"] for one in table["kept"] if one["hash"] != table["hash"])

    restored = stub.ask("POST", "/control/restore", {"hash": other, "reason": "drill"})
    unknown = stub.ask("POST", "/control/restore", {"hash": "f" * 64, "reason": "drill"})

    assert (restored[0], restored[1]["previous_hash"]) == (200, table["hash"])
    assert (unknown[0], unknown[1]["error"]["code"]) == (404, "UNKNOWN_TABLE")
    assert stub.ask("GET", "/routing")[1]["table"]["hash"] == other


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Content-Type": "text/plain"}, 415, "UNSUPPORTED_CONTENT"),
        ({"Host": "evil.example"}, 421, "UNKNOWN_HOST"),
        ({"Origin": "https://evil.example"}, 403, "FOREIGN_ORIGIN"),
        ({"Sec-Fetch-Site": "cross-site"}, 403, "FOREIGN_ORIGIN"),
    ],
)
def test_a_web_page_neither_trades_nor_halts(run: Run, headers: dict[str, str], status: int, code: str) -> None:
    """The stub keeps the contract also where it says no."""
    stub = run("healthy")

    sent = stub.ask("POST", "/orders", ORDER, **headers)
    halted = stub.ask("PUT", "/control/trading/equity", {"state": "halted", "reason": "a page"}, **headers)

    assert [(sent[0], sent[1]["error"]["code"]), (halted[0], halted[1]["error"]["code"])] == [(status, code)] * 2
    assert stub.send()[0] == 201


def test_control_asks_for_the_token_if_one_was_given(run: Run) -> None:
    """CI proves that the runbook sends it."""
    stub = run("healthy", "--control-token", "secret")
    change = {"state": "halted", "reason": "drill"}

    without = stub.ask("PUT", "/control/trading/fx", change)
    wrong = stub.ask("PUT", "/control/trading/fx", change, Authorization="Bearer guess")
    right = stub.ask("PUT", "/control/trading/fx", change, Authorization="Bearer secret")

    assert (without[0], wrong[0], right[0]) == (401, 401, 200)


@pytest.mark.parametrize(
    ("path", "change", "status"),
    [
        ("/control/trading/equity", {"state": "halted"}, 422),
        ("/control/trading/bonds", {"state": "halted", "reason": "drill"}, 422),
        ("/control/gateways/NONE", {"state": "degraded", "reason": "drill"}, 404),
        ("/control/nothing/equity", {"state": "halted", "reason": "drill"}, 404),
        ("/control/routes/crypto", {"gateway": "XNAS", "reason": "drill"}, 409),
        ("/control/features/limit_price_band", {"enabled": "no", "reason": "drill"}, 422),
        ("/control/trading/equity", b"{", 422),
        ("/control/trading/equity", {"state": "stopped", "reason": "drill"}, 422),
        ("/control/strategies/probe", {"state": "reducing", "reason": "drill"}, 422),
        ("/control/routes/equity", {"gateway": "XNYS", "scope": "some", "reason": "drill"}, 422),
    ],
)
def test_a_wrong_change_is_refused(run: Run, path: str, change: object, status: int) -> None:
    """The stub is as strict as the service."""
    assert run("healthy").ask("PUT", path, change)[0] == status


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"client_order_id": 1}', b"[" * 10_000])
def test_a_malformed_order_is_refused(run: Run, body: bytes) -> None:
    """A 4xx, never a broken stub."""
    stub = run("healthy")

    assert stub.raw("POST", "/orders", body)[0] in {400, 422}
    assert stub.send()[0] == 201


def test_it_says_where_it_is_once_it_serves(start: Start) -> None:
    """A CI job starts it once for every scenario; who reads the line may ask at once."""
    stub = _as_stub(start("--scenario", "healthy", "--port", "0"))

    assert stub.ask("GET", "/health")[0] == 200


def test_sigterm_ends_it_while_a_client_hangs(start: Start) -> None:
    """A CI job must not wait for its own fault."""
    process = start("--scenario", "hung", "--port", "0")
    with pytest.raises(TimeoutError):
        _as_stub(process).raw("GET", "/health", timeout_s=0.1)

    process.terminate()

    assert process.wait(timeout=2) == 0


def test_a_taken_port_is_one_clear_line(run: Run) -> None:
    """The line names the port."""
    port = str(run("healthy").port)
    command = [sys.executable, "-m", "order_service.stub", "--scenario", "healthy", "--port", port]
    result = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)

    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith("PORT_TAKEN: ")
    assert port in result.stderr


def test_list_names_every_scenario_without_a_port(capsys: pytest.CaptureFixture[str]) -> None:
    """A person chooses by reading one line each."""
    with pytest.raises(SystemExit) as ended:
        parse_arguments(["--list"])

    lines = capsys.readouterr().out.splitlines()
    assert ended.value.code == 0
    assert [line.split()[0] for line in lines] == list(SCENARIOS)


@pytest.mark.parametrize(
    "words", [["--scenario", "cursed", "--port", "0"], ["--scenario", "hung"], ["--port", "x"], ["--unresolved", "-1"]]
)
def test_a_bad_argument_is_one_clear_line(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    """Wrong use is told from failure by its exit code."""
    with pytest.raises(SystemExit) as ended:
        parse_arguments(words)

    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def _as_stub(process: subprocess.Popen[str]) -> Stub:
    assert process.stdout is not None
    said = re.fullmatch(r"\w+ at http://127\.0\.0\.1:(\d+)\n", process.stdout.readline())
    assert said, "the stub did not come up"
    return Stub(int(said[1]))
