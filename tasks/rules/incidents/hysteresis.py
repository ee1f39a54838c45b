"""N of M both ways: what opens at once after confirming checks closes only after some good runs in a row.

Also what comes and goes by itself (its last incident is opened again), and what an action of ours explains.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from tasks.model.diagnosis.diagnosis import Cause, Confidence, Diagnosis, Finding, Status
from tasks.model.diagnosis.limits import EscalationLimits
from tasks.model.evidence.evidence import Evidence
from tasks.model.incidents.incident import Action, ActionRecord, IncidentState, Outcome
from tasks.model.probes.history import PastObservation
from tasks.model.probes.probes import Observation, OrderOutcome, Seen
from tasks.model.remediation.in_force import Held, InForce, Restriction
from tasks.model.values import Value
from tasks.rules.formats.time import shifted
from tasks.rules.in_force.restrictions import in_force
from tasks.rules.incidents.action_history import CLOCK_SLACK

# Words for one trouble: a gateway is gone, then it turns out to flap; a service hangs, is killed, and does not stay up.
# Each is one incident and one thread, whichever word fits in a given minute.
GATEWAY_TROUBLES = frozenset({Cause.DEPENDENCY_UNREACHABLE, Cause.GATEWAY_FAILING})
SERVICE_TROUBLES = frozenset({Cause.SERVICE_DOWN, Cause.SERVICE_HUNG, Cause.CRASH_LOOP})
# These leave something in force that only a person takes back.
TIGHTENS = frozenset({Action.PAUSE_STRATEGIES, Action.MARK_DEGRADED, Action.REROUTE_ORDERS, Action.DISABLE_FEATURE})
# Runs are a minute apart; those further apart than this say nothing of what lay between them.
GAP = timedelta(minutes=3)
IN_HAND_FOR = timedelta(minutes=20)
DAMPED_COUNT = 3
_INCIDENT_ID = re.compile(r"INC-[A-Za-z0-9._-]{1,120}")


class Closing(Value):
    """Whether an incident's trouble is over, and whether it may close, with the numbers that decided.

    What is over stays open while `kept` is in force: nobody may read that all is as before.
    """

    is_over: bool
    because: str
    kept: tuple[Restriction, ...] = ()

    @property
    def may_close(self) -> bool:
        """Say whether nothing keeps it open."""
        return self.is_over and not self.kept


def same_trouble(incident: IncidentState, finding: Finding) -> bool:
    """Say whether a finding belongs into an incident that is open: the same cause, or another word for it.

    Runbook: §1.4 Recent incidents.
    """
    return finding.cause in _troubles(incident)


def may_close(incident: IncidentState, diagnosis: Diagnosis, evidence: Evidence) -> Closing:
    """Say whether an incident is over: its trouble absent from enough runs in a row, over long enough, this one last.

    Runbook: §1.4, §5.
    Errors: none. A blind run is no good run; where nobody can say what is in force, what may have set something stays.
    """
    limits, held = evidence.limits, in_force(evidence.latest)
    troubles = _troubles(incident)
    if _in_hand(incident, evidence.latest.looked_at):
        return Closing(is_over=False, because="a person has it in hand")
    if diagnosis.status is Status.BLIND or any(diagnosis.has(cause) for cause in troubles):
        return Closing(is_over=False, because="it still shows" if diagnosis.findings else "nobody can say")
    unproven = _unproven(incident, held, evidence)
    if unproven:
        return Closing(is_over=False, because=unproven)
    good = _good_runs(troubles, evidence)
    count, for_s = len(good), (evidence.latest.looked_at - good[0]).total_seconds()
    # What came back after it was closed has to stay away for longer each time.
    times = 2 ** min(incident.reopened, DAMPED_COUNT)
    need_count, need_s = limits.close_good_count * times, limits.close_good_s * times
    numbers = f"good_runs={count} of {need_count}, good_for_s={for_s:.0f} of {need_s:.0f}"
    is_over = count >= need_count and for_s >= need_s
    return Closing(is_over=is_over, because=numbers, kept=keeps_open(incident, held))


def keeps_open(incident: IncidentState, held: InForce) -> tuple[Restriction, ...]:
    """Name what is in force that keeps an incident open: what the automation set in it, and what holds its classes.

    Errors: none; an incident of a gateway that names no class may be about any.
    """
    of_gateways = bool(GATEWAY_TROUBLES & _troubles(incident))
    return tuple(
        one
        for one in held.restrictions
        if (one.by_automation and claim_of(one) == incident.incident_id)
        or (one.set_by is None and _was_set_in(incident, one))
        or (of_gateways and one.kind is Held.TRADING and one.name in (incident.asset_classes or (one.name,)))
    )


def _was_set_in(incident: IncidentState, one: Restriction) -> bool:
    """Say whether an action of an incident set what a service does not say the hand of."""
    done = {Outcome.DONE.value, Outcome.RECOVERED.value}
    sets = [action for action in incident.actions if action.action in TIGHTENS and action.outcome in done]
    return any(_names(action, one.name) for action in sets)


def _may_be_held(incident: IncidentState, seen: Observation) -> str:
    """Name a class that a pause was sent for in this incident, at a service that does not say how the class stands."""
    standings = seen.routing.standings if seen.routing else None
    sent = {Outcome.DONE.value, Outcome.UNKNOWN.value}
    pauses = [one for one in incident.actions if one.action == Action.PAUSE_STRATEGIES and one.outcome in sent]
    filled = {order.asset_class for order in seen.orders if order.outcome is OrderOutcome.EXECUTED}
    unknown = [key.removeprefix(f"{Held.TRADING}/") for key, state in (standings or {}).items() if not state]
    return next((name for name in unknown if name not in filled and any(_names(one, name) for one in pauses)), "")


def _names(action: ActionRecord, name: str) -> bool:
    """Say whether an action was for this class, gateway or feature, by its key."""
    return any(f"-{name}-" in f"-{part}-" for part in action.key.split("/"))


def claim_of(one: Restriction) -> str:
    """Name the incident that a restriction of the automation belongs to: the one in its reason, else one of its own."""
    named = _INCIDENT_ID.search(one.reason or "")
    if named:
        return named.group()
    at = f"{one.set_at:%Y%m%dT%H%M%SZ}" if one.set_at else "unknown"
    return f"INC-{at}-{one.kind}-{''.join(letter for letter in one.name if letter.isalnum())[:40]}"


def _unproven(incident: IncidentState, held: InForce, evidence: Evidence) -> str:
    """Say why nobody can tell whether an incident's trouble is over, though it does not show: empty where one can."""
    tightened = any(one.action in TIGHTENS and one.outcome == Outcome.DONE for one in incident.actions)
    if held.unknown and tightened:
        return f"what is in force is not known: {held.unknown}"
    if may_be_held := _may_be_held(incident, evidence.latest):
        return f"whether {may_be_held} is still paused is not known: no proof says so, and no test order filled"
    if SERVICE_TROUBLES & _troubles(incident) and not _answers(evidence.latest):
        return "the service does not answer, by whatever cause"
    if not GATEWAY_TROUBLES & _troubles(incident):
        return ""
    # No order proves the gateway of a class that is held back; its own answer has to.
    probes = {one.gateway: one for one in evidence.latest.gateways}
    down = [name for name in incident.gateways if name in probes and probes[name].seen is not Seen.PASSED]
    held_back = [one.name for one in keeps_open(incident, held) if one.kind is Held.TRADING]
    unprobed = [name for name in incident.gateways if name not in probes]
    if held_back and (down or unprobed):
        return f"{', '.join(held_back)} is paused, and {', '.join(down or unprobed)} did not answer a direct probe"
    return ""


def _answers(seen: Observation) -> bool:
    """Say whether the service answered at all: a service that is gone is not over, once another cause explains it."""
    exchange = seen.health.exchange
    answered = exchange is not None and exchange.http_status is not None
    return seen.health.seen is Seen.PASSED or answered or any(order.outcome.delivered for order in seen.orders)


def last_seen_without(incident: IncidentState, history: tuple[PastObservation, ...]) -> datetime | None:
    """Find the last run that observed and did not see an incident's trouble: it began after that.

    Runbook: §1.1 When did it start.
    Errors: none; a blind run saw nothing, and without such a run nobody knows.
    """
    words = {cause.value for cause in _troubles(incident)}
    seen = (past.at for past in reversed(history) if past.status != Status.BLIND and not words & {*past.troubles})
    return next(seen, None)


def _troubles(incident: IncidentState) -> frozenset[Cause]:
    causes = frozenset(incident.causes)
    groups = (group for group in (GATEWAY_TROUBLES, SERVICE_TROUBLES) if group & causes)
    return causes.union(*groups)


def _in_hand(incident: IncidentState, now: datetime) -> bool:
    """Say whether an incident is a person's own order, which ends it; one left lying is closed later."""
    ends = [one.finished_at or one.started_at for one in incident.actions]
    return not incident.causes and now < shifted(max((incident.opened_at, *ends)), IN_HAND_FOR)


def _good_runs(troubles: frozenset[Cause], evidence: Evidence) -> list[datetime]:
    """List the times of the runs in a row without the trouble, oldest first, this run last."""
    good = [evidence.latest.looked_at]
    words = {cause.value for cause in troubles}
    for past in reversed(evidence.context.history):
        if past.status == Status.BLIND or words.intersection(past.troubles) or good[0] - past.at > GAP:
            break
        good.insert(0, past.at)
    return good


def comes_back(
    closed: Iterable[IncidentState], finding: Finding, limits: EscalationLimits, now: datetime
) -> IncidentState | None:
    """Find the closed incident that a finding belongs to, where the same trouble has come and gone often enough.

    Runbook: §1.4 Recent incidents.
    Errors: none. An incident in which something was done is over: what comes after it is new.
    """
    since = now - timedelta(seconds=limits.flapping_window_s)
    same = [one for one in closed if _vanished(one, since, now) and _is_same(one, finding)]
    times = sum(1 + one.reopened for one in same)
    return same[-1] if times >= limits.flapping_count else None


def _vanished(incident: IncidentState, since: datetime, now: datetime) -> bool:
    closed_at = incident.closed_at
    return closed_at is not None and since < closed_at <= now + CLOCK_SLACK and not incident.actions


def _is_same(incident: IncidentState, finding: Finding) -> bool:
    return same_trouble(incident, finding) and set(incident.gateways) == set(finding.gateways)


# While these are under way the service answers nobody, or half of an answer.
STOPS_SERVICE = frozenset({Action.RESTART_SERVICE, Action.ROLL_BACK_RELEASE})
# What a service that is stopped and started looks like. A gateway that its own probe finds gone is none of it.
_STOPPED_LOOKS_LIKE = frozenset(
    {
        Cause.SERVICE_DOWN,
        Cause.SERVICE_HUNG,
        Cause.GATEWAY_FAILING,
        Cause.OBSERVABILITY_FAULT,
        Cause.UNKNOWN,
    }
)
# A pause, a mark or a re-route ends orders in ways that no rule explains.
_CHANGED_LOOKS_LIKE = frozenset({Cause.UNKNOWN})
# The action is done, and its proof is not: the service still starts, or takes its change in.
_NOT_PROVEN = frozenset({None, Outcome.DONE.value})


def is_overtaken(finding: Finding, evidence: Evidence, incidents: Iterable[IncidentState], *, acting: bool) -> bool:
    """Say whether a finding rests on checks during which an action of ours did what they saw.

    `acting` says that the service's lock is held now.
    Runbook: §1.4 Recent incidents.
    Errors: none. The next run checks what is there then; what an action cannot explain is never held back.
    """
    actions = (one for incident in incidents for one in incident.actions)
    return any(_explains(one, finding) and _overlaps(one, evidence, acting=acting) for one in actions)


def _explains(action: ActionRecord, finding: Finding) -> bool:
    if action.action not in STOPS_SERVICE:
        return finding.cause in _CHANGED_LOOKS_LIKE
    return finding.confidence is not Confidence.CONFIRMED or finding.cause in _STOPPED_LOOKS_LIKE


def _overlaps(action: ActionRecord, evidence: Evidence, *, acting: bool) -> bool:
    """Say whether an action was under way at any moment from the start of the first pass to the end of the last."""
    began_at, ended_at = evidence.observations[0].looked_at, evidence.latest.ended_at or evidence.latest.looked_at
    if action.started_at > ended_at:
        return False
    if acting and action.outcome in _NOT_PROVEN:
        return True
    # One that was left half done by a run that died is under way no more.
    return action.finished_at is not None and action.finished_at >= began_at
