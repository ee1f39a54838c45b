"""One look at every service of a host: what is wrong with one of them stays with that one."""

import asyncio
import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.clients.evidence.history import history_path
from tasks.clients.service.isolated_loop import IsolatedLoop, in_own_thread
from tasks.model.diagnosis.diagnosis import Status
from tasks.model.evidence.evidence import TriageRequest
from tasks.model.fleet.sweep import ServiceSeen, Standing, SweepObservations, SweepRequest
from tasks.work.fleet import sweep as module
from tasks.work.fleet.sweep import sweep_observations
from tests.fakes.service.several_services import Ward, ward

pytestmark = pytest.mark.live

WELL = ("alpha", "beta", "gamma")
SICK = {"hung": "hung", "drips": "drip", "garbage": "wrong_types", "metrics": "metrics_garbage", "huge": "huge_body"}


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    """Three services that are well, among five that are not, each in its own way."""
    sick_first = {**SICK, **dict.fromkeys(WELL, "healthy")}
    with ward(tmp_path_factory.mktemp("ward"), sick_first) as one:
        yield one


@pytest.fixture
def host(started: Ward, tmp_path: Path) -> Ward:
    """The same services, of which nothing was seen yet."""
    services = {
        name: one.model_copy(update={"incidents_file": tmp_path / f"{name}.jsonl"})
        for name, one in started.settings.services.items()
    }
    fresh = {"state_dir": tmp_path / "var", "services": services}
    return Ward(started.settings.model_copy(update=fresh), started.patients)


def asked(one: Ward) -> SweepRequest:
    """Ask for every service."""
    return SweepRequest(services=tuple(one.settings.services), asked=TriageRequest(service=""))


def by_name(observations: SweepObservations) -> dict[str, ServiceSeen]:
    """Find what was seen of each."""
    return {one.service: one for one in observations.services}


async def test_what_hangs_drips_or_is_garbage_delays_no_other(host: Ward) -> None:
    """The trader whose service is well has its line soon, whatever stands beside it."""
    seen = by_name(await sweep_observations(host.settings, asked(host)))

    assert {name: seen[name].standing for name in WELL} == dict.fromkeys(WELL, Standing.HEALTHY)
    assert {name: seen[name].standing for name in SICK} == dict.fromkeys(SICK, Standing.NEEDS_TRIAGE)
    one_after_the_other_s = sum(seen[name].took_s for name in SICK)
    assert all(seen[name].waited_s + seen[name].took_s < one_after_the_other_s for name in WELL)
    assert seen["hung"].because


async def test_a_look_at_a_healthy_service_is_remembered_and_that_of_a_sick_one_left_to_its_triage(host: Ward) -> None:
    """Trends and the silence watch live of the history; a triage looks for itself, three times."""
    await sweep_observations(host.settings, asked(host))

    kept = {name for name in host.settings.services if (history_path(host.settings, name)).exists()}
    assert kept == set(WELL)


async def test_a_ledger_that_never_answers_holds_up_nobody_else(host: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead file server under one ledger: that service is blind, and says so; the others are looked at."""
    stuck, read = threading.Event(), module.SharedReads.kept_of
    monkeypatch.setattr(module, "CHECK_S", 8.0)

    def kept_of(self: module.SharedReads, service: str) -> object:
        if service == "alpha":
            stuck.wait(60)
        return read(self, service)

    monkeypatch.setattr(module.SharedReads, "kept_of", kept_of)
    try:
        seen = by_name(await sweep_observations(host.settings, asked(host)))
    finally:
        stuck.set()

    assert seen["alpha"].standing is Standing.BLIND
    assert "something blocks it" in seen["alpha"].because
    assert {seen[name].standing for name in ("beta", "gamma")} == {Standing.HEALTHY}


async def test_a_look_that_breaks_is_one_blind_line(host: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours in the look at one service must not cost the minute of ninety-nine."""
    name_cause = module.name_cause

    def breaks(evidence: module.Evidence) -> module.Diagnosis:
        if evidence.context.request.service == "beta":
            raise ZeroDivisionError("a rule of ours")
        return name_cause(evidence)

    monkeypatch.setattr(module, "name_cause", breaks)

    seen = by_name(await sweep_observations(host.settings, asked(host)))

    assert seen["beta"].standing is Standing.BLIND
    assert seen["beta"].because == "ZeroDivisionError: a rule of ours"
    assert {seen[name].standing for name in ("alpha", "gamma")} == {Standing.HEALTHY}
    assert not history_path(host.settings, "beta").exists()


async def test_a_log_that_is_no_file_is_noted_and_stops_nothing(host: Ward) -> None:
    """What the logs would say is missing, and the line says so."""
    pipe = host.settings.state_dir.parent / "pipe.log"
    os.mkfifo(pipe)
    gamma = host.settings.services["gamma"].model_copy(update={"log_files": (pipe,)})
    settings = host.settings.model_copy(update={"services": {**host.settings.services, "gamma": gamma}})

    seen = by_name(await sweep_observations(settings, asked(host)))["gamma"]

    assert (seen.standing, seen.status) == (Standing.HEALTHY, Status.OK)
    assert any("pipe.log" in note for note in seen.notes)


async def test_work_that_is_left_behind_keeps_no_process_from_ending() -> None:
    """A run whose check is stuck ends on time; only its process's end ends the thread."""
    stuck = threading.Event()

    async def work() -> None:
        await asyncio.to_thread(stuck.wait, 60)

    started = time.monotonic()
    with pytest.raises(TimeoutError):
        await IsolatedLoop(work).result(0.2)

    assert time.monotonic() - started < 30
    assert all(one.daemon for one in threading.enumerate() if one.name == "own-thread")
    stuck.set()


async def test_whoever_waits_for_an_answer_is_told_from_whoever_computes() -> None:
    """Only a check that computes keeps the next one from beginning."""
    answer = threading.Event()

    async def waiting() -> None:
        await asyncio.sleep(1.5)

    async def computing() -> None:
        while not answer.is_set():
            pass

    waits, computes = IsolatedLoop(waiting), IsolatedLoop(computing)
    await asyncio.sleep(0.4)

    assert waits.waits(0.2)
    assert not computes.waits(0.2)
    answer.set()
    await asyncio.gather(waits.result(5), computes.result(5))
    assert computes.waits(0.2)


async def test_a_thread_that_is_stuck_is_given_no_other_call() -> None:
    """Threads are used again; the check of the next service must not wait behind a dead disk."""
    stuck = threading.Event()
    with pytest.raises(TimeoutError):
        await in_own_thread(lambda: stuck.wait(60), 0.1)

    first = await in_own_thread(threading.get_ident, 30)
    again = await in_own_thread(threading.get_ident, 30)

    assert (await in_own_thread(lambda: "went on", 30)) == "went on"
    assert threading.main_thread().ident not in {first, again}
    stuck.set()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
async def test_a_forked_process_uses_no_thread_of_its_parent() -> None:
    """The worker forks each run; a call that is left to a thread which is not there never ends."""
    await in_own_thread(threading.get_ident, 30)
    child = multiprocessing.get_context("fork").Process(target=end_in_own_thread)
    child.start()
    await asyncio.to_thread(child.join, 30)

    assert child.exitcode == 7


def end_in_own_thread() -> None:
    """End with what a thread of our own says."""
    os._exit(asyncio.run(in_own_thread(lambda: 7, 20)))
