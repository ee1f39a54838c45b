"""Prove after a rollback that it changed code and nothing else: the table, the switches, what somebody set."""

from tasks.model.probes.control import MARKED
from tasks.model.probes.probes import HealthProbe, RoutingProbe, Seen
from tasks.model.values import Value

# From the tightest to the loosest; a state on no list is as loose as can be.
TIGHTEST_FIRST = ("halted", "reducing")


class Configuration(Value):
    """What a service runs with, as far as it is known. `table_hash` may be known without the service, from the file."""

    health: HealthProbe
    routing: RoutingProbe | None = None
    table_hash: str | None = None


def lost(before: Configuration, after: Configuration) -> tuple[str, ...]:
    """Name what is not as it was before: another table, another switch, another route, a halt or mark that is gone.

    Runbook: §2.3, after the rollback.
    What nobody could say before is not compared; what was known and cannot be read now is not kept. What
    was tightened since stays unsaid, for somebody meant it.
    """
    was, now = before.routing, after.routing
    if was is not None and was.seen is Seen.PASSED and (now is None or now.seen in {Seen.FAILED, Seen.BLIND}):
        return (f"the routing cannot be read: {now.detail if now else 'not asked'}",)
    return (
        *_table(before, after),
        *_switches(was, now),
        *_routes(was, now),
        *_strategies(was, now),
        *_marks(before, after),
    )


def _table(before: Configuration, after: Configuration) -> tuple[str, ...]:
    known = before.routing.table_hash if before.routing else None
    then, now = known or before.table_hash, after.routing.table_hash if after.routing else None
    differs = then is not None and now is not None and then != now
    return (f"routing table {(then or '')[:12]} became {(now or '')[:12]}",) if differs else ()


def _switches(was: RoutingProbe | None, now: RoutingProbe | None) -> tuple[str, ...]:
    """Compare the features that both releases know: what came with the bad release goes with it."""
    then, after = (was.features if was else {}), (now.features if now else {})
    differ = (name for name, is_on in then.items() if after.get(name, is_on) != is_on)
    return tuple(f"feature {name} was {_on(then[name])}, is {_on(after[name])}" for name in differ)


def _routes(was: RoutingProbe | None, now: RoutingProbe | None) -> tuple[str, ...]:
    found: list[str] = []
    for then in was.routes if was else ():
        after = now.route(then.asset_class) if now else None
        if after is None:
            continue
        if after.gateway != then.gateway:
            found.append(f"{then.asset_class} went to {then.gateway}, goes to {after.gateway}")
        if _looseness(after.trading_state) > _looseness(then.trading_state):
            found.append(f"{then.asset_class} was {then.trading_state}, is {after.trading_state}")
    return tuple(found)


def _strategies(was: RoutingProbe | None, now: RoutingProbe | None) -> tuple[str, ...]:
    then, after = (was.strategies if was else {}), (now.strategies if now else {})
    freed = (name for name, state in then.items() if _looseness(after.get(name)) > _looseness(state))
    return tuple(f"strategy {name} was {then[name]}, is {after.get(name, 'active')}" for name in freed)


def _marks(before: Configuration, after: Configuration) -> tuple[str, ...]:
    still = {one.name for one in after.health.dependencies if one.set_to in MARKED}
    was = (one for one in before.health.dependencies if one.set_to in MARKED)
    return tuple(f"gateway {one.name} was marked {one.set_to}" for one in was if one.name not in still)


def _looseness(state: str | None) -> int:
    return TIGHTEST_FIRST.index(state) if state in TIGHTEST_FIRST else len(TIGHTEST_FIRST)


def _on(is_on: bool) -> str:
    return "on" if is_on else "off"
