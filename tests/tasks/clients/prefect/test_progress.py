"""Progress is told beside the work: never for a short step, never often, and nobody ever waits for it."""

import asyncio
import itertools
import threading
import time
from pathlib import Path

import pytest

from tasks.clients.prefect.progress import PACE, Pace, shown_progress
from tasks.model.reports.progress import LongStep, Progress
from tests.fakes.shown import Broken, Kept, NeverTaken

pytestmark = pytest.mark.live

QUICK = Pace(quiet_s=0.05, every_s=0.1, part_of_elapsed=0.0)
HALF = Progress(step=LongStep.STAYS_HEALTHY, done=5, of=10)


async def until(shown: Kept, count: int) -> None:
    """Wait until so much was shown."""
    async with asyncio.timeout(5):
        while len(shown.shown) < count:  # noqa: ASYNC110 - what is shown is a list, and no event
            await asyncio.sleep(0.005)


def test_the_pace_of_the_real_thing_is_what_is_promised() -> None:
    """A healthy run leaves no row more than before, and a long step writes once a second at most."""
    assert PACE.quiet_s >= 2.0
    assert PACE.every_s >= 1.0


async def test_a_step_that_ends_soon_shows_nothing() -> None:
    """A healthy minute must not grow the database."""
    shown = Kept()
    async with shown_progress("progress-x", shown, Pace(quiet_s=0.2)) as report:
        report(HALF)
    await asyncio.sleep(0.3)

    assert shown.shown == []


async def test_a_long_step_shows_how_far_it_is_and_then_that_it_is_done() -> None:
    """Who looks at three at night sees what goes on, and that it goes on."""
    shown = Kept()
    async with shown_progress("progress-x", shown, QUICK) as report:
        report(HALF)
        await until(shown, 1)
    await until(shown, 2)

    assert shown.shown[0] == (0.5, "healthy again, proving that it stays so: 5 of 10 s")
    assert shown.shown[-1][0] == 1.0
    assert "done after" in shown.shown[-1][1]
    assert shown.is_closed


async def test_it_is_told_no_more_often_than_its_pace_however_often_the_step_reports() -> None:
    """A scan of gigabytes reports a thousand times a second; Prefect's database hears of one."""
    shown = Kept()
    async with shown_progress("progress-x", shown, QUICK) as report:
        began_s = time.monotonic()
        while time.monotonic() - began_s < 0.5:
            report(HALF.model_copy(update={"done": time.monotonic() - began_s}))
            await asyncio.sleep(0)
    await asyncio.sleep(0.02)
    during = shown.times_s[:-1]
    gaps_s = [later - sooner for sooner, later in itertools.pairwise(during)]

    assert len(shown.shown) >= 2
    assert min(gaps_s, default=1.0) >= QUICK.every_s * 0.95


async def test_what_has_not_changed_is_not_told_again() -> None:
    """Each telling is a write."""
    shown = Kept()
    async with shown_progress("progress-x", shown, Pace(0.02, 0.02, 0.0)) as report:
        report(HALF)
        await asyncio.sleep(0.2)

    assert len(shown.shown) == 1


async def test_time_that_a_step_only_waits_goes_on_by_itself() -> None:
    """A person is waited for: nobody reports, and the bar moves."""
    shown = Kept()
    async with shown_progress("progress-x", shown, QUICK) as report:
        report(Progress(step=LongStep.APPROVAL, of=0.5, ticks=True))
        await until(shown, 2)

    assert 0.0 < shown.shown[0][0] < shown.shown[1][0] <= 1.0


@pytest.mark.parametrize("kind", [NeverTaken, Broken])
async def test_a_server_that_is_dead_or_slow_holds_the_step_up_not_at_all(kind: type[Kept]) -> None:
    """Rule 13: telling never blocks healing; the service is restarted while nobody hears of it."""
    shown = kind()
    async with shown_progress("progress-x", shown, QUICK) as report:
        report(HALF)
        await until(shown, 1)
        ended_s = time.monotonic()

    assert time.monotonic() - ended_s < 5


async def test_the_failure_of_a_step_stays_its_own_and_shows_how_far_it_had_come() -> None:
    """A restart that was cut off midway must not look done."""
    shown = Kept()

    async def cut_off() -> None:
        async with shown_progress("progress-x", shown, QUICK) as report:
            report(HALF)
            await until(shown, 1)
            raise ValueError("its own")

    with pytest.raises(ValueError, match="its own"):
        await cut_off()
    await until(shown, 2)

    assert shown.shown[-1][0] == 0.5
    assert "ended midway" in shown.shown[-1][1]


async def test_a_step_may_report_from_a_thread_of_its_own() -> None:
    """A restart waits in a thread."""
    shown = Kept()
    async with shown_progress("progress-x", shown, QUICK) as report:
        thread = threading.Thread(target=report, args=(HALF,))
        thread.start()
        await until(shown, 1)
        thread.join()

    assert shown.shown[0][0] == 0.5


async def test_outside_of_a_run_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain call of a step, in a test or a shell, asks no server."""
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    monkeypatch.chdir(tmp_path)
    async with shown_progress("progress-x", pace=QUICK) as report:
        report(HALF)
        await asyncio.sleep(0.3)


@pytest.mark.parametrize("step", LongStep)
def test_what_is_shown_of_a_step_is_fixed_words_and_numbers(step: LongStep) -> None:
    """No secret can be shown: there is no place where foreign text could come in."""
    fields = Progress.model_fields
    assert {name for name, field in fields.items() if field.annotation is str} == set()
    assert Progress(step=step).step.value == step.value
