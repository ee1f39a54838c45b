"""Who of a host needs more than a check, in which order, and how many at once."""

from datetime import timedelta

import pytest

from tasks.model.diagnosis.diagnosis import Cause, Diagnosis, Status
from tasks.model.evidence.evidence import Context, Evidence, TriageRequest
from tasks.model.fleet.sweep import (
    OwnTriage,
    ServiceSeen,
    Standing,
    Start,
    SweepObservations,
    SweepRecord,
    SweepRequest,
    TriageUnderWay,
)
from tasks.model.incidents.incident import Event, IncidentState
from tasks.model.incidents.modes import Mode
from tasks.model.probes.probes import Fault, Observation
from tasks.model.reports.report import TriageStory
from tasks.rules.fleet.sweep import (
    WORKING_FOR,
    mode_in_sweep,
    most_urgent_first,
    notes_of,
    sweep_state,
    why_triage,
    working_count,
)
from tasks.rules.fleet.sweep_markdown import sweep_line, sweep_markdown, sweep_name, sweep_tags
from tests.fakes.incident.cases import finding, seen
from tests.fakes.incident.observations import NOW, health

ASKED = TriageRequest(service="orders-a")
OPEN = IncidentState(incident_id="INC-1", service="orders-a", state=Event.OPENED, opened_at=NOW)


def story(found: Diagnosis | None = None, look: Observation | None = None, **known: object) -> TriageStory:
    """One look at one service, healthy unless said otherwise."""
    context = Context(request=ASKED, looked_at=NOW, mode=Mode.ACT, late_s=0.0).model_copy(update=known)
    evidence = Evidence(context=context, observations=(look or seen(),))
    return TriageStory(evidence=evidence, diagnosis=found or Diagnosis(status=Status.OK))


def one(
    name: str, standing: Standing = Standing.HEALTHY, status: Status | None = Status.OK, **more: object
) -> ServiceSeen:
    """What a check came to."""
    return ServiceSeen(
        service=name,
        standing=standing,
        because="x",
        looked_at=NOW,
        status=status,
        **more,  # type: ignore[arg-type]
    )


def told(*services: ServiceSeen, triages: tuple[OwnTriage, ...] = ()) -> SweepRecord:
    """A round to be reported."""
    request = SweepRequest(services=tuple(each.service for each in services), asked=ASKED)
    return SweepRecord(request=request, observations=SweepObservations(services=services), triages=triages)


def test_a_healthy_service_with_nothing_pending_needs_no_triage() -> None:
    """The common minute of ninety-nine in a hundred."""
    assert why_triage(story()) == ""
    assert why_triage(story(follow_ups_due=True)) == "follow-ups are due"


@pytest.mark.parametrize(
    "known",
    [
        {"open_incidents": (OPEN,)},
        {"untold_recoveries": ("INC-1",)},
        {"unwritten_incidents": ("INC-1",)},
    ],
    ids=str,
)
def test_what_is_pending_needs_the_page_though_all_looks_pass(known: dict[str, object]) -> None:
    """An incident is closed, told and written down by a triage; a row in a table does none of it."""
    assert "INC-1" in why_triage(story(**known))


def test_one_failed_look_and_every_cause_need_the_page() -> None:
    """What one check shows is confirmed by three, in a run of its own."""
    assert why_triage(story(look=seen(health=health(Fault.TIMED_OUT))))
    assert (
        why_triage(story(Diagnosis(status=Status.CRITICAL, findings=(finding(Cause.SERVICE_DOWN),)))) == "service down"
    )


def test_an_unreadable_ledger_is_noted_and_the_service_still_looked_at() -> None:
    """Nothing could be recorded, so nothing would be done; who reads the report knows why."""
    unread = story(ledger_detail="LEDGER_UNREADABLE: expected a file", open_incidents=(OPEN,))

    assert why_triage(unread) == ""
    assert notes_of(unread) == ("LEDGER_UNREADABLE: expected a file",)


def test_who_does_not_serve_comes_before_who_only_waits_to_be_closed() -> None:
    """With more sick services than triages at once, the order is what the desk feels."""
    seen_ = (
        one("closing", Standing.NEEDS_TRIAGE),
        one("slow", Standing.NEEDS_TRIAGE, Status.DEGRADED),
        one("well"),
        one("unseen", Standing.BLIND, None),
        one("down", Standing.NEEDS_TRIAGE, Status.CRITICAL),
    )

    assert [each.service for each in most_urgent_first(seen_)] == ["down", "slow", "unseen", "closing"]


def test_a_triage_that_hangs_or_waits_for_a_person_takes_nobodys_place() -> None:
    """Eight hung triages must not keep the ninth service from being seen to."""
    hung = TriageUnderWay(service="a", since=NOW - WORKING_FOR)
    asking = TriageUnderWay(service="b", since=NOW, waits_for_a_person=True)
    working = TriageUnderWay(service="c", since=NOW - WORKING_FOR + timedelta(seconds=1))

    assert working_count((hung, asking, working), NOW) == 1


def test_a_late_round_lets_no_triage_within_it_act() -> None:
    """Rule 11: the triages of a round that began late are as late as it."""
    request = SweepRequest(services=("a", "b"), asked=ASKED.model_copy(update={"mode": Mode.ACT}))

    assert mode_in_sweep(request, SweepObservations(services=(), late=True)) is Mode.OBSERVE
    assert mode_in_sweep(request, SweepObservations(services=(), late=False)) is Mode.ACT


def test_a_triage_of_its_own_is_asked_what_the_round_was_asked() -> None:
    """A person's note, alert and mode go down to each."""
    asked = ASKED.model_copy(update={"note": "since the open", "mode": Mode.OBSERVE})
    request = SweepRequest(services=("a", "b"), asked=asked, payload={"alerts": []})

    assert request.parameters("b") == {
        "service": "b",
        "note": "since the open",
        "mode": "observe",
        "payload": {"alerts": []},
    }


def test_the_report_has_a_row_for_each_and_the_sick_ones_first_with_a_link() -> None:
    """At a glance: who is not well, and where its own report is."""
    sick = one("orders-b", Standing.NEEDS_TRIAGE, Status.CRITICAL, findings=(finding(Cause.SERVICE_HUNG),))
    run = OwnTriage(service="orders-b", start=Start.STARTED, run_url="http://prefect/run/1")
    page = sweep_markdown(told(one("orders-a"), sick, triages=(run,)))

    rows = [line for line in page.splitlines() if line.startswith("| orders")]
    assert rows[0].startswith("| orders-b | needs a triage, critical |")
    assert "[started](http://prefect/run/1)" in rows[0]
    assert rows[1].startswith("| orders-a | healthy |")
    assert "**service hung (orders-b), confirmed** → " in page


def test_text_from_outside_cannot_forge_a_row() -> None:
    """A service's error text is a stranger's."""
    evil = one("orders-a", Standing.BLIND, None).model_copy(update={"because": "x | healthy |\n| orders-b | healthy |"})

    assert "| orders-b | healthy |" not in sweep_markdown(told(evil))


def test_the_line_is_short_however_many_are_sick() -> None:
    """It is read aloud on a call."""
    sick = [one(f"orders-{n:02}", Standing.NEEDS_TRIAGE, Status.DEGRADED) for n in range(40)]
    many = told(one("orders-x"), *sick)

    assert sweep_line(many).startswith("1 of 41 services are healthy; not: orders-00 (degraded), ")
    assert sweep_line(many).endswith(" and 35 more.")
    assert sweep_line(told(one("a"), one("b"))).startswith("All 2 services are healthy")
    assert sweep_name(told(one("a"), one("b"))) == "healthy: all 2 services"
    assert len(sweep_name(many)) <= 160
    assert len(sweep_tags(many)) <= 12


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        ((), "Healthy"),
        (((Standing.BLIND, None),), "Blind"),
        (((Standing.BLIND, None), (Standing.RESTRICTED, Status.OK)), "Degraded"),
        (((Standing.NEEDS_TRIAGE, Status.OK),), "Degraded"),
        (((Standing.NEEDS_TRIAGE, Status.BLIND),), "Blind"),
        (((Standing.NEEDS_TRIAGE, Status.DEGRADED), (Standing.NEEDS_TRIAGE, Status.CRITICAL)), "Critical"),
    ],
)
def test_a_sweep_ends_in_a_state_that_says_how_the_worst_service_is(
    seen: tuple[tuple[Standing, Status | None], ...], state: str
) -> None:
    """Prefect's list of a thousand sweeps shows the one in which something was wrong."""
    services = ((Standing.HEALTHY, Status.OK), *seen)
    found = tuple(
        ServiceSeen(service=f"s{number}", standing=standing, status=status, because="", looked_at=NOW)
        for number, (standing, status) in enumerate(services)
    )

    assert sweep_state(SweepObservations(services=found)) == state
