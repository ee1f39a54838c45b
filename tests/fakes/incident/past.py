"""Build what lies before a run: earlier checks, changes, lives, and the counters of the service."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from tasks.model.diagnosis.changes import Change, ChangeKind, ExitReason, ProcessRun
from tasks.model.evidence.evidence import Context, Evidence, TriageRequest
from tasks.model.incidents.modes import Mode
from tasks.model.probes.history import PastGateway, PastObservation, PastOrder
from tasks.model.probes.metrics import Sample
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Observation, RouteStatus, RoutingProbe, Seen
from tests.fakes.incident.observations import GATEWAY_OF, NOW, metrics, observation

STARTED_S = 1_000_000.0
CLASSES = (AssetClass.EQUITY, AssetClass.FX)


def ago(minutes: float) -> datetime:
    """A time before now."""
    return NOW - timedelta(minutes=minutes)


def past(minutes: float, **changes: object) -> PastObservation:
    """One healthy run some minutes ago, with changes."""
    base: dict[str, object] = {
        "at": ago(minutes),
        "status": "ok",
        "release": "1.0.0",
        "pid": 4321,
        "started_at": ago(600),
        "memory_bytes": 70 * 1_048_576,
        "orders": tuple(filled(name) for name in CLASSES),
        "gateways": tuple(PastGateway(gateway=GATEWAY_OF[name], looks_count=1, latency_ms=3) for name in CLASSES),
        "routes": dict(GATEWAY_OF),
        "features": {"limit_price_band": True},
        "counters": counters(),
    }
    return PastObservation.model_validate({**base, **changes})


def healthy_hour(**changes: object) -> tuple[PastObservation, ...]:
    """Sixty healthy runs, a minute apart."""
    return tuple(past(minutes, **changes) for minutes in range(60, 0, -1))


def filled(asset_class: AssetClass) -> PastOrder:
    """One test order that was filled."""
    return PastOrder(
        asset_class=asset_class,
        gateway=GATEWAY_OF[asset_class],
        outcomes={"executed": 1},
        filled_count=1,
        latency_ms=8,
        own_ms=5,
    )


def counters(strategies: dict[str, float] | None = None, **more: float) -> dict[str, float]:
    """The service's counters as a run keeps them."""
    rates = {f"strategy_orders_total|strategy={name}": count for name, count in (strategies or {}).items()}
    return {"process_start_time_seconds": STARTED_S, **rates, **more}


def counted(table: dict[str, float]) -> object:
    """A metrics look that read these counters."""
    samples = []
    for key, value in table.items():
        name, *words = key.split("|")
        labels = tuple((label, text) for label, _, text in (word.partition("=") for word in words))
        samples.append(Sample(name=name, labels=labels, value=value))
    return metrics().model_copy(update={"samples": tuple(samples)})


def released(minutes: float, now: str = "1.1.0", before: str = "1.0.0", **changes: object) -> Change:
    """A release that came some minutes ago."""
    facts = {"kind": ChangeKind.RELEASE, "at": ago(minutes), "key": "release", "before": before, "now": now}
    return Change.model_validate({**facts, **changes})


def crashed(minutes: float, lived_s: float = 20.0, release: str = "1.0.0") -> ProcessRun:
    """A life that ended in a crash some minutes ago."""
    ended = ago(minutes)
    began = ended - timedelta(seconds=lived_s)
    return ProcessRun(started_at=began, ended_at=ended, end=ExitReason.CRASHED, release=release)


def routing(wrong: dict[AssetClass, str | None] | None = None, file_error: str | None = None) -> RoutingProbe:
    """A look at the routing, as shipped unless told otherwise."""
    routes = tuple(
        RouteStatus(
            asset_class=name,
            gateway=(gateway := (wrong or {}).get(name, usual)),
            table_gateway=gateway,
            shipped_gateway=usual,
            trading_state="active",
        )
        for name, usual in GATEWAY_OF.items()
    )
    return RoutingProbe(
        seen=Seen.FAILED if file_error else Seen.PASSED,
        detail="",
        looked_at=NOW,
        routes=routes,
        table_hash="a" * 64,
        file_hash="a" * 64,
        file_error=file_error,
        features={"limit_price_band": True},
    )


def with_past(rounds: Iterable[Observation], **facts: object) -> Evidence:
    """The evidence of a run with something before it."""
    request = TriageRequest(service="order-service")
    context = Context(request=request, looked_at=NOW, mode=Mode.ACT, late_s=0.0)
    return Evidence(context=context.model_copy(update=facts), observations=tuple(rounds))


def rounds(**changes: object) -> tuple[Observation, ...]:
    """Three passes with the same thing wrong in each."""
    return tuple(observation(after_s, **changes) for after_s in (0.0, 2.0, 4.0))
