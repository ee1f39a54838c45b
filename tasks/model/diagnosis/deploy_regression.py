"""Orders before and after a change, and what that says of the change."""

from enum import StrEnum

from pydantic import AwareDatetime, Field, model_validator

from tasks.model.probes.orders import AssetClass
from tasks.model.values import Value


class OrderCounts(Value):
    """Distinct orders in one stretch of time: a retried order is one order, and failed only if its last try did.

    `errors_count` are the orders that the service itself failed; `gateway_errors_count` those that failed at the
    gateway (rejected, timed out, unreachable) and therefore say nothing of the release.
    """

    orders_count: int = Field(default=0, ge=0)
    errors_count: int = Field(default=0, ge=0)
    gateway_errors_count: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _fails_no_more_than_it_has(self) -> "OrderCounts":
        if self.errors_count + self.gateway_errors_count > self.orders_count:
            raise ValueError("expected errors_count + gateway_errors_count <= orders_count")
        return self

    @property
    def judged_count(self) -> int:
        """Orders that tested the release: all but those that the gateway failed."""
        return self.orders_count - self.gateway_errors_count


class RouteCounts(Value):
    """The orders of one asset class through one gateway on both sides of the change.

    `gateway` is None for orders that failed before a route was chosen. `gateway_healthy` is what the direct probe saw;
    None says that it could not check, which is not health.
    """

    asset_class: AssetClass
    gateway: str | None
    gateway_healthy: bool | None
    before: OrderCounts
    after: OrderCounts

    @property
    def counts(self) -> bool:
        """Say whether this route may speak for or against the change."""
        return self.gateway is None or self.gateway_healthy is True


class RegressionLimits(Value):
    """Safety rule 7. Units: `recent_s` is how old a change may be and still be blamed."""

    alpha: float = Field(default=0.001, gt=0, lt=1)
    least_errors_count: int = Field(default=3, ge=1)
    least_ratio: float = Field(default=2.0, ge=1)
    recent_s: float = Field(default=3600.0, gt=0)


class RegressionCase(Value):
    """The question: what changed when, since when errors are raised, and the orders counted by route.

    `began_at` is when the raised error rate began, not the first error ever; None if nobody can say.
    """

    changed_at: AwareDatetime | None
    began_at: AwareDatetime | None
    routes: tuple[RouteCounts, ...] = ()


class RegressionCode(StrEnum):
    """What the numbers say; only the first one blames the change."""

    REGRESSION = "REGRESSION"
    NO_CHANGE = "NO_CHANGE"
    CHANGE_NOT_RECENT = "CHANGE_NOT_RECENT"
    BEGAN_BEFORE = "BEGAN_BEFORE"
    GATEWAYS_NOT_HEALTHY = "GATEWAYS_NOT_HEALTHY"
    NOT_ENOUGH_DATA = "NOT_ENOUGH_DATA"
    NO_INCREASE = "NO_INCREASE"
    NOT_SIGNIFICANT = "NOT_SIGNIFICANT"


class RegressionVerdict(Value):
    """A verdict with the numbers that decided it.

    `ratio` is the error rate after over the one before; None when there was no error before, or nothing to compare.
    `matched_ratio` is errors after over those expected had each route kept its own rate, so that orders moving to a
    worse route are not taken for a worse release; None as `ratio`.
    """

    code: RegressionCode
    because: str
    before: OrderCounts = OrderCounts()
    after: OrderCounts = OrderCounts()
    p_value: float | None = None
    ratio: float | None = None
    matched_ratio: float | None = None
    excluded_gateways: tuple[str, ...] = ()
    asset_classes: tuple[AssetClass, ...] = ()

    @property
    def blames_change(self) -> bool:
        """Say whether rolling back or disabling may be considered."""
        return self.code is RegressionCode.REGRESSION
