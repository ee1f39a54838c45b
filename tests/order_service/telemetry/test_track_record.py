"""When a release may say of itself that it ran healthy."""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from order_service.releases.records import HealthyRun, read_runs
from order_service.telemetry.track_record import RECORDED_AFTER_S, TrackRecord, Vitals
from tests.order_service.desk import desk_at, eventually, order
from tests.order_service.fake_gateway import FakeGateway

pytestmark = pytest.mark.live

WELL = Vitals(is_serving=True, answered_count=0, failed_count=0, routing_hash="t1", features={"band": True})


@dataclass
class Service:
    """A service as the record sees it, at a time that the test sets."""

    vitals: Vitals = WELL
    now_s: float = 0.0

    def __post_init__(self) -> None:
        self.record = TrackRecord(Path("root/1.0.0"), lambda: self.vitals, lambda: self.now_s)
        self.record.due()

    def after(self, seconds: float, **changes: object) -> HealthyRun | None:
        """Let time go on, and look."""
        self.now_s += seconds
        self.vitals = replace(self.vitals, **changes)  # type: ignore[arg-type]
        return self.record.due()


def test_half_a_minute_of_orders_without_a_failure_is_told() -> None:
    """That is the least a release must have shown to be gone back to."""
    service = Service()

    early = service.after(RECORDED_AFTER_S[0] - 1, answered_count=4)
    told = service.after(1)

    assert early is None
    assert told is not None
    assert (told.version, told.orders_count, told.for_s) == ("1.0.0", 4, RECORDED_AFTER_S[0])
    assert (told.routing_hash, told.features) == ("t1", {"band": True})


def test_a_run_is_told_again_when_it_has_lasted_and_not_each_time() -> None:
    """An hour is worth more than half a minute, and the file stays small."""
    service = Service()
    service.after(40, answered_count=4)

    told = [service.after(60, answered_count=4 + minute) for minute in range(1, 121)]

    assert [run.for_s for run in told if run is not None] == [640.0, 3640.0]


def test_serving_without_orders_proves_nothing() -> None:
    """A health page that says ok has filled no order."""
    service = Service()

    assert service.after(RECORDED_AFTER_S[0] * 2) is None
    assert service.after(1, answered_count=1) is not None


@pytest.mark.parametrize(
    "trouble",
    [{"failed_count": 1}, {"is_serving": False}, {"routing_hash": "t2"}, {"features": {"band": False}}],
)
def test_a_failure_or_another_configuration_begins_anew(trouble: dict[str, object]) -> None:
    """A run is healthy with one configuration and as a whole."""
    service = Service()
    service.after(RECORDED_AFTER_S[0] - 1, answered_count=4)

    assert service.after(2, **trouble) is None
    assert service.after(RECORDED_AFTER_S[0] - 1, is_serving=True, answered_count=5) is None


async def test_the_service_writes_its_record_beside_the_releases(
    tmp_path: Path, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The listing reads it there, whichever release is current then."""
    release = tmp_path / "releases" / "1.0.0"
    release.mkdir(parents=True)
    monkeypatch.setattr("order_service.runtime.service.release_folder", lambda *_: release)
    monkeypatch.setattr("order_service.telemetry.track_record.CHECK_EVERY_S", 0.02)
    monkeypatch.setattr("order_service.telemetry.track_record.RECORDED_AFTER_S", (0.1,))
    async with desk_at(tmp_path / "s", gateway) as desk:
        await desk.http.get("/health")

        async def recorded() -> tuple[HealthyRun, ...]:
            # An order counts from the first check on, which may be later than any one order.
            await desk.send(order())
            await asyncio.sleep(0.1)
            return tuple(read_runs(release.parent))

        (run, *_) = await eventually(recorded, within_s=30)
        table = (await desk.routing())["table"]["hash"]

    assert (run.version, run.routing_hash) == ("1.0.0", table)
    assert run.features == {"limit_price_band": True, "order_throttle": True}


async def test_a_service_that_is_no_release_keeps_no_record(
    tmp_path: Path, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkout that runs vouches for nothing."""
    looks: list[object] = []
    monkeypatch.setattr("order_service.runtime.service.OrderService._vitals", looks.append)
    monkeypatch.setattr("order_service.telemetry.track_record.CHECK_EVERY_S", 0.0)
    async with desk_at(tmp_path / "s", gateway) as desk:
        await desk.send(order())

    assert looks == []
