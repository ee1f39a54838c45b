"""`runbook check`: its shape, its exit codes, its words; without Prefect."""

import asyncio
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import SecretStr

from deployments.commands import check as command
from deployments.commands.check import EXIT_CODES, as_json, blind, check_lines
from tasks.clients.files.runbook_page import section_titles
from tasks.clients.service.control import set_trading
from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Diagnosis, Finding, Status
from tasks.model.errors import CannotObserve, Code
from tasks.model.probes.control import ControlReason, TradingState
from tasks.model.probes.orders import AssetClass
from tasks.rules.in_force.headline import headline
from tasks.rules.incidents.tiers import TIER_NAMES
from tests.deployments.asking import Terminal, settings_of, started
from tests.fakes.incident import observations
from tests.fakes.ports import free_port
from tests.fakes.service.monitored_service import running, watched
from tests.house.source import REPOSITORY

pytestmark = pytest.mark.live

PAGE = (REPOSITORY / "flows" / "runbook.md").read_text("utf-8")
HUNG = Finding(
    cause=Cause.SERVICE_HUNG,
    confidence=Confidence.CONFIRMED,
    because=("health did not answer in 3 of 3 checks", "no progress"),
    section="§2.1",
    tier=Audience.TIER_1,
    ruled_out=("service down: its process is alive",),
)
GATEWAY = HUNG.model_copy(
    update={
        "cause": Cause.DEPENDENCY_UNREACHABLE,
        "gateways": ("XNAS",),
        "asset_classes": (AssetClass.EQUITY,),
        "tier": Audience.TIER_3,
        "ruled_out": (),
    }
)


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """A folder without settings."""
    return Terminal(tmp_path, monkeypatch, capsys)


def test_a_well_service_is_checked_without_prefect(tmp_path: Path) -> None:
    """The server may be what is down, and importing it takes three seconds."""
    with running(tmp_path) as patient:
        (tmp_path / "runbook.toml").write_text(settings_of(patient), "utf-8")
        program = (
            "try:\n    run()\nexcept SystemExit as ended:\n"
            "    loaded = {'prefect', 'pandas', 'exchange_calendars'} & set(sys.modules)\n"
            "    sys.exit(f'loaded {loaded}' if loaded else ended.code)"
        )
        ended = started(tmp_path, "check", "--json", program=program, PREFECT_API_URL="http://127.0.0.1:1/api")

    assert (ended.code, ended.err) == (0, "")
    assert (ended.document["service"], ended.document["status"]) == ("order-service", "ok")
    assert ended.document["causes"] == []
    assert ended.document["evidence"]["observations"]


def test_a_hung_service_is_critical_and_told_aloud(terminal: Terminal, tmp_path: Path) -> None:
    """The first line is what the on-call engineer says on the call."""
    with running(tmp_path, "hung") as patient:
        terminal.watches(patient)
        lines, document = terminal.types("check"), terminal.types("check", "--json")
    (cause,) = document.document["causes"]

    assert (lines.code, document.code) == (2, 2)
    assert re.fullmatch(r"order-service has been hung since \d\d:\d\d:\d\dZ\.", lines.out.splitlines()[0])
    assert cause["cause"] == "service_hung"
    assert {"asset_classes", "gateways", "because", "ruled_out", "confidence", "section", "tier"} <= set(cause)
    assert isinstance(cause["because"], str)


def test_a_halted_class_is_exit_1_and_the_first_line(terminal: Terminal, tmp_path: Path) -> None:
    """A monitoring plugin that says *ok* while equity cannot trade is worse than none."""
    with running(tmp_path) as patient:
        service = patient.service.model_copy(update={"control_token": SecretStr("t0k3n")})
        why = ControlReason(reason="fat finger", set_by="kim")
        answer = asyncio.run(set_trading(service, AssetClass.EQUITY, TradingState.HALTED, why))
        terminal.watches(patient)
        lines, document = terminal.types("check"), terminal.types("check", "--json").document

    assert answer.is_done
    assert lines.code == 1
    assert re.match(r"order-service is up\. EQUITY IS HALTED \(by kim, \d\d:\d\d:\d\dZ\)\.", lines.out.splitlines()[0])
    assert (document["status"], document["causes"]) == ("degraded", [])
    assert document["summary"].startswith("order-service is up. EQUITY IS HALTED (by kim, ")
    assert [(one["name"], one["state"], one["set_by"]) for one in document["in_force"]] == [("equity", "halted", "kim")]


def test_a_dead_gateway_is_degraded(terminal: Terminal, tmp_path: Path) -> None:
    """Exit 1: it serves, with less."""
    with running(tmp_path, "degraded") as patient:
        orders = '{equity = {symbol = "ZVZZT"}, crypto = {symbol = "TST-USD"}}'
        gateways = f'{{XNAS = "http://127.0.0.1:{free_port()}"}}'
        terminal.watches(patient, synthetic_orders=orders, gateways=gateways)
        ended = terminal.types("check", "--json")

    assert (ended.code, ended.document["status"]) == (1, "degraded")
    assert [one["cause"] for one in ended.document["causes"]] == ["dependency_unreachable"]


def test_a_look_that_could_not_be_made_is_blind(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 3, and still the document that a dashboard reads."""

    async def unable(*_: object, **__: object) -> None:
        raise CannotObserve(Code.LEDGER_UNREADABLE, "expected a readable file was none; fix it")

    monkeypatch.setattr(command, "observed_evidence", unable)
    terminal.watches(watched(tmp_path))
    ended = terminal.types("check", "--json")

    assert (ended.code, ended.document["status"], ended.document["evidence"]) == (3, "blind", {})
    assert [one["cause"] for one in ended.document["causes"]] == ["monitor_blind"]


def test_a_defect_of_our_own_is_blindness(terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 1 would say degraded; the document keeps its shape for whoever reads it."""

    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(command, "observed_evidence", broken)
    terminal.watches(watched(tmp_path))
    ended = terminal.types("check", "--json", "--service", "order-service")

    assert (ended.code, ended.document["service"], ended.document["status"]) == (3, "order-service", "blind")
    assert [one["cause"] for one in ended.document["causes"]] == ["monitor_blind"]
    assert ended.one_line.startswith("UNEXPECTED")


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ("", Code.UNKNOWN_SERVICE),
        ("nonsense = 1\n", Code.BAD_SETTING),
        ("[services.a]\nbase_url = 7\n", Code.BAD_SETTING),
    ],
)
def test_what_is_set_wrongly_is_one_line(terminal: Terminal, settings: str, code: Code) -> None:
    """The line names the key; stdout stays empty."""
    terminal.settings(settings)
    ended = terminal.types("check", "--json")

    assert (ended.code, ended.out) == (2, "")
    assert ended.one_line.startswith(code)


def test_a_synthetic_order_outside_its_quarantine_is_a_bad_setting(terminal: Terminal, tmp_path: Path) -> None:
    """A real symbol is never sent; nobody may take this for the service's fault."""
    terminal.watches(watched(tmp_path), synthetic_orders='{equity = {symbol = "AAPL"}}')
    ended = terminal.types("check")

    assert ended.code == 2
    assert ended.one_line.startswith(Code.BAD_SETTING)


def test_the_exit_codes_are_those_of_monitoring_plugins() -> None:
    """Every status has one; a new status without a code would end in a traceback."""
    assert [EXIT_CODES[status] for status in (Status.OK, Status.DEGRADED, Status.CRITICAL, Status.BLIND)] == [
        0,
        1,
        2,
        3,
    ]
    assert set(EXIT_CODES) == set(Status)


def test_each_cause_says_why_what_it_is_not_and_who_is_next() -> None:
    """Numbers, what was ruled out, the tier, and the section to open."""
    found = Diagnosis(status=Status.CRITICAL, findings=(HUNG, GATEWAY))
    text = "\n".join(one.plain for one in check_lines("order-service", found, observations.three()))

    assert "because    health did not answer in 3 of 3 checks" in text
    assert "ruled out  service down: its process is alive" in text
    assert "goes to    tier 1, on-call" in text
    assert "next       §2.1 Health errors or times out" in text
    assert "in 3 passes" in text


def test_the_first_line_names_every_cause_and_where() -> None:
    """One sentence, to be read aloud."""
    found = Diagnosis(status=Status.CRITICAL, findings=(HUNG, GATEWAY))

    assert headline("order-service", found, None) == ("order-service is hung. XNAS is unreachable.")


def test_a_well_service_is_told_with_what_was_seen_and_no_more() -> None:
    """Nothing is called passed that was not checked, and nothing healthy of which nobody knows whether orders fill."""
    well = Diagnosis(status=Status.OK)
    whole = headline("s", well, observations.evidence(observations.observation()))
    without = headline("s", well, observations.evidence(observations.observation(orders=(), gateways=())))

    assert whole == "s is healthy: health passed, its process runs, 2 of 2 test orders filled, 2 of 2 gateways answer."
    assert without == "s is up, orders not checked: health passed, its process runs."


def test_blind_says_what_kept_us_from_seeing() -> None:
    """Nothing is said of the service."""
    assert headline("s", blind("no descriptors left"), None) == "We cannot see s: no descriptors left."
    assert as_json("s", blind("x"), None)["causes"][0]["because"] == "x"


@pytest.mark.parametrize("section", sorted(set(re.findall(r"§[0-9](?:\.[0-9])?", PAGE))))
def test_every_section_of_the_page_has_its_title(section: str) -> None:
    """The person opens the page at the heading that the check names."""
    assert section_titles()[section]
    assert f"{section} {section_titles()[section]}" in PAGE


@pytest.mark.parametrize("audience", list(Audience))
def test_every_tier_has_its_words(audience: Audience) -> None:
    """Nobody has to know what tier_2 means."""
    assert TIER_NAMES[audience]


class Counting(BaseHTTPRequestHandler):
    """A service that counts what it is sent, and knows nothing."""

    posted: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        """Know nothing."""
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        """Count it."""
        self.posted.append(self.path)
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def counted(terminal: Terminal) -> Iterator[list[str]]:
    """Watch a service that counts what it is sent."""
    Counting.posted.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Counting)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    order = '{equity = {symbol = "ZVZZT"}}'
    url = f"http://127.0.0.1:{server.server_port}"
    terminal.settings(f'[services.order-service]\nbase_url = "{url}"\nsynthetic_orders = {order}\n')
    yield Counting.posted
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("words", [("check",), ("plan",), ("inspect", "orders")], ids=" ".join)
def test_without_orders_none_is_sent_and_that_is_said(
    counted: list[str], terminal: Terminal, words: tuple[str, ...]
) -> None:
    """A person who may not send orders to a venue must be able to look; and must not read that they fill."""
    without = terminal.types(*words, "--no-orders")
    sent_without = list(counted)
    terminal.types(*words)

    assert sent_without == []
    assert counted
    assert "the test order" not in without.out
    assert "ended as" not in without.out
    assert words == ("inspect", "orders") or "Orders were not checked" in without.out


def test_a_check_without_orders_says_so_to_programs(counted: list[str], terminal: Terminal) -> None:
    """A dashboard tells *not checked* from *no order is configured*."""
    documents = [terminal.types("check", "--json", *more).document for more in (["--no-orders"], [])]

    assert [one["orders_checked"] for one in documents] == [False, True]
    assert len(counted) >= 1


@pytest.mark.parametrize("words", [("check",), ("plan",), ("inspect", "orders")], ids=" ".join)
def test_what_sends_orders_says_so_first(terminal: Terminal, words: tuple[str, ...]) -> None:
    """*Changes nothing* was said of a command that sends a dozen orders to a trading service."""
    said = terminal.types(*words, "--help").out

    assert "Sends small TEST ORDERS (--no-orders: none)" in said
    assert "--no-orders" in said.partition("TEST ORDERS (--no-orders")[2]
