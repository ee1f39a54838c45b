"""What a person reads before approving: the plan, the evidence, the unproven orders, and what no answer means."""

from tasks.model.control import visible_line
from tasks.model.plan import PlannedAction
from tasks.model.remediation import RemediationCase
from tasks.model.verdicts import GuardCode
from tasks.rules.cells import cell
from tasks.rules.planning.markdown import DUE_WORDS

# The server gives a pause up by itself and fails the run; our own time is over well before that.
SERVER_PATIENCE_S = 60


def proposal(case: RemediationCase, left_s: float, fault: str = "") -> str:
    """Write the text of the approval form; `fault` is what was wrong with the last answer.

    Runbook: §2, in mode *propose*.
    Units: `left_s` until nobody's answer is an answer.
    """
    found = {one.cause: one for one in case.diagnosis.findings}
    because = "\n".join(
        f"- {cell(reason)}" for finding in found.values() for reason in (f"{finding.cause}:", *finding.because)
    )
    again = f"**The last answer could not be read, {cell(fault)}. Please answer again.**\n\n" if fault else ""
    plan = "\n".join(f"{number}. {_line(one)}" for number, one in enumerate(case.plan.actions, 1))
    orders = case.plan.orders
    unproven = f"{orders.verdict}, {cell(orders.detail)} {cell(', '.join(orders.ids[:20]))}" if orders else "not asked"
    ids = ", ".join(dict.fromkeys(one.incident_id for one in case.plan.actions))
    return (
        f"{again}**{cell(case.service)}: may this be done?**\n\n{plan}\n\n**Evidence**\n\n{because}\n\n"
        f"**Orders not proven:** {unproven}\n\n"
        f"Without an answer in {left_s:.0f} s only what pauses trading is done, and the next tier is told. "
        f"Incident {cell(ids)}; in a shell: `runbook approve ID` or `runbook reject ID`."
    )


def _line(one: PlannedAction) -> str:
    """Write one action; that a person must approve it is what the form is for, and need not stand in each line."""
    due = f", {DUE_WORDS[one.due]}" if DUE_WORDS[one.due] else ""
    forbids = "" if one.verdict.code is GuardCode.APPROVAL_NEEDED else f": {one.verdict.code}, {one.verdict.detail}"
    return cell(f"{one.words}{due}{forbids}")


def a_name(text: str) -> str:
    """Hold a name to be one: the ledger tells who let an action happen.

    Errors: `ValueError`, which the form shows.
    """
    fault = "a name is expected; the ledger tells who answered"
    try:
        name = visible_line(text)
    except ValueError:
        raise ValueError(fault) from None
    if not any(letter.isalpha() for letter in name):
        raise ValueError(fault)
    return name
