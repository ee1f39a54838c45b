"""Earned trust: what helped only for a while waits longer each time, and what never helped is asked for, not done.

Counted from the ledger. A person's re-arm starts it again, a person's own order is not held back, and what tightens
never is (safety rule 8).
"""

from datetime import datetime, timedelta

from tasks.model.diagnosis.limits import RemediationLimits
from tasks.model.incidents.incident import TIGHTENERS, Action, ActionRecord, Outcome
from tasks.model.remediation.plan import PlannedAction
from tasks.model.remediation.trust import Trust
from tasks.model.remediation.verdicts import GuardCode, Verdict
from tasks.rules.formats.time import clock_text, duration_text
from tasks.rules.incidents.action_history import PROVEN_AFTERWARDS
from tasks.rules.remediation.guards.guard_inputs import GuardInputs

# Only what is proven afterwards is known to have helped or not.
JUDGED = PROVEN_AFTERWARDS - TIGHTENERS
ENDS = frozenset({Outcome.RECOVERED, Outcome.NOT_RECOVERED})
WORDS = {
    Action.RESTART_SERVICE: ("restarted", "restart"),
    Action.REROUTE_ORDERS: ("re-routed", "re-route"),
    Action.ROLL_BACK_RELEASE: ("rolled back", "rollback"),
    Action.RESTORE_ROUTING: ("routing restored", "restored table"),
}
# The least that counts as having helped: it was proven, however soon the cause was back.
HELPED_S = 1.0


def not_too_soon(planned: PlannedAction, inputs: GuardInputs) -> Verdict:
    """Hold an action back for a while that helped only for a while, longer each time.

    Runbook: §2 Remediation.
    """
    trust = trust_in(planned, inputs)
    if trust is None or inputs.asked is not None or trust.not_before is None or trust.not_before <= inputs.now:
        return Verdict.yes()
    done, noun = WORDS[planned.action]
    since = f" since {clock_text(trust.since)}" if trust.since else ""
    times = f"{done} {_times(trust.short_count)}{since}, {_short_words(trust)}"
    return Verdict.no(GuardCode.BACK_OFF, f"{times}; next {noun} not before {clock_text(trust.not_before)}")


def never_helped(planned: PlannedAction, inputs: GuardInputs) -> str:
    """Say why a person is asked for an action that was done for this cause and never helped; empty where none is."""
    trust = trust_in(planned, inputs)
    if trust is None or not trust.asks:
        return ""
    cause = trust.cause.replace("_", " ")
    return f"{WORDS[planned.action][0]} {_times(trust.done_count)} for {cause}, and it never helped"


def trust_in(planned: PlannedAction, inputs: GuardInputs) -> Trust | None:
    """Read what is known of an action on its target for its cause; None where it was never done for it, or is not
    judged.

    Steps: 1. how long each time helped: until the trouble that the next one was for began, the last one until now's
    2. the last times in a row that helped for less than the longest wait 3. from the second of them on each waits
    twice as long as the one before
    """
    finding, limits = planned.finding, inputs.capabilities.remediation
    if finding is None or planned.action not in JUDGED:
        return None
    done = [one for one in inputs.history.actions if _is_same(one, planned)]
    if not done:
        return None
    back_at = [*(one.trouble_since or one.started_at for one in done[1:]), _trouble_since(planned, inputs)]
    helped_for_s = tuple(_helped_s(one, at) for one, at in zip(done, back_at, strict=True))
    short = _short_count(helped_for_s, limits)
    wait_s = _wait_s(short, limits)
    limit = limits.ask_after_ineffective_count
    return Trust(
        action=planned.action,
        cause=finding.cause,
        target=planned.target.words,
        helped_for_s=helped_for_s,
        short_count=short,
        since=done[-short].started_at if short else None,
        not_before=done[-1].started_at + timedelta(seconds=wait_s) if wait_s else None,
        asks=0 < limit <= len(done) and not any(helped_for_s),
    )


def trust_line(trust: Trust, now: datetime) -> str:
    """Say in one line what an action has earned, and what follows from it."""
    what = f"{trust.action.replace('_', ' ')} {trust.target}".strip()
    helped = [duration_text(one) for one in trust.helped_for_s if one > 0]
    how_long = f"helped {_times(trust.helped_count)} ({', '.join(helped)})" if helped else "never helped"
    follows = "it may be done again"
    if trust.asks:
        follows = "a person must approve the next one"
    elif trust.not_before is not None and trust.not_before > now:
        follows = f"next not before {clock_text(trust.not_before)}"
    return f"{what} for {trust.cause.replace('_', ' ')}: done {_times(trust.done_count)}, {how_long}; {follows}"


def _is_same(one: ActionRecord, planned: PlannedAction) -> bool:
    """Say whether an earlier action was this one: the same cause and target, and whether it helped is known."""
    cause = planned.finding.cause if planned.finding else None
    same = (one.action, one.cause, one.target) == (planned.action, cause, planned.target.words)
    return same and one.outcome in ENDS


def _helped_s(one: ActionRecord, back_at: datetime) -> float:
    if one.outcome != Outcome.RECOVERED or one.finished_at is None:
        return 0.0
    return max(HELPED_S, (back_at - one.finished_at).total_seconds())


def _trouble_since(planned: PlannedAction, inputs: GuardInputs) -> datetime:
    """Say since when the trouble of now shows; one that nobody has recorded yet, since now."""
    known = (one for one in inputs.evidence.context.open_incidents if one.incident_id == planned.incident_id)
    incident = next(known, None)
    return incident.trouble_since if incident and not incident.recovered_at else inputs.now


def _short_count(helped_for_s: tuple[float, ...], limits: RemediationLimits) -> int:
    count = 0
    for helped_s in reversed(helped_for_s):
        if helped_s >= limits.back_off_longest_s:
            break
        count += 1
    return count


def _wait_s(short_count: int, limits: RemediationLimits) -> float:
    """Wait from the second time on: once is no pattern, and the restart budget holds besides."""
    if short_count < 2:
        return 0.0
    wait_s = min(limits.back_off_s, limits.back_off_longest_s)
    for _ in range(short_count - 2):
        wait_s = min(2 * wait_s, limits.back_off_longest_s)
    return wait_s


def _short_words(trust: Trust) -> str:
    longest_s = max(trust.helped_for_s[-trust.short_count :])
    return f"each helped for at most {duration_text(longest_s)}" if longest_s else "none helped"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
