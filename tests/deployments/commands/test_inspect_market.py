"""`runbook inspect market`: the hours of a market, without any settings."""

from pathlib import Path

import pytest

from tasks.model.errors import Code
from tests.deployments.asking import Terminal


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """A folder without settings."""
    return Terminal(tmp_path, monkeypatch, capsys)


def test_the_shortened_friday_after_thanksgiving(terminal: Terminal) -> None:
    """The example of the page: New York closed at 13:00, so at 18:30 UTC it is closed."""
    ended = terminal.types("inspect", "market", "--asset-class", "equity", "--at", "2026-11-27T18:30Z", "--json")

    assert ended.code == 0
    assert ended.document == {
        "asset_class": "equity",
        "calendar": "XNYS",
        "at": "2026-11-27T18:30:00Z",
        "open": False,
        "session": "closed_early",
        "next_open": "2026-11-30T14:30:00Z",
        "next_close": "2026-11-30T21:00:00Z",
        "note": "",
    }


def test_a_market_that_never_closes(terminal: Terminal) -> None:
    """There is no next opening to wait for."""
    ended = terminal.types("inspect", "market", "--asset-class", "crypto", "--json")

    assert ended.document["open"] is True
    assert (ended.document["next_open"], ended.document["next_close"]) == (None, None)


def test_a_closed_market_is_an_answer_and_no_fault(terminal: Terminal) -> None:
    """Exit 1 would say that something is broken; on Saturday nothing is."""
    ended = terminal.types("inspect", "market", "--asset-class", "fx", "--at", "2026-11-21T12:00:00+00:00")

    assert ended.code == 0
    assert ended.out.startswith("closed")


def test_another_calendar_is_asked_by_name(terminal: Terminal) -> None:
    """A desk that trades in London asks London."""
    words = (
        "inspect",
        "market",
        "--asset-class",
        "equity",
        "--at",
        "2026-11-27T15:00Z",
        "--json",
        "--calendar",
        "XLON",
    )

    assert terminal.types(*words).document["calendar"] == "XLON"


def test_the_calendar_of_the_watched_service_is_the_default(terminal: Terminal) -> None:
    """The answer is the one that the triage goes by."""
    terminal.settings('[services.a]\ncalendars = {equity = "24/7"}\n')

    assert terminal.types("inspect", "market", "--asset-class", "equity", "--json").document["calendar"] == "24/7"


WRONG = {
    "no such calendar": ("--asset-class", "equity", "--calendar", "MOON"),
    "no such class": ("--asset-class", "bonds"),
    "no class": (),
    "no time": ("--asset-class", "fx", "--at", "noon"),
    "no offset": ("--asset-class", "fx", "--at", "2026-11-27T18:30"),
    "no such year": ("--asset-class", "fx", "--at", "9999-12-31T23:59:59-23:59"),
    "no such service": ("--asset-class", "fx", "--service", "other"),
}


@pytest.mark.parametrize("words", WRONG.values(), ids=WRONG)
def test_a_question_that_has_no_answer_is_called_wrongly(terminal: Terminal, words: tuple[str, ...]) -> None:
    """Exit 2 and nothing on stdout that could be taken for an answer."""
    ended = terminal.types("inspect", "market", "--json", *words)

    assert (ended.code, ended.out) == (2, "")
    assert ended.err


def test_a_bad_setting_is_named(terminal: Terminal) -> None:
    """An answer by another calendar than the triage's would mislead."""
    terminal.settings("[services.a]\ncalendar = 7\n")
    ended = terminal.types("inspect", "market", "--asset-class", "fx")

    assert ended.code == 2
    assert ended.one_line.startswith(Code.BAD_SETTING)
