"""Turn what a person filled into a form into targets; what is left open is left open."""

from tasks.model.by_hand import Instruction, Resumed
from tasks.model.control import TradingState, visible_line
from tasks.model.errors import Code, RunbookError
from tasks.model.incident import Action
from tasks.model.orders import AssetClass
from tasks.model.plan import Request, Target
from tasks.rules.planning.proposal import a_name


def pause_targets(asset_class: AssetClass | None, strategy: str, state: TradingState) -> tuple[Target, ...]:
    """Name what a pause form asks for: one strategy, one class, both where both are named; nothing named is all.

    Errors: none; a pause is never refused for how its form was filled in. *Active* is no pause, and means halted.
    """
    name = strategy.strip()
    paused = TradingState.HALTED if state is TradingState.ACTIVE else state
    of_class = (Target(asset_class=asset_class, trading_state=paused),) if asset_class else ()
    return (*((Target(strategy=name),) if name else ()), *of_class)


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
        raise RunbookError(Code.BAD_ARGUMENT, "expected a class, --strategy or --gateway was none; say what to resume")
    return targets


def asked_by(by: str, reason: str) -> Request:
    """Read who orders and why, as a command line gives it.

    Errors: `BAD_ARGUMENT` where a person could not read one of them.
    """
    try:
        return Request(by=a_name(by)[:100], reason=visible_line(reason)[:500])
    except ValueError as error:
        raise RunbookError(Code.BAD_ARGUMENT, f"expected a name and a reason was {by!r}, {reason!r}: {error}") from None


def resumed(base: Instruction, what: Resumed, asset_class: AssetClass | None, name: str) -> Instruction:
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
            raise RunbookError(Code.BAD_ARGUMENT, "expected an asset class was none; say whose route is taken back")
        case Resumed.ROUTE:
            return _with(base, Action.REROUTE_ORDERS, Target(asset_class=asset_class))


def _with(base: Instruction, action: Action, target: Target | None) -> Instruction:
    return base.model_copy(update={"action": action, "targets": (target,) if target else ()})


def _given(name: str, what: Resumed) -> str:
    if not name.strip():
        raise RunbookError(Code.BAD_ARGUMENT, f"expected a name was none; say which {what.replace('_', ' ')}")
    return name.strip()
