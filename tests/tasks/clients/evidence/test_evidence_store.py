"""Keeping the evidence of unhealthy runs: whole, compressed, bounded, and found again."""

import gzip
from datetime import timedelta
from pathlib import Path

import pytest

from tasks.clients.evidence import store
from tasks.clients.evidence.history import history_path, recall_observations
from tasks.clients.evidence.store import list_runs, load_run, runs_of_incident, save_run
from tasks.model.diagnosis.diagnosis import Cause
from tasks.model.errors import CannotAct, CannotObserve, Code
from tasks.model.evidence.stored_run import StoredRun
from tasks.model.incidents.incident import Event, IncidentState
from tasks.model.probes.probes import Fault, OrderOutcome
from tasks.model.probes.processes import ProcessState
from tasks.record.store_evidence import stored_evidence
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.rules.diagnosis.replay import replayed
from tasks.settings import RunbookSettings
from tests.fakes.incident.observations import NOW, evidence, health, observation, order, process, three


def run(after_s: float = 0.0) -> StoredRun:
    """A run that found the service down."""
    down = three(
        health=health(Fault.REFUSED),
        process=process(ProcessState.DEAD),
        orders=(order(outcome=OrderOutcome.NOT_REACHED),),
    )
    moved = tuple(
        one.model_copy(update={"looked_at": one.looked_at + timedelta(seconds=after_s)}) for one in down.observations
    )
    seen = down.model_copy(update={"observations": moved})
    return StoredRun(stored_at=NOW + timedelta(seconds=after_s), evidence=seen, diagnosis=name_cause(seen))


def test_a_kept_run_is_read_back_whole_and_named_alike(tmp_path: Path) -> None:
    """What cannot be read back bit for bit proves nothing about a changed rule."""
    kept = run()
    found = load_run(save_run(tmp_path, kept))

    assert found == kept
    assert replayed(found).same


def test_evidence_that_is_no_text_is_told_and_stops_nobody(tmp_path: Path) -> None:
    """To keep it comes before telling, and must never be what keeps an incident from being reported."""
    kept = run()
    latest = kept.evidence.latest
    torn = latest.model_copy(update={"health": latest.health.model_copy(update={"detail": "\udcff"})})
    evidence = kept.evidence.model_copy(update={"observations": (torn,)})

    with pytest.raises(CannotAct) as refused:
        save_run(tmp_path, kept.model_copy(update={"evidence": evidence}))

    assert refused.value.code is Code.SINK_UNWRITABLE


def test_a_changed_rule_shows_as_a_difference(tmp_path: Path) -> None:
    """Whoever changes a threshold sees which past incidents would have been named otherwise."""
    kept = run()
    other = kept.diagnosis.findings[0].model_copy(update={"cause": Cause.SERVICE_HUNG})
    changed = kept.model_copy(update={"diagnosis": kept.diagnosis.model_copy(update={"findings": (other,)})})
    answer = replayed(load_run(save_run(tmp_path, changed)))

    assert [(one.place, one.then, one.now) for one in answer.differences] == [
        ("findings[0].cause", "service_hung", "service_down")
    ]


def test_the_oldest_runs_go_when_there_are_too_many_or_they_are_too_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A night of failing runs must not fill the disk."""
    monkeypatch.setattr(store, "KEPT_COUNT", 3)
    paths = [save_run(tmp_path, run(after_s)) for after_s in (0, 60, 120, 180, 240)]
    assert list_runs(tmp_path, "order-service") == tuple(paths[2:])

    save_run(tmp_path, run(15 * 86_400))
    assert len(list_runs(tmp_path, "order-service")) == 1


def test_the_runs_of_an_incident_are_those_of_its_cause_while_it_was_open(tmp_path: Path) -> None:
    """`runbook replay --incident` needs no other bookkeeping."""
    runs = [save_run(tmp_path, run(after_s)) for after_s in (-600, -60, 0, 60, 600)]
    incident = IncidentState(
        incident_id="I",
        service="order-service",
        state=Event.OPENED,
        opened_at=NOW + timedelta(seconds=5),
        closed_at=NOW + timedelta(seconds=300),
        causes=(Cause.SERVICE_DOWN,),
    )

    # The run a minute earlier is of an incident that ended just before this one began.
    assert runs_of_incident(tmp_path, incident) == (runs[2], runs[3])
    assert runs_of_incident(tmp_path, incident.model_copy(update={"causes": (Cause.BAD_RELEASE,)})) == ()


@pytest.mark.parametrize(
    "content", [b"", b"no gzip", gzip.compress(b"{}", mtime=0)[:-6], gzip.compress(b'{"version": 2}', mtime=0)]
)
def test_a_damaged_or_foreign_file_is_an_error_of_one_line(tmp_path: Path, content: bytes) -> None:
    """A torn file is named; it is not a traceback."""
    path = tmp_path / "run.json.gz"
    path.write_bytes(content)

    with pytest.raises(CannotObserve) as caught:
        load_run(path)
    assert caught.value.code is Code.FILE_UNREADABLE
    assert "\n" not in caught.value.detail


def test_a_store_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    """Evidence is worth much, healing more."""
    (tmp_path / "evidence").write_text("a file in the way")
    settings = RunbookSettings(state_dir=tmp_path)
    kept = run()

    with pytest.raises(CannotAct):
        save_run(tmp_path, kept)
    assert "SINK_UNWRITABLE" in stored_evidence(settings, kept.evidence, kept.diagnosis)
    assert recall_observations(history_path(settings, "order-service"), kept.evidence.latest.looked_at)


def test_a_healthy_run_keeps_one_line_and_no_file(tmp_path: Path) -> None:
    """A quiet year costs a few megabytes."""
    settings = RunbookSettings(state_dir=tmp_path)
    well = evidence(observation())
    stored_evidence(settings, well, name_cause(well))

    assert list_runs(tmp_path, "order-service") == ()
    assert len(recall_observations(history_path(settings, "order-service"), NOW)) == 1
