"""The control token goes to the service alone: who is provably another gets nothing, and doubt prevents no pause."""

import asyncio

import psutil
import pytest

from tasks.clients.process import probe
from tasks.clients.service import control, who_answers
from tasks.model.incidents.incident import Outcome
from tasks.model.probes.control import ControlCode, ControlOutcome, ControlReason, TradingState
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.processes import ProcessState
from tasks.model.remediation.verdicts import GuardCode
from tasks.settings import ServiceSettings
from tasks.work.remediation.control_effect import changed
from tasks.work.remediation.execute import ActionOutcome
from tests.fakes.ports import free_port
from tests.fakes.service import wire
from tests.fakes.service.scripted import Asked, Script, replied, scripted

WHY = ControlReason(reason="the venue is gone", set_by="ada")
SERVES = replied(200, {"status": "ok", "release": "1.0.0"})


def _shows_nothing(*_: object) -> None:
    """Say nothing of how the class stands."""


async def halt(service: ServiceSettings) -> ActionOutcome:
    """A person's halt of equities, where the service shows nothing afterwards."""
    change = control.set_trading(service, AssetClass.EQUITY, TradingState.HALTED, WHY)
    return await changed(service, change, _shows_nothing, "equity halted")


def watched(url: str, **changes: object) -> ServiceSettings:
    """A service at an address, with a token."""
    return ServiceSettings.model_validate({"base_url": url, "control_token": "t0k3n", **changes})


def answering(health: bytes) -> Script:
    """Answer health so, and take every change."""
    return lambda asked: health if asked.method == "GET" else replied(200, {"persisted": True})


def tokens(asked: list[Asked]) -> list[str]:
    """The tokens that were sent."""
    return [one.headers["authorization"] for one in asked if "authorization" in one.headers]


async def test_a_person_s_pause_sends_no_token_to_a_process_that_is_not_the_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The service died, and somebody sits on its port and even answers like it: the token would be theirs."""
    found = probe._look(ProcessState.DEAD, "pid=999999999 is gone", port_owner_pid=7, port_owner_name="nc")
    monkeypatch.setattr(who_answers, "find_process", lambda _: found)
    async with scripted(answering(SERVES)) as (url, asked):
        done = await halt(watched(url))
        answer = await control.set_trading(watched(url), AssetClass.EQUITY, TradingState.HALTED, WHY)

    assert (done.outcome, done.code) == (Outcome.REFUSED, GuardCode.NOT_AVAILABLE)
    assert "NOT_OUR_SERVICE" in done.detail
    assert "pid=7 name=nc" in done.detail
    assert (answer.outcome, answer.code) == (ControlOutcome.REFUSED, ControlCode.NOT_OUR_SERVICE)
    assert tokens(asked) == []


async def test_the_process_that_is_proven_to_be_the_service_is_asked_nothing_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A pause waits for no answer of a service that is known."""
    monkeypatch.setattr(who_answers, "find_process", lambda _: psutil.Process())
    async with scripted(answering(SERVES)) as (url, asked):
        done = await halt(watched(url, remediation={"effect_wait_s": 0.1}))

    assert done.outcome is Outcome.DONE
    assert asked[0].method == "PUT"


@pytest.fixture
def unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service whose process nobody can see, as on another host."""
    look = probe._look(ProcessState.BLIND, "the service runs on another host")
    monkeypatch.setattr(who_answers, "find_process", lambda _: look)


@pytest.mark.usefixtures("unseen")
@pytest.mark.parametrize(
    ("health", "is_sent"),
    [
        (SERVES, True),
        (replied(503, {"status": "error"}), True),
        (replied(404, {"error": {"code": "NO_SUCH_PATH"}}), True),
        (replied(500, raw=b"Traceback"), True),
        (replied(502, raw=b"<html>Bad Gateway</html>"), True),
        (b"", True),
        (replied(200, raw=b"<html>It works!</html>"), False),
        (replied(200, raw=b"OK"), False),
        (replied(404, raw=b"<html>not found</html>"), False),
        (replied(200, []), False),
        (replied(499, raw=b""), False),
    ],
)
async def test_an_answer_that_no_order_service_gives_gets_no_token_and_doubt_prevents_no_pause(
    health: bytes, is_sent: bool
) -> None:
    """A broken service may say anything, or nothing, and must be paused; a web server is none."""
    async with scripted(answering(health)) as (url, asked):
        done = await halt(watched(url, remediation={"effect_wait_s": 0.1}))

    assert tokens(asked) == (["Bearer t0k3n"] if is_sent else [])
    assert ("NOT_OUR_SERVICE" in done.detail) is not is_sent


@pytest.mark.usefixtures("unseen")
async def test_a_service_that_hangs_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its control plane may still listen."""
    monkeypatch.setattr(who_answers, "ASKED_FOR_S", 0.1)
    async with wire.answering(wire.never) as url:
        assert await asyncio.wait_for(who_answers.stranger_at(watched(url)), 5) == ""


async def test_nobody_at_the_port_is_no_stranger() -> None:
    """A service that is gone takes no pause, and that is what the person must read."""
    assert await who_answers.stranger_at(watched(f"http://127.0.0.1:{free_port()}")) == ""
