"""The plan for people: a table of actions, and one line each for a message."""

from tasks.model.plan import Due, Plan, PlannedAction
from tasks.model.remediation import RemediationCase
from tasks.rules.cells import cell

DUE_WORDS = {
    Due.ALWAYS: "",
    Due.IF_NOT_DONE: "only if that is not done",
    Due.IF_IN_VAIN: "only if that does not help",
    Due.IF_EXPIRED: "only if nobody answers",
}


def plan_markdown(case: RemediationCase) -> str:
    """Write the plan as Markdown: what would be done in order, and by which guard it may or may not."""
    head = f"## Plan for {cell(case.service)}\n\n"
    by = f"Asked for by {cell(case.asked.by)}: {cell(case.asked.reason)}\n\n" if case.asked else ""
    rows = "".join(_row(number, one) for number, one in enumerate(case.plan.actions, 1))
    table = f"| # | action | when | may it | because |\n| --- | --- | --- | --- | --- |\n{rows}"
    return f"{head}{by}{table}{_orders(case.plan)}"


def plan_lines(actions: tuple[PlannedAction, ...]) -> tuple[str, ...]:
    """Write planned actions as lines of plain text."""
    return tuple(_line(number, one) for number, one in enumerate(actions, 1))


def _row(number: int, one: PlannedAction) -> str:
    may = "yes" if one.verdict.allowed else cell(one.verdict.code)
    why = cell("; ".join(part for part in (one.why, one.verdict.detail) if part))
    return f"| {number} | {cell(one.words)} | {DUE_WORDS[one.due]} | {may} | {why} |\n"


def _line(number: int, one: PlannedAction) -> str:
    due = f" ({DUE_WORDS[one.due]})" if DUE_WORDS[one.due] else ""
    return f"{number}. {one.words}{due}: {one.verdict.code}, {one.verdict.detail}"


def _orders(plan: Plan) -> str:
    if plan.orders is None:
        return ""
    ids = ", ".join(plan.orders.ids[:20])
    return f"\nOrders not proven: {plan.orders.verdict}, {cell(plan.orders.detail)}{': ' + cell(ids) if ids else ''}\n"
