"""`runbook inspect` of health, process, metrics, orders, gateways: at a service that runs, and where none answers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.commands import inspect_service
from deployments.commands.inspect_service import Target, asked_url, health_of, metrics_of, target_of
from deployments.commands.inspect_step import STEPS
from tasks.model.diagnosis.limits import ProbeLimits
from tasks.model.errors import Code, RunbookError
from tasks.model.probes.probes import RoutingProbe, Seen
from tests.deployments.asking import Terminal
from tests.fakes.incident.observations import NOW
from tests.fakes.ports import free_port
from tests.fakes.service.monitored_service import Patient, running, watched
from tests.fakes.service.wire import answering, exactly, never

QUICK = ProbeLimits(connect_timeout_s=0.3, health_timeout_s=0.3, metrics_timeout_s=0.3)
EXPOSITION = b'# TYPE orders_total counter\norders_total{outcome="filled"} 2\nbuild_info{release="1.2.3"} 1\nodd NaN\n'


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Patient]:
    """A healthy service, for every test that only looks."""
    with running(tmp_path_factory.mktemp("patient")) as healthy:
        yield healthy


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """A folder without settings."""
    return Terminal(tmp_path, monkeypatch, capsys)


def test_health_passes_at_a_well_service(terminal: Terminal, patient: Patient) -> None:
    """The JSON names the release and each dependency."""
    terminal.watches(patient)
    ended = terminal.types("inspect", "health", "--json")

    assert ended.code == 0
    assert ended.document["seen"] == "passed"
    assert ended.document["service"] == "order-service"
    assert ended.document["release"] == "stub"
    assert {"name", "status", "latency_ms"} <= set(ended.document["dependencies"][0])


@pytest.mark.parametrize("path", ["", "/", "/health"])
def test_health_of_an_address_needs_no_settings(terminal: Terminal, patient: Patient, path: str) -> None:
    """On another machine, in an incident, there is no settings file."""
    ended = terminal.types("inspect", "health", "--url", patient.service.url + path, "--json")

    assert ended.code == 0
    assert ended.document["service"] is None
    assert ended.document["url"] == f"{patient.service.url}/health"


@pytest.mark.parametrize("path", ["", "/metrics"])
def test_metrics_of_an_address_need_no_settings(terminal: Terminal, patient: Patient, path: str) -> None:
    """Every sample is in the document, with the numbers of the runbook beside them."""
    ended = terminal.types("inspect", "metrics", "--url", patient.service.url + path, "--json")

    assert ended.code == 0
    assert ended.document["seen"] == "passed"
    assert ended.document["release"] == "stub"
    assert {"name", "labels", "value"} == set(ended.document["samples"][0])
    assert ended.document["unreadable"] is None


def test_the_process_is_told_with_its_numbers(terminal: Terminal, patient: Patient) -> None:
    """Pid, memory and CPU are what §1.2 asks for."""
    terminal.watches(patient)
    ended = terminal.types("inspect", "process", "--json")

    assert ended.code == 0
    assert ended.document["state"] == "running"
    assert ended.document["pid"] == patient.pid
    assert ended.document["memory_bytes"] > 1_000_000


def test_a_process_that_is_gone_is_a_failed_look(terminal: Terminal, tmp_path: Path) -> None:
    """Nobody listens: that is the service's state, not our blindness."""
    terminal.watches(watched(tmp_path))
    ended = terminal.types("inspect", "process", "--json")

    assert (ended.code, ended.document["state"]) == (1, "dead")


def test_orders_are_sent_and_told_one_by_one(terminal: Terminal, patient: Patient) -> None:
    """The execution, and the request and response to the byte."""
    orders = '{equity = {symbol = "ZVZZT"}, crypto = {symbol = "TST-USD"}}'
    terminal.watches(patient, synthetic_orders=orders)
    both, one = (terminal.types("inspect", "orders", "--json", *words) for words in ((), ("--asset-class", "crypto")))

    assert (both.code, one.code) == (0, 0)
    assert {order["asset_class"] for order in both.document["orders"]} == {"equity", "crypto"}
    assert [order["asset_class"] for order in one.document["orders"]] == ["crypto"]
    assert one.document["orders"][0]["outcome"] == "executed"
    assert '"synthetic":true' in one.document["orders"][0]["exchange"]["request_body"]


def test_gateways_are_asked_past_the_service(terminal: Terminal, patient: Patient) -> None:
    """One that answers and one that does not: it failed, and both are reported."""
    gateways = f'{{XNAS = "{patient.service.url}", XNYS = "http://127.0.0.1:{free_port()}"}}'
    terminal.watches(patient, gateways=gateways)
    ended = terminal.types("inspect", "gateways", "--json")

    assert ended.code == 1
    assert {one["gateway"]: one["seen"] for one in ended.document["gateways"]} == {"XNAS": "passed", "XNYS": "failed"}


def test_routes_are_told_with_who_set_them(terminal: Terminal, patient: Patient) -> None:
    """Each class has its gateway, its trading state, and a name beside it."""
    terminal.watches(patient)
    ended = terminal.types("inspect", "routing", "--json")
    routes = {route["asset_class"]: route for route in ended.document["routes"]}

    assert ended.code == 0
    assert (routes["equity"]["gateway"], routes["equity"]["trading_state"]) == ("XNAS", "active")
    assert "equity" in terminal.types("inspect", "routing").out


async def test_a_table_on_disk_that_is_not_sound_fails_though_the_service_runs_on(
    monkeypatch: pytest.MonkeyPatch, terminal: Terminal, tmp_path: Path
) -> None:
    """The next start would make it real."""
    broken = RoutingProbe(seen=Seen.PASSED, detail="as loaded", looked_at=NOW, file_error="not TOML")

    async def look(*_: object) -> RoutingProbe:
        return broken

    monkeypatch.setattr("deployments.commands.inspect_service.routing_probe", look)
    terminal.watches(watched(tmp_path))

    assert (await inspect_service._routing_of(None)).exit_code == 1


@pytest.mark.parametrize("step", ["orders", "gateways", "logs"])
def test_a_look_that_is_not_set_up_says_what_to_set(terminal: Terminal, patient: Patient, step: str) -> None:
    """Nothing to look at is not health: exit 3, one line, and still one document."""
    terminal.watches(patient, synthetic_orders="{}")
    ended = terminal.types("inspect", step, "--json")

    assert ended.code == 3
    assert ended.one_line.startswith(Code.NOT_CONFIGURED)
    assert ended.document["error"]["code"] == Code.NOT_CONFIGURED


@pytest.mark.parametrize("step", sorted({*STEPS} - {"market"}))
def test_a_look_without_a_service_is_called_wrongly(terminal: Terminal, step: str) -> None:
    """The line names what is missing; nothing is on stdout."""
    ended = terminal.types("inspect", step, "--json")

    assert (ended.code, ended.out) == (2, "")
    assert ended.one_line.startswith(Code.UNKNOWN_SERVICE)


@pytest.mark.parametrize(
    "url", ["", "foo", "ftp://x/", "http://", "http://:80", "http://h:99999", "file:///etc/passwd"]
)
@pytest.mark.parametrize("step", ["health", "metrics"])
def test_what_is_no_address_is_called_wrongly(terminal: Terminal, step: str, url: str) -> None:
    """A typing error is not an outage."""
    ended = terminal.types("inspect", step, "--url", url)

    assert ended.code == 2
    assert ended.one_line.startswith(Code.BAD_ARGUMENT)


@pytest.mark.parametrize("step", ["health", "metrics"])
def test_an_address_and_a_service_are_one_too_many(terminal: Terminal, step: str) -> None:
    """Which of the two was looked at would be a guess."""
    assert terminal.types("inspect", step, "--url", "http://127.0.0.1:1", "--service", "x").code == 2


@pytest.mark.parametrize("step", ["health", "metrics"])
def test_a_refused_connection_is_a_failed_look(terminal: Terminal, step: str) -> None:
    """It looked, and what it saw is not well."""
    ended = terminal.types("inspect", step, "--url", f"http://127.0.0.1:{free_port()}", "--json")

    assert (ended.code, ended.document["seen"]) == (1, "failed")
    assert ended.document["detail"].startswith("refused")


async def test_a_password_in_an_address_is_not_repeated() -> None:
    """The output is pasted into tickets."""
    async with answering(exactly(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as url:
        answer = await health_of(target_of(url.replace("//", "//desk:secret@"), None, "/health"))

    assert "secret" not in str(answer.document)
    assert answer.document["url"].startswith("http://***@127.0.0.1:")


HOSTILE = {
    "nothing": b"",
    "not HTTP": b"\x00\xff\x00" * 100,
    "endless header": b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 500_000,
    "cut body": b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{",
    "huge body": b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 2_000_000,
    "deep nesting": b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 100_000,
    "wrong types": b'HTTP/1.1 200 OK\r\n\r\n{"status": ["ok"], "dependencies": 7, "started_at": {}}',
    "NaN": b'HTTP/1.1 200 OK\r\n\r\n{"status": NaN}',
    "not UTF-8": b"HTTP/1.1 200 OK\r\n\r\n\xff\xfe\x00\x01 1\n",
    "a redirect": b"HTTP/1.1 302 Found\r\nLocation: /health\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("answer", HOSTILE.values(), ids=HOSTILE)
async def test_no_answer_breaks_a_look(answer: bytes) -> None:
    """Whatever comes back is a failed check with a detail, never a pass and never an exception."""
    async with answering(exactly(answer)) as url:
        health = await health_of(Target(None, f"{url}/health", QUICK))
        metrics = await metrics_of(Target(None, f"{url}/metrics", QUICK))

    assert (health.exit_code, health.document["seen"]) == (1, "failed")
    assert (metrics.exit_code, metrics.document["seen"]) == (1, "failed")
    assert health.lines
    assert metrics.lines


@pytest.mark.timeout(5)
async def test_silence_ends_at_the_deadline() -> None:
    """A hung service must not hang the person who looks."""
    async with answering(never) as url:
        health = await health_of(Target(None, f"{url}/health", QUICK))

    assert health.document["detail"].startswith("timed_out")


async def test_numbers_that_json_does_not_have_are_text() -> None:
    """Prometheus has NaN and infinities; a strict JSON reader must still read the document."""
    answer = b"HTTP/1.1 200 OK\r\n\r\n" + EXPOSITION
    async with answering(exactly(answer)) as url:
        metrics = await metrics_of(Target(None, f"{url}/metrics", QUICK))

    assert metrics.document["seen"] == "passed"
    assert metrics.document["orders_count"] == 2
    assert metrics.document["release"] == "1.2.3"


def test_an_address_is_asked_as_it_is_given() -> None:
    """Some exporters answer elsewhere."""
    assert asked_url("http://h:9100/exporter/all?x=1", "/metrics") == "http://h:9100/exporter/all?x=1"
    with pytest.raises(RunbookError):
        asked_url("h:9100", "/metrics")
