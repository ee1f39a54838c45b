"""The service itself: down, or hung (§2.1)."""

from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Finding, Kind
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.probes import Fault, Observation, OrderOutcome, Seen
from tasks.model.probes.processes import ProcessState
from tasks.rules.diagnosis.causes.evidence_queries import (
    GONE,
    checks_seen,
    confidence,
    gateways_ruled_out,
    in_all,
    infrastructure,
    is_down,
    is_gone,
    serves,
    span_s,
)
from tasks.rules.diagnosis.causes.machine import SPINS_CPU_RATIO, cpu_ratio, is_starved, wait_ratio
from tasks.rules.diagnosis.causes.resources import descriptors_spent

SECTION = "§2.1"
ALIVE = frozenset({ProcessState.RUNNING, ProcessState.STOPPED, ProcessState.BLIND, ProcessState.NOT_AVAILABLE})


def service_down(evidence: Evidence) -> Finding | None:
    """Find a service that is not there: nobody answers, and its process is gone or not ours.

    Runbook: §2.1 Health endpoint errors or times out.
    Errors: none. A port that refuses is enough where the process cannot be seen, but never to act on.
    """
    process, refused = evidence.latest.process, _absent_count(evidence)
    if serves(evidence) or _answers(evidence):
        return None
    if in_all(evidence, lambda one: one.process.state in GONE and one.process.port_owner_pid is not None):
        return _port_taken(evidence)
    if refused < len(evidence.observations):
        return _went_down(evidence, refused) if is_down(evidence) else None
    if process.state in ALIVE:
        because = (f"health {_faults(evidence)} in {checks_seen(evidence)}", f"process: {process.detail}")
        return _finding(Cause.SERVICE_DOWN, Confidence.LIKELY, because)
    failure = evidence.context.start_failure
    because = (
        f"health {_faults(evidence)} in {checks_seen(evidence)}",
        f"process {process.state}: {process.detail}",
        *((f"its last start failed: {failure}",) if failure else ()),
    )
    ruled_out = ("service hung: no process is left to hang", *gateways_ruled_out(evidence.latest))
    return _finding(Cause.SERVICE_DOWN, confidence(evidence), because, ruled_out)


def _went_down(evidence: Evidence, refused: int) -> Finding:
    """Tell of a service that went away between two checks of this run: seen too few times to act on."""
    count = len(evidence.observations)
    because = (
        f"health {_faults(evidence)}; in the last {refused} of {count} checks it was gone",
        f"process {evidence.latest.process.state}: {evidence.latest.process.detail}",
    )
    return _finding(Cause.SERVICE_DOWN, Confidence.LIKELY, because, gateways_ruled_out(evidence.latest))


def _absent_count(evidence: Evidence) -> int:
    return sum(one.health.fault is Fault.REFUSED or is_gone(one) for one in evidence.observations)


def _answers(evidence: Evidence) -> bool:
    """Say whether an order service answers on the port by the last check; it is then not gone, whoever it is."""
    return evidence.latest.health.status is not None


def _faults(evidence: Evidence) -> str:
    """Write how health failed, each way once: `refused`, or `timed out, refused`."""
    return ", ".join(dict.fromkeys(one.health.fault.replace("_", " ") for one in evidence.observations))


def service_hung(evidence: Evidence) -> Finding | None:
    """Find a service that lives without progress; two independent signals, or it is only likely (safety rule 1).

    Runbook: §2.1 Restart if hung.
    Steps:
        1. nobody is answered: health, or every synthetic order, silent in every check and for long enough
        2. the process makes no progress: stopped, frozen, or spinning; or the gateways answer us while it does not
        3. not where it fills orders, nor where others explain it: descriptors spent, cores taken by other processes
        4. a probe that waited longer and was answered says that it is slow, which is not hung
    """
    silence = _silence(evidence)
    if silence is None or serves(evidence):
        return None
    if descriptors_spent(evidence.latest, evidence.limits) or is_starved(evidence):
        return None
    late = _answers_late(evidence)
    if late:
        return _slow(silence, late)
    stuck = _no_progress(evidence)
    if stuck is None:
        because = (silence, f"process: {evidence.latest.process.detail}, and no second signal that it hangs")
        return _finding(Cause.SERVICE_HUNG, Confidence.LIKELY, because)
    ruled_out = ("service down: its process is alive", *_starving_ruled_out(evidence))
    ruled_out = (*ruled_out, *gateways_ruled_out(evidence.latest))
    return _finding(Cause.SERVICE_HUNG, _hung_confidence(evidence), (silence, stuck), ruled_out)


def _answers_late(evidence: Evidence) -> str | None:
    patience = evidence.latest.patience
    if patience is None or patience.silent or patience.seen is Seen.BLIND:
        return None
    waited_s = patience.exchange.seconds_s if patience.exchange else 0.0
    return f"a probe that waited longer was answered after {waited_s:.1f} s: slow is not hung"


def _slow(silence: str, late: str) -> Finding:
    return Finding(
        cause=Cause.UNKNOWN,
        confidence=Confidence.INCONCLUSIVE,
        because=(silence, late),
        section="§3.2",
        tier=Audience.TIER_2,
        ruled_out=("service hung: it answers, if late",),
        kinds=(Kind.LATENCY,),
    )


def _hung_confidence(evidence: Evidence) -> Confidence:
    # A process that a signal stopped does not come back by itself; one that is blocked may, within seconds.
    stopped = in_all(evidence, lambda one: one.process.state is ProcessState.STOPPED)
    long_enough = stopped or span_s(evidence) >= evidence.limits.hung_silence_s
    # The checks of the hang watch before the triage count where health is what is silent; others never asked orders.
    before = len(evidence.checked_before) if in_all(evidence, lambda one: one.health.silent) else 0
    return confidence(evidence, before) if long_enough else Confidence.LIKELY


def _silence(evidence: Evidence) -> str | None:
    before = len(evidence.checked_before)
    for_s = f"for {span_s(evidence):.1f} s" if before or len(evidence.observations) > 1 else "once"
    if in_all(evidence, lambda one: one.health.silent):
        count = before + len(evidence.observations)
        watched = f" ({before} of the hang watch)" if before else ""
        return f"health did not answer in {count} of {count} checks{watched}, {for_s}"
    if in_all(evidence, _orders_silent):
        count = len(evidence.latest.orders)
        return (
            f"none of {count} synthetic orders was answered in {checks_seen(evidence)}, {for_s}, while health answers"
        )
    return None


def _orders_silent(observation: Observation) -> bool:
    orders = observation.orders
    return bool(orders) and all(order.outcome is OrderOutcome.TIMED_OUT for order in orders)


def _no_progress(evidence: Evidence) -> str | None:
    process = evidence.latest.process
    if process.state is ProcessState.STOPPED:
        return f"the process is stopped by a signal: pid={process.pid}"
    if process.state is not ProcessState.RUNNING:
        return None
    if in_all(evidence, lambda one: one.health.silent):
        return _frozen_or_spinning(evidence)
    return _gateways_answer(evidence)


def _frozen_or_spinning(evidence: Evidence) -> str | None:
    cpu, wait = cpu_ratio(evidence), wait_ratio(evidence) or 0.0
    if cpu is None:
        return None
    if cpu <= evidence.limits.frozen_cpu_ratio:
        return f"the process made no progress: cpu_ratio={cpu:.3f} over the checks"
    # On a crowded machine a spin takes what it gets and waits for the rest.
    ready = cpu + wait if cpu >= SPINS_CPU_RATIO else cpu
    if ready >= evidence.limits.spinning_cpu_ratio:
        return f"the process spins: cpu_ratio={cpu:.2f} wait_ratio={wait:.2f} over the checks, and answers nobody"
    return None


def _gateways_answer(evidence: Evidence) -> str | None:
    probes = evidence.latest.gateways
    health_answers = not evidence.latest.health.silent
    if health_answers and probes and all(probe.answers for probe in probes):
        return f"all {len(probes)} gateways answer a direct probe, so the orders hang in the service"
    return None


def _port_taken(evidence: Evidence) -> Finding:
    process = evidence.latest.process
    owner = f"pid={process.port_owner_pid} name={process.port_owner_name}"
    because = (f"the service is gone and its port is held by {owner}",)
    return infrastructure(evidence, Kind.PORT, because, ("service down alone: a restart could not take its port",))


def _starving_ruled_out(evidence: Evidence) -> tuple[str, ...]:
    wait = wait_ratio(evidence)
    return (f"cores taken by others: wait_ratio={wait:.2f}",) if wait is not None else ()


def _finding(cause: Cause, sure: Confidence, because: tuple[str, ...], ruled_out: tuple[str, ...] = ()) -> Finding:
    return Finding(
        cause=cause, confidence=sure, because=because, section=SECTION, tier=Audience.TIER_1, ruled_out=ruled_out
    )
