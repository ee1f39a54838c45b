"""Old lines go into the archive, word for word: none is lost, none stands twice, and every writer goes on."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import tasks.clients.incidents.ledger_reading as reading
from deployments.monitoring.sources import ServiceSources
from order_service.runtime.files import append_line as append_by_the_service
from tasks.clients.incidents import archiving
from tasks.clients.incidents.archiving import archive_path
from tasks.clients.incidents.ledger import append, append_or_keep, read_everything, read_ledger, tidy
from tasks.model.incidents.incident import Event, LedgerRecord, Source
from tasks.model.incidents.ledger_file import LedgerPlace
from tasks.rules.incidents.action_history import REARMED_TYPE, action_history
from tasks.rules.incidents.fold import fold_incidents
from tasks.settings import RunbookSettings, ServiceSettings
from tasks.work.postmortem.case import known_case
from tests.fakes.process.killing import killed_at_line

NOW = datetime.now(UTC).replace(microsecond=0)
SERVICE = "order-service"
KEEP = timedelta(days=30)
THEIRS = b'{"timestamp": "2026-11-23T15:00:00Z", "type": "theirs", "service": "order-service"}'


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Archive however small the ledger is."""
    monkeypatch.setattr(archiving, "ARCHIVE_OVER_BYTES", 0)


def record(days: float, event: Event | None, incident: str | None, **details: object) -> LedgerRecord:
    """One record, so many days old."""
    return LedgerRecord(
        timestamp=NOW - timedelta(days=days),
        type="health_check_error",
        service=SERVICE,
        incident_id=incident,
        event=event,
        source=Source.TRIAGE,
        details={"key": f"{incident}/restart_service", "action": "restart_service", **details},
    )


def story(incident: str, days: float, *, ends: str | None = "recovered", closes: bool = True) -> list[LedgerRecord]:
    """An incident with one action."""
    records = [record(days, Event.OPENED, incident), record(days, Event.ACTION_STARTED, incident)]
    records += [record(days, Event.ACTION_FINISHED, incident, outcome=ends)] if ends else []
    return [*records, *([record(days, Event.CLOSED, incident)] if closes else [])]


def place_in(folder: Path) -> LedgerPlace:
    """A ledger with old and new incidents, open and closed."""
    place = LedgerPlace(path=folder / "incidents.jsonl", state_dir=folder / "state")
    rearmed = record(80, Event.ACKNOWLEDGED, None).model_copy(update={"type": REARMED_TYPE, "source": Source.OPERATOR})
    records = [
        *story("OLD-1", 90),
        rearmed,
        *story("OPEN", 70, closes=False),
        *story("HALF", 60, ends=None),
        *story("OLD-2", 50),
        record(50, None, None),
        *story("NEW", 1),
    ]
    append(place, records)
    read_ledger(place)
    return place


def lines_of(place: LedgerPlace) -> list[bytes]:
    """Every line there is, in both files."""
    archive = archive_path(place.path)
    return [*(archive.read_bytes().splitlines() if archive.exists() else []), *place.path.read_bytes().splitlines()]


def test_what_is_over_is_archived_and_what_is_not_stays(tmp_path: Path) -> None:
    """Open incidents, half-done actions and a person's re-arm bear on decisions, however old."""
    place = place_in(tmp_path)
    before, states = lines_of(place), fold_incidents(read_ledger(place), SERVICE)
    history = action_history(read_ledger(place).records, SERVICE, NOW)

    moved = tidy(place, KEEP, NOW)

    left = {one.incident_id for one in fold_incidents(read_ledger(place), SERVICE)}
    assert moved == 9
    assert left == {"OPEN", "HALF", "NEW"}
    assert sorted(lines_of(place)) == sorted(before)
    assert sorted(one.incident_id for one in fold_incidents(read_everything(place), SERVICE)) == sorted(
        one.incident_id for one in states
    )
    after = action_history(read_ledger(place).records, SERVICE, NOW)
    assert after.half_done == history.half_done
    assert tidy(place, KEEP, NOW) == 0, "once an hour at most"


def test_our_own_archiving_is_no_loss(tmp_path: Path) -> None:
    """The ledger became shorter by our own hand, also for a process that read it before, and for the next one."""
    place = place_in(tmp_path)
    tidy(place, KEEP, NOW)

    assert len(read_ledger(place).records) == 11
    reading._known.clear()
    append(place, [record(0, None, None)])
    assert len(read_ledger(place).records) == 12


def test_the_order_service_writes_on_in_the_new_file(tmp_path: Path) -> None:
    """It opens the ledger for each line, under the same lock."""
    place = place_in(tmp_path)
    tidy(place, KEEP, NOW)

    append_by_the_service(place.path, THEIRS)

    assert read_ledger(place).records[-1].type == "theirs"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("writes_between", [False, True])
def test_wherever_the_archiver_is_killed_nothing_is_lost_and_nothing_doubled(
    tmp_path: Path, *, writes_between: bool
) -> None:
    """Kill it at each of its lines; the order service may write on before anybody puts it right."""
    number = 0
    while True:
        number += 1
        place = place_in(tmp_path / str(number))
        before = lines_of(place)
        with killed_at_line(number, "archiving.py", "atomic.py") as run:
            tidy(place, KEEP, NOW)
        if run[0] < number:
            break
        if writes_between:
            append_by_the_service(place.path, THEIRS)
            before.append(THEIRS)
        reading._known.clear()
        append_or_keep(place, [record(0, None, None)])
        read_ledger(place)
        found = lines_of(place)
        assert len(found) == len(before) + 1, number
        assert set(before) <= set(found), number

    assert number > 60


def test_a_ledger_of_another_owner_or_with_another_name_is_left_alone(tmp_path: Path) -> None:
    """A hard link would go on in the old file, and its lines would be lost."""
    place = place_in(tmp_path)
    os.link(place.path, tmp_path / "also.jsonl")

    assert tidy(place, KEEP, NOW) == 0
    assert len(read_ledger(place).records) == 20


def test_a_line_written_lately_with_an_old_time_stays(tmp_path: Path) -> None:
    """A clock that jumped back a year would otherwise take a restart out of its budget."""
    place = place_in(tmp_path)
    append(place, story("JUMP", 400))

    tidy(place, KEEP, NOW)

    assert "JUMP" in {one.incident_id for one in fold_incidents(read_ledger(place), SERVICE)}


def test_the_counts_and_the_postmortem_still_know_what_was_archived(tmp_path: Path) -> None:
    """A counter that falls is a false alarm; a postmortem of last year is asked for by the auditor."""
    place = place_in(tmp_path)
    service = ServiceSettings(incidents_file=place.path)
    settings = RunbookSettings(state_dir=tmp_path / "state", services={SERVICE: service})
    sources = ServiceSources(settings, SERVICE)
    before = sources.read().ledger
    tidy(place, KEEP, NOW)
    after = sources.read().ledger

    assert (after.opened, after.started, after.results, after.known) == (
        before.opened,
        before.started,
        before.results,
        before.known,
    )
    assert known_case(settings, SERVICE, "OLD-1").incident.closed_at == NOW - timedelta(days=90)
