"""How many orders an asset class sends, by the service's own counters: the size of what an action would move."""

from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.orders import AssetClass
from tasks.rules.probes.past_counters import counted, grown

WINDOW_LEAST_S = 5.0


def orders_per_min(evidence: Evidence, asset_class: AssetClass | None = None) -> float | None:
    """Measure orders a minute between the last two observations that are far enough apart; None where nobody counts.

    Units: orders a minute, of one asset class or of all.
    """
    seen = counted(evidence)
    if not seen:
        return None
    last = seen[-1]
    before = next((one for one in reversed(seen) if (last.at - one.at).total_seconds() >= WINDOW_LEAST_S), None)
    if before is None:
        return None
    growth = grown(before, last, "orders_total|")
    orders = sum(value for key, value in growth.items() if _is_of(key, asset_class))
    return orders * 60 / (last.at - before.at).total_seconds()


def _is_of(key: str, asset_class: AssetClass | None) -> bool:
    return asset_class is None or f"|asset_class={asset_class}" in key
