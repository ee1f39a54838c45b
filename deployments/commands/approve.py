"""`runbook approve` and `runbook reject`: a person answers a plan that waits, without the Prefect UI."""

from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter

from deployments.commands.operators import login
from deployments.commands.options import By, person
from deployments.prefect_api.approvals import all_chosen, answer_plan, own_waiting
from deployments.prefect_api.client import open_door
from deployments.views.words import say
from tasks.model.errors import Code, RunbookError
from tasks.model.remediation.plan import Approval, ApprovalAnswer
from tasks.rules.remediation.planning.proposal import a_name
from tasks.settings import load_settings

Ids = Annotated[str, Parameter(help="Ids of incidents or flow runs; optional where one plan waits.")]
Note = Annotated[str, Parameter(help="Why; it goes into the ledger and the messages.")]


def approve(*wanted: Ids, by: By = None, note: Note = "") -> None:
    """Approve a plan that waits; every guard is checked again before anything is done."""
    _answer(wanted, ApprovalAnswer.APPROVED, by, note)


def reject(*wanted: Ids, by: By = None, note: Note = "") -> None:
    """Reject a plan that waits; in this incident nobody is asked for the same again."""
    _answer(wanted, ApprovalAnswer.REJECTED, by, note)


def _answer(wanted: tuple[str, ...], said: ApprovalAnswer, by: str | None, note: str) -> None:
    name, door, settings = _name(person(by)), open_door(), load_settings()
    # With `[people]` the login is who answers, and only what was typed is a claim.
    approval = Approval(answer=said, by=name if by or not settings.people else "", note=note)
    for plan in all_chosen(own_waiting(door, settings, datetime.now(UTC)), wanted):
        say(answer_plan(door, settings, plan, login(), approval))


def _name(given: str) -> str:
    try:
        return a_name(given)
    except ValueError as error:
        raise RunbookError(Code.BAD_ARGUMENT, f"expected --by NAME, found {given[:100]!r}: {error}") from None
