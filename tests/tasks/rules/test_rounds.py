"""Who of a host needs more than a look, in which order, and how many at once."""

from datetime import timedelta

import pytest

from tasks.model.diagnosis import Cause, Diagnosis, Status
from tasks.model.evidence import Context, Evidence, TriageRequest
from tasks.model.incident import Event, IncidentState
from tasks.model.looks import Fault, Observation
from tasks.model.modes import Mode
from tasks.model.report import TriageStory
from tasks.model.rounds import (
    OwnTriage,
    RoundLooks,
    RoundRequest,
    RoundStory,
    ServiceSeen,
    Standing,
    Start,
    TriageUnderWay,
)
from tasks.rules.round_markdown import round_line, round_markdown, round_name, round_tags
from tasks.rules.rounds import WORKING_FOR, mode_here, most_urgent_first, notes_of, why_triage, working_count
from tests.fakes.cases import finding, seen
from tests.fakes.looks import NOW, health

ASKED = TriageRequest(service="orders-a")
OPEN = IncidentState(incident_id="INC-1", service="orders-a", state=Event.OPENED, opened_at=NOW)


def story(found: Diagnosis | None = None, look: Observation | None = None, **known: object) -> TriageStory:
    """One look at one service, healthy unless said otherwise."""
    context = Context(request=ASKED, looked_at=NOW, mode=Mode.ACT, late_s=0.0).model_copy(update=known)
    evidence = Evidence(context=context, observations=(look or seen(),))
    return TriageStory(evidence=evidence, diagnosis=found or Diagnosis(status=Status.OK))


def one(
    name: str, standing: Standing = Standing.WELL, status: Status | None = Status.OK, **more: object
) -> ServiceSeen:
    """What a look came to."""
    return ServiceSeen(
        service=name,
        standing=standing,
        because="x",
        looked_at=NOW,
        status=status,
        **more,  # type: ignore[arg-type]
    )


def told(*services: ServiceSeen, triages: tuple[OwnTriage, ...] = ()) -> RoundStory:
    """A round to be told."""
    request = RoundRequest(services=tuple(each.service for each in services), asked=ASKED)
    return RoundStory(request=request, looks=RoundLooks(services=services), triages=triages)


def test_a_healthy_service_with_nothing_pending_needs_no_triage() -> None:
    """The common minute of ninety-nine in a hundred."""
    assert why_triage(story()) == ""


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
    """What one look shows is confirmed by three, in a run of its own."""
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
    request = RoundRequest(services=("a", "b"), asked=ASKED.model_copy(update={"mode": Mode.ACT}))

    assert mode_here(request, RoundLooks(services=(), late=True)) is Mode.OBSERVE
    assert mode_here(request, RoundLooks(services=(), late=False)) is Mode.ACT


def test_a_triage_of_its_own_is_asked_what_the_round_was_asked() -> None:
    """A person's note, alert and mode go down to each."""
    asked = ASKED.model_copy(update={"note": "since the open", "mode": Mode.OBSERVE})
    request = RoundRequest(services=("a", "b"), asked=asked, payload={"alerts": []})

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
    page = round_markdown(told(one("orders-a"), sick, triages=(run,)))

    rows = [line for line in page.splitlines() if line.startswith("| orders")]
    assert rows[0].startswith("| orders-b | needs a triage, critical |")
    assert "[started](http://prefect/run/1)" in rows[0]
    assert rows[1].startswith("| orders-a | well |")
    assert "**service hung (orders-b), confirmed** → " in page


def test_text_from_outside_cannot_forge_a_row() -> None:
    """A service's error text is a stranger's."""
    evil = one("orders-a", Standing.BLIND, None).model_copy(update={"because": "x | well |\n| orders-b | well |"})

    assert "| orders-b | well |" not in round_markdown(told(evil))


def test_the_line_is_short_however_many_are_sick() -> None:
    """It is read aloud on a call."""
    sick = [one(f"orders-{n:02}", Standing.NEEDS_TRIAGE, Status.DEGRADED) for n in range(40)]
    many = told(one("orders-x"), *sick)

    assert round_line(many).startswith("1 of 41 services are healthy; not: orders-00 (degraded), ")
    assert round_line(many).endswith(" and 35 more.")
    assert round_line(told(one("a"), one("b"))).startswith("All 2 services are healthy")
    assert round_name(told(one("a"), one("b"))) == "all 2 services: routine look → 2 healthy"
    assert len(round_name(many)) <= 160
    assert len(round_tags(many)) <= 12
