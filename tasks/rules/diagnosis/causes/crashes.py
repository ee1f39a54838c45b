"""A service that comes up and dies again: not helped by one more restart (§2.1), or broken by its release (§2.3)."""

from datetime import datetime, timedelta
from itertools import zip_longest

from tasks.model.diagnosis.changes import Change, ChangeKind, ExitReason, ProcessRun
from tasks.model.diagnosis.diagnosis import Audience, Cause, Finding, Kind
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.probes import Observation, Seen
from tasks.model.probes.processes import ProcessState
from tasks.rules.diagnosis.causes.evidence_queries import confidence, gateways_ruled_out, is_down
from tasks.rules.diagnosis.causes.regression import probe_verdict


def crash_loop(evidence: Evidence) -> Finding | None:
    """Find a service that crashed again and again: the restarts so far have not helped, and one more would not.

    Runbook: §2.1, handed to §3.2.
    Steps: crashes come from the ledger's starts and stops; an ordered stop, a deploy and our own restart of a hung
    service are none. Without a ledger that tells of starts, from how often the process changed under our checks.
    """
    crashed = crashes_before(evidence)
    if crashed is None or len(crashed) < evidence.limits.crash_count:
        return None
    window_s = evidence.limits.crash_window_s
    release = crashed[-1].release or evidence.latest.health.release
    ruled_out = (_release_ruled_out(evidence), *gateways_ruled_out(evidence.latest))
    return Finding(
        cause=Cause.CRASH_LOOP,
        confidence=confidence(evidence),
        because=(f"{len(crashed)} crashes in {window_s:.0f} s, {_last(crashed[-1])}", _now(evidence)),
        section="§2.1",
        tier=Audience.TIER_2,
        ruled_out=ruled_out,
        kinds=(Kind.CRASHES,),
        release=release,
    )


def release_crashes(evidence: Evidence) -> Finding | None:
    """Find a release that does not stay up: it crashed soon after each start, and the one before did not.

    Runbook: §2.3 High error rate after a deploy.
    Errors: none; a release is blamed only where safety rule 7 blames it.
    """
    change, crashed = _release_change(evidence), crashes_before(evidence)
    if change is None or crashed is None or not is_down(evidence):
        return None
    since = change.at - timedelta(seconds=1)
    if not all(life.started_at >= since and _short(life, evidence) for life in crashed):
        return None
    # One is enough of a release that has not come up once.
    if not change.is_pending and len(crashed) < evidence.limits.crash_release_count:
        return None
    verdict = probe_verdict(evidence, change)
    if not verdict.blames_change:
        return None
    told = f"release {change.now} crashed {len(crashed)} times since it came, {_last(crashed[-1])}"
    return Finding(
        cause=Cause.BAD_RELEASE,
        confidence=confidence(evidence),
        because=(f"{told}; {change.before or 'the release before'} did not", f"its orders: {verdict.because}"),
        section="§2.3",
        tier=Audience.TIER_2,
        ruled_out=gateways_ruled_out(evidence.latest),
        kinds=(Kind.CRASHES,),
        release=change.now,
    )


def crashes_before(evidence: Evidence) -> tuple[ProcessRun, ...] | None:
    """List the crashes of the window while the service is down, or has only just come up again; else None."""
    now, limits = evidence.latest.looked_at, evidence.limits
    lives = evidence.context.lives or _lives_of_looks(evidence)
    if not lives:
        return None
    if is_down(evidence) and lives[-1].end is ExitReason.RUNNING:
        lives = (*lives[:-1], lives[-1].model_copy(update={"end": ExitReason.CRASHED, "ended_at": now}))
    since = now - timedelta(seconds=limits.crash_window_s)
    ended = (_as_seen(one, evidence) for one in lives if one.end is ExitReason.CRASHED)
    crashed = tuple(one for one in ended if one.ended_at and one.ended_at > since)
    fresh = bool(crashed) and (now - _ended_at(crashed[-1])).total_seconds() < limits.crash_fresh_s
    failing = is_down(evidence) or not evidence.latest.orders or not _well(evidence)
    return crashed if fresh and failing else None


def _as_seen(life: ProcessRun, evidence: Evidence) -> ProcessRun:
    """End a crashed life where it was first seen gone: the next start, or now, only says that it was over by then."""
    gone = [one.at for one in evidence.context.history if one.pid is None and one.health is Seen.FAILED]
    gone += [one.looked_at for one in evidence.observations if _is_gone(one)]
    return life.model_copy(
        update={
            "ended_at": min((one for one in gone if life.started_at < one < _ended_at(life)), default=life.ended_at)
        }
    )


def _is_gone(observation: Observation) -> bool:
    return observation.process.state is ProcessState.DEAD and observation.health.seen is Seen.FAILED


def _well(evidence: Evidence) -> bool:
    return all(order.outcome.delivered for order in evidence.latest.orders)


def _lives_of_looks(evidence: Evidence) -> tuple[ProcessRun, ...]:
    """Tell lives by the process's start as each check saw it; who ended one nobody knows, so each is a crash."""
    starts = [past.started_at for past in evidence.context.history if past.started_at]
    starts += [one.process.started_at for one in evidence.observations if one.process.started_at]
    distinct = sorted(dict.fromkeys(starts))
    return tuple(
        ProcessRun(started_at=at, ended_at=end, end=ExitReason.CRASHED if end else ExitReason.RUNNING)
        for at, end in zip_longest(distinct, distinct[1:])
    )


def _release_change(evidence: Evidence) -> Change | None:
    """Give the release that came last; one that a roll-back brought is the good one, and is not blamed for crashes."""
    found = [one for one in evidence.context.changes if one.kind is ChangeKind.RELEASE]
    return found[-1] if found and not found[-1].is_roll_back else None


def _short(life: ProcessRun, evidence: Evidence) -> bool:
    return (_ended_at(life) - life.started_at).total_seconds() <= evidence.limits.crash_release_life_s


def _last(life: ProcessRun) -> str:
    """Say of the last crash what is known: nobody saw when it was, only by when it was over."""
    lived_s = (_ended_at(life) - life.started_at).total_seconds()
    return f"the last one within {lived_s:.0f} s of its start" if lived_s >= 1 else "the last start never came up"


def _ended_at(life: ProcessRun) -> datetime:
    return life.ended_at or life.started_at


def _now(evidence: Evidence) -> str:
    if is_down(evidence):
        return f"it is down now: {evidence.latest.process.detail}"
    return f"it is up for the moment: {evidence.latest.process.detail}"


def _release_ruled_out(evidence: Evidence) -> str:
    """Say of the last release what is known: when it came, or since when nobody has seen another one."""
    came = [one for one in evidence.context.changes if one.kind is ChangeKind.RELEASE]
    if not came:
        return f"bad release: {_no_other_release(evidence)}"
    change = came[-1]
    if change.is_roll_back:
        return f"bad release: {change.now} came at {_clock(change.at)} by a rollback"
    return f"bad release: {change.now} came at {_clock(change.at)}, {probe_verdict(evidence, change).because}"


def _no_other_release(evidence: Evidence) -> str:
    release = evidence.latest.health.release or next(
        (one.release for one in reversed(evidence.context.history) if one.release), None
    )
    ran = [(one.release, one.at) for one in evidence.context.history]
    ran += [(one.release, one.started_at) for one in evidence.context.lives]
    seen = [at for name, at in ran if name == release]
    if release is None or not seen:
        return "nothing is known of its releases"
    return f"no new release has been seen since {_clock(min(seen))}, {release} ran then already"


def _clock(at: datetime) -> str:
    return f"{at:%H:%M:%SZ}"
