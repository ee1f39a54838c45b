"""Our own metrics, folded from what the runs have written."""

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from deployments.monitoring.exposition import Exposition
from tasks.clients.evidence.history import history_path, remember_observation
from tasks.clients.files.jsonl import write_lines
from tasks.clients.incidents.ledger import append
from tasks.clients.incidents.mode import set_mode
from tasks.clients.locks import host_lock
from tasks.clients.messages.outbox import Outbox
from tasks.clients.service.exposition import read_exposition
from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.incidents.incident import Event, LedgerRecord, Source
from tasks.model.incidents.modes import Mode
from tasks.model.messages.messages import Message
from tasks.model.probes.history import PastGateway, PastObservation, PastOrder
from tasks.model.probes.metrics import MetricsSnapshot
from tasks.model.probes.orders import AssetClass
from tasks.rules.incidents.action_history import REARMED_TYPE
from tasks.settings import RunbookSettings

NAME = "order-service"
NOW = datetime.now(UTC)


@pytest.fixture
def settings(tmp_path: Path) -> RunbookSettings:
    """Watch one service in a folder of its own."""
    service = {"synthetic_orders": {"equity": {"symbol": "ZVZZT"}}, "gateways": {"XNAS": "http://127.0.0.1:8701"}}
    return RunbookSettings.model_validate({"state_dir": tmp_path, "services": {NAME: service}})


def values(exposition: Exposition) -> dict[str, float]:
    """Scrape, and write every series as `name label label`, without the service."""
    found = {}
    for family in text_string_to_metric_families(exposition.text().decode()):
        for sample in family.samples:
            labels = [value for name, value in sorted(sample.labels.items()) if name != "service"]
            found[" ".join((sample.name, *labels))] = sample.value
    return found


def record(event: Event, after_s: float = 0, incident_id: str = "INC-1", **details: object) -> LedgerRecord:
    """One record of one incident, some seconds after it was opened."""
    return LedgerRecord(
        timestamp=NOW + timedelta(seconds=after_s - 600),
        type="health_check_error",
        service=NAME,
        incident_id=incident_id,
        event=event,
        source=Source.TRIAGE,
        details=details,
    )


def opened(incident_id: str = "INC-1", cause: str = "service_hung") -> LedgerRecord:
    """The opening of an incident whose trouble was last not there 40 s before."""
    well_at = (NOW - timedelta(seconds=640)).isoformat()
    return record(Event.OPENED, 0, incident_id, cause=cause, tier="tier_1", last_well_at=well_at)


HEALED = (
    opened(),
    record(Event.NOTIFIED, 1, audience="tier_1", key="a"),
    record(Event.ACTION_STARTED, 2, action="restart_service", key="k"),
    record(Event.ACTION_FINISHED, 5, action="restart_service", key="k", outcome="done"),
    record(Event.ACTION_FINISHED, 20, action="restart_service", key="k", outcome="recovered"),
    record(Event.RECOVERED, 20),
    record(Event.CLOSED, 21),
)


def test_an_incident_that_was_healed_is_told_from_its_detection_to_its_recovery(settings: RunbookSettings) -> None:
    """How well the runbook does is a number, and not a feeling."""
    append(settings.ledger_path(NAME), HEALED)
    told = values(Exposition(settings))

    assert told["runbook_incidents_total service_hung"] == 1
    assert told["runbook_open_incidents service_hung"] == 0
    assert told["runbook_actions_started_total restart_service"] == 1
    assert told["runbook_action_results_total restart_service done"] == 1
    assert told["runbook_action_results_total restart_service recovered"] == 1
    assert told["runbook_actions_unfinished"] == 0
    assert told["runbook_notifications_sent_total tier_1"] == 1
    assert told["runbook_time_to_detect_seconds_sum"] == pytest.approx(40)
    assert told["runbook_time_to_recover_seconds_sum"] == pytest.approx(20)
    assert told["runbook_time_to_recover_seconds_bucket 15"] == 0
    assert told["runbook_time_to_recover_seconds_bucket 30"] == 1
    assert told["runbook_time_to_recover_seconds_bucket +Inf"] == 1
    assert told["runbook_time_to_recover_seconds_count"] == 1


def test_what_the_ledger_tells_stands_after_a_restart_and_grows_by_what_is_new(settings: RunbookSettings) -> None:
    """A counter that falls is taken for a reset, and everything it ever counted for new."""
    path = settings.ledger_path(NAME)
    append(path, HEALED)
    first = Exposition(settings)
    before = values(first)
    append(path, [opened("INC-2", "gateway_failing")])

    assert values(first)["runbook_incidents_total gateway_failing"] == 1
    assert values(first)["runbook_open_incidents gateway_failing"] == 1
    after = values(Exposition(settings))
    grown = ("runbook_incidents_total", "runbook_time_to_recover", "runbook_action", "runbook_notifications_sent")
    assert all(after[name] >= before[name] for name in before if name.startswith(grown))
    assert after["runbook_incidents_total service_hung"] == 1


def test_an_incident_that_comes_back_is_open_again_and_counted_once(settings: RunbookSettings) -> None:
    """A flapping gateway is one incident, on the dashboard too."""
    append(settings.ledger_path(NAME), [*HEALED, opened()])
    told = values(Exposition(settings))

    assert told["runbook_open_incidents service_hung"] == 1
    assert told["runbook_incidents_total service_hung"] == 1
    assert told["runbook_time_to_detect_seconds_count"] == 1


def test_an_action_without_a_known_end_shows_until_a_person_re_arms(settings: RunbookSettings) -> None:
    """Nobody repeats it, so somebody has to look."""
    path = settings.ledger_path(NAME)
    append(path, [opened(), record(Event.ACTION_STARTED, 2, action="restart_service", key="k")])
    exposition = Exposition(settings)
    assert values(exposition)["runbook_actions_unfinished"] == 1
    append(path, [record(Event.ACTION_FINISHED, 3, action="restart_service", key="k", outcome="unknown")])
    assert values(exposition)["runbook_actions_unfinished"] == 1
    rearmed = record(Event.ACKNOWLEDGED, 4).model_copy(update={"type": REARMED_TYPE, "source": Source.OPERATOR})
    append(path, [rearmed])
    assert values(exposition)["runbook_actions_unfinished"] == 0


def test_words_that_nobody_knows_do_not_make_new_series(settings: RunbookSettings) -> None:
    """Whoever can write to the ledger cannot blow up the database of the monitoring."""
    names = {*values(Exposition(settings)), "runbook_last_activity_timestamp_seconds"}
    odd = [
        opened("INC-9", "x" * 50),
        record(Event.ACTION_STARTED, action="dance", key="d"),
        record(Event.ACTION_FINISHED, action="dance", key="d", outcome="splendid"),
        record(Event.NOTIFIED, audience="everybody"),
    ]
    append(settings.ledger_path(NAME), odd)
    write_lines(settings.ledger_path(NAME), b"not json\n")
    told = values(Exposition(settings))

    assert set(told) == names
    assert told["runbook_incidents_total unknown"] == 1
    assert told["runbook_action_results_total other unknown"] == 1
    assert told["runbook_notifications_sent_total other"] == 1
    assert told["runbook_ledger_lines_skipped_total"] == 1


def test_what_a_run_saw_is_counted_from_the_endpoints_start_on(settings: RunbookSettings) -> None:
    """The history is let go after a day: counting it again at each start would count a day twice."""
    path = history_path(settings, NAME)
    remember_observation(
        path, PastObservation(at=NOW - timedelta(minutes=2), status="critical", troubles=("service_hung",))
    )
    exposition = Exposition(settings)
    before = values(exposition)
    orders = PastOrder(asset_class=AssetClass.EQUITY, outcomes={"executed": 2, "denied:NO_ROUTE": 1})
    gateways = PastGateway(gateway="XNAS", looks_count=3, failed_count=1)
    look = PastObservation(
        at=NOW - timedelta(minutes=1), status="degraded", rounds_count=3, orders=(orders,), gateways=(gateways,)
    )
    remember_observation(path, look.model_copy(update={"troubles": ("gateway_failing",)}))
    after = values(exposition)

    assert before["runbook_runs_total critical"] == 0
    assert before["runbook_service_status critical"] == 1
    assert before["runbook_last_observation_timestamp_seconds"] == pytest.approx(
        (NOW - timedelta(minutes=2)).timestamp()
    )
    assert after["runbook_runs_total degraded"] == 1
    assert after["runbook_probe_passes_total"] == 3
    assert after["runbook_diagnoses_total gateway_failing"] == 1
    assert after["runbook_synthetic_orders_total equity executed"] == 2
    assert after["runbook_synthetic_orders_total equity denied"] == 1
    assert after["runbook_gateway_checks_total XNAS failed"] == 1
    assert after["runbook_gateway_checks_total XNAS passed"] == 2
    assert after["runbook_service_status degraded"] == 1
    assert after["runbook_last_observation_timestamp_seconds"] == pytest.approx(
        (NOW - timedelta(minutes=1)).timestamp()
    )


def test_the_switch_the_lock_and_the_queue_are_told_as_they_are_now(settings: RunbookSettings) -> None:
    """Why nothing is done, or nobody was notified, shows at once."""
    exposition = Exposition(settings)
    before = values(exposition)
    set_mode(settings, Mode.ACT)
    message = Message(key="INC-1/tier_1/opened", incident_id="INC-1", audience=Audience.TIER_1, text="x")
    Outbox(settings.state_dir).put(NAME, message, NOW)
    lease = host_lock.take(settings.state_dir, NAME, "a test")
    after = values(exposition)
    host_lock.release(settings.state_dir, lease)

    assert (before["runbook_mode observe"], before["runbook_mode act"]) == (1, 0)
    assert (after["runbook_mode observe"], after["runbook_mode act"]) == (0, 1)
    assert (before["runbook_messages_waiting"], after["runbook_messages_waiting"]) == (0, 1)
    assert after["runbook_oldest_message_timestamp_seconds"] == pytest.approx(NOW.timestamp())
    assert (
        before["runbook_remediation_in_progress"],
        after["runbook_remediation_in_progress"],
        values(exposition)["runbook_remediation_in_progress"],
    ) == (0, 1, 0)


def test_a_ledger_that_cannot_be_read_is_told_and_the_rest_goes_on(settings: RunbookSettings) -> None:
    """Without the ledger nothing is acted on; whoever watches must see why."""
    settings.ledger_path(NAME).mkdir()
    told = values(Exposition(settings))

    assert told["runbook_source_readable ledger"] == 0
    assert told["runbook_source_readable history"] == 1


def test_our_own_reader_takes_what_we_tell(settings: RunbookSettings) -> None:
    """One bad line, and Prometheus drops the whole scrape."""
    append(settings.ledger_path(NAME), HEALED)
    found = read_exposition(Exposition(settings).text(), NOW)

    assert isinstance(found, MetricsSnapshot)
    assert found.oddities == ()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool of Debian's prometheus is not here")
def test_promtool_finds_no_fault_with_our_names(settings: RunbookSettings) -> None:
    """Base units, counters that end in total, a help text for each: as Prometheus asks."""
    text = Exposition(settings).text()
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False, timeout=30)

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
