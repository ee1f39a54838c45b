"""What an operator orders from a shell, as the forms do it, also where Prefect is away."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple, NoReturn

from cyclopts import Parameter

from deployments.commands.answer import FAILED, OK, Answer, end_with
from deployments.commands.operators import ordered as permitted
from deployments.commands.options import By, JsonOutput, Reason, Service, person
from deployments.views.words import complain
from tasks.clients.messages.delivery_thread import sender_of
from tasks.model.errors import CannotObserve
from tasks.model.incidents.incident import Action
from tasks.model.probes.control import TradingState
from tasks.model.probes.orders import AssetClass
from tasks.model.remediation.operator_action import ManualAction, Paused
from tasks.model.remediation.plan import Target
from tasks.model.remediation.remediation import ActionResult
from tasks.model.reports.progress import LongStep, Progress
from tasks.rules.formats.time import utc_text
from tasks.rules.messages.operator import interrupted_line, outcome_line
from tasks.rules.remediation.operator_action import asked_by, pause_targets, resume_targets
from tasks.rules.remediation.planning.due import GOOD
from tasks.settings import RunbookSettings, load_settings
from tasks.work.remediation.operator_action import Operated, last_begun, ordered

# What is not delivered by then is queued, and the next run sends it.
DELIVERED_WITHIN_S = 5.0
INTERRUPTED = 130
HEED_S = 0.2
Override = Annotated[
    tuple[str, ...],
    Parameter(
        negative=(), show_default=False, help="A guard to override, by its name (MODE_FORBIDS); recorded and notified."
    ),
]


class Given(NamedTuple):
    """What every order is given with."""

    service: str | None
    by: str | None
    reason: str
    json_output: bool
    override: tuple[str, ...] = ()


def restart(
    *,
    reason: Reason,
    by: By = None,
    instance: Annotated[str, Parameter(help="Which instance, of a service that has several.")] = "",
    service: Service = None,
    override: Override = (),
    json_output: JsonOutput = False,
) -> None:
    """Restart the service, or one of its instances, once; it counts in the restart budget, and its effect is proven."""
    target = Target(instance=instance.strip() or None)
    _execute(Action.RESTART_SERVICE, (target,), Given(service, by, reason, json_output, override))


def reroute(
    asset_class: Annotated[AssetClass, Parameter(help="Whose new orders are re-routed.")],
    *,
    reason: Reason,
    by: By = None,
    gateway: Annotated[str, Parameter(help="To which alternate; without it back to the table's own gateway.")] = "",
    service: Service = None,
    override: Override = (),
    json_output: JsonOutput = False,
) -> None:
    """Re-route the new orders of one class: a test order first, then all. None that was sent is sent again."""
    target = Target(asset_class=asset_class, gateway=gateway.strip() or None)
    _execute(Action.REROUTE_ORDERS, (target,), Given(service, by, reason, json_output, override))


def roll_back(
    release: Annotated[str, Parameter(help="Which kept release; without it the last one that was seen healthy.")] = "",
    *,
    reason: Reason,
    by: By = None,
    service: Service = None,
    override: Override = (),
    json_output: JsonOutput = False,
) -> None:
    """Make an earlier release current and start it, once; its effect is proven."""
    target = Target(release=release.strip() or None)
    _execute(Action.ROLL_BACK_RELEASE, (target,), Given(service, by, reason, json_output, override))


def disable_feature(
    feature: Annotated[str, Parameter(help="Which feature, as the service names it.")],
    *,
    reason: Reason,
    by: By = None,
    service: Service = None,
    override: Override = (),
    json_output: JsonOutput = False,
) -> None:
    """Switch one feature off, once."""
    target = Target(feature=feature.strip())
    _execute(Action.DISABLE_FEATURE, (target,), Given(service, by, reason, json_output, override))


def mark_degraded(
    gateway: Annotated[str, Parameter(help="Which gateway, as the routing table names it.")],
    *,
    reason: Reason,
    by: By = None,
    service: Service = None,
    override: Override = (),
    json_output: JsonOutput = False,
) -> None:
    """Mark one gateway degraded, so that everybody sees it; it still takes the orders that reach it."""
    target = Target(gateway=gateway.strip())
    _execute(Action.MARK_DEGRADED, (target,), Given(service, by, reason, json_output, override))


def pause(
    asset_class: Annotated[AssetClass | None, Parameter(help="Which class; without it and a strategy, all.")] = None,
    *,
    reason: Reason,
    by: By = None,
    strategy: Annotated[str, Parameter(help="Which strategy, in every class; name a class to pause it, too.")] = "",
    state: Annotated[
        Paused,
        Parameter(help="halted: no new order; reducing: only those that close a position, never looser than a halt."),
    ] = Paused.HALTED,
    service: Service = None,
    json_output: JsonOutput = False,
) -> None:
    """Pause an asset class, a strategy, or everything, at once: cancels still go through, and a person resumes it."""
    targets = pause_targets(asset_class, strategy, TradingState(state))
    _execute(Action.PAUSE_STRATEGIES, targets, Given(service, by, reason, json_output))


def resume(
    asset_class: Annotated[AssetClass | None, Parameter(help="Which class to resume.")] = None,
    *,
    reason: Reason,
    by: By = None,
    strategy: Annotated[str, Parameter(help="Which halted strategy to resume.")] = "",
    gateway: Annotated[str, Parameter(help="Which gateway to take the mark off.")] = "",
    service: Service = None,
    override: Override = (),
    json_output: JsonOutput = False,
) -> None:
    """Let a class or a strategy trade again, or take the mark off a gateway; never by itself, and under every guard.

    A class trades again only once its gateway was seen to answer and a test order was delivered; else it is halted
    again. `runbook reroute CLASS` without a gateway takes a re-route back.
    """
    targets = resume_targets(asset_class, strategy, gateway)
    _execute(Action.RESUME, targets, Given(service, by, reason, json_output, override))


def _execute(action: Action, targets: tuple[Target, ...], given: Given) -> NoReturn:
    """Carry one order out, and end as it ended: 0 it is in force or helped, 1 it is not, 130 it was interrupted."""
    settings = load_settings()
    asked = asked_by(person(given.by), given.reason, given.override)
    named = ManualAction(service=settings.named(given.service), action=action, asked=asked, targets=targets)
    order = permitted(settings, named)
    began_at = datetime.now(UTC)
    try:
        operated = asyncio.run(_heeding_signals(ordered(settings, order, _progress())))
    except KeyboardInterrupt:
        complain(_interrupted(settings, order, began_at))
        sys.exit(INTERRUPTED)
    sender_of(settings).wait(DELIVERED_WITHIN_S)
    exit_code = OK if operated.result.outcome in GOOD else FAILED
    end_with(Answer(_as_json(operated), [outcome_line(*operated)], exit_code), json_output=given.json_output)


async def _heeding_signals(work: Awaitable[Operated]) -> Operated:
    """Wake up now and then: Ctrl-C in the moment in which the loop falls asleep is heeded when it next wakes."""

    async def beat() -> None:
        while True:  # noqa: ASYNC110 - it waits for nothing; that it wakes is its work
            await asyncio.sleep(HEED_S)

    beating = asyncio.create_task(beat())
    try:
        return await work
    finally:
        beating.cancel()


def _progress() -> Callable[[Progress], None]:
    """Say on stderr what takes long, once as it begins."""
    said: list[LongStep] = []

    def report(progress: Progress) -> None:
        if progress.step not in said[-1:]:
            said.append(progress.step)
            complain(f"{utc_text(datetime.now(UTC))}  {progress.step}")

    return report


def _interrupted(settings: RunbookSettings, order: ManualAction, began_at: datetime) -> str:
    try:
        return interrupted_line(order, last_begun(settings, order.service, began_at))
    except CannotObserve as error:
        return f"Interrupted, and whether anything was begun is not known: {error}"


def _as_json(operated: Operated) -> dict[str, Any]:
    story, result = operated
    return {
        "service": story.manual_action.service,
        "action": story.manual_action.action.value,
        "asked_by": story.manual_action.asked.by,
        "incident_id": story.incident.incident_id,
        "outcome": result.outcome.value,
        "code": result.code,
        "detail": result.detail,
        "summary": outcome_line(story, result),
        "actions": [_action(one) for one in result.actions],
    }


def _action(one: ActionResult) -> dict[str, Any]:
    passed_by = [code.value for code in one.planned.verdict.passed_by] if one.started_at else []
    return {
        "action": one.action.value,
        "target": one.planned.target.words,
        "key": one.key,
        "outcome": one.proven.value,
        "code": one.code,
        "detail": one.recovery.detail if one.recovery else one.detail,
        "passed_by": passed_by,
        "started_at": one.started_at.isoformat() if one.started_at else None,
        "ended_at": one.ended_at.isoformat() if one.ended_at else None,
    }
