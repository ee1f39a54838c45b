"""The timers of §3 while work is planned on what an incident is about, with time passed in."""

from pathlib import Path

from tasks.model.diagnosis.diagnosis import Audience, Cause
from tasks.model.incidents.incident import Event
from tasks.model.incidents.planned_work import PlannedWork
from tests.fakes.incident.escalating import Incident

T3 = Audience.TIER_3


def session(incident: Incident, gateway: str, ends_minute: int) -> Incident:
    """Plan a session at a gateway from the beginning on, and let the incident be about XNAS alone."""
    work = {"name": "test session", "starts": incident.at(0), "ends": incident.at(ends_minute), "gateways": [gateway]}
    incident.planned = (PlannedWork.model_validate(work),)
    incident.happened(Event.OPENED, cause=Cause.DEPENDENCY_UNREACHABLE, tier=T3)
    incident.happened(Event.DIAGNOSED, cause=Cause.DEPENDENCY_UNREACHABLE, tier=T3, gateways=["XNAS"])
    return incident


def test_planned_work_holds_the_pages_that_concern_it_and_lets_them_through_when_it_ends(tmp_path: Path) -> None:
    """The session is over and the venue still rejects: now it is a fault."""
    assert session(Incident(tmp_path / "a"), "XNAS", 30).minutes(1, 36).said == [
        (30, T3, "opened"),
        (35, T3, "again-1"),
    ]
    assert session(Incident(tmp_path / "b"), "XCME", 30).minutes(1, 2).said == [(1, T3, "opened")]


def test_who_was_paged_before_planned_work_began_is_paged_again_after_it(tmp_path: Path) -> None:
    """The wait begins with the end of the session."""
    incident = session(Incident(tmp_path), "XNAS", 30)
    incident.told(0, incident.message(T3, "opened"))

    assert incident.minutes(1, 35).said == [(35, T3, "again-1")]
