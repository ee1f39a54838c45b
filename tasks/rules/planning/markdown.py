"""The plan for people: a table of actions, and one line each for a message."""

from tasks.model.plan import Due, Plan, PlannedAction
from tasks.model.remediation import ActionResult, RemediationCase, RemediationResult
from tasks.model.verdicts import GuardCode
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


def outcome_markdown(line: str, result: RemediationResult) -> str:
    """Write what became of each action as Markdown, with the guards that a person passed by."""
    rows = "".join(_outcome_row(one) for one in result.actions)
    table = f"| action | outcome | passed by | detail |\n| --- | --- | --- | --- |\n{rows}" if rows else ""
    return f"## {cell(line)}\n\n{table}"


def plan_lines(actions: tuple[PlannedAction, ...]) -> tuple[str, ...]:
    """Write planned actions as lines of plain text; what silence would mean only where somebody is asked."""
    asks = any(one.verdict.code is GuardCode.APPROVAL_NEEDED for one in actions)
    named = (one for one in actions if asks or one.due is not Due.IF_EXPIRED)
    return tuple(_line(number, one) for number, one in enumerate(named, 1))


def _row(number: int, one: PlannedAction) -> str:
    may = "yes" if one.verdict.allowed else cell(one.verdict.code)
    why = cell("; ".join(part for part in (one.why, one.verdict.detail) if part))
    return f"| {number} | {cell(one.words)} | {DUE_WORDS[one.due]} | {may} | {why} |\n"


def _outcome_row(one: ActionResult) -> str:
    passed_by = ", ".join(one.planned.verdict.passed_by) if one.started_at else ""
    code = f"{one.code}: " if one.code else ""
    detail = one.recovery.detail if one.recovery else one.detail
    return f"| {cell(one.planned.words)} | {one.proven.words} | {cell(passed_by)} | {cell(f'{code}{detail}')} |\n"


def _line(number: int, one: PlannedAction) -> str:
    due = f" ({DUE_WORDS[one.due]})" if DUE_WORDS[one.due] else ""
    return f"{number}. {one.words}{due}: {one.verdict.code}, {one.verdict.detail}"


def _orders(plan: Plan) -> str:
    if plan.orders is None:
        return ""
    ids = ", ".join(plan.orders.ids[:20])
    return f"\nOrders not proven: {plan.orders.verdict}, {cell(plan.orders.detail)}{': ' + cell(ids) if ids else ''}\n"
