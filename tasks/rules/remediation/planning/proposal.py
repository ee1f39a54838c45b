"""What a person reads before approving: the plan, the evidence, the unproven orders, and what no answer means."""

from datetime import datetime

from tasks.model.probes.control import visible_line
from tasks.model.remediation.plan import PlannedAction
from tasks.model.remediation.remediation import RemediationCase
from tasks.model.remediation.verdicts import GuardCode
from tasks.rules.formats.markdown_cells import cell
from tasks.rules.messages.desk import desk_clock
from tasks.rules.remediation.planning.plan_markdown import DUE_WORDS, part_silent, together, trust_lines

# The server gives a pause up by itself and fails the run; our own time is over long before that.
SERVER_PATIENCE_S = 60


def proposal(case: RemediationCase, until: datetime, fault: str = "") -> str:
    """Write the text of the approval form; `fault` says why the last answer does not hold.

    Runbook: §2, in mode *propose*. After `until` no answer is the answer.
    """
    found = {one.cause: one for one in case.diagnosis.findings}
    because = "\n".join(
        f"- {cell(reason)}" for finding in found.values() for reason in (f"{finding.cause}:", *finding.because)
    )
    again = f"**{cell(fault)}**\n\n" if fault else ""
    asked, silent = part_silent(case.plan.actions)
    plan = "\n".join(f"{number}. {_line(one)}" for number, one in enumerate(asked, 1))
    silence = f"only this is done: {cell(together(silent))}" if silent else "nothing of the plan is done"
    orders = case.plan.orders
    earned = "".join(f"{cell(line)}\n\n" for line in trust_lines(case.plan))
    unproven = f"{orders.verdict}, {cell(orders.detail)} {cell(', '.join(orders.ids[:20]))}" if orders else "not asked"
    ids = ", ".join(dict.fromkeys(one.incident_id for one in case.plan.actions))
    return (
        f"{again}**{cell(case.service)}: may this be done?**\n\n{plan}\n\n"
        f"If nobody answers by {desk_clock(until)}, {silence}, and the next tier is notified.\n\n"
        f"**Evidence**\n\n{because}\n\n{earned}**Orders not proven:** {unproven}\n\n"
        f"Incident {cell(ids)}; in a shell: `runbook approve ID` or `runbook reject ID`."
    )


def _line(one: PlannedAction) -> str:
    """Write one action; that a person must approve it is what the form is for, and need not stand in each line."""
    due = f", {DUE_WORDS[one.due]}" if DUE_WORDS[one.due] else ""
    forbids = "" if one.verdict.code is GuardCode.APPROVAL_NEEDED else f": {one.verdict.code}, {one.verdict.detail}"
    return cell(f"{one.words}{due}{forbids}")


def a_name(text: str) -> str:
    """Hold a name to be one: the ledger records who let an action happen.

    Errors: `ValueError`, which the form shows.
    """
    fault = "a name is expected; the ledger records who answered"
    try:
        name = visible_line(text)
    except ValueError:
        raise ValueError(fault) from None
    if not any(letter.isalpha() for letter in name):
        raise ValueError(fault)
    return name
