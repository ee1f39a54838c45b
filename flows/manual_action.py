"""§2 Manual actions: one form for each action that a person may order during an incident.

A manual action takes the same way as an automatic one: the same guards, lock, proof and messages.
"""

from typing import Annotated, Any

from prefect import State, flow
from prefect.runtime import flow_run
from pydantic import Field

from flows.escalation import escalation
from flows.forms import (
    By,
    ClassChoice,
    Empty,
    Help,
    Name,
    Override,
    Reason,
    Service,
    name_of,
    one_service,
    refused_as,
    run_named,
)
from flows.remediation import remediation
from flows.triage import look_around
from tasks.act.pause_trading import pause_trading
from tasks.model.evidence.evidence import TriageRequest
from tasks.model.incidents.incident import Action
from tasks.model.probes.control import TradingState
from tasks.model.probes.orders import AssetClass
from tasks.model.remediation.operator_action import ManualAction, Paused, Resumed
from tasks.model.remediation.plan import Request, Target
from tasks.observe.gather_context import gather_context
from tasks.operator.check_order import check_order
from tasks.operator.end_manual_action import end_manual_action
from tasks.operator.plan_manual_action import plan_manual_action
from tasks.operator.record_manual_action import record_manual_action
from tasks.operator.write_outcome import write_outcome
from tasks.rules.messages.operator import announcement, outcome_messages
from tasks.rules.remediation.branches import case_for_operator, may_act, no_manual_action
from tasks.rules.remediation.operator_action import form_targets, resumed
from tasks.rules.reports.run_names import run_name
from tasks.settings import load_settings

Release = Annotated[Name, Help("Back to which kept release; empty takes the last one that our checks saw healthy.")]
Instance = Annotated[Name, Help("Which instance, of a service that has several; empty where it is one process.")]
Feature = Annotated[Name, Field(min_length=1), Help("Which feature to switch off, as GET /routing names it.")]
ClassToMove = Annotated[AssetClass, ClassChoice("Whose new orders are re-routed.", may_be_empty=False)]
Alternate = Annotated[Name, Help("To which approved alternate; empty goes back to the table's own gateway.")]
OneClass = Annotated[AssetClass | Empty | None, ClassChoice("Which asset class; or a strategy, or everything, below.")]
Strategy = Annotated[Name, Help("Which strategy, in every class; a class is paused as well only if you name one.")]
Everything = Annotated[bool, Help("Pause every class of the service; fields left empty never mean this.")]
Halt = Annotated[Paused, Help("halted takes no new order; reducing takes those that close a position.")]
What = Annotated[Resumed, Help("What to take back: a class's trading, a strategy, a gateway's mark, or a re-route.")]
OfClass = Annotated[
    AssetClass | Empty | None, ClassChoice("For trading and route: which class; empty resumes every paused one.")
]
OfName = Annotated[Name, Help("For strategy and gateway_mark: its name.")]
Gateway = Annotated[Name, Field(min_length=1), Help("Which gateway, as the routing table names it.")]


def pause_name() -> str:
    given = flow_run.parameters
    named = " and ".join(str(one) for one in (given["asset_class"], given["strategy"].strip()) if one)
    what = "everything" if given["everything"] else named or "nothing, none named,"
    return run_name(f"{name_of(given['service'])}: pause {what} by {given['by']}")


def resume_name() -> str:
    given = flow_run.parameters
    named = given["asset_class"] or given["name"].strip()
    what = f"{given['what'].replace('_', ' ')} {named}".strip()
    return run_name(f"{name_of(given['service'])}: resume {what} by {given['by']}")


@flow(name="remediation", flow_run_name=run_named("{service}: restart by {by}"))
async def restart(
    reason: Reason, by: By, service: Service = "", instance: Instance = "", override: Override = ()
) -> str | State[Any]:
    """Restart the service, or one of its instances, once; it counts in the restart budget.

    Runbook: §2.1 Restart if hung.
    """
    asked = Request(by=by, reason=reason, overrides=override)
    return await follow(_order(Action.RESTART_SERVICE, service, asked, Target(instance=instance.strip() or None)))


@flow(name="remediation", flow_run_name=run_named("{service}: roll back by {by}"))
async def roll_back(
    reason: Reason, by: By, release: Release = "", service: Service = "", override: Override = ()
) -> str | State[Any]:
    """Make an earlier release current and start it, once.

    Runbook: §2.3 Roll back to the previous release.
    """
    asked = Request(by=by, reason=reason, overrides=override)
    return await follow(_order(Action.ROLL_BACK_RELEASE, service, asked, Target(release=release.strip() or None)))


@flow(name="remediation", flow_run_name=run_named("{service}: disable {feature} by {by}"))
async def disable_feature(
    feature: Feature, reason: Reason, by: By, service: Service = "", override: Override = ()
) -> str | State[Any]:
    """Switch one feature off, once.

    Runbook: §2.3 Or disable the new feature.
    """
    asked = Request(by=by, reason=reason, overrides=override)
    return await follow(_order(Action.DISABLE_FEATURE, service, asked, Target(feature=feature.strip())))


@flow(name="remediation", flow_run_name=run_named("{service}: reroute {asset_class} by {by}"))
async def reroute(
    asset_class: ClassToMove,
    reason: Reason,
    by: By,
    gateway: Alternate = "",
    service: Service = "",
    override: Override = (),
) -> str | State[Any]:
    """Re-route the new orders of one class: a test order first, then all. None that was sent is sent again.

    Runbook: §2.2 Re-route orders if that is safe.
    """
    asked = Request(by=by, reason=reason, overrides=override)
    target = Target(asset_class=asset_class, gateway=gateway.strip() or None)
    return await follow(_order(Action.REROUTE_ORDERS, service, asked, target))


@flow(name="remediation", flow_run_name=pause_name)
async def pause(
    *,
    asset_class: OneClass = "",
    strategy: Strategy = "",
    everything: Everything = False,
    state: Halt = Paused.HALTED,
    reason: Reason,
    by: By,
    service: Service = "",
) -> str | State[Any]:
    """Pause a class, a strategy, or everything: always allowed, in any mode; cancels pass, and a person resumes.

    Runbook: §2.2 Else pause automated strategies.
    Errors: `BAD_ARGUMENT` where nothing is named and everything is not asked for; then nothing is paused.
    """
    targets = form_targets(asset_class or None, strategy, TradingState(state), everything=everything)
    return await follow(_order(Action.PAUSE_STRATEGIES, service, Request(by=by, reason=reason), *targets))


@flow(name="remediation", flow_run_name=resume_name)
async def resume(
    *,
    what: What = Resumed.TRADING,
    asset_class: OfClass = "",
    name: OfName = "",
    reason: Reason,
    by: By,
    service: Service = "",
    override: Override = (),
) -> str | State[Any]:
    """End a pause, take a mark off a gateway, or end a re-route; only a person may.

    Runbook: §2.1, §2.2, after what was done there.
    """
    asked = Request(by=by, reason=reason, overrides=override)
    return await follow(resumed(_order(Action.RESUME, service, asked), what, asset_class or None, name))


@flow(name="remediation", flow_run_name=run_named("{service}: mark {gateway} degraded by {by}"))
async def mark_degraded(
    gateway: Gateway, reason: Reason, by: By, service: Service = "", override: Override = ()
) -> str | State[Any]:
    """Mark one gateway degraded, so that everybody sees it; it still takes the orders that reach it.

    Runbook: §2.1 If a dependency is unreachable, mark the service degraded.
    """
    asked = Request(by=by, reason=reason, overrides=override)
    return await follow(_order(Action.MARK_DEGRADED, service, asked, Target(gateway=gateway.strip())))


async def follow(manual: ManualAction) -> str | State[Any]:
    """Do once what a person asks for: check, record, notify, act under guards and lock, prove it, notify again.

    Runbook: §2 Remediation.
    Steps: a pause is one step, which checks nothing first and waits for nobody (safety rule 8).
    """
    if load_settings().people:
        checked = check_order(manual)
        if checked.order is None:
            return refused_as(checked.refusal)
        manual = checked.order
    if manual.is_pause:
        return await write_outcome(*await pause_trading(manual))  # §2.2
    service = manual.service
    context = gather_context(TriageRequest(service=service, note=manual.asked.reason))  # §1.1
    seen = await look_around(service, context)  # §1.2, §1.3
    story = record_manual_action(manual, context, seen)  # §1.4
    plan = await plan_manual_action(story)  # §2
    await escalation(service, announcement(story, plan), run_url=context.run_url)  # §3.1
    case = case_for_operator(story, plan)
    result = await remediation(case) if may_act(plan) else no_manual_action(case)  # §2
    await escalation(service, outcome_messages(story, plan, result), run_url=context.run_url)  # §3, §4
    end_manual_action(story, result)
    return await write_outcome(story, result)


def _order(action: Action, service: str | None, asked: Request, *targets: Target) -> ManualAction:
    return ManualAction(service=one_service(service), action=action, asked=asked, targets=targets)
