"""The door to the order service's control plane: each change once, with who and why, never sent twice.

The token goes to the configured `base_url` alone: redirects are not followed, and no answer that repeats it is kept.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

import orjson

from tasks.clients.messages.known_secrets import secret_values
from tasks.clients.service.described_control import change_described
from tasks.clients.service.http import Call, exchange, http_client
from tasks.clients.service.who_answers import stranger_on_port
from tasks.model.probes.control import (
    ControlAnswer,
    ControlCode,
    ControlOutcome,
    ControlReason,
    GatewayState,
    RouteScope,
    StrategyState,
    TradingState,
)
from tasks.model.probes.orders import AssetClass
from tasks.model.service.control_settings import ControlKey
from tasks.rules.messages.redaction import cleaned
from tasks.rules.probes.control import judge_control, refuses_the_fields
from tasks.settings import ServiceSettings

# A change is written to disk before it is answered. Five seconds are a long time for that, and short in an incident.
TIMEOUT_S = 5.0
ANSWER_LIMIT_BYTES = 65_536
SOURCE = "triage"
DRAINING = "draining"
# What one part of a path may be. Anything else (`..`, a slash) could address another door than the one meant.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_TOKEN = re.compile(r"[\x21-\x7e]+")

Fields = Mapping[str, Any]
Described = tuple[ControlKey, Mapping[str, str]]


async def set_gateway(service: ServiceSettings, gateway: str, state: GatewayState, why: ControlReason) -> ControlAnswer:
    """Set a gateway to enabled, degraded or disabled.

    Runbook: §2.1 Mark the service degraded.
    Errors: none; every end is a `ControlAnswer`.
    """
    key = ControlKey.CLEAR_MARK if state is GatewayState.ENABLED else ControlKey.MARK_DEGRADED
    described = key, {"gateway": gateway, "state": state}
    return await _change(service, ("PUT", "gateways", gateway), {"state": state}, why, described)


async def set_route(
    service: ServiceSettings,
    asset_class: AssetClass,
    gateway: str | None,
    why: ControlReason,
    scope: RouteScope = RouteScope.ALL,
) -> ControlAnswer:
    """Send new orders of a class to another gateway; None follows the table again.

    Runbook: §2.2 Re-route orders if that is safe.
    Errors: none. A service that knows no scope refuses; it is never left out, since that would be a larger change.
    """
    narrow = {} if scope is RouteScope.ALL else {"scope": scope}
    described = ControlKey.REROUTE, {"asset_class": asset_class, "gateway": gateway or "", "scope": scope}
    return await _change(service, ("PUT", "routes", asset_class), {"gateway": gateway, **narrow}, why, described)


async def set_trading(
    service: ServiceSettings, asset_class: AssetClass, state: TradingState, why: ControlReason
) -> ControlAnswer:
    """Set a class to active, reducing or halted; cancels always pass.

    Runbook: §2.2 Pause automated strategies.
    Errors: none; every end is a `ControlAnswer`.
    """
    key = ControlKey.RESUME if state is TradingState.ACTIVE else ControlKey.PAUSE
    described = key, {"asset_class": asset_class, "state": state}
    return await _change(service, ("PUT", "trading", asset_class), {"state": state}, why, described)


async def set_strategy(
    service: ServiceSettings, strategy: str, state: StrategyState, why: ControlReason
) -> ControlAnswer:
    """Take the new orders of one strategy, or halt them, in every class.

    Runbook: §2.2 Pause automated strategies.
    Errors: none; every end is a `ControlAnswer`.
    """
    key = ControlKey.RESUME_STRATEGY if state is StrategyState.ACTIVE else ControlKey.PAUSE_STRATEGY
    described = key, {"strategy": strategy, "state": state}
    return await _change(service, ("PUT", "strategies", strategy), {"state": state}, why, described)


async def set_feature(service: ServiceSettings, feature: str, why: ControlReason, *, enabled: bool) -> ControlAnswer:
    """Switch a feature on or off.

    Runbook: §2.3 Disable the new feature.
    Errors: none; every end is a `ControlAnswer`.
    """
    off = ControlKey.DISABLE_FEATURE, {"feature": feature, "state": GatewayState.DISABLED}
    return await _change(
        service, ("PUT", "features", feature), {"enabled": enabled}, why, described=None if enabled else off
    )


async def restore_table(service: ServiceSettings, table_hash: str, why: ControlReason) -> ControlAnswer:
    """Put the routing table of a hash back in force; the service checks that its bytes still have that hash.

    Runbook: §2.2 Confirm router configuration.
    Errors: none; every end is a `ControlAnswer`.
    """
    described = ControlKey.RESTORE_ROUTING, {"table_hash": table_hash}
    return await _change(service, ("POST", "restore"), {"hash": table_hash}, why, described)


async def reload_table(service: ServiceSettings, why: ControlReason) -> ControlAnswer:
    """Let the service take the routing table on disk; it keeps the one that serves where that one is not sound.

    Runbook: §2.2 Confirm router configuration.
    Errors: none; every end is a `ControlAnswer`.
    """
    return await _change(service, ("POST", "reload"), {}, why)


async def drain(service: ServiceSettings, why: ControlReason) -> ControlAnswer | None:
    """Let a service take no new orders before its process is stopped; None where none describes how.

    Runbook: §2.1 Restart if hung.
    Errors: none; every end is a `ControlAnswer`.
    """
    if service.control is None or service.control.drain is None:
        return None
    return await _change_described(service, (ControlKey.DRAIN, {"state": DRAINING}), why)


async def _change(
    service: ServiceSettings,
    door: tuple[str, ...],
    fields: Fields,
    why: ControlReason,
    described: Described | None = None,
) -> ControlAnswer:
    """Make one change, by the service's own description where it has one.

    Steps: 1. prove that no stranger listens there 2. send it with who and why 3. a service that refuses the request
    itself has done nothing, and may know no more than the contract asks for: send that, once, with who made part of
    the reason.
    """
    if service.control is not None:
        return await _change_described(service, described, why)
    token = service.control_token.get_secret_value() if service.control_token else ""
    fault = _fault_of(token, door[2:]) or await _stranger(service)
    if fault is not None:
        return fault
    whole = {**fields, "reason": why.reason, "set_by": why.set_by, "source": SOURCE}
    answer = await _send(service, door, whole, token)
    if not refuses_the_fields(answer):
        return answer
    return await _send(service, door, {**fields, "reason": f"{why.set_by}: {why.reason}"[:500]}, token)


async def _change_described(service: ServiceSettings, described: Described | None, why: ControlReason) -> ControlAnswer:
    if described is None:
        detail = "expected a key for this change in a control table, found that there is none; do it yourself"
        return ControlAnswer(outcome=ControlOutcome.NOT_AVAILABLE, detail=detail, code=ControlCode.NOT_DESCRIBED)
    key, values = described[0], {name: str(value) for name, value in described[1].items()}
    fault = _fault_of_names(values.values()) or await _stranger(service)
    return fault or await change_described(service, key, values, why)


async def _stranger(service: ServiceSettings) -> ControlAnswer | None:
    """Send no token to who is provably not the service; a person then stops it, or the stranger, on the host."""
    stranger = await stranger_on_port(service)
    if not stranger:
        return None
    detail = f"expected the service at {service.url} was a stranger: {stranger}; nothing was sent, look at the host"
    return ControlAnswer(outcome=ControlOutcome.REFUSED, detail=detail, code=ControlCode.NOT_OUR_SERVICE)


def _fault_of(token: str, names: tuple[str, ...]) -> ControlAnswer | None:
    if not token:
        detail = "expected control_token was none; set it in this service's table to the token of its control plane"
        return ControlAnswer(outcome=ControlOutcome.NOT_AVAILABLE, detail=detail, code=ControlCode.NO_CONTROL_TOKEN)
    if not _TOKEN.fullmatch(token):
        detail = "expected printable ASCII without spaces was something else; correct control_token"
        return ControlAnswer(outcome=ControlOutcome.NOT_AVAILABLE, detail=detail, code=ControlCode.BAD_CONTROL_TOKEN)
    return _fault_of_names(names)


def _fault_of_names(names: Iterable[str]) -> ControlAnswer | None:
    wrong = next((name for name in names if not _NAME.fullmatch(name)), None)
    if wrong is not None:
        detail = f"expected a name of letters, digits, . _ : - was {wrong[:80]!r}; nothing was sent"
        return ControlAnswer(outcome=ControlOutcome.REFUSED, detail=detail, code=ControlCode.BAD_NAME)
    return None


async def _send(service: ServiceSettings, door: tuple[str, ...], fields: Fields, token: str) -> ControlAnswer:
    method, *parts = door
    path = "/".join(quote(str(part), safe="") for part in parts)
    call = Call(
        method=method,
        url=f"{service.url}/control/{path}",
        deadline_s=TIMEOUT_S,
        body=orjson.dumps(fields),
        headers={"content-type": "application/json", "authorization": f"Bearer {token}"},
        body_limit_bytes=ANSWER_LIMIT_BYTES,
    )
    async with http_client(service.http, service.look.connect_timeout_s) as client:
        answered = await exchange(client, call)
    # Before anything is cut to its length, too, or half a token would be left.
    kept = answered.model_copy(update={"body": _without(answered.body, token)})
    answer = cleaned(judge_control(kept), secret_values(service))
    code = None if answer.code is None else _without(answer.code, token)
    return answer.model_copy(update={"detail": _without(answer.detail, token), "code": code})


def _without(text: str, token: str) -> str:
    """Take the token out of what the peer said: a debugging proxy may repeat the request in its answer."""
    return text.replace(token, "***")
