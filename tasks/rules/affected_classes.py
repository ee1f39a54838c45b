"""Which asset classes a cause degrades, so that the desk hears of each of them and of no other."""

from tasks.model.diagnosis import Cause, Diagnosis, Finding
from tasks.model.evidence import Evidence
from tasks.model.looks import OrderOutcome
from tasks.model.orders import AssetClass
from tasks.rules.causes.facts import is_paused

# Nothing trades well while the service itself, or what it stands on, is in trouble.
TROUBLED_ALL = frozenset({Cause.SERVICE_DOWN, Cause.SERVICE_HUNG, Cause.CRASH_LOOP, Cause.INFRASTRUCTURE})
# A gauge that lies, a tool that is blind and a strategy that sends too much say nothing of routing.
TROUBLED_NONE = frozenset({Cause.OBSERVABILITY_FAULT, Cause.MONITOR_BLIND, Cause.CLIENT_MISBEHAVIOUR})


def affected_classes(finding: Finding, diagnosis: Diagnosis, evidence: Evidence) -> tuple[AssetClass, ...]:
    """Name the asset classes whose routing a finding degrades.

    Runbook: §2.1, §4.1.
    Errors: none. A cause that names no class takes those whose orders failed in every look and that no other one names.
    """
    if finding.cause in TROUBLED_ALL:
        return traded_classes(evidence)
    if finding.asset_classes or finding.cause in TROUBLED_NONE:
        return finding.asset_classes
    named = {name for one in diagnosis.findings for name in one.asset_classes}
    return tuple(name for name in undelivered_classes(evidence) if name not in named)


def traded_classes(evidence: Evidence) -> tuple[AssetClass, ...]:
    """Name every asset class that the service trades, as far as anything tells."""
    latest, known = evidence.latest, evidence.context.known_gateways
    told = {order.asset_class for order in latest.orders}
    told |= {route.asset_class for route in (latest.routing.routes if latest.routing else ())}
    told |= {name for gateway in known for name in gateway.asset_classes}
    return tuple(sorted(told))


def undelivered_classes(evidence: Evidence) -> tuple[AssetClass, ...]:
    """Name the asset classes whose test order was not delivered in any look, though nobody has paused them."""
    failed = [
        {
            order.asset_class
            for order in one.orders
            if not (order.outcome.delivered or order.outcome is OrderOutcome.BLIND or is_paused(one, order))
        }
        for one in evidence.observations
    ]
    return tuple(sorted(set.intersection(*failed)))
