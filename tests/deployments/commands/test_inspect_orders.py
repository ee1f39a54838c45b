"""`runbook inspect orders`: what was sent, and what nobody has proven yet."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from deployments.commands.inspect_service import order_exit_code, unproven_orders
from tasks.clients.service.http import Call, exchange, http_client
from tasks.model.probes.order_states import BlindReason, OrderSafety, OrderStates
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import OrderOutcome, OrderProbe
from tasks.model.service.http_settings import HttpSettings
from tests.deployments.asking import Terminal
from tests.fakes.incident.observations import NOW
from tests.fakes.service.monitored_service import Patient, running, watched

ORDER = {"symbol": "AAPL", "side": "buy", "quantity": "10", "order_type": "market", "asset_class": "equity"}


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """A folder without settings."""
    return Terminal(tmp_path, monkeypatch, capsys)


@pytest.fixture(scope="module")
def mute(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Patient]:
    """A service whose orders are sent and never answered."""
    with running(tmp_path_factory.mktemp("mute"), "unknown_orders") as patient:
        yield patient


def test_our_own_unknown_orders_are_not_the_desks(terminal: Terminal, mute: Patient) -> None:
    """The synthetic order that came back unknown fails the check, and forbids nothing."""
    terminal.watches(mute)
    ended = terminal.types("inspect", "orders", "--json")

    assert (ended.code, ended.document["orders"][0]["outcome"]) == (1, "unknown")
    assert (ended.document["verdict"], ended.document["unproven"]) == ("safe", [])
    assert terminal.types("inspect", "orders", "--unproven").code == 0


async def test_a_traders_unknown_order_is_named_for_a_person(terminal: Terminal, tmp_path: Path) -> None:
    """Its id is what one asks the venue for; until then a restart could trade it twice."""
    with running(tmp_path, "unknown_orders") as patient:
        terminal.watches(patient)
        await send(patient, "desk-7")
        answer = await unproven_orders(None, 0.0)

    assert answer.exit_code == 1
    assert (answer.document["verdict"], answer.document["unproven_count"]) == ("unsafe", 1)
    assert answer.document["unproven"][0]["client_order_id"] == "desk-7"
    assert [one for one in answer.lines if "desk-7" in one.plain]


def test_a_service_that_is_gone_is_not_proven_well(terminal: Terminal, tmp_path: Path) -> None:
    """Nobody could look: exit 3, and never 0."""
    terminal.watches(watched(tmp_path))
    ended = terminal.types("inspect", "orders", "--unproven", "--json")

    assert (ended.code, ended.document["verdict"], ended.document["blind"]) == (3, "blind", "NOT_REACHED")


async def send(patient: Patient, client_order_id: str) -> None:
    """Send an order as a trader does."""
    body = orjson.dumps({**ORDER, "client_order_id": client_order_id, "synthetic": False})
    async with http_client(HttpSettings(), 1.0) as client:
        await exchange(
            client,
            Call("POST", f"{patient.service.url}/orders", 5.0, body=body, headers={"content-type": "application/json"}),
        )


@pytest.mark.parametrize(
    ("outcome", "verdict", "blind", "code"),
    [
        (OrderOutcome.EXECUTED, OrderSafety.SAFE, None, 0),
        (OrderOutcome.EXECUTED, OrderSafety.WAIT, None, 0),
        (OrderOutcome.EXECUTED, OrderSafety.UNSAFE, None, 1),
        (OrderOutcome.EXECUTED, OrderSafety.BLIND, BlindReason.NOT_AVAILABLE, 0),
        (OrderOutcome.EXECUTED, OrderSafety.BLIND, BlindReason.NOT_ANSWERED, 3),
        (OrderOutcome.BLIND, OrderSafety.SAFE, None, 3),
        (OrderOutcome.TIMED_OUT, OrderSafety.BLIND, BlindReason.NOT_ANSWERED, 1),
    ],
)
def test_what_failed_decides_before_what_could_not_be_seen(
    outcome: OrderOutcome, verdict: OrderSafety, blind: BlindReason | None, code: int
) -> None:
    """A busy desk always has orders in flight, and a service without the list is no failure."""
    look = OrderProbe(asset_class=AssetClass.EQUITY, client_order_id="s", outcome=outcome, detail="", looked_at=NOW)

    assert order_exit_code([look], OrderStates(verdict=verdict, detail="", looked_at=NOW, blind=blind)) == code
