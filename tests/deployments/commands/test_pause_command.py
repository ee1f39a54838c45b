"""`runbook pause` and `runbook resume`: the same orders as the forms', from a shell, where no Prefect runs."""

import asyncio
import subprocess
from pathlib import Path

import pytest

from tasks.clients.incidents.ledger import read_ledger
from tasks.model.incidents.incident import Event
from tests.deployments.asking import runbook
from tests.fakes.service.scripted import Asked, replied, scripted

pytestmark = pytest.mark.live
GATEWAY = '[services.order-service.gateways.XNAS]\nbase_url = "{}"\nasset_classes = ["equity"]\n'


def trades(states: dict[str, str], asked: Asked) -> bytes:
    """Answer as a service that takes every change of trading and shows it."""
    if asked.method == "PUT":
        states[asked.path.removeprefix("/control/")] = asked.fields["state"]
        return replied(200, {"persisted": True})
    shown = {"equity": {"gateway": "XNAS", "trading_state": states.get("trading/equity", "active")}}
    strategies = {name.removeprefix("strategies/"): {"state": state} for name, state in states.items()}
    return replied(200, {"asset_classes": shown, "strategies": strategies, "status": "ok"})


async def paused(folder: Path, states: dict[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    """Pause as a person would."""
    return await typed(folder, states, "pause", *words)


async def typed(
    folder: Path, states: dict[str, str], *words: str, mode: str = "observe"
) -> "subprocess.CompletedProcess[str]":
    """Run a command as a person would, with no Prefect to be reached."""
    async with scripted(lambda asked: trades(states, asked)) as (url, _):
        config = folder / "runbook.toml"
        config.write_text(
            f'[services.order-service]\nbase_url = "{url}"\ncontrol_token = "t0k3n"\n{GATEWAY.format(url)}', "utf-8"
        )
        ours = {"RUNBOOK_STATE_DIR": str(folder), "RUNBOOK_CONFIG": str(config), "RUNBOOK_MODE": mode}
        variables = {**ours, "PREFECT_API_URL": "http://127.0.0.1:1/api"}
        return await asyncio.to_thread(runbook, *words, **variables)


async def test_a_class_is_paused_from_a_shell_without_prefect(tmp_path: Path) -> None:
    """With Prefect away the form is gone; the pause must not be."""
    states: dict[str, str] = {}
    done = await paused(tmp_path, states, "equity", "--reason", "the venue says so", "--by", "ada")

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("order-service: pause strategies: done.")
    assert states == {"trading/equity": "halted"}
    events = [one.event for one in read_ledger(tmp_path / "incidents.jsonl").records]
    assert {Event.ACTION_STARTED, Event.ACTION_FINISHED, Event.NOTIFIED, Event.CLOSED} <= set(events)
    assert "Equity trading is halted." in (tmp_path / "notifications.jsonl").read_text("utf-8")


async def test_a_strategy_is_paused_alone_and_a_halt_is_never_loosened(tmp_path: Path) -> None:
    """Exit 1 says that what was asked for is not in force."""
    states = {"trading/equity": "halted"}
    alone = await paused(tmp_path, states, "--strategy", "alpha", "--reason", "runs wild", "--by", "ada")
    looser = await paused(tmp_path, states, "equity", "--state", "reducing", "--reason", "x", "--by", "ada")

    assert alone.returncode == 0, alone.stderr
    assert looser.returncode == 1
    assert "WOULD_LOOSEN" in looser.stdout
    assert states == {"trading/equity": "halted", "strategies/alpha": "halted"}


@pytest.mark.parametrize("words", [("--reason", "\u200b", "--by", "ada"), ("--reason", "x", "--by", "\u200b")])
async def test_a_pause_by_nobody_or_for_nothing_is_one_clear_line(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Nothing is sent, and the person at the shell reads what is missing."""
    states: dict[str, str] = {}
    refused = await paused(tmp_path, states, "equity", *words)

    assert refused.returncode == 2
    assert refused.stderr.startswith("BAD_ARGUMENT: ")
    assert states == {}


async def test_a_class_is_resumed_from_a_shell_once_its_gateway_answers(tmp_path: Path) -> None:
    """The command that the reminder prints works as printed, without Prefect."""
    states = {"trading/equity": "halted"}
    done = await typed(tmp_path, states, "resume", "equity", "--reason", "XNAS is back", "--by", "ada", mode="act")

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("order-service: resume: done.")
    assert states == {"trading/equity": "active"}
    assert "Equity trading is active again." in (tmp_path / "notifications.jsonl").read_text("utf-8")


async def test_nothing_is_resumed_that_nobody_named(tmp_path: Path) -> None:
    """What loosens is never guessed."""
    states = {"trading/equity": "halted"}
    done = await typed(tmp_path, states, "resume", "--reason", "x", "--by", "ada")

    assert done.returncode == 2
    assert done.stderr.startswith("BAD_ARGUMENT: ")
    assert states == {"trading/equity": "halted"}


async def test_a_resume_needs_the_ledger(tmp_path: Path) -> None:
    """What cannot be recorded must not be loosened."""
    states = {"trading/equity": "halted"}
    (tmp_path / "incidents.jsonl").mkdir()
    done = await typed(tmp_path, states, "resume", "equity", "--reason", "x", "--by", "ada")

    assert done.returncode != 0
    assert done.stderr.startswith("LEDGER_UNWRITABLE: ")
    assert states == {"trading/equity": "halted"}
