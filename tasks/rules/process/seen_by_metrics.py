"""Look at a process through the service's own metrics, where nobody sees it on this machine."""

from tasks.model.probes.probes import MetricsProbe, Seen
from tasks.model.probes.processes import ProcessCheck, ProcessState


def process_by_metrics(metrics: MetricsProbe, steady_s: float) -> ProcessCheck:
    """Say of the process what its metrics say.

    Runbook: §1.2 Process status.
    Errors: none. Metrics that say nothing make it *not available*: neither down, nor blind.
    """
    numbers = metrics.process if metrics.seen is Seen.PASSED else None
    if numbers is None:
        found = "they say nothing of it" if metrics.seen is Seen.PASSED else metrics.detail
        detail = f"not available: it is seen by its metrics alone, and {found}"
        return ProcessCheck(
            state=ProcessState.NOT_AVAILABLE, detail=detail, looked_at=metrics.looked_at, steady_s=steady_s
        )
    return ProcessCheck(
        state=ProcessState.RUNNING,
        detail="by its own metrics",
        looked_at=metrics.looked_at,
        steady_s=steady_s,
        started_at=numbers.started_at,
        memory_bytes=numbers.memory_bytes,
        cpu_time_s=numbers.cpu_time_s,
        open_files_count=numbers.open_files_count,
        open_files_limit=numbers.open_files_limit,
        threads_count=numbers.threads_count,
    )
