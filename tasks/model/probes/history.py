"""What is kept of a run's looks: a small value for each run, for trends, rates and hysteresis."""

from pydantic import AwareDatetime, Field

from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Seen
from tasks.model.remediation.in_force import Restriction
from tasks.model.values import Value


class PastOrder(Value):
    """The synthetic orders of one asset class in one run.

    `outcomes` counts them by outcome, a refused one as `outcome:CODE`. Units: milliseconds, the median of the run;
    `own_ms` is the part that the service itself took.
    """

    asset_class: AssetClass
    gateway: str | None = None
    outcomes: dict[str, int] = Field(default_factory=dict)
    filled_count: int = 0
    latency_ms: float | None = None
    own_ms: float | None = None


class PastGateway(Value):
    """The direct probes of one gateway in one run. Units: `latency_ms` is the median of those that passed."""

    gateway: str
    looks_count: int = 0
    failed_count: int = 0
    latency_ms: float | None = None


class PastObservation(Value):
    """One run. `counters` are the service's own, by `name|label=value`; `troubles` the causes that the run found.

    `held` is what was in force, None where nobody could read it.
    """

    at: AwareDatetime
    status: str
    rounds_count: int = 1
    health: Seen = Seen.PASSED
    health_ms: float | None = None
    release: str | None = None
    pid: int | None = None
    started_at: AwareDatetime | None = None
    memory_bytes: int | None = None
    open_files_count: int | None = None
    orders_unknown_count: float | None = None
    orders: tuple[PastOrder, ...] = ()
    gateways: tuple[PastGateway, ...] = ()
    routes: dict[AssetClass, str] = Field(default_factory=dict)
    table_hash: str | None = None
    features: dict[str, bool] = Field(default_factory=dict)
    counters: dict[str, float] = Field(default_factory=dict)
    troubles: tuple[str, ...] = ()
    held: tuple[Restriction, ...] | None = None

    def order(self, asset_class: AssetClass) -> PastOrder | None:
        return next((one for one in self.orders if one.asset_class == asset_class), None)

    def gateway(self, name: str) -> PastGateway | None:
        return next((one for one in self.gateways if one.gateway == name), None)
