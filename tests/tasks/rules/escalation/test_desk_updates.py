"""The desk is notified again while an incident is not over: never twice, never late, whoever runs when."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.clients.messages.outbox import Outbox
from tasks.model.diagnosis.diagnosis import Audience, Cause, Diagnosis, Status
from tasks.model.incidents.incident import Event, IncidentState, Source
from tasks.model.incidents.maintenance import Maintenance
from tasks.model.messages.messages import Message
from tasks.model.remediation.remediation import IncidentUpdate
from tasks.model.reports.report import TriageStory
from tasks.rules.escalation.desk_updates import next_update_at, update_is_due
from tasks.rules.messages.desk_update import update_messages
from tests.fakes.incident.cases import finding
from tests.fakes.incident.escalating import INCIDENT, OPEN, SERVICE, Incident
from tests.fakes.incident.observations import evidence, observation

EVERY_S = 900.0
HUNG = Diagnosis(status=Status.CRITICAL, findings=(finding(),))


def opened(folder: Path) -> Incident:
    """An incident of which the desk was notified in its first minute."""
    incident = Incident(folder).opened()
    incident.told(0, incident.message(Audience.DESK, "desk-equity"))
    return incident


def updates(minutes: float, state: IncidentState, window: Maintenance | None = None) -> tuple[Message, ...]:
    """What a run that begins at a minute writes to the desk, by the ledger as it read it."""
    seen, update = evidence(observation()), IncidentUpdate(observed=(state,))
    facts = {"looked_at": at(minutes), "desk_every_s": EVERY_S, "maintenance": window}
    context = seen.context.model_copy(update=facts)
    story = TriageStory(evidence=seen.model_copy(update={"context": context}), diagnosis=HUNG, incidents=update)
    return update_messages(story)


def run(incident: Incident, minutes: float, state: IncidentState | None = None) -> None:
    """Write, queue and deliver, as a run does; what is recorded already is not sent again."""
    for message in updates(minutes, state or incident.state):
        entry = Outbox(incident.folder).put(SERVICE, message, incident.at(minutes))
        Outbox(incident.folder).remove(entry)
        if message.key not in incident.state.told:
            incident.told(minutes, message)
            incident.said.append((minutes, message.audience, message.key.split("/", 2)[2]))


def test_the_desk_is_notified_every_fifteen_minutes_until_it_is_over(tmp_path: Path) -> None:
    """Its notice promised: ETA 15m."""
    incident = opened(tmp_path)
    for minute in range(5, 50, 5):
        run(incident, minute)
    incident.closed(50)
    for minute in (51, 65, 80):
        run(incident, minute)

    assert incident.said == [(15, "desk", "update-1"), (30, "desk", "update-2"), (45, "desk", "update-3")]


def test_an_overdue_update_is_sent_once_and_the_next_one_counts_from_it(tmp_path: Path) -> None:
    """No run came for an hour: four updates at once would say the same thing four times."""
    incident = opened(tmp_path)
    for minute in (1, 61, 62, 63, 75, 76, 77):
        run(incident, minute)

    assert [minute for minute, _, _ in incident.said] == [61, 76]


def test_two_runs_that_read_the_same_ledger_send_one_update(tmp_path: Path) -> None:
    """Two workers, or a run that was late: both write the same key, whatever their clocks say."""
    incident = opened(tmp_path)
    before = incident.state
    run(incident, 15, before)
    run(incident, 44, before)

    assert [about for _, _, about in incident.said] == ["update-1"]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(1, 90), st.integers(0, 3)), max_size=20))
def test_no_update_is_doubled_and_none_is_lost(runs: list[tuple[int, int]]) -> None:
    """At whatever minutes runs come, and however old the ledger is that each has read."""
    sent = {"desk-equity": 0.0}
    states = [known(sent)]
    for minute, behind in sorted(runs):
        for message in updates(minute, states[max(0, len(states) - 1 - behind)]):
            sent.setdefault(message.key.split("/", 2)[2], minute)
        states.append(known(sent))
        assert behind or not update_is_due(states[-1], EVERY_S, at(minute))
    minutes = list(sent.values())

    assert all(later - earlier >= 15 for earlier, later in pairwise(minutes))


def test_whatever_the_desk_reads_counts() -> None:
    """It has just read that equity is halted: nothing newer can be said."""
    state = known(told={"desk-equity": 0, "desk-pause_strategies-equity-halted": 10})

    assert next_update_at(state, EVERY_S, at(12)) == at(25)
    assert not update_is_due(state, EVERY_S, at(23.9))
    assert update_is_due(state, EVERY_S, at(24.1))


def test_what_the_desk_was_not_notified_of_has_no_update() -> None:
    """A page to the on-call promises the desk nothing; neither does a person's own order, or a setting of 0."""
    assert next_update_at(known(told={}), EVERY_S, at(60)) is None
    assert next_update_at(known(told={"desk-equity": 0}, causes=()), EVERY_S, at(60)) is None
    assert next_update_at(known(told={"desk-equity": 0}), 0.0, at(60)) is None
    assert next_update_at(known(told={"desk-equity": 0}, closed_at=at(5)), EVERY_S, at(60)) is None


def test_a_time_in_the_future_holds_no_update_up() -> None:
    """Some host's clock was wrong when it wrote the ledger."""
    assert next_update_at(known(told={"desk-equity": 600}), EVERY_S, at(1)) == at(1)
    assert next_update_at(known(told={"desk-equity": 600, "update-1": 1}), EVERY_S, at(2)) == at(16)


def test_what_was_reported_before_it_came_back_does_not_count() -> None:
    """The incident that was reopened is a new one for the desk, which reads a new notice."""
    again = known(told={"desk-equity": 0, "desk-equity#2": 40}, reopened=1)

    assert next_update_at(again, EVERY_S, at(41)) == at(55)
    assert next_update_at(known(told={"desk-equity": 0}, reopened=1), EVERY_S, at(41)) is None


def test_a_maintenance_window_ends_the_updates(tmp_path: Path) -> None:
    """Whoever works on the service has said so; after the window the desk reads at once what is still broken."""
    state = opened(tmp_path).state
    window = Maintenance(started_at=at(5), until=at(30))

    assert updates(20, state, window) == ()
    assert len(updates(31, state)) == 1


def test_an_acknowledgement_does_not_stop_the_updates(tmp_path: Path) -> None:
    """Somebody has it; the desk still waits for its orders, and reads who."""
    incident = opened(tmp_path)
    incident.happened(Event.ACKNOWLEDGED, 5, source=Source.OPERATOR, by="kim")

    (message,) = updates(15, incident.state)
    assert "Acknowledged by kim at 15:05:00Z." in message.text


def at(minutes: float) -> datetime:
    """A time after it began."""
    return OPEN + timedelta(minutes=minutes)


def known(told: Mapping[str, float], **changes: object) -> IncidentState:
    """An incident of which the desk read these messages, each at its minute."""
    keys = {f"{INCIDENT}/desk/{about}": at(minutes) for about, minutes in told.items()}
    facts = {"causes": (Cause.SERVICE_HUNG,), "told": tuple(keys), "told_at": keys, **changes}
    return IncidentState.model_validate(
        {"incident_id": INCIDENT, "service": SERVICE, "state": "opened", "opened_at": OPEN, **facts}
    )
