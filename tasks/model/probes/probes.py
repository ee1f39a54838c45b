"""What each check saw, as values. A look that could not check says `blind`, which says nothing of the service."""

from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime, Field

from tasks.model.probes.metrics import Sample
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.processes import UNSEEN, ProcessCheck, ProcessNumbers, ProcessState
from tasks.model.remediation.in_force import Restriction
from tasks.model.values import Value


class Seen(StrEnum):
    """Whether a check passed, failed, could not check, or was not set up."""

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
    TLS = "tls"  # certificates or versions do not fit, and nothing was asked: a matter of settings
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
        return self.fault in {Fault.CLIENT, Fault.TLS} or self.held_up


class DependencyStatus(Value):
    """One dependency as the service itself reports it in `/health`.

    `set_to` is what a person or the automation marked it as; it is then not well because somebody said so.
    """

    name: str
    status: str
    latency_ms: float | None = None
    error: str | None = None
    set_to: str | None = None


class HealthProbe(Value):
    """One `GET /health`. It passes only on 200 and `status == "ok"` (§1.2).

    Units: `steady_s`, where it is known, are seconds of a clock that nobody sets, for spans between checks.
    """

    seen: Seen
    detail: str
    looked_at: AwareDatetime
    steady_s: float | None = None
    exchange: Exchange | None = None
    status: str | None = None
    release: str | None = None
    started_at: datetime | None = None
    dependencies: tuple[DependencyStatus, ...] = ()

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
        return self.fault is Fault.TIMED_OUT and self.unanswered


class MetricsProbe(Value):
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
    process: ProcessNumbers | None = None
    asked: str = "GET /metrics"


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


class OrderProbe(Value):
    """One synthetic order (§1.3). Units: `latency_ms` of the whole call, `gateway_latency_ms` of the gateway's part.

    `left`: what a test order of ours left at the venue, which a person has to take back. `left_is_kept`: the next check
    knows of it, and no further order is sent until it is gone.
    """

    asset_class: AssetClass
    client_order_id: str
    outcome: OrderOutcome
    detail: str
    looked_at: AwareDatetime
    gateway: str | None = None
    code: str | None = None
    exchange: Exchange | None = None
    ord_status: str | None = None
    left: str = ""
    left_is_kept: bool = False
    latency_ms: float | None = None
    gateway_latency_ms: float | None = None


class GatewayProbe(Value):
    """One direct probe of a gateway, past the service: tells a dead gateway from a service that cannot reach it.

    *Not configured*: it answers and does not say how it is, for it need not have our kind of health; or is not asked.
    Units: `clock_skew_s` is how far the gateway's `Date` is ahead of our clock; a `Date` has whole seconds.
    """

    gateway: str
    seen: Seen
    detail: str
    looked_at: AwareDatetime
    fault: Fault = Fault.NONE
    latency_ms: float | None = None
    clock_skew_s: float | None = None
    is_asked: bool = True

    @property
    def answers(self) -> bool:
        """Say whether it answered and did not call itself down, whatever its words were."""
        return self.is_asked and self.seen in {Seen.PASSED, Seen.NOT_CONFIGURED}


class RouteStatus(Value):
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


class RoutingProbe(Value):
    """One `GET /routing`. Not configured says that the service has no such path; where its control is described, its
    proofs then say in `standings` how each class (`trading/equity`) and gateway (`gateway/XNAS`) stands; empty where
    nobody knows it, and `unread` says why.
    """

    seen: Seen
    detail: str
    looked_at: AwareDatetime
    routes: tuple[RouteStatus, ...] = ()
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
    standings: dict[str, str] | None = None
    unread: str = ""

    def route(self, asset_class: str) -> RouteStatus | None:
        return next((one for one in self.routes if one.asset_class == asset_class), None)

    def leaves_open(self, asset_class: AssetClass) -> bool:
        """Say whether nobody knows how a class stands, because this check failed; a service may also never say it."""
        return self.route(asset_class) is None and self.seen in {Seen.FAILED, Seen.BLIND}


class InstanceProbe(Value):
    """One instance of a service, asked at its own address; `patience` is a probe that waited longer for its health."""

    instance: str
    health: HealthProbe
    process: ProcessCheck
    metrics: MetricsProbe
    patience: HealthProbe | None = None

    @property
    def serves(self) -> bool:
        """Say whether it takes orders, as far as one check shows: it answers, and does not call itself down."""
        answers = self.health.seen is Seen.PASSED or self.health.status == "degraded"
        return answers and self.process.state in {ProcessState.RUNNING, *UNSEEN}

    @property
    def fails(self) -> bool:
        """Say whether it was seen to be in trouble; one that we could not ask was not."""
        fails = self.health.seen is Seen.FAILED and self.health.status != "degraded"
        return fails or self.process.state not in {ProcessState.RUNNING, *UNSEEN}


class Observation(Value):
    """Everything seen in one pass of checks, from `looked_at` to `ended_at`.

    `checked_before` are the failed checks of health that the hang watch made before the first pass of a triage.
    Units: `steady_s`, where it is known, are seconds of a clock that nobody sets, for spans between checks.
    """

    looked_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    steady_s: float | None = None
    health: HealthProbe
    process: ProcessCheck
    metrics: MetricsProbe
    orders: tuple[OrderProbe, ...] = ()
    gateways: tuple[GatewayProbe, ...] = ()
    patience: HealthProbe | None = None
    routing: RoutingProbe | None = None
    instances: tuple[InstanceProbe, ...] = ()
    checked_before: tuple[HealthProbe, ...] = ()

    def instance(self, name: str | None) -> InstanceProbe | None:
        return next((one for one in self.instances if one.instance == name), None)

    def process_of(self, instance: str | None) -> ProcessCheck:
        """Give the process of one instance; without a name that of the service itself."""
        return found.process if (found := self.instance(instance)) else self.process
