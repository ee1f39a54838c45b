"""The named cause, with the numbers that decided and what was ruled out."""

from enum import StrEnum

from tasks.model.probes.orders import AssetClass
from tasks.model.values import Value


class Cause(StrEnum):
    """Every cause that the runbook can name; a closed list."""

    SERVICE_HUNG = "service_hung"
    SERVICE_DOWN = "service_down"
    CRASH_LOOP = "crash_loop"
    DEPENDENCY_UNREACHABLE = "dependency_unreachable"
    GATEWAY_FAILING = "gateway_failing"
    ROUTING_MISCONFIGURED = "routing_misconfigured"
    BAD_RELEASE = "bad_release"
    BAD_FEATURE = "bad_feature"
    RESOURCE_EXHAUSTED = "resource_exhausted"
    INFRASTRUCTURE = "infrastructure"
    OBSERVABILITY_FAULT = "observability_fault"
    CLIENT_MISBEHAVIOUR = "client_misbehaviour"
    MONITOR_BLIND = "monitor_blind"
    UNKNOWN = "unknown"


# Under these a service cannot answer for its own orders.
DEAD_ENDS = frozenset({Cause.SERVICE_HUNG, Cause.SERVICE_DOWN, Cause.CRASH_LOOP})


class Kind(StrEnum):
    """Which kind of a cause it is, where the remedy differs by kind."""

    UNSTABLE = "unstable"
    LATENCY = "latency"
    REJECTS = "rejects"
    NO_EXECUTIONS = "no_executions"
    UNKNOWN_OUTCOMES = "unknown_outcomes"
    UNREACHABLE = "unreachable"
    WRONG_RULE = "wrong_rule"
    CLASS_MISSING = "class_missing"
    LATENT = "latent"
    START_REFUSED = "start_refused"
    ERRORS = "errors"
    CRASHES = "crashes"
    MEMORY = "memory"
    DESCRIPTORS = "descriptors"
    CPU = "cpu"
    STORAGE = "storage"
    PORT = "port"
    CLOCK = "clock"
    HEALTH = "health"
    METRICS = "metrics"
    TEST_ORDERS = "test_orders"
    RATE = "rate"


class Confidence(StrEnum):
    """How sure the rule is; only a confirmed cause is ever acted on."""

    CONFIRMED = "confirmed"
    LIKELY = "likely"
    INCONCLUSIVE = "inconclusive"


class Audience(StrEnum):
    """Who is notified: the desk, or a tier of the escalation matrix (§3)."""

    DESK = "desk"
    TIER_1 = "tier_1"
    TIER_2 = "tier_2"
    TIER_3 = "tier_3"


class Status(StrEnum):
    """The service in one word, for people and for monitoring plugins."""

    OK = "ok"
    DEGRADED = "degraded"
    CRITICAL = "critical"
    BLIND = "blind"


class Finding(Value):
    """One cause. `because` holds the numbers that decided; `section` and `tier` say what the runbook does next.

    `kinds` tell kinds of one cause apart (a gateway that rejects is not one that is slow); `release`, `feature` and
    `strategies` name what the remedy would touch. `instances` are the ones in trouble, of a service that has several;
    `serving` those that take orders.
    """

    cause: Cause
    confidence: Confidence
    because: tuple[str, ...]
    section: str
    tier: Audience
    ruled_out: tuple[str, ...] = ()
    asset_classes: tuple[AssetClass, ...] = ()
    gateways: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    release: str | None = None
    feature: str | None = None
    strategies: tuple[str, ...] = ()
    instances: tuple[str, ...] = ()
    serving: tuple[str, ...] = ()

    @property
    def is_of_some(self) -> bool:
        """Say whether it is about some instances only, while others serve."""
        return bool(self.instances and self.serving)


class Diagnosis(Value):
    """All causes at once, the most urgent first; none when everything is healthy."""

    status: Status
    findings: tuple[Finding, ...] = ()

    def has(self, cause: Cause) -> bool:
        """Say whether a cause is among the findings."""
        return any(finding.cause is cause for finding in self.findings)

    def find(self, *causes: Cause) -> Finding | None:
        """Find the first finding with one of these causes."""
        return next((finding for finding in self.findings if finding.cause in causes), None)
