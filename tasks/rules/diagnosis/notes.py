"""What harms nobody today and is worth a line in the report: the reason of a later surprise. It opens no incident."""

from datetime import datetime, timedelta
from itertools import pairwise

from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.history import PastObservation
from tasks.model.probes.probes import Observation, Seen
from tasks.rules.formats.time import shifted
from tasks.rules.messages.desk import desk_clock
from tasks.rules.probes.clock_skew import clock_skew_s

NOTED_FOR = timedelta(minutes=30)
# There and back, and there again: a roll-out and its roll-back are two changes.
ALTERNATES_COUNT = 3


def notes(evidence: Evidence) -> tuple[str, ...]:
    """List what is odd and harmless by itself, one sentence each.

    Runbook: §1.2 Quick health checks.
    Errors: none. Nobody is notified, and nothing is done because of a note.
    """
    return (
        *_short_failures(evidence),
        *_pid_file(evidence.latest),
        *_clock(evidence),
        *_alternating_release(evidence),
        *_instances(evidence.latest),
    )


def _instances(latest: Observation) -> tuple[str, ...]:
    """Tell of a roll-out that is under way or has stopped halfway, and of an instance that we could not see."""
    releases = ((one.instance, one.health.release or one.metrics.release) for one in latest.instances)
    known = {name: release for name, release in releases if release}
    unseen = [one for one in latest.instances if not one.serves and not one.fails]
    told = [f"instance {one.instance} could not be checked: {one.health.detail}" for one in unseen]
    if len(set(known.values())) > 1:
        told.append(f"instances run different releases: {', '.join(f'{name} {one}' for name, one in known.items())}")
    return tuple(told)


def _short_failures(evidence: Evidence) -> tuple[str, ...]:
    """Tell of failures that were over before they were confirmed: a freeze of some seconds, a graceful restart."""
    passes, latest = evidence.observations, evidence.latest
    failed = [one for one in passes[:-1] if one.health.seen is Seen.FAILED]
    over = bool(failed) and latest.health.seen is Seen.PASSED
    since = shifted(evidence.context.looked_at, -NOTED_FOR)
    past = [one for one in evidence.context.history if one.at > since]
    before = [one for one in past if one.rounds_count > 1 and one.status == "ok"]
    told = []
    if over:
        told.append(
            f"health failed in {len(failed)} of {len(passes)} checks and then passed: {failed[0].health.detail} "
            f"at {desk_clock(failed[0].looked_at)}"
        )
    if before:
        told.append(
            f"{len(before)} of {len(past)} triages since {desk_clock(past[0].at)} saw a failure that was over by the "
            f"next check, the last at {desk_clock(before[-1].at)}"
        )
    return tuple(told)


def _pid_file(latest: Observation) -> tuple[str, ...]:
    process = latest.process
    if not process.pid_file_fault or process.pid is None:
        return ()
    found = f"the service is pid {process.pid}, found by its port"
    return (f"the pid file {process.pid_file_fault}; {found}: correct pid_file, or what writes it",)


def _clock(evidence: Evidence) -> tuple[str, ...]:
    """Tell of a service whose clock is not ours: its own stamps, and its deadlines, are off by as much."""
    health, process = evidence.latest.health, evidence.latest.process
    limit_s = evidence.limits.clock_skew_s
    skew_s = clock_skew_s(health.exchange, health.looked_at) if health.exchange else None
    if skew_s is not None and abs(skew_s) >= limit_s:
        side = "ahead of" if skew_s > 0 else "behind"
        return (f"the service's clock is {abs(skew_s):.0f} s {side} ours, by the Date of its health answer",)
    if health.started_at is None:
        return ()
    ahead_s = (health.started_at - health.looked_at).total_seconds()
    behind_s = (process.started_at - health.started_at).total_seconds() if process.started_at else 0.0
    if ahead_s >= limit_s:
        return (f"the service says that it started {ahead_s:.0f} s from now: its clock is ahead of ours",)
    if behind_s >= limit_s:
        return (f"the service says that it started {behind_s:.0f} s before its process: its clock is behind ours",)
    return ()


def _alternating_release(evidence: Evidence) -> tuple[str, ...]:
    """Tell of a release that goes back and forth under one process: two instances answer, or one does not know."""
    latest, since = evidence.latest, shifted(evidence.context.looked_at, -NOTED_FOR)
    seen = [(one.at, one.release) for one in evidence.context.history if one.at > since and _same_process(one, latest)]
    seen += [(one.looked_at, one.health.release) for one in evidence.observations]
    known: list[tuple[datetime, str]] = [(at, release) for at, release in seen if release]
    changes = sum(one[1] != two[1] for one, two in pairwise(known))
    if changes >= ALTERNATES_COUNT:
        names = " and ".join(sorted({release for _, release in known}))
        often = f"changed {changes} times since {desk_clock(known[0][0])} without a new process"
        return (f"the release that health names {often}: {names}. Do two instances answer on the port?",)
    said, counted = latest.health.release, latest.metrics.release
    if said and counted and said != counted:
        return (f"health names release {said}, and metrics name {counted}. Do two instances answer on the port?",)
    return ()


def _same_process(past: PastObservation, latest: Observation) -> bool:
    """Say whether a run saw the process of today; where either cannot tell, nothing says that it is another one."""
    return None in {past.pid, latest.process.pid} or past.pid == latest.process.pid
