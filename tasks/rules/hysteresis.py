"""N of M both ways: what opens at once after confirming looks closes only after some good runs in a row."""

from datetime import datetime, timedelta

from tasks.model.diagnosis import Cause, Diagnosis, Finding, Status
from tasks.model.evidence import Evidence
from tasks.model.incident import IncidentState
from tasks.model.past_looks import PastLook
from tasks.model.values import Value
from tasks.rules.causes.facts import is_paused
from tasks.rules.times import shifted

# Words for one trouble: a gateway is gone, then it turns out to flap; a service hangs, is killed, and does not stay up.
# Each is one incident and one thread, whichever word fits in a given minute.
GATEWAY_TROUBLES = frozenset({Cause.DEPENDENCY_UNREACHABLE, Cause.GATEWAY_FAILING})
SERVICE_TROUBLES = frozenset({Cause.SERVICE_DOWN, Cause.SERVICE_HUNG, Cause.CRASH_LOOP})
# Runs further apart than this say nothing of what lay between them.
GAP = timedelta(minutes=15)
IN_HAND_FOR = timedelta(minutes=20)
DAMPED_COUNT = 3


class Closing(Value):
    """Whether an incident may close, with the numbers that decided."""

    may_close: bool
    because: str


def same_trouble(incident: IncidentState, finding: Finding) -> bool:
    """Say whether a finding belongs into an incident that is open: the same cause, or another word for it.

    Runbook: §1.4 Recent incidents.
    """
    return finding.cause in _troubles(incident)


def may_close(incident: IncidentState, diagnosis: Diagnosis, evidence: Evidence) -> Closing:
    """Say whether an incident may close: its trouble absent from enough runs in a row, over long enough, this one last.

    Runbook: §1.4, §5.
    Errors: none. A blind run is no good run, and a paused asset class proves nothing of its gateway.
    """
    limits = evidence.limits
    troubles = _troubles(incident)
    if _in_hand(incident, evidence.latest.looked_at):
        return Closing(may_close=False, because="a person has it in hand")
    if diagnosis.status is Status.BLIND or any(diagnosis.has(cause) for cause in troubles):
        return Closing(may_close=False, because="it still shows" if diagnosis.findings else "nobody can say")
    paused = _paused(evidence) if GATEWAY_TROUBLES & troubles else ()
    if paused:
        return Closing(may_close=False, because=f"{', '.join(paused)} is paused, so no order proves it well")
    good = _good_runs(troubles, evidence)
    count, for_s = len(good), (evidence.latest.looked_at - good[0]).total_seconds()
    # What came back after it was closed has to stay away for longer each time.
    times = 2 ** min(incident.reopened, DAMPED_COUNT)
    need_count, need_s = limits.close_good_count * times, limits.close_good_s * times
    told = f"good_runs={count} of {need_count}, good_for_s={for_s:.0f} of {need_s:.0f}"
    return Closing(may_close=count >= need_count and for_s >= need_s, because=told)


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


def _paused(evidence: Evidence) -> tuple[str, ...]:
    latest = evidence.latest
    return tuple(order.asset_class.value for order in latest.orders if is_paused(latest, order))
