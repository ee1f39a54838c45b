"""The control plane's client: each change once, with who and why, and every end a named value."""

from collections.abc import Awaitable, Callable

import pytest

from tasks.clients.service import control
from tasks.model.probes.control import (
    ControlAnswer,
    ControlCode,
    ControlOutcome,
    ControlReason,
    GatewayState,
    RouteScope,
    StrategyState,
    TradingState,
)
from tasks.model.probes.orders import AssetClass
from tasks.settings import ServiceSettings
from tests.fakes.ports import free_port
from tests.fakes.service.scripted import Asked, in_turn, refused, replied, scripted
from tests.fakes.service.wire import Answer, answering, drip, endless, exactly, never

TOKEN = "t0k3n-of-the-desk"
WHY = ControlReason(reason="XNAS has been refusing connections since 14:02", set_by="incident 7")
DONE = replied(200, {"persisted": True})
CHANGES: list[tuple[Callable[[ServiceSettings], Awaitable[ControlAnswer]], str, str, dict[str, object]]] = [
    (
        lambda one: control.set_gateway(one, "XNAS", GatewayState.DEGRADED, WHY),
        "PUT",
        "/control/gateways/XNAS",
        {"state": "degraded"},
    ),
    (
        lambda one: control.set_route(one, AssetClass.EQUITY, "XNYS", WHY),
        "PUT",
        "/control/routes/equity",
        {"gateway": "XNYS"},
    ),
    (lambda one: control.set_route(one, AssetClass.FX, None, WHY), "PUT", "/control/routes/fx", {"gateway": None}),
    (
        lambda one: control.set_route(one, AssetClass.EQUITY, "XNYS", WHY, RouteScope.SYNTHETIC),
        "PUT",
        "/control/routes/equity",
        {"gateway": "XNYS", "scope": "synthetic"},
    ),
    (
        lambda one: control.set_trading(one, AssetClass.CRYPTO, TradingState.HALTED, WHY),
        "PUT",
        "/control/trading/crypto",
        {"state": "halted"},
    ),
    (
        lambda one: control.set_strategy(one, "mm-1", StrategyState.HALTED, WHY),
        "PUT",
        "/control/strategies/mm-1",
        {"state": "halted"},
    ),
    (
        lambda one: control.set_feature(one, "limit_price_band", WHY, enabled=False),
        "PUT",
        "/control/features/limit_price_band",
        {"enabled": False},
    ),
    (lambda one: control.restore_table(one, "ab" * 32, WHY), "POST", "/control/restore", {"hash": "ab" * 32}),
    (lambda one: control.reload_table(one, WHY), "POST", "/control/reload", {}),
]


@pytest.fixture
def _short_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait half a second, not five."""
    monkeypatch.setattr(control, "TIMEOUT_S", 0.5)


def watched(url: str, token: str | None = TOKEN) -> ServiceSettings:
    """A service at an address, with the token of its control plane."""
    return ServiceSettings.model_validate({"base_url": url, "control_token": token})


async def halted(url: str, token: str | None = TOKEN) -> ControlAnswer:
    """Halt a class: the change that must be told from its look-alikes most surely."""
    return await control.set_trading(watched(url, token), AssetClass.EQUITY, TradingState.HALTED, WHY)


@pytest.mark.parametrize(("change", "method", "path", "fields"), CHANGES)
async def test_each_change_is_sent_once_with_who_and_why(
    change: Callable[[ServiceSettings], Awaitable[ControlAnswer]], method: str, path: str, fields: dict[str, object]
) -> None:
    """The next shift reads in the ledger who set it and why."""
    async with scripted(lambda _: DONE) as (url, asked):
        answer = await change(watched(url))

    assert answer.is_done
    assert [(one.method, one.target) for one in asked] == [(method, path)]
    assert asked[0].fields == {**fields, "reason": WHY.reason, "set_by": "incident 7", "source": "triage"}
    assert asked[0].headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    ("answer", "outcome", "code"),
    [
        (DONE, ControlOutcome.DONE, None),
        (replied(204), ControlOutcome.DONE, None),
        (replied(200, raw=b"<html>sign in</html>"), ControlOutcome.UNKNOWN, ControlCode.UNREADABLE_ANSWER),
        (replied(200, {"error": {"code": "LATER"}}), ControlOutcome.UNKNOWN, "LATER"),
        (refused(404, "UNKNOWN_GATEWAY"), ControlOutcome.REFUSED, "UNKNOWN_GATEWAY"),
        (refused(404, "NOT_FOUND"), ControlOutcome.NOT_AVAILABLE, "NOT_FOUND"),
        (replied(404, {"detail": "Not Found"}), ControlOutcome.NOT_AVAILABLE, ControlCode.NO_SUCH_CONTROL),
        (replied(404), ControlOutcome.NOT_AVAILABLE, ControlCode.NO_SUCH_CONTROL),
        (replied(405), ControlOutcome.NOT_AVAILABLE, ControlCode.NO_SUCH_CONTROL),
        (replied(501), ControlOutcome.NOT_AVAILABLE, ControlCode.NO_SUCH_CONTROL),
        (refused(401, "CONTROL_UNAUTHORIZED"), ControlOutcome.REFUSED, "CONTROL_UNAUTHORIZED"),
        (replied(403), ControlOutcome.REFUSED, ControlCode.UNAUTHORIZED),
        (refused(409, "ROUTE_NOT_ALLOWED"), ControlOutcome.REFUSED, "ROUTE_NOT_ALLOWED"),
        (replied(429), ControlOutcome.REFUSED, ControlCode.REQUEST_REFUSED),
        (replied(500), ControlOutcome.UNKNOWN, ControlCode.SERVER_ERROR),
        (refused(503, "JOURNAL_UNAVAILABLE"), ControlOutcome.UNKNOWN, "JOURNAL_UNAVAILABLE"),
        (replied(200, {"a": "b"})[:-3], ControlOutcome.UNKNOWN, ControlCode.NOT_ANSWERED),
        (b"", ControlOutcome.UNKNOWN, ControlCode.NOT_ANSWERED),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", ControlOutcome.UNKNOWN, ControlCode.UNREADABLE_ANSWER),
    ],
)
async def test_every_answer_says_done_refused_unknown_or_not_available(
    answer: bytes, outcome: ControlOutcome, code: str | None
) -> None:
    """A plan goes on after *done*, takes its next choice after *refused*, and stops at a person after *unknown*."""
    async with scripted(lambda _: answer) as (url, asked):
        told = await halted(url)

    assert (told.outcome, told.code) == (outcome, code)
    assert len(asked) == 1


@pytest.mark.parametrize("answer", [never, drip, endless, exactly(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}")])
@pytest.mark.usefixtures("_short_deadline")
async def test_an_answer_that_does_not_end_leaves_the_change_unknown(answer: Answer) -> None:
    """The service may have taken it: only a person, or a look at the routing, can say."""
    async with answering(answer) as url:
        assert (await halted(url)).outcome is ControlOutcome.UNKNOWN


async def test_a_service_that_nobody_reaches_was_sent_nothing() -> None:
    """A refused connection proves that nothing was done, and automation may take its next choice."""
    told = await halted(f"http://127.0.0.1:{free_port()}")

    assert (told.outcome, told.code) == (ControlOutcome.REFUSED, ControlCode.NOT_REACHED)


async def test_a_setting_that_is_not_kept_is_told() -> None:
    """A halt that a restart forgets is a halt that ends by accident."""
    async with scripted(lambda _: replied(200, {"persisted": False})) as (url, _):
        told = await halted(url)

    assert told.is_done
    assert "could not keep it" in told.detail


@pytest.mark.parametrize("status", [400, 422])
async def test_a_service_that_knows_only_the_contract_gets_only_the_contract(status: int) -> None:
    """A foreign service refuses `set_by`; the halt must not fail for it, nor who asked for it be lost."""
    async with scripted(in_turn(refused(status, "INVALID_REQUEST"), DONE)) as (url, asked):
        told = await halted(url)

    assert told.is_done
    assert asked[1].fields == {"state": "halted", "reason": f"incident 7: {WHY.reason}"}


async def test_a_request_that_is_refused_twice_is_not_sent_a_third_time() -> None:
    """No change is tried again and again by itself."""
    async with scripted(lambda _: refused(422, "INVALID_REQUEST")) as (url, asked):
        told = await halted(url)

    assert (told.outcome, told.code, len(asked)) == (ControlOutcome.REFUSED, "INVALID_REQUEST", 2)


async def test_a_scope_is_never_left_out() -> None:
    """Without its scope, a re-route of a few orders would be one of all orders."""
    async with scripted(lambda _: refused(422, "INVALID_REQUEST")) as (url, asked):
        told = await control.set_route(watched(url), AssetClass.EQUITY, "XNYS", WHY, RouteScope.SYNTHETIC)

    assert told.outcome is ControlOutcome.REFUSED
    assert [one.fields["scope"] for one in asked] == ["synthetic", "synthetic"]


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (None, "NO_CONTROL_TOKEN"),
        ("", "NO_CONTROL_TOKEN"),
        ("two\nlines", "BAD_CONTROL_TOKEN"),
        ("ü", "BAD_CONTROL_TOKEN"),
    ],
)
async def test_without_a_token_there_is_no_control(token: str | None, code: str) -> None:
    """The line names the setting; nothing is sent that could only be refused."""
    async with scripted(lambda _: DONE) as (url, asked):
        told = await halted(url, token)

    assert (told.outcome, told.code, asked) == (ControlOutcome.NOT_AVAILABLE, code, [])
    assert "control_token" in told.detail


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_the_token_never_follows_a_redirect(status: int) -> None:
    """Whoever answers in the service's name must not be handed the key of the desk."""
    async with scripted(lambda _: DONE) as (thief, stolen):
        away = replied(status, None, f"location: {thief}/control/trading/equity")
        async with scripted(lambda _: away) as (url, _):
            told = await halted(url)

    assert (told.outcome, told.code, stolen) == (ControlOutcome.UNKNOWN, ControlCode.REDIRECTED, [])


@pytest.mark.parametrize("padding", [0, 283], ids=["whole", "cut in the middle"])
async def test_an_answer_that_repeats_the_token_is_told_without_it(padding: int) -> None:
    """A debugging proxy repeats the request; ledger, report and messages must not show the key."""

    def echo(asked: Asked) -> bytes:
        said = "." * padding + asked.headers["authorization"]
        return refused(409, said, said)

    async with scripted(echo) as (url, _):
        told = await halted(url)

    assert TOKEN[:4] not in told.model_dump_json()
    assert told.outcome is ControlOutcome.REFUSED


async def test_the_token_is_written_to_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """Also not by the libraries beneath, at their most talkative."""
    caplog.set_level(0)
    async with scripted(lambda _: refused(401, "CONTROL_UNAUTHORIZED")) as (url, _):
        await halted(url)

    assert TOKEN not in " ".join(str(vars(one)) for one in caplog.records)


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "%2e%2e", "x?y", "a b", "x" * 65, "é"])
async def test_a_name_that_could_address_another_door_is_not_sent(name: str) -> None:
    """A gateway called `../trading/equity` must not halt equities."""
    async with scripted(lambda _: DONE) as (url, asked):
        told = await control.set_gateway(watched(url), name, GatewayState.DISABLED, WHY)

    assert (told.outcome, told.code, asked) == (ControlOutcome.REFUSED, ControlCode.BAD_NAME, [])


def test_a_reason_becomes_one_line_and_an_empty_one_is_refused() -> None:
    """The control plane takes one printable line, and a halt without a reason helps nobody."""
    assert ControlReason(reason=" a\n\tb\x00 ").reason == "a b"
    assert len(ControlReason(reason="x" * 900).reason) == 500
    with pytest.raises(ValueError, match="words are expected"):
        ControlReason(reason="\n ")
