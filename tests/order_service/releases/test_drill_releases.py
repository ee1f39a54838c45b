"""Drill releases: each is ill in the one way that it was built for, and no other release holds any of it."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from order_service.drill_faults.faults import INSTALLERS
from order_service.releases.build import AT_START_ONLY, FAULTS, Drill, build
from order_service.releases.deploy import deploy
from order_service.releases.manifest import read_manifest, verify
from order_service.releases.records import HealthyRun, append_run, read_runs
from order_service.releases.standing import Past, standing
from order_service.releases.store import ReleaseCode, ReleaseError
from tests.fakes.ports import free_port
from tests.order_service.desk import TOKEN, eventually, lay_out, order
from tests.order_service.fake_gateway import FakeGateway
from tests.order_service.releases.release_tree import PACKAGE, Tree

posix = pytest.mark.skipif(sys.platform == "win32", reason="a process cannot become another there, nor take SIGUSR2")
live = [posix, pytest.mark.e2e, pytest.mark.usefixtures("trusting")]


@dataclass
class Ill:
    """A drill release that runs."""

    process: subprocess.Popen[bytes]
    http: httpx.AsyncClient

    async def begins(self) -> None:
        """Let the fault come."""
        self.process.send_signal(signal.SIGUSR2)

    async def send(self, **changes: object) -> httpx.Response:
        """Send one order."""
        return await self.http.post("/orders", json=order(**changes))

    async def answers(self) -> bool:
        """Say whether it answers health."""
        with contextlib.suppress(httpx.HTTPError):
            return (await self.http.get("/health", timeout=0.5)).status_code in {200, 503}
        return False


Run = Callable[[Drill], contextlib.AbstractAsyncContextManager[Ill]]


@pytest.fixture
def ill(tmp_path: Path) -> Run:
    """Build, deploy and run a drill release at a gateway that fills."""

    @contextlib.asynccontextmanager
    async def running(drill: Drill) -> AsyncIterator[Ill]:
        tree, port = Tree(tmp_path), free_port()
        build(tree.store, "1.1.0", PACKAGE, None, drill)
        state = tmp_path / "state"
        async with FakeGateway() as gateway:
            lay_out(state, gateway.base_url)
            deploy(tree.store, "1.1.0", tree.request)
            process = _start(tree, state, port)
            try:
                async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=2) as http:
                    patient = Ill(process, http)
                    if drill.fault not in AT_START_ONLY:
                        await eventually(patient.answers, 15)
                    yield patient
            finally:
                process.kill()
                process.wait(10)

    return running


def _start(tree: Tree, state: Path, port: int) -> subprocess.Popen[bytes]:
    ours = {"STATE_DIR": str(state), "PORT": str(port), "CONTROL_TOKEN": TOKEN}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ORDER_SERVICE_")}
    environment |= {f"ORDER_SERVICE_{name}": value for name, value in ours.items()}
    with (state / "stderr").open("wb") as stderr:
        return subprocess.Popen(tree.command("run"), cwd=tree.base, env=environment, stderr=stderr)


class TestRows:
    """Each row of the drills, as the service shows it."""

    pytestmark = live

    async def test_row_20_a_third_of_the_orders_end_in_500_and_none_of_those_is_sent(self, ill: Run) -> None:
        """The errors are the release's own, and the rest of the orders fill."""
        async with ill(Drill("order_errors")) as patient:
            answers = [await patient.send() for _ in range(100)]
            health = await patient.http.get("/health")

        codes = [answer.status_code for answer in answers]
        assert set(codes) == {201, 500}
        assert 15 <= codes.count(500) <= 45
        assert health.json()["status"] == "ok"

    async def test_row_21_orders_take_longer_in_the_service_and_not_at_the_gateway(self, ill: Run) -> None:
        """The gateway must not be blamed."""
        async with ill(Drill("slow_orders")) as patient:
            started = time.monotonic()
            answer = await patient.send()
            taken_ms = (time.monotonic() - started) * 1000
            metrics = (await patient.http.get("/metrics")).text

        assert answer.status_code == 201
        assert taken_ms >= max(50, 4 * answer.json()["execution"]["latency_ms"])
        own_s = next(float(line.split()[1]) for line in metrics.splitlines() if line.startswith("order_seconds_sum"))
        assert own_s >= 0.05

    async def test_row_22_a_new_feature_breaks_crypto_alone_until_it_is_switched_off(self, ill: Run) -> None:
        """Switching the feature off is the remedy, and the release stays."""
        crypto = {"asset_class": "crypto", "symbol": "BTC-USD"}
        async with ill(Drill("feature_breaks_crypto")) as patient:
            broken, well = await patient.send(**crypto), await patient.send()
            shown = (await patient.http.get("/routing")).json()["features"]
            off = await patient.http.put(
                "/control/features/crypto_price_guard",
                json={"enabled": False, "reason": "breaks crypto"},
                headers={"Authorization": f"Bearer {TOKEN}"},
            )
            healed = await patient.send(**crypto)

        assert shown["crypto_price_guard"]["enabled"] is True
        assert [one.status_code for one in (broken, well, off, healed)] == [500, 201, 200, 201]

    async def test_row_8_orders_hang_while_health_is_fine(self, ill: Run) -> None:
        """Only a test order finds it."""
        async with ill(Drill("orders_hang")) as patient:
            with pytest.raises(httpx.ReadTimeout):
                await patient.http.post("/orders", json=order(), timeout=0.5)
            assert (await patient.http.get("/health")).json()["status"] == "ok"
            assert (await patient.http.get("/orders")).json()["orders"] == []

    async def test_row_9_health_errors_while_orders_fill(self, ill: Run) -> None:
        """A service that fills orders is not restarted for what its health page says."""
        async with ill(Drill("health_broken")) as patient:
            health = await eventually(lambda: _error(patient))

            assert health.status_code == 503
            assert (await patient.send()).json()["status"] == "filled"

    async def test_row_4_a_release_that_ends_at_its_start_never_listens(self, ill: Run, tmp_path: Path) -> None:
        """Each start ends in the same way, with a traceback."""
        async with ill(Drill("crash_at_start")) as patient:
            code = await asyncio.to_thread(patient.process.wait, 15)

        assert code == 1
        assert "RuntimeError" in (tmp_path / "state" / "stderr").read_text("utf-8")

    async def test_row_4_a_crash_loop_listens_first_and_ends_then(self, ill: Run) -> None:
        """The pid was there, and is gone."""
        async with ill(Drill("crash_loop", on_signal=True)) as patient:
            await patient.begins()

            assert await asyncio.to_thread(patient.process.wait, 5) == 70

    async def test_row_5_memory_grows_while_orders_go_on(self, ill: Run) -> None:
        """Only the memory tells."""
        async with ill(Drill("memory_leak", on_signal=True)) as patient:
            process = psutil.Process(patient.process.pid)
            before = process.memory_info().rss
            await patient.begins()
            await eventually(lambda: process.memory_info().rss - before > 16 * 1024 * 1024)

            assert (await patient.send()).status_code == 201

    async def test_row_6_a_spinning_loop_burns_a_core_and_answers_nothing(self, ill: Run) -> None:
        """Hung with a busy core is another thing than waiting for one."""
        async with ill(Drill("cpu_spin", on_signal=True)) as patient:
            process = psutil.Process(patient.process.pid)
            await patient.begins()
            await eventually(lambda: _is_silent(patient))
            before, started = sum(process.cpu_times()[:2]), time.monotonic()
            await eventually(lambda: sum(process.cpu_times()[:2]) - before > 0.2)

            assert time.monotonic() - started < 5
            assert not await patient.answers()

    async def test_row_7_a_loop_that_is_blocked_once_goes_on(self, ill: Run) -> None:
        """The second check clears it."""
        async with ill(Drill("blocked_loop", on_signal=True)) as patient:
            await patient.begins()
            await eventually(lambda: _is_silent(patient))
            await eventually(patient.answers, 15)

            assert (await patient.send()).status_code == 201


async def _error(patient: Ill) -> httpx.Response | None:
    answer = await patient.http.get("/health")
    return answer if answer.json()["status"] == "error" else None


async def _is_silent(patient: Ill) -> bool:
    return not await patient.answers()


def test_every_fault_has_code_and_every_code_a_name() -> None:
    """What the command offers can be built."""
    assert list(INSTALLERS) == list(FAULTS)


def test_a_drill_release_is_marked_and_whole(tmp_path: Path) -> None:
    """Nobody takes it for a release, and its files are proven like any other's."""
    tree = Tree(tmp_path)
    build(tree.store, "1.1.0", PACKAGE, None, Drill("order_errors"))

    append_run(tree.store.root, HealthyRun("2026-11-22T10:00:00Z", "1.1.0", 3600.0, 900, "t1", {}))

    manifest = verify(tree.store.path("1.1.0"))
    listed = standing(manifest, tree.store.path("1.1.0"), Past([], read_runs(tree.store.root)))

    assert manifest.drill == listed["drill"] == {"fault": "order_errors", "on_signal": False}
    assert listed["known_good"] is False
    assert "order_errors" in str(listed["known_good_because"])


def test_a_healthy_release_holds_no_fault(tree: Tree) -> None:
    """No switch of this kind may lie about in a release that takes real orders."""
    release = tree.store.path("1.0.0")

    assert read_manifest(release).drill is None
    assert not (release / "code" / "order_service" / "drill_faults").exists()
    assert not [path for path in release.rglob("*.py") if "DRILL_RELEASE" in path.read_text("utf-8")]


def test_a_drill_release_is_not_built_from_a_release(tree: Tree) -> None:
    """The faults lie in a checkout alone."""
    with pytest.raises(ReleaseError) as refused:
        build(tree.store, "2.0.0", tree.store.path("1.0.0") / "code", None, Drill("order_errors"))

    assert refused.value.code is ReleaseCode.SOURCE_INVALID
    assert "2.0.0" not in tree.store.versions()


def test_a_healthy_release_and_a_drill_of_one_version_are_two_contents(tree: Tree) -> None:
    """A drill must not take the place of a release."""
    with pytest.raises(ReleaseError) as refused:
        build(tree.store, "1.0.0", tree.base / "source-old", None, Drill("order_errors"))

    assert refused.value.code is ReleaseCode.RELEASE_EXISTS
    assert read_manifest(tree.store.path("1.0.0")).drill is None
