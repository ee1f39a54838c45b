"""Naming the cause of the fault drills that need a past: crashes, leaks, releases, features, strategies, machines."""

import pytest

from tasks.model.diagnosis.changes import ChangeKind, ExitReason, ProcessRun
from tasks.model.diagnosis.diagnosis import Audience, Cause, Confidence, Kind
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Fault, MetricsProbe, Observation, OrderOutcome, OrderProbe
from tasks.model.probes.processes import BusyProcess, Disk, MachineCheck, ProcessState
from tasks.rules.diagnosis.name_causes import name_cause
from tests.fakes.incident.observations import NOW, gateway, health, observation, order, process
from tests.fakes.incident.past import (
    CLASSES,
    ago,
    counted,
    counters,
    crashed,
    filled,
    healthy_hour,
    past,
    released,
    rounds,
    with_past,
)

LOST = tuple(order(name, OrderOutcome.NOT_REACHED) for name in (AssetClass.EQUITY, AssetClass.FX))
DOWN = {"health": health(Fault.REFUSED), "process": process(ProcessState.DEAD), "orders": LOST}
MIB = 1_048_576


def causes(evidence: Evidence) -> list[Cause]:
    """The named causes, in order."""
    return [finding.cause for finding in name_cause(evidence).findings]


def failed(asset_class: AssetClass) -> OrderProbe:
    """A test order that the service answered with 500."""
    return order(asset_class, OrderOutcome.ERROR).model_copy(update={"code": "INTERNAL_ERROR", "gateway": None})


def denied(asset_class: AssetClass, code: str) -> OrderProbe:
    """A test order that the service denied."""
    return order(asset_class, OrderOutcome.DENIED).model_copy(update={"code": code})


def test_a_third_crash_hands_the_service_to_the_developers() -> None:
    """Row 3: two restarts have not helped, and a third would not."""
    running = ProcessRun(started_at=ago(0.5), release="1.0.0")
    seen = with_past(rounds(**DOWN), history=healthy_hour(), lives=(crashed(4), crashed(2), running))

    finding = name_cause(seen).findings[0]

    assert (finding.cause, finding.confidence, finding.tier) == (
        Cause.CRASH_LOOP,
        Confidence.CONFIRMED,
        Audience.TIER_2,
    )
    assert "bad release: no new release" in finding.ruled_out[0]


def test_two_crashes_are_still_restarted() -> None:
    """The second restart is within the budget, and may be the one that helps."""
    seen = with_past(rounds(**DOWN), lives=(crashed(4), ProcessRun(started_at=ago(0.5))))

    assert causes(seen) == [Cause.SERVICE_DOWN]


def test_our_own_restarts_of_a_hung_service_and_ordered_stops_are_no_crashes() -> None:
    """A day of deploys is no crash loop."""
    ends = (ExitReason.RESTARTED, ExitReason.STOPPED, ExitReason.STOPPED)
    lives = tuple(crashed(n).model_copy(update={"end": end}) for n, end in zip((6, 4, 2), ends, strict=True))
    seen = with_past(rounds(**DOWN), lives=(*lives, ProcessRun(started_at=ago(0.2))))

    assert causes(seen) == [Cause.SERVICE_DOWN]


def test_a_release_that_does_not_stay_up_is_rolled_back_and_not_restarted_again() -> None:
    """Row 4: it crashed after each start since it came, and the one before never did."""
    lives = (crashed(2, release="1.1.0"), ProcessRun(started_at=ago(0.5), release="1.1.0"))
    seen = with_past(rounds(**DOWN), history=healthy_hour()[:-3], lives=lives, changes=(released(3),))

    finding = name_cause(seen).findings[0]

    assert (finding.cause, finding.kinds, finding.tier) == (Cause.BAD_RELEASE, (Kind.CRASHES,), Audience.TIER_2)
    assert finding.release == "1.1.0"


def test_a_crash_loop_that_began_before_the_release_is_not_blamed_on_it() -> None:
    """Rolling back would change nothing, and hide the cause."""
    lives = (crashed(9), crashed(2, release="1.1.0"), ProcessRun(started_at=ago(0.5), release="1.1.0"))
    seen = with_past(rounds(**DOWN), history=healthy_hour()[:-3], lives=lives, changes=(released(3),))

    assert causes(seen) == [Cause.CRASH_LOOP]


def test_a_growing_memory_is_named_before_the_kernel_ends_the_process() -> None:
    """Row 5: a controlled restart loses nothing, the kernel's kill loses orders in flight."""
    history = tuple(past(n, memory_bytes=(70 + (12 - n) * 40) * MIB) for n in range(12, 0, -1))
    now = process(memory_bytes=560 * MIB, memory_limit_bytes=1024 * MIB, started_at=ago(600))
    seen = with_past((observation(process=now),), history=history)

    finding = name_cause(seen).findings[0]

    assert (finding.cause, finding.kinds, finding.tier) == (
        Cause.RESOURCE_EXHAUSTED,
        (Kind.MEMORY,),
        Audience.TIER_1,
    )


@pytest.mark.parametrize("memory_mib", [[70, 90, 95, 96, 97, 97, 97], [300, 500, 300, 500, 300, 500, 480]])
def test_a_memory_that_has_settled_or_swings_is_no_leak(memory_mib: list[int]) -> None:
    """Caches fill after a start, and collectors run in waves."""
    history = tuple(past(7 - n, memory_bytes=size * MIB) for n, size in enumerate(memory_mib))
    now = process(memory_bytes=memory_mib[-1] * MIB, memory_limit_bytes=1024 * MIB, started_at=ago(600))

    assert causes(with_past((observation(process=now),), history=history)) == []


def starving(cpu: float, wait: float, state: ProcessState = ProcessState.RUNNING) -> tuple[Observation, ...]:
    """Three silent rounds in which the process got this much of a core and waited this long for one."""
    other = MachineCheck(busy_ratio=1.0, busiest=(BusyProcess(pid=9, name="backtest", cpu_ratio=1.0),))
    return tuple(
        observation(
            after_s,
            health=health(Fault.TIMED_OUT),
            orders=(),
            process=process(state, cpu_time_s=5 + after_s * cpu, run_wait_s=1 + after_s * wait, machine=other),
        )
        for after_s in (0.0, 2.0, 4.0)
    )


def test_a_service_whose_core_another_process_takes_is_not_restarted() -> None:
    """Row 6, the other half: the one that takes the core is named, and the platform team deals with it."""
    finding = name_cause(with_past(starving(cpu=0.01, wait=0.97))).findings[0]

    assert (finding.cause, finding.kinds, finding.tier) == (Cause.INFRASTRUCTURE, (Kind.CPU,), Audience.TIER_3)
    assert "backtest" in " ".join(finding.because)


@pytest.mark.parametrize(("cpu", "wait"), [(0.98, 0.01), (0.6, 0.35), (0.0, 0.0)])
def test_a_service_that_spins_or_stands_still_by_itself_is_hung(cpu: float, wait: float) -> None:
    """Row 6: also on a crowded machine, where a spin gets only part of a core."""
    finding = name_cause(with_past(starving(cpu, wait))).findings[0]

    assert (finding.cause, finding.confidence) == (Cause.SERVICE_HUNG, Confidence.CONFIRMED)


def test_a_feature_that_denies_one_asset_class_is_switched_off_alone() -> None:
    """Row 22: the rest of the release is fine, and stays."""
    orders = (order(AssetClass.EQUITY), denied(AssetClass.FX, "PRICE_OUTSIDE_BAND"))
    change = released(4, kind=ChangeKind.FEATURE, key="limit_price_band", before=None, now="true", by="ann")
    bad = filled(AssetClass.FX).model_copy(update={"outcomes": {"denied:PRICE_OUTSIDE_BAND": 1}, "filled_count": 0})
    after = tuple(past(n, orders=(filled(AssetClass.EQUITY), bad)) for n in (3, 2, 1))
    seen = with_past(rounds(orders=orders), history=(*healthy_hour()[:-4], *after), changes=(change,))

    finding = name_cause(seen).findings[0]

    assert (finding.cause, finding.feature, finding.asset_classes) == (
        Cause.BAD_FEATURE,
        "limit_price_band",
        (AssetClass.FX,),
    )
    assert finding.confidence is Confidence.CONFIRMED


def errors_since(minutes: float) -> Evidence:
    """The service answers every other order with 500 since some minutes ago; a release came four minutes ago."""
    bad = tuple(one.model_copy(update={"outcomes": {"error:INTERNAL_ERROR": 1}}) for one in past(1).orders)
    history = tuple(one.model_copy(update={"orders": bad}) if one.at >= ago(minutes) else one for one in healthy_hour())
    orders = (failed(AssetClass.EQUITY), failed(AssetClass.FX))
    return with_past(rounds(orders=orders), history=history, changes=(released(4.5),))


def test_errors_that_began_with_a_release_are_its_own() -> None:
    """Row 20, by our own test orders alone: also a service that counts nothing is judged."""
    finding = name_cause(errors_since(4)).findings[0]

    assert (finding.cause, finding.kinds, finding.release) == (Cause.BAD_RELEASE, (Kind.ERRORS,), "1.1.0")


def test_errors_that_began_before_a_release_are_not_blamed_on_it() -> None:
    """Rolling back spreads a fault that lies elsewhere; the report says that the release was weighed."""
    finding = name_cause(errors_since(20)).findings[0]

    assert finding.cause is Cause.UNKNOWN
    assert "before the change" in " ".join(finding.because)


def test_a_few_orders_after_a_release_blame_nobody() -> None:
    """Not enough data is said plainly, and a person looks."""
    seen = with_past(rounds(orders=(order(AssetClass.EQUITY), failed(AssetClass.FX))), changes=(released(1),))

    assert causes(seen) == [Cause.UNKNOWN]


def test_a_full_disk_is_the_platforms() -> None:
    """Row 23: a restart frees nothing, and deleting incidents destroys the evidence."""
    dependencies = {"XNAS": "ok", "storage": "error"}
    finding = name_cause(with_past(rounds(health=health(status="degraded", dependencies=dependencies)))).findings[0]

    assert (finding.cause, finding.kinds, finding.tier) == (Cause.INFRASTRUCTURE, (Kind.STORAGE,), Audience.TIER_3)


@pytest.mark.parametrize(
    "disk",
    [
        Disk(what="log", path="/var", free_bytes=1000, total_bytes=10**12),
        Disk(
            what="log",
            path="/var",
            free_bytes=10**11,
            total_bytes=10**12,
            free_inodes_count=3,
            total_inodes_count=10**6,
        ),
    ],
)
def test_a_disk_without_room_or_inodes_is_seen_before_the_service_fails_on_it(disk: Disk) -> None:
    """Logs that cannot be written are gone for the postmortem."""
    seen = with_past(rounds(process=process(machine=MachineCheck(disks=(disk,)))))

    assert name_cause(seen).findings[0].kinds == (Kind.STORAGE,)


def test_a_clock_that_differs_from_every_gateway_is_ours() -> None:
    """Orders with a wrong time are rejected by the venue one day; nothing here is restarted for it."""
    skewed = tuple(gateway(name).model_copy(update={"clock_skew_s": 40.0}) for name in ("XNAS", "FXALL"))
    finding = name_cause(with_past(rounds(gateways=skewed))).findings[0]

    assert (finding.cause, finding.kinds, finding.gateways) == (Cause.INFRASTRUCTURE, (Kind.CLOCK,), ())
    assert "this machine" in finding.because[0]


def strategy_counts(last: float) -> Evidence:
    """A strategy that sent 60 orders a minute for an hour, and so many in the last minute."""
    history = tuple(past(n, counters=counters({"momentum": (60 - n) * 60.0})) for n in range(60, 0, -1))
    look = counted(counters({"momentum": 59 * 60.0 + last}))
    assert isinstance(look, MetricsProbe)
    return with_past((observation(metrics=look.model_copy(update={"looked_at": NOW})),), history=history)


def test_a_strategy_at_fifty_times_its_rate_is_its_desks_to_stop() -> None:
    """Row 30: the service does what it is asked to, and a restart would only lose orders."""
    finding = name_cause(strategy_counts(3000)).findings[0]

    assert (finding.cause, finding.strategies) == (Cause.CLIENT_MISBEHAVIOUR, ("momentum",))
    assert finding.confidence is Confidence.CONFIRMED


@pytest.mark.parametrize("last", [60.0, 300.0, 1000.0])
def test_a_strategy_that_is_busy_is_left_alone(last: float) -> None:
    """The open and the close are busier than noon."""
    assert causes(strategy_counts(last)) == []


def test_a_class_that_the_table_does_not_know_is_misconfigured_also_without_a_look_at_the_routing() -> None:
    """Row 18 at a service that has no `/routing`: the order's own code says so."""
    finding = name_cause(with_past(rounds(orders=(order(), denied(AssetClass.FX, "NO_ROUTE"))))).findings[0]

    assert (finding.cause, finding.kinds, finding.asset_classes) == (
        Cause.ROUTING_MISCONFIGURED,
        (Kind.CLASS_MISSING,),
        (AssetClass.FX,),
    )


def test_a_venue_that_says_our_account_is_wrong_is_for_the_developers() -> None:
    """Row 15: no platform engineer can fix our own set-up."""
    rejected = order(AssetClass.EQUITY, OrderOutcome.REJECTED).model_copy(update={"code": "INVALID_ACCOUNT"})
    finding = name_cause(with_past(rounds(orders=(rejected, order(AssetClass.FX))))).findings[0]

    assert (finding.cause, finding.tier) == (Cause.GATEWAY_FAILING, Audience.TIER_2)


def test_a_slow_release_is_blamed_and_not_its_gateways() -> None:
    """Row 21: what the gateways took is taken off before anybody is blamed."""
    times = {n: 60.0 if n <= 4 else 5.0 for n in range(60, 0, -1)}
    slow = {
        n: tuple(filled(name).model_copy(update={"own_ms": own_ms}) for name in CLASSES) for n, own_ms in times.items()
    }
    history = tuple(past(n, orders=orders) for n, orders in slow.items())
    late = order().model_copy(update={"latency_ms": 63.0, "gateway_latency_ms": 3.0})
    finding = name_cause(with_past(rounds(orders=(late,)), history=history, changes=(released(4.5),))).findings[0]

    assert (finding.cause, finding.kinds) == (Cause.BAD_RELEASE, (Kind.LATENCY,))
