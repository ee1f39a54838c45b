"""The words of an update: what is broken since when, how the classes stand, what is in force, when the next comes."""

from datetime import timedelta

from tasks.model.diagnosis.diagnosis import Audience, Cause, Diagnosis, Status
from tasks.model.incidents.incident import Action, IncidentState, Outcome
from tasks.model.incidents.maintenance import Maintenance
from tasks.model.messages.messages import Message
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import OrderOutcome, Seen
from tasks.model.remediation.in_force import AUTOMATION, Held, Restriction
from tasks.model.remediation.remediation import IncidentUpdate
from tasks.model.reports.report import TriageStory
from tasks.rules.messages.desk_update import update_messages
from tests.fakes.incident.cases import done_before, finding, unreachable
from tests.fakes.incident.observations import NOW, gateway, observation, order
from tests.fakes.incident.past import routing, with_past

BEGAN = NOW - timedelta(minutes=20)
DOWN = Diagnosis(status=Status.DEGRADED, findings=(unreachable("XNAS"),))
OK = Diagnosis(status=Status.OK)
TIMED_OUT = order(AssetClass.EQUITY, OrderOutcome.TIMED_OUT)
HALT = Restriction(kind=Held.TRADING, name="equity", state="halted", set_by=AUTOMATION, set_at=BEGAN)


def incident(name: str = "INC-1", **changes: object) -> IncidentState:
    """A gateway that the desk was notified of 16 minutes ago."""
    keys = {f"{name}/desk/desk-equity": NOW - timedelta(minutes=16)}
    facts: dict[str, object] = {
        "incident_id": name,
        "service": "order-service",
        "state": "opened",
        "opened_at": BEGAN,
        "causes": (Cause.DEPENDENCY_UNREACHABLE,),
        "asset_classes": (AssetClass.EQUITY,),
        "gateways": ("XNAS",),
        "told": tuple(keys),
        "told_at": keys,
        **changes,
    }
    return IncidentState.model_validate(facts)


def story(
    *incidents: IncidentState, diagnosis: Diagnosis = DOWN, held: Restriction | None = None, **seen: object
) -> TriageStory:
    """A run that sees these incidents."""
    table = routing().model_copy(update={"restrictions": (held,) if held else ()})
    found = with_past((observation(routing=table, **seen),), open_incidents=incidents, desk_every_s=900.0)
    over = tuple(one for one in incidents if one.recovered_at)
    update = IncidentUpdate(observed=tuple(one for one in incidents if one not in over), held=over)
    return TriageStory(evidence=found, diagnosis=diagnosis, incidents=update)


def test_it_says_what_is_broken_how_it_trades_and_when_the_next_one_comes() -> None:
    """All of it was seen a moment ago, and is no constant sentence."""
    (message,) = update_messages(story(incident(), orders=(TIMED_OUT,), gateways=(gateway("XNAS", Seen.FAILED),)))

    assert message.text == (
        "XNAS has been unreachable since 14:40:00Z. "
        "Equity: not trading, the test order to XNAS timed out. "
        "Nobody has acknowledged it yet. Next update by 15:15:00Z."
    )
    assert message.audience is Audience.DESK
    assert message.key == "INC-1/desk/update-1"
    assert message.until == NOW + timedelta(minutes=15)
    assert message.detail.splitlines()[0] == "Equity: not trading, the test order to XNAS timed out."
    assert message.detail.endswith("[INC-1] order-service, mode=act.")


def text(story_: TriageStory) -> str:
    """The words of the one update."""
    (message,) = update_messages(story_)
    return message.text


def test_what_is_in_force_and_what_was_done_is_said() -> None:
    """Nobody reads that a class is degraded while it is halted."""
    action = done_before(15, Outcome.DONE, Action.PAUSE_STRATEGIES)
    taken = {"acknowledged_by": "kim", "acknowledged_at": BEGAN, "actions": (action,)}

    assert text(story(incident(**taken), held=HALT, orders=(TIMED_OUT,))) == (
        "XNAS has been unreachable since 14:40:00Z. EQUITY IS HALTED (by triage, 14:40:00Z). "
        "Pause strategies at 14:45:00Z: done. Acknowledged by kim at 14:40:00Z. Next update by 15:15:00Z."
    )


def test_an_action_without_an_end_is_not_said_to_be_done() -> None:
    """Its run may still be at it, or was killed."""
    begun = done_before(1, None)

    assert "Restart service at 14:59:00Z: no end reported yet. " in text(story(incident(actions=(begun,))))


def test_an_incident_whose_cause_does_not_show_is_not_said_to_be_over() -> None:
    """One good check is no proof."""
    assert text(story(incident(), diagnosis=OK)).startswith(
        "XNAS was unreachable from 14:40:00Z; the last check did not see it, and it is not proven to be over. "
    )


def test_a_blind_check_says_nothing_of_the_service() -> None:
    """Missing data is not health."""
    blind = Diagnosis(status=Status.BLIND, findings=(finding(Cause.MONITOR_BLIND, because=("no socket was left",)),))

    assert text(story(incident(), diagnosis=blind)).startswith(
        "XNAS was unreachable from 14:40:00Z; how it is now is not known. "
        "We cannot see order-service: no socket was left. "
    )


def test_what_stays_in_force_after_its_cause_is_said_until_it_is_lifted() -> None:
    """Equity does not trade: for the desk it is not over."""
    over = incident(recovered_at=NOW - timedelta(minutes=2))

    assert text(story(over, diagnosis=OK, held=HALT, gateways=(gateway("XNAS"),))) == (
        "XNAS was unreachable from 14:40:00Z to 14:58:00Z. order-service is up. "
        "EQUITY IS HALTED (by triage, 14:40:00Z). XNAS answers again: resume equity? Next update by 15:15:00Z."
    )


def test_two_incidents_of_one_service_are_one_update() -> None:
    """One outage is one message, and resets the timer of both; the older one's thread has it."""
    one, two = incident(), incident("INC-2", opened_at=NOW - timedelta(minutes=10))

    (message,) = update_messages(story(two, one, orders=(TIMED_OUT,)))
    assert message.key == "INC-1/desk/update-1"
    assert message.also == {"INC-2/desk/update-1": "INC-2"}
    assert message.text.count("XNAS has been unreachable") == 1


def test_nobody_reads_an_update_beside_newer_words_of_the_same_run() -> None:
    """The desk is asked whether to resume, or reads of another class: the update comes a minute later."""
    due = story(incident())
    page = Message(key="INC-2/tier_1/opened", incident_id="INC-2", audience=Audience.TIER_1, text="x")
    notice = page.model_copy(update={"audience": Audience.DESK})

    assert update_messages(due, (page,))
    assert update_messages(due, (page, notice)) == ()


def test_what_this_run_closed_has_no_update() -> None:
    """The desk reads of its end instead."""
    ended = story(incident(), diagnosis=OK)
    closed = IncidentUpdate(closed=ended.incidents.observed)

    assert update_messages(ended.model_copy(update={"incidents": closed})) == ()


def test_what_planned_work_alone_concerns_has_no_update() -> None:
    """The desk was told beforehand; another incident of the service has its update all the same."""
    window = Maintenance(started_at=BEGAN, until=NOW + timedelta(hours=1), gateways=("XNAS",))

    def during(*incidents: IncidentState) -> TriageStory:
        seen = story(*incidents, orders=(TIMED_OUT,))
        context = seen.evidence.context.model_copy(update={"planned": (window,)})
        return seen.model_copy(update={"evidence": seen.evidence.model_copy(update={"context": context})})

    assert update_messages(during(incident())) == ()
    (message,) = update_messages(during(incident(), incident("INC-2", gateways=("FXALL",))))
    assert (message.key, message.also) == ("INC-2/desk/update-1", {})
