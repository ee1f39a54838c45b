"""`runbook approve` and `runbook reject`: a person answers a plan that waits, without the Prefect UI."""

import getpass
from datetime import UTC, datetime

from deployments.approvals import answer, chosen, waiting_approvals
from deployments.prefect_door import open_door
from deployments.views.words import say
from tasks.settings import load_settings


def approve(wanted: str = "", /, *, by: str | None = None, note: str = "") -> None:
    """Let a plan that waits be done; every guard is asked once more before anything is.

    Parameters
    ----------
    wanted
        Its incident's id, or its flow run's; may be left out where one plan waits.
    by
        Your name; default the user's.
    note
        What the ledger should know.
    """
    _answer(wanted, "approve", by, note)


def reject(wanted: str = "", /, *, by: str | None = None, note: str = "") -> None:
    """Let nothing of a plan that waits be done; in this incident nobody is asked for the same again.

    Parameters
    ----------
    wanted
        Its incident's id, or its flow run's; may be left out where one plan waits.
    by
        Your name; default the user's.
    note
        Why; the ledger and the messages tell it.
    """
    _answer(wanted, "reject", by, note)


def _answer(wanted: str, decision: str, by: str | None, note: str) -> None:
    door, who = open_door(), getpass.getuser() if by is None else by
    waiting = waiting_approvals(door, datetime.now(UTC))
    if door.queue:
        own = load_settings().watching().services
        waiting = [one for one in waiting if one["service"] in own]
    plan = chosen(waiting, wanted.strip())
    answer(door, plan["flow_run_id"], decision, who, note)
    done = "Approved" if decision == "approve" else "Rejected"
    say(f"{done} by {who}: {', '.join(plan['actions'])} ({', '.join(plan['incident_ids'])}).")
