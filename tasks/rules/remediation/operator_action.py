"""A manual action: the targets that a person named in a form, the incident it goes into, its records in the ledger."""

from datetime import datetime

from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.errors import Code, RunbookError
from tasks.model.incidents.incident import Action, Event, IncidentState, LedgerRecord, Outcome, Source
from tasks.model.probes.control import TradingState, visible_line
from tasks.model.probes.orders import AssetClass
from tasks.model.remediation.operator_action import ManualAction, Resumed
from tasks.model.remediation.plan import Request, Target
from tasks.model.remediation.remediation import RemediationResult
from tasks.model.remediation.verdicts import GuardCode
from tasks.rules.incidents.transitions import record_of
from tasks.rules.remediation.planning.proposal import a_name


def pause_targets(asset_class: AssetClass | None, strategy: str, state: TradingState) -> tuple[Target, ...]:
    """Name what a pause form asks for: one strategy, one class, both where both are named; nothing named is all.

    A pause is never refused for how its form was filled in. *Active* is no pause, and means halted.
    """
    name = strategy.strip()
    paused = TradingState.HALTED if state is TradingState.ACTIVE else state
    of_class = (Target(asset_class=asset_class, trading_state=paused),) if asset_class else ()
    return (*((Target(strategy=name),) if name else ()), *of_class)


def form_targets(
    asset_class: AssetClass | None, strategy: str, state: TradingState, *, everything: bool
) -> tuple[Target, ...]:
    """Name what a pause form asks for; *everything* has a field of its own, which goes before what is named beside it.

    Errors: `BAD_ARGUMENT` where nothing is named and everything is not asked for: a field left empty halts no market.
    """
    if everything:
        return ()
    targets = pause_targets(asset_class, strategy, state)
    if not targets:
        detail = "expected a class, a strategy or everything, found none; nothing was paused: choose one, submit again"
        raise RunbookError(Code.BAD_ARGUMENT, detail)
    return targets


def resume_targets(asset_class: AssetClass | None, strategy: str, gateway: str) -> tuple[Target, ...]:
    """Name what a command line asks to take back: each of what is named.

    Errors: `BAD_ARGUMENT` where nothing is named: nothing is guessed where something is taken back.
    """
    named = (
        Target(asset_class=asset_class) if asset_class else None,
        Target(strategy=strategy.strip()) if strategy.strip() else None,
        Target(gateway=gateway.strip()) if gateway.strip() else None,
    )
    targets = tuple(one for one in named if one is not None)
    if not targets:
        detail = "expected a class, --strategy or --gateway, found none; say what to resume"
        raise RunbookError(Code.BAD_ARGUMENT, detail)
    return targets


def asked_by(by: str, reason: str, overrides: tuple[str, ...] = ()) -> Request:
    """Read who orders and why, and which guards are overridden, as a command line gives it.

    Errors: `BAD_ARGUMENT` where a person could not read one of them, or where a guard is none.
    """
    guards = tuple(map(_guard, overrides))
    try:
        return Request(by=a_name(by)[:100], reason=visible_line(reason)[:500], overrides=guards)
    except ValueError as error:
        detail = f"expected a name and a reason, found {by!r}, {reason!r}: {error}"
        raise RunbookError(Code.BAD_ARGUMENT, detail) from None


def _guard(name: str) -> GuardCode:
    try:
        return GuardCode(name.strip().upper().replace("-", "_"))
    except ValueError:
        detail = f"expected --override with a guard as `runbook plan` names it, found {name[:100]!r}; correct it"
        raise RunbookError(Code.BAD_ARGUMENT, detail) from None


def resumed(base: ManualAction, what: Resumed, asset_class: AssetClass | None, name: str) -> ManualAction:
    """Complete a resume: what is taken back, of which class, strategy or gateway.

    Errors: `BAD_ARGUMENT` names the field that is missing; nothing is guessed where something is taken back.
    """
    match what:
        case Resumed.TRADING:
            return _with(base, Action.RESUME, Target(asset_class=asset_class) if asset_class else None)
        case Resumed.STRATEGY:
            return _with(base, Action.RESUME, Target(strategy=_given(name, what)))
        case Resumed.GATEWAY_MARK:
            return _with(base, Action.RESUME, Target(gateway=_given(name, what)))
        case Resumed.ROUTE if asset_class is None:
            raise RunbookError(Code.BAD_ARGUMENT, "expected an asset class, found none; say whose route is taken back")
        case Resumed.ROUTE:
            return _with(base, Action.REROUTE_ORDERS, Target(asset_class=asset_class))


def _with(base: ManualAction, action: Action, target: Target | None) -> ManualAction:
    return base.model_copy(update={"action": action, "targets": (target,) if target else ()})


def _given(name: str, what: Resumed) -> str:
    if not name.strip():
        raise RunbookError(Code.BAD_ARGUMENT, f"expected a name, found none; say which {what.replace('_', ' ')}")
    return name.strip()


ENDED_WELL = frozenset({Outcome.DONE, Outcome.RECOVERED, Outcome.REFUSED})


def fitting_incident(manual_action: ManualAction, incidents: tuple[IncidentState, ...]) -> IncidentState | None:
    """Find the open incident that an order belongs to: one of the same gateway or class, else the newest one.

    Runbook: §1.4 Recent incidents.
    """
    running = [one for one in incidents if one.is_open]
    gateways = {one.gateway for one in manual_action.targets if one.gateway}
    classes = {one.asset_class for one in manual_action.targets if one.asset_class}
    same = [one for one in running if gateways.intersection(one.gateways) or classes.intersection(one.asset_classes)]
    return max(same or running, key=lambda one: one.opened_at, default=None)


def opening_records(manual_action: ManualAction, incident_id: str, now: datetime) -> tuple[LedgerRecord, ...]:
    """Write the opening of an incident by a person's order; who orders has it, so nobody is paged for it.

    Runbook: §1.4 Recent incidents.
    """
    asked, targets = manual_action.asked, manual_action.targets
    what = f"{manual_action.action.replace('_', ' ')} {', '.join(one.words for one in targets)}".strip()
    details: dict[str, object] = {
        "by": asked.by,
        "reason": asked.reason,
        "action": manual_action.action,
        "overrides": list(asked.overrides),
        "tier": Audience.TIER_1,
        "asset_classes": [one.asset_class for one in targets if one.asset_class],
        "gateways": [one.gateway for one in targets if one.gateway],
    }
    incident = IncidentState(
        incident_id=incident_id, service=manual_action.service, state=Event.OPENED, opened_at=now, causes=()
    )
    opened = record_of(incident, Event.OPENED, now, f"manual action by {asked.by}: {what}: {asked.reason}", details)
    taken = record_of(incident, Event.ACKNOWLEDGED, now, f"asked for by {asked.by}", {"by": asked.by})
    return tuple(one.model_copy(update={"source": Source.OPERATOR}) for one in (opened, taken))


def ends_with_order(result: RemediationResult, *, is_new: bool) -> bool:
    """Say whether an incident that an order opened ends with it: not where the end is bad, or nobody knows it."""
    return is_new and all(one.proven in ENDED_WELL for one in result.actions)


def ending_records(
    incident: IncidentState, result: RemediationResult, by: str, now: datetime
) -> tuple[LedgerRecord, ...]:
    """Write that a person's order is carried out, or that nothing was done of it."""
    summary = f"the manual action of {by} has ended: {result.outcome.words}, {result.detail}"
    closed = record_of(incident, Event.CLOSED, now, summary, {"outcome": result.outcome})
    return (closed.model_copy(update={"source": Source.OPERATOR}),)
