"""How a gateway starts, stops and comes back."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from order_service.gateway_simulator.serve import parse_arguments
from tests.order_service.gateway_simulator.gateway_process import Gateway, order

pytestmark = pytest.mark.live


def test_a_killed_gateway_still_knows_its_orders(start: Callable[..., Gateway]) -> None:
    """An order that was answered for must be found again after a crash, or no unknown order could be resolved."""
    gateway = start()
    gateway.break_with("ack_without_fill")
    executions = [gateway.ask("POST", "/orders", order(each)).document for each in ("kept", "kept", "canceled")]
    gateway.ask("DELETE", "/orders/canceled")

    gateway.stop(signal.SIGKILL)
    gateway.start()

    assert gateway.ask("GET", "/orders/kept").document == executions[0]
    assert gateway.booked()["kept"]["received_count"] == 2
    assert gateway.booked()["canceled"]["ord_status"] == "canceled"


def test_a_torn_last_line_is_healed(start: Callable[..., Gateway], tmp_path: Path) -> None:
    """A power cut in the middle of a write loses that write alone."""
    gateway = start()
    gateway.ask("POST", "/orders", order("whole"))
    gateway.stop()
    with (tmp_path / "XNAS.jsonl").open("ab") as journal:
        journal.write(b'not json\n{"event":"booked","execution":{"client_order')

    gateway.start()
    gateway.ask("POST", "/orders", order("next"))
    gateway.stop(signal.SIGKILL)
    gateway.start()

    assert set(gateway.booked()) == {"whole", "next"}


def test_execution_ids_stay_unique_across_a_restart(start: Callable[..., Gateway]) -> None:
    """Two fills with one id would be taken for one."""
    gateway = start()
    before = gateway.ask("POST", "/orders", order("a")).document
    gateway.stop()
    gateway.start()
    after = gateway.ask("POST", "/orders", order("b")).document

    assert before["exec_id"] != after["exec_id"]
    assert before["gateway_order_id"] != after["gateway_order_id"]


def test_sigterm_ends_it_at_once_even_while_it_is_silent(start: Callable[..., Gateway]) -> None:
    """A drill is over when the person says so."""
    gateway = start()
    gateway.break_with("silence")
    with gateway.connect() as kept:
        kept._http.request("POST", "/orders", body=b"{}")
        began = time.monotonic()

        assert gateway.stop() == 0
        assert time.monotonic() - began < 10


def test_a_taken_port_is_one_clear_line(start: Callable[..., Gateway], tmp_path: Path) -> None:
    """The journal of the gateway that runs is not touched by one that cannot."""
    running = start()

    for taken in ({"--port": running.port, "--admin-port": 0}, {"--port": 0, "--admin-port": running.port}):
        result = _run(tmp_path, taken)

        assert result.returncode == 1
        assert result.stderr.startswith("PORT_TAKEN: ")
        assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"--port": "x"},
        {"--port": "70000"},
        {"--classes": "bond"},
        {"--admin-port": "7"},
        {"--name": ""},
        {"--speed": "1"},
    ],
)
def test_a_bad_argument_is_one_clear_line(capsys: pytest.CaptureFixture[str], wrong: dict[str, str]) -> None:
    """The line names the argument; the exit code tells wrong use from failure."""
    given = {"--name": "XNAS", "--journal": "journal", "--port": "7", **wrong}

    with pytest.raises(SystemExit) as ended:
        parse_arguments([word for pair in given.items() for word in pair])

    line = capsys.readouterr().err
    assert ended.value.code == 2
    assert line.startswith("BAD_ARGUMENTS: ")
    assert next(iter(wrong)) in line
    assert line.count("\n") == 1


def test_an_unusable_journal_is_one_clear_line(tmp_path: Path) -> None:
    """A venue without a memory must not take orders."""
    result = _run(tmp_path, {"--port": 0, "--journal": tmp_path})

    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith("JOURNAL_UNUSABLE: ")


def _run(tmp_path: Path, options: dict[str, object]) -> subprocess.CompletedProcess[str]:
    given = {"--name": "XNAS", "--journal": tmp_path / "journal", **options}
    words = [str(word) for pair in given.items() for word in pair]
    command = [sys.executable, "-m", "order_service.gateway_simulator", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
