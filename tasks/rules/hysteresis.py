"""N of M both ways: what opens at once after confirming looks closes only after some good runs in a row."""

import re
from datetime import datetime, timedelta

from tasks.model.diagnosis import Cause, Diagnosis, Finding, Status
from tasks.model.evidence import Evidence
from tasks.model.in_force import Held, InForce, Restriction
from tasks.model.incident import Action, IncidentState, Outcome
from tasks.model.looks import Observation, Seen
from tasks.model.orders import AssetClass
from tasks.model.past_looks import PastLook
from tasks.model.values import Value
from tasks.rules.in_force import in_force
from tasks.rules.times import shifted

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
    told = f"good_runs={count} of {need_count}, good_for_s={for_s:.0f} of {need_s:.0f}"
    is_over = count >= need_count and for_s >= need_s
    return Closing(is_over=is_over, because=told, kept=keeps_open(incident, held))


def keeps_open(incident: IncidentState, held: InForce) -> tuple[Restriction, ...]:
    """Name what is in force that keeps an incident open: what the automation set in it, and what holds its classes.

    Errors: none; an incident of a gateway that names no class may be about any.
    """
    named = incident.asset_classes or tuple(AssetClass)
    classes = {name.value for name in named} if GATEWAY_TROUBLES & _troubles(incident) else set()
    return tuple(
        one
        for one in held.restrictions
        if (one.by_automation and claim_of(one) == incident.incident_id)
        or (one.kind is Held.TRADING and one.name in classes)
    )


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
    if SERVICE_TROUBLES & _troubles(incident) and not _answers(evidence.latest):
        return "the service does not answer, by whatever cause"
    if not GATEWAY_TROUBLES & _troubles(incident):
        return ""
    # No order proves the gateway of a class that is held back; its own answer has to.
    probes = {one.gateway: one for one in evidence.latest.gateways}
    silent = [name for name in incident.gateways if name in probes and probes[name].seen is not Seen.PASSED]
    held_back = [one.name for one in keeps_open(incident, held) if one.kind is Held.TRADING]
    unprobed = [name for name in incident.gateways if name not in probes]
    if held_back and (silent or unprobed):
        return f"{', '.join(held_back)} is paused, and {', '.join(silent or unprobed)} did not answer a direct probe"
    return ""


def _answers(seen: Observation) -> bool:
    """Say whether the service answered at all: a service that is gone is not over, once another cause explains it."""
    exchange = seen.health.exchange
    answered = exchange is not None and exchange.http_status is not None
    return seen.health.seen is Seen.PASSED or answered or any(order.outcome.delivered for order in seen.orders)


def last_seen_without(incident: IncidentState, history: tuple[PastLook, ...]) -> datetime | None:
    """Find the last run that looked and did not see an incident's trouble: it began after that.

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
