"""The service itself: down, or hung (§2.1)."""

from tasks.model.diagnosis import Audience, Cause, Confidence, Finding
from tasks.model.evidence import Evidence
from tasks.model.looks import Fault, Observation, OrderOutcome, Seen
from tasks.model.processes import ProcessState

SECTION = "§2.1"
# An idle event loop still turns; a process that did less than this between two unanswered probes made no progress.
FROZEN_CPU_RATIO = 0.02
# One whole core for as long as nobody was answered: a spin, not work.
SPINNING_CPU_RATIO = 0.9


def service_down(evidence: Evidence) -> Finding | None:
    """Find a service that is not there: its port refuses, and its process is gone or not ours.

    Runbook: §2.1 Health endpoint errors or times out.
    """
    refused = [one for one in evidence.observations if one.health.fault is Fault.REFUSED]
    if len(refused) < len(evidence.observations):
        return None
    process = evidence.latest.process
    if process.state in {ProcessState.RUNNING, ProcessState.STOPPED, ProcessState.BLIND}:
        return _finding(
            Cause.SERVICE_DOWN,
            Confidence.LIKELY,
            (f"health refused in {_looks(evidence)}", f"process: {process.detail}"),
        )
    if process.port_owner_pid is not None:
        return _port_taken(evidence)
    because = (f"health refused in {_looks(evidence)}", f"process {process.state}: {process.detail}")
    return _finding(Cause.SERVICE_DOWN, _confidence(evidence), because, ("service hung: no process is left to hang",))


def service_hung(evidence: Evidence) -> Finding | None:
    """Find a service that lives without progress; two independent signals, or it is only likely (safety rule 1).

    Runbook: §2.1 Restart if hung.
    Steps:
        1. nobody is answered: health, or every synthetic order, silent in every look
        2. the process makes no progress: stopped, frozen, or spinning; or the gateways answer us while it does not
    """
    silence = _silence(evidence)
    if silence is None:
        return None
    stuck = _no_progress(evidence)
    if stuck is None:
        because = (silence, f"process: {evidence.latest.process.detail}, and no second signal that it hangs")
        return _finding(Cause.SERVICE_HUNG, Confidence.LIKELY, because)
    ruled_out = ("service down: its process is alive", *_gateways_ruled_out(evidence.latest))
    return _finding(Cause.SERVICE_HUNG, _confidence(evidence), (silence, stuck), ruled_out)


def _silence(evidence: Evidence) -> str | None:
    if all(one.health.fault.silent for one in evidence.observations):
        return f"health did not answer in {_looks(evidence)}"
    if all(_orders_silent(one) for one in evidence.observations):
        count = len(evidence.latest.orders)
        return f"none of {count} synthetic orders was answered in {_looks(evidence)}, while health answers"
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
    ratio = _cpu_ratio(evidence)
    if ratio is not None and all(one.health.fault.silent for one in evidence.observations):
        if ratio <= FROZEN_CPU_RATIO:
            return f"the process made no progress: cpu_ratio={ratio:.3f} over the looks"
        if ratio >= SPINNING_CPU_RATIO:
            return f"the process spins: cpu_ratio={ratio:.2f} over the looks, and answers nobody"
    return _gateways_answer(evidence)


def _gateways_answer(evidence: Evidence) -> str | None:
    probes = evidence.latest.gateways
    health_answers = not evidence.latest.health.fault.silent
    if health_answers and probes and all(probe.seen is Seen.PASSED for probe in probes):
        return f"all {len(probes)} gateways answer a direct probe, so the orders hang in the service"
    return None


def _cpu_ratio(evidence: Evidence) -> float | None:
    first, last = evidence.observations[0].process, evidence.latest.process
    if first.pid != last.pid or first.cpu_time_s is None or last.cpu_time_s is None:
        return None
    elapsed_s = (last.looked_at - first.looked_at).total_seconds()
    if elapsed_s < 1:
        return None
    return (last.cpu_time_s - first.cpu_time_s) / elapsed_s


def _port_taken(evidence: Evidence) -> Finding:
    process = evidence.latest.process
    owner = f"pid={process.port_owner_pid} name={process.port_owner_name}"
    return Finding(
        cause=Cause.INFRASTRUCTURE,
        confidence=_confidence(evidence),
        because=(f"the service is gone and its port is held by {owner}",),
        section="§3.3",
        tier=Audience.TIER_3,
        ruled_out=("service down alone: a restart could not take its port",),
    )


def _gateways_ruled_out(observation: Observation) -> tuple[str, ...]:
    healthy = [probe.gateway for probe in observation.gateways if probe.seen is Seen.PASSED]
    return (f"gateways: {', '.join(healthy)} answer a direct probe",) if healthy else ()


def _confidence(evidence: Evidence) -> Confidence:
    return Confidence.CONFIRMED if len(evidence.observations) >= 3 else Confidence.LIKELY


def _looks(evidence: Evidence) -> str:
    count = len(evidence.observations)
    return f"{count} of {count} looks"


def _finding(
    cause: Cause, confidence: Confidence, because: tuple[str, ...], ruled_out: tuple[str, ...] = ()
) -> Finding:
    return Finding(
        cause=cause, confidence=confidence, because=because, section=SECTION, tier=Audience.TIER_1, ruled_out=ruled_out
    )
