"""The plan for people: a table of actions, and one line each for a message."""

from tasks.model.incidents.incident import Action
from tasks.model.probes.control import TradingState
from tasks.model.remediation.plan import Due, Plan, PlannedAction
from tasks.model.remediation.remediation import ActionResult, RemediationCase, RemediationResult
from tasks.model.remediation.verdicts import GuardCode
from tasks.rules.formats.markdown_cells import cell
from tasks.rules.messages.templates import listed
from tasks.rules.remediation.guards.back_off import trust_line

DUE_WORDS = {
    Due.ALWAYS: "",
    Due.IF_NOT_DONE: "only if that is not done",
    Due.IF_INEFFECTIVE: "only if that does not help",
    Due.IF_EXPIRED: "only if nobody answers",
}


def plan_markdown(case: RemediationCase) -> str:
    """Write the plan as Markdown: what would be done in order, and by which guard it may or may not."""
    head = f"## Plan for {cell(case.service)}\n\n"
    by = f"Asked for by {cell(case.asked.by)}: {cell(case.asked.reason)}\n\n" if case.asked else ""
    rows = "".join(_row(number, one) for number, one in enumerate(case.plan.actions, 1))
    table = f"| # | action | when | may it | because |\n| --- | --- | --- | --- | --- |\n{rows}"
    return f"{head}{by}{table}{_trust(case.plan)}{_orders(case.plan)}"


def outcome_markdown(line: str, result: RemediationResult) -> str:
    """Write what became of each action as Markdown, with the guards that a person passed by."""
    rows = "".join(_outcome_row(one) for one in result.actions)
    table = f"| action | outcome | passed by | detail |\n| --- | --- | --- | --- |\n{rows}" if rows else ""
    return f"## {cell(line)}\n\n{table}"


def plan_lines(actions: tuple[PlannedAction, ...], *, brief: bool = False) -> tuple[str, ...]:
    """Write planned actions as lines of plain text; what silence would mean in one, and only where somebody is asked.

    `brief` leaves out why an action is allowed: a page fits a phone. Why one is not is always said.
    """
    asks = any(one.verdict.code is GuardCode.APPROVAL_NEEDED for one in actions)
    named, silent = part_silent(tuple(one for one in actions if asks or one.due is not Due.IF_EXPIRED))
    last = (f"If nobody answers: {together(silent)}",) if silent else ()
    return (*(_line(number, one, brief=brief) for number, one in enumerate(named, 1)), *last)


def part_silent(actions: tuple[PlannedAction, ...]) -> tuple[tuple[PlannedAction, ...], tuple[PlannedAction, ...]]:
    """Part what is done where nobody answers from all else; what a guard forbids of it keeps a line of its own."""
    silent = tuple(one for one in actions if one.due is Due.IF_EXPIRED and _may_follow_silence(one))
    return tuple(one for one in actions if one not in silent), silent


def _may_follow_silence(one: PlannedAction) -> bool:
    return one.verdict.allowed or one.verdict.code is GuardCode.APPROVAL_NEEDED


def together(actions: tuple[PlannedAction, ...]) -> str:
    """Name actions in one line; those that differ in their class alone share their words, and a halt is called one."""
    groups: dict[tuple[str, str], list[PlannedAction]] = {}
    for one in actions:
        alike = one.target.model_copy(update={"asset_class": None}).words
        what = (one.action.replace("_", " "), alike)
        halts = one.action is Action.PAUSE_STRATEGIES and alike == TradingState.HALTED
        groups.setdefault(("halt", "") if halts else what, []).append(one)
    return ", ".join(
        " ".join(part for part in (action, listed(_classes(same)), alike) if part)
        for (action, alike), same in groups.items()
    )


def _classes(actions: list[PlannedAction]) -> list[str]:
    return list(dict.fromkeys(str(one.target.asset_class) for one in actions if one.target.asset_class))


def trust_lines(plan: Plan) -> tuple[str, ...]:
    """Write what the actions of a plan have earned before, as lines of plain text."""
    return tuple(f"Earned trust: {trust_line(one, plan.written_at)}." for one in plan.trust)


def _trust(plan: Plan) -> str:
    return "".join(f"\n{cell(line)}\n" for line in trust_lines(plan))


def _row(number: int, one: PlannedAction) -> str:
    may = "yes" if one.verdict.allowed else cell(one.verdict.code)
    why = cell("; ".join(part for part in (one.why, one.verdict.detail) if part))
    return f"| {number} | {cell(one.words)} | {DUE_WORDS[one.due]} | {may} | {why} |\n"


def _outcome_row(one: ActionResult) -> str:
    passed_by = ", ".join(one.planned.verdict.passed_by) if one.started_at else ""
    code = f"{one.code}: " if one.code else ""
    detail = one.recovery.detail if one.recovery else one.detail
    return f"| {cell(one.planned.words)} | {one.proven.words} | {cell(passed_by)} | {cell(f'{code}{detail}')} |\n"


def _line(number: int, one: PlannedAction, *, brief: bool) -> str:
    due = f" ({DUE_WORDS[one.due]})" if DUE_WORDS[one.due] else ""
    if brief and one.verdict.allowed:
        return f"{number}. {one.words}{due}"
    return f"{number}. {one.words}{due}: {one.verdict.code}, {one.verdict.detail}"


def _orders(plan: Plan) -> str:
    if plan.orders is None:
        return ""
    ids = ", ".join(plan.orders.ids[:20])
    return f"\nOrders not proven: {plan.orders.verdict}, {cell(plan.orders.detail)}{': ' + cell(ids) if ids else ''}\n"
