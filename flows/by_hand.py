"""§2 by hand: one form for each action that a person may order during an incident."""

from typing import Annotated

from prefect import flow
from prefect.runtime import flow_run
from pydantic import Field

from flows.asked import name_of, one_service, run_named
from flows.forms import By, Choice, Empty, Help, Name, Override, Reason, Service
from flows.instruction import follow
from tasks.model.by_hand import Instruction, Paused, Resumed
from tasks.model.control import TradingState
from tasks.model.incident import Action
from tasks.model.orders import AssetClass
from tasks.model.plan import Request, Target
from tasks.rules.by_hand_forms import pause_targets, resumed
from tasks.rules.run_names import run_name

Release = Annotated[Name, Help("Back to which kept release; empty takes the last one that our looks saw well.")]
Feature = Annotated[Name, Field(min_length=1), Help("Which feature to switch off, as GET /routing names it.")]
ClassToMove = Annotated[AssetClass, Help("Whose new orders are led elsewhere.")]
Alternate = Annotated[Name, Help("To which approved alternate; empty leads back to the table's own gateway.")]
OneClass = Annotated[
    AssetClass | Empty | None, Choice("Which asset class; empty, with no strategy either, means all of them.")
]
Strategy = Annotated[Name, Help("Which strategy, in every class; a class is paused beside it only if you name one.")]
Halt = Annotated[Paused, Help("halted takes no new order; reducing takes those that close a position.")]
What = Annotated[Resumed, Help("What to take back: a class's trading, a strategy, a gateway's mark, or a re-route.")]
OfClass = Annotated[
    AssetClass | Empty | None, Choice("For trading and route: which class; empty resumes every paused one.")
]
OfName = Annotated[Name, Help("For strategy and gateway_mark: its name.")]
Gateway = Annotated[Name, Field(min_length=1), Help("Which gateway, as the routing table names it.")]


def pause_name() -> str:
    """Name the run by what is paused."""
    given = flow_run.parameters
    named = " and ".join(str(one) for one in (given["asset_class"], given["strategy"].strip()) if one)
    return run_name(f"{name_of(given['service'])}: pause {named or 'everything'} by {given['by']}")


def resume_name() -> str:
    """Name the run by what is taken back."""
    given = flow_run.parameters
    named = given["asset_class"] or given["name"].strip()
    what = f"{given['what'].replace('_', ' ')} {named}".strip()
    return run_name(f"{name_of(given['service'])}: resume {what} by {given['by']}")


@flow(name="remediation", flow_run_name=run_named("{service}: restart by {by}"))
async def restart(reason: Reason, by: By, service: Service = "", override: Override = ()) -> str:
    """Restart the service once; it counts in the restart budget.

    Runbook: §2.1 Restart if hung.
    """
    return await follow(_order(Action.RESTART_SERVICE, service, Request(by=by, reason=reason, overrides=override)))


@flow(name="remediation", flow_run_name=run_named("{service}: roll back by {by}"))
async def roll_back(
    reason: Reason, by: By, release: Release = "", service: Service = "", override: Override = ()
) -> str:
    """Make an earlier release current and start it, once.

    Runbook: §2.3 Roll back to the previous release.
    """
    asked = Request(by=by, reason=reason, overrides=override)
    return await follow(_order(Action.ROLL_BACK_RELEASE, service, asked, Target(release=release.strip() or None)))


@flow(name="remediation", flow_run_name=run_named("{service}: disable {feature} by {by}"))
async def disable_feature(
    feature: Feature, reason: Reason, by: By, service: Service = "", override: Override = ()
) -> str:
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
) -> str:
    """Lead the new orders of one class elsewhere: a test order first, then all. None that was sent is sent again.

    Runbook: §2.2 Re-route orders if that is safe.
    """
    asked = Request(by=by, reason=reason, overrides=override)
    target = Target(asset_class=asset_class, gateway=gateway.strip() or None)
    return await follow(_order(Action.REROUTE_ORDERS, service, asked, target))


@flow(name="remediation", flow_run_name=pause_name)
async def pause(
    reason: Reason,
    by: By,
    asset_class: OneClass = "",
    strategy: Strategy = "",
    state: Halt = Paused.HALTED,
    service: Service = "",
) -> str:
    """Pause a class, a strategy, or everything: always allowed, in any mode; cancels pass, and a person resumes.

    Runbook: §2.2 Else pause automated strategies.
    """
    targets = pause_targets(asset_class or None, strategy, TradingState(state))
    return await follow(_order(Action.PAUSE_STRATEGIES, service, Request(by=by, reason=reason), *targets))


@flow(name="remediation", flow_run_name=resume_name)
async def resume(
    reason: Reason,
    by: By,
    what: What = Resumed.TRADING,
    asset_class: OfClass = "",
    name: OfName = "",
    service: Service = "",
    override: Override = (),
) -> str:
    """End a pause, take a mark off a gateway, or lead a class back to the table's own gateway; a person's word only.

    Runbook: §2.1, §2.2, after what was done there.
    """
    asked = Request(by=by, reason=reason, overrides=override)
    return await follow(resumed(_order(Action.RESUME, service, asked), what, asset_class or None, name))


@flow(name="remediation", flow_run_name=run_named("{service}: mark {gateway} degraded by {by}"))
async def mark_degraded(
    gateway: Gateway, reason: Reason, by: By, service: Service = "", override: Override = ()
) -> str:
    """Mark one gateway degraded, so that everybody sees it; it still takes the orders that reach it.

    Runbook: §2.1 If a dependency is unreachable, mark the service degraded.
    """
    asked = Request(by=by, reason=reason, overrides=override)
    return await follow(_order(Action.MARK_DEGRADED, service, asked, Target(gateway=gateway.strip())))


def _order(action: Action, service: str | None, asked: Request, *targets: Target) -> Instruction:
    return Instruction(service=one_service(service), action=action, asked=asked, targets=targets)
