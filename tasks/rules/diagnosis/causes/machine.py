"""The machine beneath the service: cores taken by others, disks full, clocks apart. No restart helps (§3.3)."""

from tasks.model.diagnosis.diagnosis import Finding, Kind
from tasks.model.diagnosis.limits import DiagnosisLimits
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.probes import Observation
from tasks.model.probes.processes import BusyProcess, Disk, ProcessState
from tasks.rules.diagnosis.causes.evidence_queries import (
    DOWN_WORDS,
    STORAGE_WORDS,
    checks_seen,
    elapsed_s,
    in_all,
    infrastructure,
    service_ruled_out,
)

SPINS_CPU_RATIO = 0.5


def core_taken(evidence: Evidence) -> Finding | None:
    """Find a service that nobody answers for because other processes take its cores; a restart would not help.

    Runbook: §3.3 Infrastructure.
    """
    if not in_all(evidence, lambda one: one.health.silent) or not is_starved(evidence):
        return None
    wait, cpu = wait_ratio(evidence) or 0.0, cpu_ratio(evidence) or 0.0
    because = (
        f"health did not answer in {checks_seen(evidence)}",
        f"the process was ready to run and got no core: wait_ratio={wait:.2f} cpu_ratio={cpu:.2f}",
        *(f"taken by pid={one.pid} name={one.name} cpu_ratio={one.cpu_ratio:g}" for one in busiest(evidence)),
    )
    ruled_out = ("service hung: it works whenever it gets a core",)
    return infrastructure(evidence, Kind.CPU, because, ruled_out)


def storage_fault(evidence: Evidence) -> Finding | None:
    """Find storage that cannot be written, or is about to be full.

    Runbook: §3.3 Infrastructure: storage.
    """
    told = frozenset.intersection(*(frozenset(_storage_told(one)) for one in evidence.observations))
    full = frozenset.intersection(*(frozenset(_full(one, evidence.limits)) for one in evidence.observations))
    if not told and not full:
        return None
    return infrastructure(evidence, Kind.STORAGE, (*sorted(told), *sorted(full)), service_ruled_out(evidence))


def clock_apart(evidence: Evidence) -> Finding | None:
    """Find clocks that differ: ours where all gateways agree against it, else those of single gateways.

    Runbook: §3.3 Infrastructure.
    """
    if not in_all(evidence, lambda one: bool(_skewed(one, evidence.limits))):
        return None
    skewed, asked = _skewed(evidence.latest, evidence.limits), _asked_count(evidence.latest)
    apart = ", ".join(f"{name} {skew_s:+.1f} s" for name, skew_s in sorted(skewed.items()))
    ours = len(skewed) == asked >= 2
    because = (
        f"{'this machine' if ours else 'gateway'} clock is wrong: {apart}, limit {evidence.limits.clock_skew_s:g} s"
    )
    found = infrastructure(evidence, Kind.CLOCK, (because,))
    return found if ours else found.model_copy(update={"gateways": tuple(sorted(skewed))})


def is_starved(evidence: Evidence) -> bool:
    """Say whether the process waited for a core most of the time and was given little; where nobody can say, no.

    A process that spins is ready all the time too, so one that gets half a core or more is not starved.
    """
    if evidence.latest.process.state is not ProcessState.RUNNING:
        return False
    wait, cpu = wait_ratio(evidence), cpu_ratio(evidence)
    return wait is not None and cpu is not None and wait >= evidence.limits.starved_wait_ratio and cpu < SPINS_CPU_RATIO


def cpu_ratio(evidence: Evidence) -> float | None:
    """Say how much of a core the process took over the checks; None for another process or too short a time."""
    first, last = evidence.observations[0].process, evidence.latest.process
    return _growth(evidence, first.cpu_time_s, last.cpu_time_s)


def wait_ratio(evidence: Evidence) -> float | None:
    """Say for how much of the checks the process was ready and got no core."""
    first, last = evidence.observations[0].process, evidence.latest.process
    return _growth(evidence, first.run_wait_s, last.run_wait_s)


def busiest(evidence: Evidence) -> tuple[BusyProcess, ...]:
    """Name who else took the cores."""
    machine = evidence.latest.process.machine
    return machine.busiest if machine else ()


def low_disks(observation: Observation, limits: DiagnosisLimits) -> tuple[str, ...]:
    """Say which disks are as good as full; for people, and as a symptom."""
    return _full(observation, limits)


def _growth(evidence: Evidence, before: float | None, after: float | None) -> float | None:
    first, last = evidence.observations[0].process, evidence.latest.process
    if first.pid != last.pid or before is None or after is None:
        return None
    passed_s = elapsed_s(first, last)
    # Less than before: a worker process that was counted is gone with its share.
    return (after - before) / passed_s if passed_s >= 1 and after >= before else None


def _storage_told(observation: Observation) -> tuple[str, ...]:
    dependencies = tuple(
        f"the service says that its {one.name} fails: {one.error or one.status}"
        for one in observation.health.dependencies
        if one.name.lower() in STORAGE_WORDS and one.status.lower() in DOWN_WORDS
    )
    denied = any(order.code == "JOURNAL_UNAVAILABLE" for order in observation.orders)
    return (*dependencies, *(("orders are denied because the journal cannot be written",) if denied else ()))


def _full(observation: Observation, limits: DiagnosisLimits) -> tuple[str, ...]:
    machine = observation.process.machine
    return tuple(
        f"almost no room at {one.path} ({one.what}): free_bytes={one.free_bytes} of {one.total_bytes}, "
        f"free_inodes={one.free_inodes_count} of {one.total_inodes_count}"
        for one in (machine.disks if machine else ())
        if _is_full(one, limits)
    )


def _is_full(disk: Disk, limits: DiagnosisLimits) -> bool:
    if disk.total_bytes <= 0:
        return False
    little = disk.free_bytes < min(limits.disk_free_bytes, disk.total_bytes * limits.disk_free_ratio)
    few = bool(disk.total_inodes_count) and (disk.free_inodes_count or 0) < (
        (disk.total_inodes_count or 0) * limits.inodes_free_ratio
    )
    return little or few


def _skewed(observation: Observation, limits: DiagnosisLimits) -> dict[str, float]:
    probes = ((one.gateway, one.clock_skew_s) for one in observation.gateways)
    return {name: skew_s for name, skew_s in probes if skew_s is not None and abs(skew_s) >= limits.clock_skew_s}


def _asked_count(observation: Observation) -> int:
    return sum(one.clock_skew_s is not None for one in observation.gateways)
