"""A service of another make is paused in its own words, and nothing is called done that is not proven."""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tasks.clients.service import control
from tasks.clients.service.http import http_client
from tasks.clients.service.routing import routing_probe
from tasks.model.probes.control import ControlAnswer, ControlCode, ControlOutcome, ControlReason, TradingState
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import RoutingProbe, Seen
from tasks.settings import ServiceSettings
from tests.fakes.service.scripted import Asked, Script, replied, scripted

WHY = ControlReason(reason="XNAS is gone", set_by="kim")
TOKEN = "t0k3n-of-the-desk"
HALT = {
    "method": "PUT",
    "path": "/admin/halt/${asset_class}",
    "body": '{"state": "${state}", "why": "${reason}"}',
}
SHOWS = {"proven_when": "state == '${state}'"}


def watched(url: str, **table: Any) -> ServiceSettings:
    """A service whose control is described."""
    return ServiceSettings.model_validate(
        {
            "base_url": url,
            "control_token": TOKEN,
            "control": table,
            "remediation": {"effect_wait_s": 0.3},
            "synthetic_orders": {"equity": {"symbol": "ZVZZT"}},
        }
    )


async def halted(service: ServiceSettings) -> ControlAnswer:
    """Halt a class."""
    return await control.set_trading(service, AssetClass.EQUITY, TradingState.HALTED, WHY)


def answers(state: str, status: int = 200) -> Script:
    """Take every change, and say this state whenever it is asked."""
    return lambda asked: replied(404 if asked.path == "/routing" else status, {"state": state})


async def test_a_pause_is_done_where_its_own_answer_proves_it() -> None:
    """It is sent once, in the service's words, with who and why."""
    async with scripted(answers("halted")) as (url, asked):
        answer = await halted(watched(url, pause={**HALT, **SHOWS}))

    assert (answer.outcome, answer.is_proven) == (ControlOutcome.DONE, True)
    assert [(one.method, one.target, one.fields) for one in asked] == [
        ("PUT", "/admin/halt/equity", {"state": "halted", "why": "XNAS is gone"})
    ]
    assert asked[0].headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    ("proof", "state"),
    [({}, "halted"), (SHOWS, "active"), ({**SHOWS, "proven_by": "/state"}, "active")],
)
async def test_a_pause_that_is_not_proven_is_unknown_whatever_its_status(proof: dict[str, Any], state: str) -> None:
    """A 200 halts nothing."""
    async with scripted(answers(state)) as (url, asked):
        answer = await halted(watched(url, pause={**HALT, **proof}))

    assert (answer.outcome, answer.code) == (ControlOutcome.UNKNOWN, ControlCode.NOT_PROVEN)
    assert answer.detail.startswith("sent, not proven")
    assert [one.method for one in asked].count("PUT") == 1


async def test_a_pause_whose_answer_never_came_is_done_where_its_proof_shows_it() -> None:
    """The effect decides, not the status."""

    def script(asked: Asked) -> bytes:
        return b"" if asked.method == "PUT" else replied(200, {"state": "halted"})

    async with scripted(script) as (url, _):
        answer = await halted(watched(url, pause={**HALT, **SHOWS, "proven_by": "/state/${asset_class}"}))

    assert answer.outcome is ControlOutcome.DONE


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(404, ControlOutcome.NOT_AVAILABLE), (403, ControlOutcome.REFUSED), (500, ControlOutcome.UNKNOWN)],
)
async def test_a_refusal_is_no_success_also_where_its_body_says_halted(status: int, outcome: ControlOutcome) -> None:
    """An error page may repeat what was asked for."""
    async with scripted(answers("halted", status)) as (url, _):
        answer = await halted(watched(url, pause={**HALT, **SHOWS}))

    assert answer.outcome is outcome


@pytest.mark.parametrize(
    "change",
    [
        lambda one: control.set_gateway(one, "XNAS", control.GatewayState.DEGRADED, WHY),
        lambda one: control.set_route(one, AssetClass.EQUITY, "XNYS", WHY),
        lambda one: control.set_strategy(one, "mm-1", control.StrategyState.HALTED, WHY),
        lambda one: control.set_feature(one, "f", WHY, enabled=False),
        lambda one: control.restore_table(one, "ab", WHY),
        lambda one: control.reload_table(one, WHY),
        lambda one: control.set_trading(one, AssetClass.EQUITY, TradingState.ACTIVE, WHY),
    ],
)
async def test_what_is_not_described_is_not_available_and_nothing_is_sent(
    change: Callable[[ServiceSettings], Awaitable[ControlAnswer]],
) -> None:
    """The paths of the bundled service are nobody else's."""
    async with scripted(answers("halted")) as (url, asked):
        answer = await change(watched(url, pause=HALT))

    assert answer.outcome is ControlOutcome.NOT_AVAILABLE
    assert asked == []


def desk_ctl(folder: Path, state: str, exit_code: int = 0) -> list[str]:
    """A control program of a desk: it keeps what it was asked, and says this state."""
    program = folder / "desk-ctl"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nopen({str(folder / 'calls')!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')\n"
        f"print({state!r})\nsys.exit({exit_code} if sys.argv[1] != 'state' else 0)\n"
    )
    program.chmod(0o755)
    return [str(program)]


@pytest.mark.parametrize(
    ("state", "exit_code", "outcome"),
    [
        ("halted", 0, ControlOutcome.DONE),
        ("halted", 1, ControlOutcome.DONE),
        ("active", 0, ControlOutcome.UNKNOWN),
        ("what?", 0, ControlOutcome.UNKNOWN),
    ],
)
async def test_a_command_is_proven_by_what_its_proof_says_and_not_by_its_exit_code(
    tmp_path: Path, state: str, exit_code: int, outcome: ControlOutcome
) -> None:
    """A tool may end with 0 and have done nothing, or with 1 since it was halted already."""
    program = desk_ctl(tmp_path, state, exit_code)
    pause = {
        "command": [*program, "halt", "${asset_class}", "${reason}"],
        "proven_by": [*program, "state", "${asset_class}"],
    }
    answer = await halted(watched("http://127.0.0.1:9", pause=pause))

    assert answer.outcome is outcome
    assert (tmp_path / "calls").read_text().splitlines()[:2] == ["halt equity XNAS is gone", "state equity"]


@pytest.mark.parametrize(
    ("states", "outcome"),
    [
        (("halted", "halted"), ControlOutcome.DONE),
        (("halted", "active"), ControlOutcome.UNKNOWN),
        (("halted", "what?"), ControlOutcome.UNKNOWN),
    ],
)
@pytest.mark.parametrize("asks", [True, False])
async def test_of_several_instances_each_must_show_a_pause(
    states: tuple[str, str], outcome: ControlOutcome, *, asks: bool
) -> None:
    """Behind the common address it may have reached one of them; the answer of that one proves nothing of the rest."""
    proof = {**SHOWS, "proven_by": "/state"} if asks else SHOWS
    async with scripted(answers(states[0])) as (one, _), scripted(answers(states[1])) as (other, asked):
        service = watched(one, pause={**HALT, **proof})
        whole = {**service.model_dump(exclude_unset=True), "control_token": TOKEN, "base_urls": [one, other]}
        answer = await halted(ServiceSettings.model_validate(whole))

    assert answer.outcome is (outcome if asks else ControlOutcome.UNKNOWN)
    assert bool(asked) is asks


async def test_a_command_that_cannot_be_run_has_done_nothing(tmp_path: Path) -> None:
    """So it is refused, and not unknown."""
    answer = await halted(watched("http://127.0.0.1:9", pause={"command": [str(tmp_path / "none"), "x"]}))

    assert answer.outcome is ControlOutcome.REFUSED


async def test_a_token_in_an_answer_is_not_kept() -> None:
    """A debugging proxy repeats what it was sent."""
    async with scripted(lambda _: replied(403, {"message": f"bad token {TOKEN}"})) as (url, _):
        answer = await halted(watched(url, pause=HALT))

    assert TOKEN not in answer.model_dump_json()


async def routing_of(state: object, **table: Any) -> RoutingProbe:
    """Read what is in force at a service without `/routing`."""

    def script(asked: Asked) -> bytes:
        return replied(200, {"state": state}) if asked.path == "/state" else replied(200, raw=b"<html>sign in</html>")

    async with scripted(script) as (url, _):
        service = watched(url, **table)
        async with http_client(service.http, 1.0) as client:
            return await routing_probe(client, service)


async def test_what_is_in_force_is_what_the_proofs_say_where_there_is_no_routing() -> None:
    """Somebody's halt is seen, though the service has none of our paths."""
    pause = {**HALT, **SHOWS, "proven_by": "/state"}
    probe = await routing_of("halted", pause=pause)

    assert (probe.seen, probe.standings) == (Seen.NOT_CONFIGURED, {"trading/equity": "halted"})
    assert [(one.name, one.state) for one in probe.restrictions] == [("equity", "halted")]
    assert (await routing_of("active", pause=pause)).standings == {"trading/equity": "active"}


@pytest.mark.parametrize("proof", [{}, SHOWS])
async def test_what_no_proof_can_be_asked_for_is_not_known(proof: dict[str, Any]) -> None:
    """Nobody's halt is no halt."""
    probe = await routing_of("halted", pause={**HALT, **proof})

    assert (probe.standings, probe.restrictions, probe.unread) == ({"trading/equity": ""}, (), "")


async def test_a_proof_that_cannot_be_read_is_said_to_be_unread() -> None:
    """It is described, and gives no answer: then nobody knows what is in force."""
    probe = await routing_of("halted", pause={**HALT, "proven_when": "nothing.here", "proven_by": "/state"})

    assert "trading/equity" in probe.unread
