"""What each look saw, as values. A look that could not look says `blind`, which says nothing of the patient."""

from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime, Field

from tasks.model.in_force import Restriction
from tasks.model.metrics import Sample
from tasks.model.orders import AssetClass
from tasks.model.processes import ProcessLook
from tasks.model.values import Value


class Seen(StrEnum):
    """Whether a look passed, failed, could not look, or was not set up."""

    PASSED = "passed"
    FAILED = "failed"
    BLIND = "blind"
    NOT_CONFIGURED = "not_configured"


class Fault(StrEnum):
    """How an exchange over HTTP went wrong, as its client saw it."""

    NONE = "none"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    CUT_OFF = "cut_off"
    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    BAD_STATUS = "bad_status"
    CLIENT = "client"


# A server that is gone gives any of these: a busy machine drops the connection that it would have refused.
NO_ANSWER = frozenset({Fault.REFUSED, Fault.UNREACHABLE, Fault.TIMED_OUT, Fault.CUT_OFF})


class Exchange(Value):
    """One request and its answer, kept to the byte up to the body limit. Units: `seconds_s` of wall time.

    `held_up`: it had no answer in time while we ourselves stood still for most of that time.
    """

    method: str
    url: str
    request_body: str = ""
    fault: Fault = Fault.NONE
    detail: str = ""
    http_status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    seconds_s: float = 0.0
    held_up: bool = False

    @property
    def blind(self) -> bool:
        """Say whether it tells of us alone: our own client failed, or did not get to listen."""
        return self.fault is Fault.CLIENT or self.held_up


class DependencyLook(Value):
    """One dependency as the service itself reports it in `/health`.

    `set_to` is what a person or the automation marked it as; it is then not well because somebody said so.
    """

    name: str
    status: str
    latency_ms: float | None = None
    error: str | None = None
    set_to: str | None = None


class HealthLook(Value):
    """One `GET /health`. It passes only on 200 and `status == "ok"` (§1.2).

    Units: `steady_s`, where it is known, are seconds of a clock that nobody sets, for spans between looks.
    """

    seen: Seen
    detail: str
    looked_at: AwareDatetime
    steady_s: float | None = None
    exchange: Exchange | None = None
    status: str | None = None
    release: str | None = None
    started_at: datetime | None = None
    dependencies: tuple[DependencyLook, ...] = ()

    @property
    def fault(self) -> Fault:
        """How the exchange went wrong, if it did."""
        return self.exchange.fault if self.exchange else Fault.NONE

    @property
    def unanswered(self) -> bool:
        """Say whether not one word of an answer came: refused, unreachable, silent or cut off."""
        asked = self.exchange
        return asked is not None and asked.fault in NO_ANSWER and asked.http_status is None and not asked.held_up

    @property
    def silent(self) -> bool:
        """Say whether not one word of an answer came in time; who answers badly, or drips, is not silent."""
        asked = self.exchange
        return self.fault is Fault.TIMED_OUT and asked is not None and asked.http_status is None and not asked.held_up


class MetricsLook(Value):
    """One `GET /metrics`: the numbers the runbook asks for (§1.2). Unreadable metrics are not an unhealthy service.

    `samples` are the counters that are compared across runs, as they were read.
    """

    seen: Seen
    detail: str
    looked_at: AwareDatetime
    orders_count: float | None = None
    orders_by_outcome: dict[str, float] = Field(default_factory=dict)
    orders_unknown_count: float | None = None
    gateways_up: dict[str, bool] = Field(default_factory=dict)
    trading_states: dict[str, str] = Field(default_factory=dict)
    release: str | None = None
    samples: tuple[Sample, ...] = ()


class OrderOutcome(StrEnum):
    """What became of one synthetic order; denied, rejected and unknown are never the same."""

    EXECUTED = "executed"
    REJECTED_AS_EXPECTED = "rejected_as_expected"
    REJECTED = "rejected"
    DENIED = "denied"
    UNKNOWN = "unknown"
    TIMED_OUT = "timed_out"
    NO_EXECUTION = "no_execution"
    ERROR = "error"
    MALFORMED = "malformed"
    NOT_REACHED = "not_reached"
    BLIND = "blind"

    @property
    def delivered(self) -> bool:
        """Say whether the order reached its venue and came back as it should."""
        return self in {OrderOutcome.EXECUTED, OrderOutcome.REJECTED_AS_EXPECTED}


class OrderLook(Value):
    """One synthetic order (§1.3). Units: `latency_ms` of the whole call, `gateway_latency_ms` of the gateway's part."""

    asset_class: AssetClass
    client_order_id: str
    outcome: OrderOutcome
    detail: str
    looked_at: AwareDatetime
    gateway: str | None = None
    code: str | None = None
    exchange: Exchange | None = None
    ord_status: str | None = None
    latency_ms: float | None = None
    gateway_latency_ms: float | None = None


class GatewayLook(Value):
    """One direct probe of a gateway, past the service: tells a dead gateway from a service that cannot reach it.

    *Not configured*: it answers, and its answer does not say how it is; a gateway need not have our kind of health.
    Units: `clock_skew_s` is how far the gateway's `Date` is ahead of our clock; a `Date` has whole seconds.
    """

    gateway: str
    seen: Seen
    detail: str
    looked_at: AwareDatetime
    fault: Fault = Fault.NONE
    latency_ms: float | None = None
    clock_skew_s: float | None = None

    @property
    def answers(self) -> bool:
        """Say whether it answered and did not call itself down, whatever its words were."""
        return self.seen in {Seen.PASSED, Seen.NOT_CONFIGURED}


class RouteLook(Value):
    """Where one asset class goes: the gateway in force, the table's own, and the one that the release shipped."""

    asset_class: AssetClass
    gateway: str | None = None
    table_gateway: str | None = None
    shipped_gateway: str | None = None
    alternates: tuple[str, ...] = ()
    trading_state: str | None = None
    set_by: str | None = None
    reason: str | None = None

    @property
    def is_paused(self) -> bool:
        """Say whether somebody took this class out of trading."""
        return self.trading_state in {"halted", "reducing"}


class RoutingLook(Value):
    """One `GET /routing`. Not configured says that the service has no such path."""

    seen: Seen
    detail: str
    looked_at: AwareDatetime
    routes: tuple[RouteLook, ...] = ()
    table_hash: str | None = None
    loaded_at: datetime | None = None
    file_hash: str | None = None
    file_error: str | None = None
    shipped_hash: str | None = None
    kept_hashes: tuple[str, ...] = ()
    features: dict[str, bool] = Field(default_factory=dict)
    strategies: dict[str, str] = Field(default_factory=dict)
    restrictions: tuple[Restriction, ...] = ()
    lifted: tuple[Restriction, ...] = ()

    def route(self, asset_class: AssetClass) -> RouteLook | None:
        """Find the route of an asset class."""
        return next((one for one in self.routes if one.asset_class is asset_class), None)

    def leaves_open(self, asset_class: AssetClass) -> bool:
        """Say whether nobody knows how a class stands, because this look failed; a service may also never say it."""
        return self.route(asset_class) is None and self.seen in {Seen.FAILED, Seen.BLIND}


class Observation(Value):
    """Everything seen in one round of looks, from `looked_at` to `ended_at`.

    Units: `steady_s`, where it is known, are seconds of a clock that nobody sets, for spans between looks.
    """

    looked_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    steady_s: float | None = None
    health: HealthLook
    process: ProcessLook
    metrics: MetricsLook
    orders: tuple[OrderLook, ...] = ()
    gateways: tuple[GatewayLook, ...] = ()
    patience: HealthLook | None = None
    routing: RoutingLook | None = None
