"""What a person reads before approving: the plan, the evidence, the unproven orders, and what no answer means."""

from tasks.model.remediation import RemediationCase
from tasks.rules.cells import cell
from tasks.rules.planning.markdown import plan_lines


def proposal(case: RemediationCase, timeout_s: int) -> str:
    """Write the text of the approval form.

    Runbook: §2, in mode *propose*.
    Units: `timeout_s` until nobody's answer is an answer.
    """
    found = {one.cause: one for one in case.diagnosis.findings}
    because = "\n".join(
        f"- {cell(reason)}" for finding in found.values() for reason in (f"{finding.cause}:", *finding.because)
    )
    plan = "\n".join(f"- {cell(line)}" for line in plan_lines(case.plan.actions))
    orders = case.plan.orders
    unproven = f"{orders.verdict}, {cell(orders.detail)} {cell(', '.join(orders.ids[:20]))}" if orders else "not asked"
    return (
        f"**{cell(case.service)}: may this be done?**\n\n{plan}\n\n**Evidence**\n\n{because}\n\n"
        f"**Orders not proven:** {unproven}\n\n"
        f"Without an answer in {timeout_s} s only what pauses trading is done, and the next tier is told."
    )
