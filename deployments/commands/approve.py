"""`runbook approve` and `runbook reject`: a person answers a plan that waits, without the Prefect UI."""

import getpass
from datetime import UTC, datetime

from deployments.approvals import all_chosen, answer, recorded_count, see_taken, waiting_approvals
from deployments.prefect_door import open_door
from deployments.views.words import say
from tasks.model.errors import Code, RunbookError
from tasks.model.plan import Answer, Approval
from tasks.rules.planning.proposal import a_name
from tasks.settings import load_settings

# What the form of the run calls an answer.
DECISIONS = {Answer.APPROVED: "approve", Answer.REJECTED: "reject"}


def approve(*wanted: str, by: str | None = None, note: str = "") -> None:
    """Let a plan that waits be done; every guard is asked once more before anything is.

    Parameters
    ----------
    wanted
        Its incident's id, or its flow run's, or several; may be left out where one plan waits.
    by
        Your name; default the user's.
    note
        What the ledger should know.
    """
    _answer(wanted, Answer.APPROVED, by, note)


def reject(*wanted: str, by: str | None = None, note: str = "") -> None:
    """Let nothing of a plan that waits be done; in this incident nobody is asked for the same again.

    Parameters
    ----------
    wanted
        Its incident's id, or its flow run's, or several; may be left out where one plan waits.
    by
        Your name; default the user's.
    note
        Why; the ledger and the messages tell it.
    """
    _answer(wanted, Answer.REJECTED, by, note)


def _answer(wanted: tuple[str, ...], said: Answer, by: str | None, note: str) -> None:
    door, settings = open_door(), load_settings()
    approval = Approval(answer=said, by=_name(getpass.getuser() if by is None else by), note=note)
    waiting = waiting_approvals(door, datetime.now(UTC))
    if door.queue:
        own = settings.watching().services
        waiting = [one for one in waiting if one["service"] in own]
    for plan in all_chosen(waiting, wanted):
        ledger = settings.ledger(plan["service"])
        before_count = recorded_count(ledger, plan, approval)
        answer(door, plan["flow_run_id"], DECISIONS[said], approval.by, note)
        see_taken(ledger, plan, approval, before_count)
        say(f"{said.capitalize()} by {approval.by}: {', '.join(plan['actions'])} ({', '.join(plan['incident_ids'])}).")


def _name(given: str) -> str:
    try:
        return a_name(given)
    except ValueError as error:
        raise RunbookError(Code.BAD_ARGUMENT, f"expected --by NAME was {given[:100]!r}: {error}") from None
