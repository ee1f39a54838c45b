"""Ask each endpoint of a described service once, with the very checks of a triage, and judge it rule by rule."""

import asyncio

from tasks.clients.logs.log_sources import log_sources, unread
from tasks.clients.messages.known_secrets import secret_values
from tasks.clients.service.order_states import order_states
from tasks.clients.service.synthetic_orders import synthetic_call
from tasks.model.errors import Code, RunbookError
from tasks.model.probes.orders import AssetClass
from tasks.model.service.contract import Contract, ContractRule
from tasks.rules.messages.redaction import cleaned
from tasks.rules.service.contract_rules import (
    OrdersAsked,
    actions_rule,
    gateway_rules,
    health_rules,
    logs_rule,
    metrics_rule,
    order_rules,
    process_rule,
    routing_rule,
    unproven_rule,
)
from tasks.settings import RunbookSettings, ServiceSettings
from tasks.work.remediation.capabilities import capabilities_of
from tasks.work.triage.probe_pass import observe


async def ask_contract(settings: RunbookSettings, name: str, send_order: str | None = None) -> Contract:
    """Ask for everything that is described, once and at once; one test order goes out only where it is asked for.

    Errors: `BAD_ARGUMENT` for a class without a test order; `BAD_SETTING` for one that breaks its quarantine.
    """
    service = settings.service(name)
    rules = await _asked(service, _chosen(service, name, send_order))
    found = Contract(service=name, rules=(*rules, _logs(service), _actions(settings, name)))
    return cleaned(found, secret_values(service))


def _chosen(service: ServiceSettings, name: str, send_order: str | None) -> AssetClass | None:
    if send_order is None:
        return None
    chosen = next((one for one in service.test_orders if one == send_order), None)
    if chosen is None:
        known, key = ", ".join(service.test_orders) or "none", f"services.{name}.synthetic_orders.{send_order}"
        detail = f"expected a class with a test order ({known}), found {send_order}; write [{key}]"
        raise RunbookError(Code.BAD_ARGUMENT, detail)
    synthetic_call(service, chosen, "not sent")
    return chosen


async def _asked(service: ServiceSettings, chosen: AssetClass | None) -> tuple[ContractRule, ...]:
    orders = {chosen: service.test_orders[chosen]} if chosen is not None else {}
    seen, states = await asyncio.gather(
        observe(service.model_copy(update={"synthetic_orders": orders})), order_states(service)
    )
    return (
        *health_rules(seen.health, service.health),
        process_rule(seen.process),
        metrics_rule(seen.metrics, service.endpoint(service.metrics.path), service.metrics),
        *order_rules(OrdersAsked(tuple(service.test_orders), seen.orders, service.orders)),
        *gateway_rules(seen.gateways),
        *([routing_rule(seen.routing, service.endpoint("/routing"))] if seen.routing else []),
        unproven_rule(states),
    )


def _logs(service: ServiceSettings) -> ContractRule:
    sources = log_sources(service)
    units = (f"the journal of {unit}" for unit in service.logs.journal_units)
    return logs_rule((*map(str, sources.files), *units), unread(sources))


def _actions(settings: RunbookSettings, name: str) -> ContractRule:
    """Name what a triage could do, and what not, each with its reason."""
    able, described = capabilities_of(settings, name), settings.service(name).control
    reasons = {
        "restart": able.cannot_restart,
        "roll back": able.cannot_roll_back,
        **({"control": able.cannot_control} if described is None else {}),
        **{key.replace("_", " "): "not described" for key in sorted(able.not_described)},
    }
    can = [key.replace("_", " ") for key, _ in described.described()] if described else []
    can += [key for key in ("restart", "roll back", "control") if reasons.get(key) == ""]
    return actions_rule(can, (f"{key} ({why})" for key, why in reasons.items() if why))
