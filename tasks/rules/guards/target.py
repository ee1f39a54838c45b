"""The guard of what an action names: all that it needs, and nothing that is no name. Nothing is begun before it."""

import re

from tasks.model.incident import Action
from tasks.model.plan import PlannedAction, Target
from tasks.model.verdicts import GuardCode, Verdict
from tasks.rules.guards.facts import Facts

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+@-]{0,99}")


def target_is_named(planned: PlannedAction, facts: Facts) -> Verdict:  # noqa: ARG001
    """Refuse an action that lacks what it is for, or names it by what is no name, before anything of it is recorded.

    Errors: none. What would only be found out midway would leave an action half done, which blocks all others.
    """
    target = planned.target
    lacks = _lacks(planned.action, target)
    if lacks:
        return Verdict.no(GuardCode.BAD_TARGET, f"expected {lacks} was none; name it")
    names = {
        "gateway": target.gateway,
        "release": target.release,
        "feature": target.feature,
        "strategy": target.strategy,
        "table": target.table_hash,
    }
    wrong = next((kind for kind, name in names.items() if name is not None and not _NAME.fullmatch(name)), None)
    if wrong:
        was = f"{names[wrong]:.60}".encode("ascii", "backslashreplace").decode()
        return Verdict.no(GuardCode.BAD_TARGET, f"expected a {wrong} of letters, digits, . _ : + @ - was {was!r}")
    return Verdict.yes()


def _lacks(action: Action, target: Target) -> str:
    """Say what an action cannot do without; the guards of a rollback and a restored table say it themselves."""
    match action:
        case Action.PAUSE_STRATEGIES if target.asset_class is None and target.strategy is None:
            return "an asset class or a strategy"
        case Action.RESUME if target.asset_class is None and target.strategy is None and target.gateway is None:
            return "an asset class, a strategy or a gateway"
        case Action.MARK_DEGRADED if target.gateway is None:
            return "a gateway"
        case Action.DISABLE_FEATURE if target.feature is None:
            return "a feature"
        case Action.REROUTE_ORDERS if target.asset_class is None:
            return "an asset class"
        case _:
            return ""
