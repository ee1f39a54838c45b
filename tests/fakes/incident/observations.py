"""Build looks as the tests need them: a healthy round, and rounds with one thing wrong."""

from datetime import UTC, datetime, timedelta

from tasks.model.diagnosis.limits import DiagnosisLimits
from tasks.model.evidence.evidence import Context, Evidence, TriageRequest
from tasks.model.incidents.modes import Mode
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import (
    DependencyStatus,
    Exchange,
    Fault,
    GatewayProbe,
    HealthProbe,
    MetricsProbe,
    Observation,
    OrderOutcome,
    OrderProbe,
    Seen,
)
from tasks.model.probes.processes import ProcessCheck, ProcessState

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
GATEWAY_OF = {AssetClass.EQUITY: "XNAS", AssetClass.FX: "FXALL"}


def health(fault: Fault = Fault.NONE, status: str = "ok", dependencies: dict[str, str] | None = None) -> HealthProbe:
    """One health look; a fault or another status than ok makes it fail."""
    answered = fault is Fault.NONE
    passed = answered and status == "ok"
    return HealthProbe(
        seen=Seen.PASSED if passed else Seen.FAILED,
        detail="http_status=200 status=ok" if passed else f"{fault} status={status}",
        looked_at=NOW,
        exchange=Exchange(
            method="GET", url="http://service/health", fault=fault, http_status=200 if answered else None
        ),
        status=status if answered else None,
        dependencies=tuple(DependencyStatus(name=name, status=word) for name, word in (dependencies or {}).items()),
    )


def blind_health() -> HealthProbe:
    """A health look of a tool that could not check."""
    return HealthProbe(seen=Seen.BLIND, detail="could not check: no descriptors left", looked_at=NOW)


def process(state: ProcessState = ProcessState.RUNNING, cpu_time_s: float = 1.0, **facts: object) -> ProcessCheck:
    """One process look."""
    alive = state in {ProcessState.RUNNING, ProcessState.STOPPED}
    base: dict[str, object] = {"pid": 4321 if alive else None, "cpu_time_s": cpu_time_s if alive else None}
    return ProcessCheck.model_validate(
        {"state": state, "detail": f"pid=4321 is {state}", "looked_at": NOW, **base, **facts}
    )


def metrics(seen: Seen = Seen.PASSED) -> MetricsProbe:
    """One metrics look."""
    return MetricsProbe(seen=seen, detail=str(seen), looked_at=NOW)


def order(
    asset_class: AssetClass = AssetClass.EQUITY, outcome: OrderOutcome = OrderOutcome.EXECUTED, gateway: str | None = ""
) -> OrderProbe:
    """One synthetic order; its gateway is the usual one of its class unless named."""
    return OrderProbe(
        asset_class=asset_class,
        client_order_id=f"synthetic-{asset_class}",
        outcome=outcome,
        detail=str(outcome),
        looked_at=NOW,
        gateway=GATEWAY_OF[asset_class] if gateway == "" else gateway,
    )


def gateway(name: str, seen: Seen = Seen.PASSED) -> GatewayProbe:
    """One direct probe of a gateway."""
    fault = Fault.NONE if seen is Seen.PASSED else Fault.REFUSED
    return GatewayProbe(gateway=name, seen=seen, detail=str(seen), looked_at=NOW, fault=fault)


def slow_gateway(name: str, latency_ms: float = 2500.0) -> GatewayProbe:
    """One direct probe that was answered late."""
    return gateway(name).model_copy(update={"latency_ms": latency_ms})


def observation(after_s: float = 0.0, **changes: object) -> Observation:
    """One pass of checks at a healthy service, with changes."""
    looked_at = NOW + timedelta(seconds=after_s)
    parts: dict[str, object] = {
        "health": health(),
        "process": process(cpu_time_s=1.0 + after_s * 0.1),
        "metrics": metrics(),
        "orders": (order(AssetClass.EQUITY), order(AssetClass.FX)),
        "gateways": (gateway("XNAS"), gateway("FXALL")),
        **changes,
    }
    look = parts["process"]
    assert isinstance(look, ProcessCheck)
    parts["process"] = look.model_copy(update={"looked_at": looked_at})
    return Observation.model_validate({"looked_at": looked_at, **parts})


def evidence(*observations: Observation, mode: Mode = Mode.ACT, late_s: float = 0.0) -> Evidence:
    """The evidence of one triage."""
    context = Context(request=TriageRequest(service="order-service"), looked_at=NOW, mode=mode, late_s=late_s)
    return Evidence(context=context, observations=observations)


def three(**changes: object) -> Evidence:
    """Three rounds, 2 s apart, with the same thing wrong in each."""
    return evidence(*(observation(after_s, **changes) for after_s in (0.0, 2.0, 4.0)))


def with_limits(seen: Evidence, limits: DiagnosisLimits) -> Evidence:
    """The same evidence under other limits."""
    return seen.model_copy(update={"context": seen.context.model_copy(update={"limits": limits})})
