"""What helps a service that hangs, is gone, leaks, or does not stay up (§2.1)."""

from tasks.model.diagnosis.diagnosis import Kind
from tasks.model.incidents.incident import Action
from tasks.model.remediation.plan import Due, PlannedAction, Target
from tasks.rules.remediation.planning.propose import Trouble, instead, is_paused, pause, traded

Actions = tuple[PlannedAction, ...]


def restart(trouble: Trouble) -> Actions:
    """Restart the service; where a person was asked and did not answer, pause what it trades.

    Runbook: §2.1 Restart if hung.
    """
    if trouble.finding.instances:
        # The others trade on, so that nothing is paused instead.
        return tuple(trouble.wants(Action.RESTART_SERVICE, Target(instance=name)) for name in trouble.finding.instances)
    wanted = trouble.wants(Action.RESTART_SERVICE)
    safe_branch = [instead(one, Due.IF_EXPIRED, wanted) for one in pause_all(trouble)]
    return (wanted, *safe_branch)


def free_resources(trouble: Trouble) -> Actions:
    """Restart a service that runs out of memory or descriptors, before the kernel ends it.

    Runbook: §2.1.
    """
    return restart(trouble) if {Kind.MEMORY, Kind.DESCRIPTORS} & set(trouble.finding.kinds) else ()


def pause_all(trouble: Trouble) -> Actions:
    """Pause every class: hands off, and nothing new is sent (safety rules 4 and 8)."""
    names = [name for name in traded(trouble.inputs) if not is_paused(trouble.inputs, name)]
    return tuple(pause(trouble, name) for name in names)


def leave_alone(trouble: Trouble) -> Actions:  # noqa: ARG001
    """Do nothing: the cause is reported, and a person decides."""
    return ()


def infrastructure(trouble: Trouble) -> Actions:
    """Pause what is traded where a stranger sits on the port; all else of the platform is reported only.

    Runbook: §3.3.
    """
    return pause_all(trouble) if Kind.PORT in trouble.finding.kinds and not trouble.finding.instances else ()


def pause_strategy(trouble: Trouble) -> Actions:
    """Pause the strategies that send far more than they ever did, and no others.

    Runbook: §2.2 Pause automated strategies.
    """
    targets = (Target(strategy=name) for name in trouble.finding.strategies)
    return tuple(trouble.wants(Action.PAUSE_STRATEGIES, target) for target in targets)
