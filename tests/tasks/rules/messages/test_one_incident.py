"""What people receive of one incident, word for word: a hang with a dead gateway, opened and acted on."""

from collections import Counter
from datetime import timedelta

import pytest

from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.incidents.incident import Action, IncidentState, LedgerRecord, Outcome
from tasks.model.incidents.modes import Mode
from tasks.model.messages.messages import Message
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Fault, OrderOutcome, Seen
from tasks.model.probes.processes import ProcessState
from tasks.model.remediation.plan import PlannedAction
from tasks.model.remediation.remediation import ActionResult, Recovery
from tasks.model.reports.report import TriageStory
from tasks.record.record_incidents import update_of
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.rules.incidents.fold import fold_incidents
from tasks.rules.incidents.message_keys import about_of
from tasks.rules.incidents.transitions import OpenLedger, incident_changes, told_records
from tasks.rules.messages.opening import opening_messages
from tasks.rules.messages.outcome import remediation_messages
from tasks.rules.messages.resume_offer import resume_messages
from tasks.rules.remediation.branches import remediation_case
from tasks.rules.remediation.planning.due import is_due, may_follow, not_tried, sum_up, worth_trying
from tasks.rules.remediation.planning.plan import make_plan
from tests.fakes.incident.cases import inputs
from tests.fakes.incident.observations import NOW, gateway, health, observation, order, process, three

SERVICE = "order-service"
CLASSES = {"XNAS": AssetClass.EQUITY, "FXALL": AssetClass.FX}


class Incident:
    """A triage over the rules alone: found, planned, done as planned; what was sent at its beginning and its end."""

    def __init__(self, *dead: str, mode: Mode = Mode.ACT) -> None:
        self._records: list[LedgerRecord] = []
        broken = {
            "health": health(Fault.TIMED_OUT),
            "process": process(ProcessState.STOPPED),
            "orders": tuple(order(name, OrderOutcome.TIMED_OUT) for name in CLASSES.values()),
            "gateways": tuple(gateway(name, Seen.FAILED if name in dead else Seen.PASSED) for name in CLASSES),
        }
        seen = observation(**broken)
        context = inputs(seen=seen, mode=mode).evidence.context
        evidence = three(**broken).model_copy(update={"context": context})
        diagnosis = name_cause(evidence)
        ledger = OpenLedger(service=SERVICE, now=NOW, incidents=(), closed=())
        self._changes = incident_changes(diagnosis, evidence, ledger, lambda cause: f"INC-{cause}")
        self._records += self._changes
        ids = {cause: one.incident_id for one in self._incidents() for cause in one.causes}
        plan = make_plan(inputs(found=diagnosis.findings, seen=seen, mode=mode), ids)
        story = TriageStory(evidence=evidence, diagnosis=diagnosis).having(plan=plan)
        self.opening = self._sent(self._now(story), (opening_messages, resume_messages))
        results: tuple[ActionResult, ...] = ()
        for one in plan.actions:
            if is_due(one, results) and may_follow(one, results):
                results = (*results, done(one) if worth_trying(one) else not_tried(one))
        story = story.having(remediation=sum_up(remediation_case(self._now(story), plan), results, None))
        self.closing = self._sent(self._now(story), (remediation_messages,))
        self.repeated = self._sent(self._now(story), (opening_messages, resume_messages, remediation_messages))

    def _now(self, story: TriageStory) -> TriageStory:
        return story.having(incidents=update_of(self._incidents(), self._changes, acting=False))

    def _incidents(self) -> tuple[IncidentState, ...]:
        return fold_incidents(self._records, SERVICE)

    def _sent(self, story: TriageStory, writers: tuple[object, ...]) -> tuple[Message, ...]:
        sent: tuple[Message, ...] = tuple(one for write in writers for one in write(story))  # type: ignore[operator]
        known = {one.incident_id: one for one in self._incidents()}
        for one in sent:
            for key, incident_id in one.stands_for.items():
                details: dict[str, object] = {"key": key, "audience": one.audience}
                self._records += told_records(known[incident_id], one, details, NOW)
        return sent


def done(one: PlannedAction) -> ActionResult:
    """The action is done, and a restart is proven to help."""
    proven = Recovery(outcome=Outcome.RECOVERED, detail="healthy for 10 s", ended_at=NOW + timedelta(seconds=20))
    return ActionResult(
        planned=one,
        outcome=Outcome.DONE,
        detail="done",
        started_at=NOW,
        finished_at=NOW + timedelta(seconds=10),
        recovery=proven if one.action is Action.RESTART_SERVICE else None,
    )


def words(messages: tuple[Message, ...]) -> list[tuple[Audience, str]]:
    """Who reads what, in order."""
    return [(one.audience, one.text) for one in messages]


BLIND = (
    "expected to read what is in force, found it unreadable, and mark degraded XNAS may loosen it; "
    "to halt is always allowed"
)
UNKNOWN = (
    "expected the alternates of equity, found the routing table unreadable: it was not read; "
    "planned again once the service answers"
)
TEMPLATE = (
    "Incident: order-routing health checks failing since 2026-11-23T15:00:00.000Z. Errors: dependency_unreachable: "
    "gateway XNAS does not answer a direct probe: failed. "
    "Key artifacts: incidents.jsonl, service logs, sample failing request/response.\n"
)


def test_a_hang_with_a_dead_gateway_is_one_message_to_each_who_must_know_and_one_of_its_end() -> None:
    """At 3 a.m. on-call reads of the hang, the platform of the gateway, the desk of its classes; each of it once."""
    incident = Incident("XNAS")

    assert words(incident.opening) == [
        (
            Audience.TIER_1,
            (
                "order-service has been hung since 15:00:00Z. Acknowledge: `runbook ack INC-service_hung`.\n"
                "Plan:\n1. restart service\n"
                "Why: health did not answer in 3 of 3 checks, for 4.0 s; "
                "the process is stopped by a signal: pid=4321.\n"
                "§2.1, confirmed. [INC-service_hung] order-service, mode=act."
            ),
        ),
        (
            Audience.TIER_3,
            (
                f"{TEMPLATE}"
                "XNAS is unreachable. Acknowledge: `runbook ack INC-dependency_unreachable`.\n"
                f"Plan:\n1. mark degraded XNAS: BLIND, {BLIND}\n2. reroute orders equity: INPUT_UNKNOWN, {UNKNOWN}\n"
                "3. pause strategies equity halted (only if that is not done)\n"
                "§2.1, confirmed. [INC-dependency_unreachable] order-service, mode=act."
            ),
        ),
        (
            Audience.DESK,
            (
                "We are experiencing degraded order routing for equity and fx. Investigating. Orders may be delayed. "
                "ETA 15m."
            ),
        ),
    ]
    assert words(incident.closing) == [
        (
            Audience.TIER_1,
            (
                "order-service recovered at 15:00:20Z after restart service: healthy for 10 s. "
                "[INC-service_hung] order-service, mode=act."
            ),
        ),
        (
            Audience.TIER_3,
            (
                f"XNAS has been unreachable since 15:00:00Z. Not done: mark degraded XNAS: {BLIND} (BLIND). "
                f"Not done: reroute orders equity: {UNKNOWN} (INPUT_UNKNOWN). "
                "Equity trading is halted. Cancels still go through. "
                "It stays halted until someone resumes it. [INC-dependency_unreachable] order-service, mode=act."
            ),
        ),
        (
            Audience.DESK,
            "Equity trading is halted. Cancels still go through. It stays halted until someone resumes it.",
        ),
    ]


def test_a_plan_that_waits_says_in_one_line_what_silence_means() -> None:
    """Who is asked reads the question, and one line of what is done without an answer, however many classes it is."""
    plan = Incident("XNAS", mode=Mode.PROPOSE).opening[0].text.partition("Plan:\n")[2].partition("\nWhy:")[0]

    assert plan == (
        "1. restart service: APPROVAL_NEEDED, mode=propose; a person must approve: "
        "`runbook approve INC-service_hung`, or the form in the Prefect UI\n"
        "If nobody answers: halt equity and fx"
    )


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("dead", [(), ("XNAS",), ("FXALL",), ("XNAS", "FXALL")])
def test_nobody_receives_two_messages_of_one_event(dead: tuple[str, ...], mode: Mode) -> None:
    """A phone that rings four times in a minute is turned off: one message for each audience at each event."""
    incident = Incident(*dead, mode=mode)

    for sent in (incident.opening, incident.closing):
        several = [who for who, count in Counter((one.audience, one.incident_id) for one in sent).items() if count > 1]
        assert several == [], [one.text for one in sent]
    for sent in (incident.opening, incident.closing):
        desk = [one for one in sent if one.audience is Audience.DESK]
        assert len(desk) <= 1, "the desk has one notice of one outage, whatever it is called"
    keys = [(one.audience, one.key) for one in (*incident.opening, *incident.closing)]
    assert len(set(keys)) == len(keys)
    assert all(about_of(key, key.partition("/")[0]) for _, key in keys)
    assert incident.repeated == (), "what was said is not said again by the next minute"
