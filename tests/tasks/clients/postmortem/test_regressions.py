"""Keeping an incident as a fixture: the run that decided, what is expected of it, and a file that a person corrects."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tasks.clients.evidence.store import save_run
from tasks.model.diagnosis.diagnosis import Cause, Confidence
from tasks.model.evidence.stored_run import StoredRun
from tasks.model.incidents.incident import Event, IncidentState
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import OrderOutcome, Seen
from tasks.rules.diagnosis.replay import replay
from tasks.work.postmortem.regressions import first_run, keep_regression, list_regressions, replay_regression
from tests.fakes.incident import observations
from tests.fakes.incident.observations import NOW

INCIDENT = IncidentState(
    incident_id="INC-1",
    service="order-service",
    state=Event.CLOSED,
    opened_at=NOW,
    closed_at=NOW + timedelta(minutes=9),
    causes=(Cause.DEPENDENCY_UNREACHABLE,),
)


def run(after_s: float, rounds_count: int = 3) -> StoredRun:
    """A run that found XNAS dead; one pass of checks is not yet sure."""
    dead = (observations.gateway("XNAS", Seen.FAILED), observations.gateway("FXALL"))
    orders = (observations.order(outcome=OrderOutcome.DENIED), observations.order(AssetClass.FX))
    rounds = (observations.observation(after_s + n * 2.0, gateways=dead, orders=orders) for n in range(rounds_count))
    seen = observations.evidence(*rounds)
    return StoredRun(stored_at=NOW, evidence=seen, diagnosis=replay(seen))


def test_the_first_run_that_was_sure_is_kept(tmp_path: Path) -> None:
    """A first suspicion would be a test of the suspicion."""
    for after_s, rounds_count in ((0.0, 1), (60.0, 3), (120.0, 3)):
        save_run(tmp_path, run(after_s, rounds_count))
    found = first_run(tmp_path, INCIDENT)

    assert found is not None
    assert found.evidence.observations[0].looked_at == NOW + timedelta(seconds=60)
    assert found.diagnosis.findings[0].confidence is Confidence.CONFIRMED


def test_a_run_that_only_suspected_is_better_than_none(tmp_path: Path) -> None:
    """Some incidents are over before anybody is sure."""
    path = save_run(tmp_path, run(0.0, 1))
    path.with_name(path.name.replace("150000", "145959")).write_bytes(b"torn")

    assert first_run(tmp_path, INCIDENT) == run(0.0, 1)
    assert first_run(tmp_path, INCIDENT.model_copy(update={"causes": (Cause.BAD_RELEASE,)})) is None


def test_a_kept_fixture_replays_and_is_not_written_over(tmp_path: Path) -> None:
    """What a person corrected is what counts from then on."""
    name = keep_regression(tmp_path, INCIDENT, run(0.0), NOW)
    (path,) = list_regressions(tmp_path)
    assert (path.name, replay_regression(path).same) == (name, True)

    fixture = json.loads(path.read_text("utf-8"))
    fixture["expected"][0]["tier"] = "tier_2"
    path.write_text(json.dumps(fixture), "utf-8")
    keep_regression(tmp_path, INCIDENT, run(0.0), NOW)
    found = replay_regression(path)

    assert [(one.place, one.then, one.now) for one in found.differences] == [("causes[0].tier", "tier_2", "tier_3")]


@pytest.mark.parametrize("expected", [[], ["dependency_unreachable", "infrastructure"]])
def test_a_cause_too_many_or_too_few_is_a_change(tmp_path: Path, expected: list[str]) -> None:
    """A second cause that is no longer named is a person who is no longer called."""
    keep_regression(tmp_path, INCIDENT, run(0.0), NOW)
    (path,) = list_regressions(tmp_path)
    fixture = json.loads(path.read_text("utf-8"))
    fixture["expected"] = [{**fixture["expected"][0], "cause": cause} for cause in expected]
    path.write_text(json.dumps(fixture), "utf-8")

    assert not replay_regression(path).same


def test_a_fixture_without_its_evidence_is_named(tmp_path: Path) -> None:
    """It says nothing of the rules, and does not pass either."""
    keep_regression(tmp_path, INCIDENT, run(0.0), NOW)
    next((tmp_path / "regressions").glob("*.json.gz")).unlink()
    (path,) = list_regressions(tmp_path)

    assert "FILE_UNREADABLE" in replay_regression(path).unreadable
    assert not replay_regression(path).same
