"""The narrow tables of the triage report: orders and gateways at a glance."""

from tasks.model.looks import GatewayLook, Observation, OrderLook
from tasks.rules.cells import cell


def orders_table(latest: Observation) -> list[str]:
    """Write one row for each synthetic order of the last look (§1.3).

    Runbook: §1.3 Verify order delivery.
    """
    if not latest.orders:
        return []
    head = ["", "| asset class | outcome | gateway | code | ms |", "|---|---|---|---|---|"]
    return [*head, *(_order_row(order) for order in latest.orders)]


def gateways_table(latest: Observation) -> list[str]:
    """Write one row for each gateway that was asked directly (§1.2).

    Runbook: §1.2 Quick health checks.
    """
    if not latest.gateways:
        return []
    return ["", "| gateway | probe | ms |", "|---|---|---|", *(_gateway_row(probe) for probe in latest.gateways)]


def _order_row(order: OrderLook) -> str:
    took_ms = f"{order.exchange.seconds_s * 1000:.0f}" if order.exchange else ""
    names = (order.asset_class.value, order.outcome.value, order.gateway or "none", order.code or "")
    return f"| {' | '.join(cell(name) for name in names)} | {took_ms} |"


def _gateway_row(probe: GatewayLook) -> str:
    took_ms = f"{probe.latency_ms:.0f}" if probe.latency_ms is not None else ""
    return f"| {cell(probe.gateway)} | {probe.seen.value} | {took_ms} |"
