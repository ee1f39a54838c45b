"""Hold what was seen of the process against what the service itself answered: the two must fit."""

from tasks.model.probes.probes import Observation
from tasks.model.probes.processes import ProcessState
from tasks.rules.diagnosis.causes.evidence_queries import GONE

ANSWERS = frozenset({"ok", "degraded"})


def fitting(observation: Observation) -> Observation:
    """Call the process blind where none was found and the service works all the same.

    Runbook: §1.2 Process status.
    Errors: none. Behind a proxy, a container's port or a forwarder the service is where we cannot see it; nobody may
    say that it is gone, and nothing is signalled.
    """
    process = observation.process
    if process.state not in GONE or not _works(observation):
        return observation
    detail = f"the service answers, and its process is not to be seen from here: {process.detail}"
    unseen = process.model_copy(update={"state": ProcessState.BLIND, "detail": detail})
    return observation.model_copy(update={"process": unseen})


def _works(observation: Observation) -> bool:
    return observation.health.status in ANSWERS or any(one.outcome.delivered for one in observation.orders)
