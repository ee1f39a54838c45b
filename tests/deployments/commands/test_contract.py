"""`runbook contract`: what was asked, what came back, where it was read from, and the key to change."""

from pathlib import Path

import httpx
import pytest

from tasks.model.errors import Code
from tests.deployments.asking import Terminal
from tests.fakes.service.monitored_service import running
from tests.foreign.shops import DOTNET, FIX, KINDS, SPRING, open_shop

pytestmark = pytest.mark.live

CHECK_WORKS = {"oms", "router", "desk"}


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """A folder without settings."""
    return Terminal(tmp_path, monkeypatch, capsys)


def test_the_bundled_service_keeps_its_contract(terminal: Terminal, tmp_path: Path) -> None:
    """Every rule passes, no order was sent, and each value names where it was read."""
    with running(tmp_path) as patient:
        terminal.watches(patient)
        ended = terminal.types("contract", "--json")
        text = httpx.get(f"{patient.service.url}/metrics").text
    marks = {one["rule"]: one["mark"] for one in ended.document["rules"]}

    assert (ended.code, ended.document["works"]) == (0, True)
    assert marks["health"] == marks["healthy"] == marks["dependencies"] == marks["routing"] == "passed"
    assert marks["test order equity"] == "not asked"
    assert "orders_total{" not in text


def test_one_order_is_sent_where_it_is_asked_for(terminal: Terminal, tmp_path: Path) -> None:
    """Only of the class that is named, and only where it has a test order."""
    with running(tmp_path) as patient:
        terminal.watches(patient)
        lines, other = (
            terminal.types("contract", "--send-order", "equity"),
            terminal.types("contract", "--send-order", "fx"),
        )

    assert lines.code == 0
    assert "passed        test order equity" in lines.out
    assert (other.code, other.one_line.split(":")[0]) == (2, Code.BAD_ARGUMENT)


def test_a_condition_that_is_not_true_names_its_key(terminal: Terminal, tmp_path: Path) -> None:
    """Whoever reads it knows which line of the file to change, and to what the answer would fit."""
    with running(tmp_path) as patient:
        terminal.watches(patient, health="{healthy_when = \"state == 'UP'\"}")
        ended = terminal.types("contract")

    assert ended.code == 1
    assert "change services.order-service.health.healthy_when" in ended.out
    assert ended.out.splitlines()[-1].startswith("A triage cannot work with order-service as it is described: ")


def test_a_service_that_is_not_there_is_a_matter_of_its_address(terminal: Terminal) -> None:
    """Not of its conditions, which nobody could try."""
    terminal.settings('[services.s]\nbase_url = "http://127.0.0.1:9"\n')
    ended = terminal.types("contract", "--json").document

    assert (ended["works"], ended["rules"][0]["key"]) == (False, "base_url")


def test_a_password_in_an_address_is_shown_to_nobody(terminal: Terminal, tmp_path: Path) -> None:
    """The lines are pasted into a ticket."""
    with running(tmp_path) as patient:
        address = patient.service.url.replace("http://", "http://desk:0pens3same@")
        terminal.settings(f'[services.s]\nbase_url = "{address}"\n')
        ended = terminal.types("contract")

    assert "0pens3same" not in ended.out + ended.err


@pytest.mark.parametrize("service", KINDS)
def test_a_first_description_is_enough_for_a_check_or_says_what_is_missing(
    service: str, terminal: Terminal, tmp_path: Path
) -> None:
    """What cannot be recognized is a line to fill in; nothing is guessed, and no order is sent."""
    with open_shop(KINDS[service], tmp_path) as shop:
        made = terminal.types(
            "contract", "--write", "--service", service, "--url", f"http://127.0.0.1:{shop.port}", "--json"
        )
        checked = terminal.types("check", "--json")
        log = tmp_path / "service.log"
        orders = log.read_text("utf-8") if log.exists() else ""
    works = service in CHECK_WORKS

    assert (made.document["works"], checked.code) == (works, 0 if works else 1)
    assert any("healthy" in line for line in made.document["fill_in"]) is not works
    assert not any(word in orders for word in ("OMS-", "Order {", "T-1", "35=D"))


def test_the_first_description_has_the_names_of_the_metrics(terminal: Terminal, tmp_path: Path) -> None:
    """Micrometer's name, its labels and their values, where they are plain."""
    with open_shop(SPRING, tmp_path) as shop:
        made = terminal.types("contract", "--write", "--url", f"http://127.0.0.1:{shop.port}", "--json").document
    read = {value["what"]: value["where"] for rule in made["rules"] for value in rule["read"]}

    assert read["orders filled"] == "oms_orders_submitted_total"
    assert read["XNAS"] in {"components", "oms_venue_connected"}


def test_a_login_that_is_missing_is_named_and_one_of_the_environment_is_used(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token is never asked for on the command line, where others read it."""
    monkeypatch.setenv("RUNBOOK_SERVICES__ROUTER__HTTP__BEARER_TOKEN", "s3cr3t-of-the-desk")
    with open_shop(DOTNET, tmp_path) as shop:
        words = ("contract", "--write", "--service", "router", "--url", f"http://127.0.0.1:{shop.port}")
        shown = terminal.types(*words)
        written = (tmp_path / "runbook.toml").read_text("utf-8")
        monkeypatch.delenv("RUNBOOK_SERVICES__ROUTER__HTTP__BEARER_TOKEN")
        (tmp_path / "runbook.toml").unlink()
        without = terminal.types(*words, "--json").document

    assert "router_orders_processed_orders_total" in written
    assert "s3cr3t" not in written + shown.out + shown.err
    assert any("http_status=401" in line for line in without["fill_in"])


def test_a_file_is_never_written_over(terminal: Terminal, tmp_path: Path) -> None:
    """Also not a link, or an empty file that somebody has begun."""
    terminal.settings("")
    with open_shop(FIX, tmp_path) as shop:
        ended = terminal.types("contract", "--write", "--url", f"http://127.0.0.1:{shop.port}")

    assert (ended.code, ended.one_line.split(":")[0]) == (2, Code.BAD_SETTING)
    assert (tmp_path / "runbook.toml").read_text("utf-8") == ""


@pytest.mark.parametrize("words", [(), ("--url", "not an address")])
def test_without_an_address_nothing_is_written(words: tuple[str, ...], terminal: Terminal, tmp_path: Path) -> None:
    """One line that says what to add."""
    ended = terminal.types("contract", "--write", *words)

    assert (ended.code, ended.one_line.split(":")[0]) == (2, Code.BAD_ARGUMENT)
    assert not (tmp_path / "runbook.toml").exists()
