"""Judge what a service answered against its own description: each rule with the key that a person would change."""

from collections.abc import Iterable
from typing import NamedTuple

from tasks.model.probes.order_states import BlindReason, OrderStates
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import (
    Exchange,
    Fault,
    GatewayProbe,
    HealthProbe,
    MetricsProbe,
    OrderOutcome,
    OrderProbe,
    RoutingProbe,
    Seen,
)
from tasks.model.probes.processes import UNSEEN, ProcessCheck, ProcessState
from tasks.model.service.contract import ContractMark, ContractRule, ReadValue
from tasks.model.service.health_settings import HealthSettings
from tasks.model.service.metrics_settings import MetricsSettings
from tasks.model.service.order_settings import OrderSettings
from tasks.rules.probes.http_status import status_words

SEEN = {
    Seen.PASSED: ContractMark.PASSED,
    Seen.FAILED: ContractMark.FAILED,
    Seen.BLIND: ContractMark.UNKNOWN,
    Seen.NOT_CONFIGURED: ContractMark.NOT_AVAILABLE,
}
PROCESS = {ProcessState.RUNNING: ContractMark.PASSED, **dict.fromkeys(UNSEEN, ContractMark.NOT_AVAILABLE)}
LISTED_COUNT = 12


class OrdersAsked(NamedTuple):
    """Which test orders are described, which of them were sent, and what came back."""

    described: tuple[AssetClass, ...]
    sent: tuple[OrderProbe, ...]
    settings: OrderSettings


def health_rules(health: HealthProbe, described: HealthSettings) -> tuple[ContractRule, ...]:
    """Say whether health is answered, whether its condition is true, and what it says of dependencies."""
    answer = health.exchange
    if answer is None:
        return (ContractRule(rule="health", mark=ContractMark.UNKNOWN, asked="health", answered=health.detail),)
    answered = _answered(answer, described.status_codes)
    if answered.mark is not ContractMark.PASSED:
        return (answered,)
    return (answered, _healthy(health, described, answer), _dependencies(health, described))


def _answered(answer: Exchange, status_codes: tuple[int, ...]) -> ContractRule:
    """Name the key by how it failed: the address, the login, the path, or the status that is expected."""
    asked, status = f"{answer.method} {answer.url}", answer.http_status
    took = f"in {answer.seconds_s * 1000:.0f} ms"
    if answer.blind:
        key = "http" if answer.fault is Fault.TLS else ""
        return ContractRule(rule="health", mark=ContractMark.UNKNOWN, asked=asked, answered=answer.detail, key=key)
    if answer.fault is not Fault.NONE or status is None:
        key = "look.health_timeout_s" if answer.fault is Fault.TIMED_OUT else "base_url"
        return _failed("health", asked, answer.detail or str(answer.fault), key)
    if status in status_codes:
        return ContractRule(
            rule="health", mark=ContractMark.PASSED, asked=asked, answered=f"http_status={status} {took}"
        )
    key = "http" if status in {401, 403} else "health.path" if status in {404, 405} else "health.status_codes"
    return _failed("health", asked, status_words(answer), key)


def _healthy(health: HealthProbe, described: HealthSettings, answer: Exchange) -> ContractRule:
    key, where = _condition(described)
    value = ReadValue(what="status", value=health.status or "none", key=key, where=where)
    return ContractRule(
        rule="healthy",
        mark=SEEN[health.seen],
        asked=f"{where} of its answer",
        answered=f"{health.detail}: {_excerpt(answer)}" if health.seen is not Seen.PASSED else health.detail,
        read=(value,),
        key="" if health.seen is Seen.PASSED else key,
    )


def _condition(described: HealthSettings) -> tuple[str, str]:
    if described.body_matches is not None:
        return "health.body_matches", described.body_matches
    return "health.healthy_when", described.healthy_when


def _dependencies(health: HealthProbe, described: HealthSettings) -> ContractRule:
    key, where = "health.dependencies", described.dependencies
    read = tuple(
        ReadValue(what=one.name, value=one.status, key=key, where=where) for one in health.dependencies[:LISTED_COUNT]
    )
    is_described = "dependencies" in described.model_fields_set
    missing = ContractMark.FAILED if is_described else ContractMark.NOT_AVAILABLE
    return ContractRule(
        rule="dependencies",
        mark=ContractMark.PASSED if read else missing,
        asked=f"{where} of its answer",
        answered=f"{len(health.dependencies)} with a name and a status",
        read=read,
        key="" if read or not is_described else key,
    )


def metrics_rule(metrics: MetricsProbe, url: str, described: MetricsSettings) -> ContractRule:
    """Say what was read of the metrics; a count of orders that is described must be there."""
    count, orders = metrics.orders_count, described.names.get("orders_total")
    lacks = metrics.seen is Seen.PASSED and orders is not None and count is None
    mark = ContractMark.FAILED if lacks else SEEN[metrics.seen]
    key = "metrics.names.orders_total" if lacks else "metrics.path"
    return ContractRule(
        rule="metrics",
        mark=mark,
        asked=f"GET {url}" if described.path else "nothing",
        answered=metrics.detail,
        read=_metrics_read(metrics, described),
        key=key if mark is ContractMark.FAILED else "",
    )


def _metrics_read(metrics: MetricsProbe, described: MetricsSettings) -> tuple[ReadValue, ...]:
    """Name what was read of each metric, and the name that it was read under."""
    values: list[tuple[str, str, str]] = []
    if metrics.orders_count is not None:
        values.append(("orders_total", "orders", f"{metrics.orders_count:.0f}"))
    values += [
        ("orders_total", f"orders {key or '?'}", f"{count:.0f}") for key, count in metrics.orders_by_outcome.items()
    ]
    values += [("gateway_up", name, "up" if is_up else "down") for name, is_up in metrics.gateways_up.items()]
    theirs = {ours: named.name for ours, named in described.names.items()}
    return tuple(
        ReadValue(what=what, value=value, key=f"metrics.names.{ours}", where=theirs.get(ours, ours))
        for ours, what, value in values[:LISTED_COUNT]
    )


def gateway_rules(gateways: tuple[GatewayProbe, ...]) -> tuple[ContractRule, ...]:
    """Say of each gateway whether it answers; what does not say how it is, answers, which is enough."""
    if not gateways:
        return (
            _not_available("gateways", "no gateway is described: a dead one looks like a sick service", "gateways"),
        )
    return tuple(
        ContractRule(
            rule=f"gateway {one.gateway}",
            mark=ContractMark.PASSED if one.answers else SEEN[one.seen],
            asked="the gateway itself",
            answered=one.detail,
            key="" if one.answers else f"gateways.{one.gateway}",
        )
        for one in gateways
    )


def process_rule(process: ProcessCheck) -> ContractRule:
    """Say whether its process is seen; one that is not is not available, and one that is not its own is a fault."""
    mark = PROCESS.get(process.state, ContractMark.FAILED)
    return ContractRule(
        rule="process",
        mark=mark,
        asked="pid file, pattern of the command line, and port",
        answered=f"{process.state}: {process.detail}" if process.detail else str(process.state),
        key="process_pattern" if mark is ContractMark.FAILED else "",
    )


def routing_rule(routing: RoutingProbe, url: str) -> ContractRule:
    """Say whether its routing is read, which a service need not tell."""
    read = [
        ReadValue(what=str(one.asset_class), value=one.gateway or "no gateway", key="control")
        for one in routing.routes[:LISTED_COUNT]
    ]
    return ContractRule(
        rule="routing", mark=SEEN[routing.seen], asked=f"GET {url}", answered=routing.detail, read=tuple(read)
    )


def unproven_rule(states: OrderStates) -> ContractRule:
    """Say whether its orders without an outcome can be listed: without it, nothing is re-routed or rolled back."""
    if states.blind is BlindReason.NOT_AVAILABLE:
        return _not_available("unproven orders", states.detail, "orders.unproven")
    mark = ContractMark.PASSED if states.blind is None else ContractMark.FAILED
    read = tuple(
        ReadValue(what=one.client_order_id, value=one.status, key="orders.unproven")
        for one in states.unproven[:LISTED_COUNT]
    )
    return ContractRule(
        rule="unproven orders",
        mark=mark,
        asked="its list of orders whose outcome is not proven",
        answered=f"{states.verdict}: {states.detail}",
        read=read,
        key="orders.unproven" if mark is ContractMark.FAILED else "",
    )


def order_rules(orders: OrdersAsked) -> tuple[ContractRule, ...]:
    """Say what became of each test order that was sent, and which were not asked for."""
    if not orders.described:
        key = "synthetic_orders" if orders.settings.path else "orders.path"
        return (_not_available("test orders", "no test order is described: whether orders fill is not checked", key),)
    sent = {one.asset_class: one for one in orders.sent}
    return tuple(_order(name, sent.get(name), orders.settings) for name in orders.described)


def _order(asset_class: AssetClass, probe: OrderProbe | None, described: OrderSettings) -> ContractRule:
    rule = f"test order {asset_class}"
    if probe is None:
        answered = f"no order is sent without --send-order {asset_class}"
        return ContractRule(rule=rule, mark=ContractMark.NOT_ASKED, asked="nothing", answered=answered)
    asked = f"{probe.exchange.method} {probe.exchange.url}" if probe.exchange else "nothing"
    values = {"status": probe.ord_status, "reject_code": probe.code, "gateway": probe.gateway}
    read = tuple(
        ReadValue(what=key, value=value, key=f"orders.{key}", where=str(getattr(described, key) or ""))
        for key, value in values.items()
        if value
    )
    failed = ContractMark.UNKNOWN if probe.outcome is OrderOutcome.BLIND else ContractMark.FAILED
    mark = ContractMark.PASSED if probe.outcome.delivered else failed
    answered = f"{probe.outcome}: {probe.detail}"
    key = "orders" if mark is ContractMark.FAILED else ""
    return ContractRule(rule=rule, mark=mark, asked=asked, answered=answered, read=read, key=key)


def logs_rule(files: Iterable[str], faults: Iterable[str]) -> ContractRule:
    """Say which logs are found; one that is described must be there."""
    found, wrong = list(files), list(faults)
    if not found and not wrong:
        return _not_available("logs", "no log is described, so that errors and traces are not seen", "logs.files")
    return ContractRule(
        rule="logs",
        mark=ContractMark.FAILED if wrong else ContractMark.PASSED,
        asked="the files that are described",
        answered="; ".join((*wrong, *found[:LISTED_COUNT])),
        key="logs.files" if wrong else "",
    )


def actions_rule(can: Iterable[str], cannot: Iterable[str]) -> ContractRule:
    """Say what a triage could do, which is never tried here, and what is not available."""
    able, unable = list(can), list(cannot)
    said = [f"can {', '.join(able)}" if able else "", f"not available: {', '.join(unable)}" if unable else ""]
    return ContractRule(
        rule="actions",
        mark=ContractMark.NOT_ASKED if able else ContractMark.NOT_AVAILABLE,
        asked="nothing: no action is tried",
        answered="; ".join(filter(None, said)),
    )


def _failed(rule: str, asked: str, answered: str, key: str) -> ContractRule:
    return ContractRule(rule=rule, mark=ContractMark.FAILED, asked=asked, answered=answered, key=key)


def _not_available(rule: str, answered: str, key: str) -> ContractRule:
    return ContractRule(
        rule=rule, mark=ContractMark.NOT_AVAILABLE, asked="nothing", answered=f"{answered} ({key} is not set)"
    )


def _excerpt(answer: Exchange) -> str:
    return " ".join(answer.body.split())[:160] or "an empty answer"
