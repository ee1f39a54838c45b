"""A person's pause needs nothing: it is done, notified, and recorded once that is possible."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

import pytest
from filelock import FileLock
from pydantic import SecretStr

from tasks.clients.incidents.ledger import append, read_ledger
from tasks.clients.incidents.ledger_spool import waiting
from tasks.clients.incidents.mode import set_mode
from tasks.clients.locks import host_lock
from tasks.clients.messages.local_file import read_deliveries
from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.incidents.incident import Action, Event, LedgerRecord, Outcome, Source
from tasks.model.incidents.modes import Mode
from tasks.model.probes.control import TradingState
from tasks.model.probes.orders import WELL_KNOWN, AssetClass
from tasks.model.remediation.operator_action import ManualAction
from tasks.model.remediation.plan import Request, Target
from tasks.model.remediation.verdicts import GuardCode
from tasks.rules.incidents.action_history import action_history
from tasks.rules.incidents.fold import fold_incidents
from tasks.settings import RunbookSettings, ServiceSettings
from tasks.work.remediation.operator_action import Operated, pause_ordered
from tests.fakes.service.scripted import Asked, Script, replied, scripted

SERVICE = "order-service"
EQUITY = Target(asset_class=AssetClass.EQUITY, trading_state=TradingState.HALTED)
REDUCED = Target(asset_class=AssetClass.EQUITY, trading_state=TradingState.REDUCING)


def trading(states: dict[str, str]) -> Script:
    """Script a service that takes every change of trading and shows it."""

    def script(asked: Asked) -> bytes:
        if asked.method == "PUT":
            states[asked.path.rpartition("/")[2]] = asked.fields["state"]
            return replied(200, {"persisted": True})
        if asked.path == "/routing":
            classes = {name: {"gateway": "XNAS", "trading_state": states.get(name, "active")} for name in WELL_KNOWN}
            return replied(200, {"asset_classes": classes})
        return replied(200, {"status": "ok", "release": "1.0.0", "dependencies": {}})

    return script


@asynccontextmanager
async def watching(folder: Path, states: dict[str, str]) -> AsyncIterator[RunbookSettings]:
    """Watch such a service; its ledger lies in a folder of its own."""
    async with scripted(trading(states)) as (url, _):
        table = {"base_url": url, "control_token": SecretStr("t0k3n"), "incidents_file": folder / "l" / "i.jsonl"}
        service = ServiceSettings.model_validate(table)
        yield RunbookSettings(state_dir=folder / "state", services={SERVICE: service})


async def pause(settings: RunbookSettings, *targets: Target) -> Operated:
    """Let a person pause."""
    asked = Request(by="ada", reason="the venue says so")
    order = ManualAction(service=SERVICE, action=Action.PAUSE_STRATEGIES, asked=asked, targets=targets)
    return await pause_ordered(settings, order)


def told(settings: RunbookSettings, audience: Audience) -> list[str]:
    """What an audience was notified of."""
    return [one.text for one in read_deliveries(settings.notifications_path) if one.audience is audience]


def broken(settings: RunbookSettings, how: str) -> AbstractContextManager[object]:
    """Break the ledger in one way; for a lock, hold it as a stranger would."""
    path = settings.ledger_path(SERVICE)
    if how == "unreadable":
        path.mkdir(parents=True)
    if how == "unwritable":
        path.parent.write_text("a file where the folder was", "utf-8")
    if how == "gone and locked":
        append(settings.ledger(SERVICE), [a_record()])
        read_ledger(settings.ledger(SERVICE))
        path.unlink()
    if "locked" in how:
        path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(f"{path}.lock")
    return nullcontext()


def mended(settings: RunbookSettings, how: str) -> None:
    """Make the ledger usable again, and let the next run append its line."""
    path = settings.ledger_path(SERVICE)
    if how == "unreadable":
        path.rmdir()
    if how == "unwritable":
        path.parent.unlink()
    append(settings.ledger(SERVICE), [a_record()])
    append(settings.ledger(SERVICE), [a_record()])


def a_record() -> LedgerRecord:
    """One line of a run, of no incident."""
    return LedgerRecord(timestamp=datetime.now(UTC), type="x", service=SERVICE, source=Source.TRIAGE)


@pytest.mark.parametrize("how", ["unreadable", "unwritable", "locked"])
async def test_a_pause_is_done_and_notified_without_the_ledger_and_recorded_once_it_is_back(
    tmp_path: Path, how: str
) -> None:
    """Rule 8: on the worst day of the host the one click that stops trading still stops it."""
    states: dict[str, str] = {}
    async with watching(tmp_path, states) as settings:
        with broken(settings, how):
            begun_s = time.monotonic()
            story, result = await pause(settings, EQUITY)
            took_s = time.monotonic() - begun_s

        assert states == {"equity": "halted"}
        assert result.outcome is Outcome.DONE
        assert "not recorded yet, LEDGER_UN" in result.detail
        assert "Equity trading is halted." in told(settings, Audience.DESK)[0]
        assert "ada" in told(settings, Audience.TIER_1)[0]
        assert waiting(settings.ledger(SERVICE))
        assert took_s < 30

        mended(settings, how)
        records = read_ledger(settings.ledger(SERVICE)).records

    of_pause = [one.event for one in records if one.incident_id == story.incident.incident_id]
    assert of_pause == [
        Event.OPENED,
        Event.ACKNOWLEDGED,
        Event.ACTION_STARTED,
        Event.ACTION_FINISHED,
        Event.CLOSED,
    ]
    assert waiting(settings.ledger(SERVICE)) == ()
    assert not any(one.is_open for one in fold_incidents(records, SERVICE))
    assert [one.outcome for one in action_history(records, SERVICE, datetime.now(UTC)).actions] == ["done"]


@pytest.mark.parametrize("how", ["locked", "gone and locked"])
async def test_a_pause_of_everything_reaches_the_service_before_a_locked_ledger_is_waited_for(
    tmp_path: Path, how: str
) -> None:
    """Four classes, each with a lock that somebody else holds: none waits for the record of another, nor for a read."""
    states: dict[str, str] = {}
    async with watching(tmp_path, states) as settings:
        with broken(settings, how):
            begun_s = time.monotonic()
            pausing = asyncio.ensure_future(pause(settings))
            while len(states) < len(WELL_KNOWN):
                assert time.monotonic() - begun_s < 4.5
                await asyncio.sleep(0.02)
        _, result = await pausing

    assert set(states.values()) == {"halted"}
    assert [one.outcome for one in result.actions] == [Outcome.DONE] * len(WELL_KNOWN)


async def test_a_pause_passes_in_mode_observe_and_beside_another_run(tmp_path: Path) -> None:
    """Nobody holds a person's pause up; who acts besides stands in the record."""
    states: dict[str, str] = {}
    async with watching(tmp_path, states) as settings:
        set_mode(settings, Mode.OBSERVE)
        held = host_lock.take(settings.state_dir, SERVICE, "flow_run=another")
        _, result = await pause(settings, EQUITY, Target(strategy="alpha"))
        host_lock.release(settings.state_dir, held)
        started = [one for one in read_ledger(settings.ledger(SERVICE)).records if one.event == Event.ACTION_STARTED]

    assert states == {"equity": "halted", "alpha": "halted"}
    assert result.outcome is Outcome.DONE
    assert all("held by flow_run=another" in one.details["lock"] for one in started)


async def test_a_reduction_of_a_halted_class_is_refused_and_nothing_is_sent(tmp_path: Path) -> None:
    """It never loosens: the desk's halt stays, and who asked reads why."""
    states = {"equity": "halted"}
    async with watching(tmp_path, states) as settings:
        _, refused = await pause(settings, REDUCED)
        states["equity"] = "active"
        _, done = await pause(settings, REDUCED)

    assert refused.code is GuardCode.WOULD_LOOSEN
    assert done.outcome is Outcome.DONE
    assert states == {"equity": "reducing"}
