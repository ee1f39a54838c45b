"""The named ways in which the stub is healthy or not. Each is one line a person can choose by."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import MappingProxyType

from order_service.api.contract import RejectBody
from order_service.runtime.codes import Code
from order_service.stub.control_plane import Obedience
from order_service.stub.desk import FILLED, UNKNOWN, Trade
from order_service.stub.http import Delivery, Reply, Request, problem, reply_json

HUGE_BODY_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Pace:
    """Hold the times a scenario runs on.

    Units: seconds.
    """

    uptime_s: float = 0
    slow_s: float = 3
    period_s: float = 10


Bend = Callable[[Request, Reply, Pace], Reply]


@dataclass(frozen=True, slots=True)
class Scenario:
    """Hold one scenario: what it shows, what becomes of orders, which gateways are down, how answers are bent.

    Also how the control plane takes changes, and how many real orders are unknown from the start and stay so.
    """

    summary: str
    bend: Bend = lambda _request, reply, _pace: reply
    trade: Trade = FILLED
    down: frozenset[str] = frozenset()
    obedience: Obedience = Obedience.FULL
    unresolved_count: int = 0


def _sent(delivery: Delivery, *paths: str) -> Bend:
    """Send an answer in another way; on these paths, or on all."""

    def bend(request: Request, reply: Reply, _pace: Pace) -> Reply:
        return reply if paths and request.path not in paths else replace(reply, delivery=delivery)

    return bend


def _on_new_orders(bend: Bend) -> Bend:
    return lambda request, reply, pace: bend(request, reply, pace) if request.is_new_order else reply


def _error(request: Request, reply: Reply, _pace: Pace) -> Reply:
    if request.path == "/health":
        return reply_json(503, {"status": "error", "release": "stub", "dependencies": {}, "reason": "cannot serve"})
    return problem(Code.JOURNAL_UNAVAILABLE, "the journal cannot be written") if request.is_new_order else reply


def _flapping(request: Request, reply: Reply, pace: Pace) -> Reply:
    is_healthy = int(pace.uptime_s / pace.period_s) % 2 == 0
    return reply if is_healthy else _error(request, reply, pace)


def _wrong_types(request: Request, reply: Reply, _pace: Pace) -> Reply:
    if request.path == "/metrics":
        return replace(reply, body=b'orders_total{asset_class="equity"} many\norders_unknown {}\n')
    document = {"status": ["ok"], "release": 7, "dependencies": "XNAS", "execution": "filled", "orders": {"a": 1}}
    return reply_json(reply.status, document)


def _metrics_garbage(request: Request, reply: Reply, _pace: Pace) -> Reply:
    garbage = b'\x00\xff{{{ orders_total{asset_class="eq\n' * 50
    return replace(reply, body=garbage) if request.path == "/metrics" else reply


def _late(_request: Request, reply: Reply, pace: Pace) -> Reply:
    return replace(reply, delay_s=pace.slow_s)


def _half(_request: Request, reply: Reply, _pace: Pace) -> Reply:
    return replace(reply, body=reply.body[: len(reply.body) // 2])


def _padded(_request: Request, reply: Reply, _pace: Pace) -> Reply:
    return replace(reply, padding_bytes=HUGE_BODY_BYTES)


def _redirected(request: Request, _reply: Reply, _pace: Pace) -> Reply:
    return reply_json(307, {}, {"Location": request.path})


def _broken(_request: Request, _reply: Reply, _pace: Pace) -> Reply:
    return problem(Code.INTERNAL_ERROR, "something broke here")


def _health_error(request: Request, reply: Reply, pace: Pace) -> Reply:
    return _error(request, reply, pace) if request.path == "/health" else reply


_never = _sent(Delivery.NEVER)
_DOWNSTREAM: RejectBody = {"code": "RISK_LIMIT", "text": "credit limit exceeded at the venue"}
_CLOSED: RejectBody = {"code": "MARKET_CLOSED", "text": "the session is closed"}

SCENARIOS = MappingProxyType(
    {
        "healthy": Scenario("all is healthy and orders fill"),
        "hung": Scenario("accepts connections and never answers", _never),
        "slow": Scenario("answers correctly, but late", _late),
        "error": Scenario("health says error with 503 and orders are denied", _error),
        "degraded": Scenario("gateway XNAS is down, so equity orders are denied", down=frozenset({"XNAS"})),
        "no_execution_block": Scenario("accepts orders without an execution", trade=Trade(has_execution_block=False)),
        "accepted_but_rejected_downstream": Scenario(
            "accepts orders that the gateway rejects", trade=Trade(status="rejected", reject=_DOWNSTREAM)
        ),
        "market_closed_reject": Scenario(
            "the venue rejects since its market is closed", trade=Trade(status="rejected", reject=_CLOSED)
        ),
        "unknown_orders": Scenario("orders are sent and no answer comes", trade=UNKNOWN),
        "truncated_json": Scenario("answers end in the middle of the JSON", _half),
        "truncated_body": Scenario("connections end in the middle of the body", _sent(Delivery.CUT)),
        "wrong_types": Scenario("answers have the right names and the wrong types", _wrong_types),
        "huge_body": Scenario("answers are followed by 64 MiB of white space", _padded),
        "drip": Scenario("answers come one byte a second", _sent(Delivery.DRIP)),
        "reset": Scenario("connections are reset instead of answered", _sent(Delivery.RESET)),
        "redirect_loop": Scenario("every path redirects to itself", _redirected),
        "flapping": Scenario("healthy and in error in turn", _flapping),
        "orders_hang": Scenario("health is fine and orders are never answered", _on_new_orders(_never)),
        "orders_fail": Scenario("health is fine and every order ends in a 500", _on_new_orders(_broken)),
        "health_error_orders_fill": Scenario("health says error and orders fill", _health_error),
        "metrics_garbage": Scenario("metrics are no exposition", _metrics_garbage),
        "metrics_hang": Scenario("metrics never answer", _sent(Delivery.NEVER, "/metrics")),
        "no_control": Scenario("healthy, but without a control plane", obedience=Obedience.ABSENT),
        "control_not_allowed": Scenario("healthy, but every change is answered 405", obedience=Obedience.NOT_ALLOWED),
        "control_unauthorized": Scenario("healthy, but every change is answered 401", obedience=Obedience.UNAUTHORIZED),
        "control_hangs": Scenario("healthy, but no change is ever answered", obedience=Obedience.HANGS),
        "control_without_effect": Scenario(
            "healthy, but changes are answered as done and do nothing", obedience=Obedience.NO_EFFECT
        ),
        "unresolved_orders": Scenario("healthy, but three real orders stay unknown for ever", unresolved_count=3),
    }
)
