"""What a hostile answer, ledger line or name does to the terminal of the person paged: nothing."""

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from deployments.commands.automation import show as show_maintenance
from deployments.commands.incidents import incidents
from deployments.views.progress import ProgressTable
from deployments.views.status import status_lines, status_table
from deployments.views.terminal import say_json
from deployments.views.words import complain, safe, say
from tests.fakes.incident.observations import NOW

CLEARS_SCREEN = "\x1b]0;owned\x07\x1b[2J\x1b[1;1HAll is well."
HOSTILE = [
    CLEARS_SCREEN,
    "\x9b2J",
    "a\rAll is well.",
    "one line\nforged second line",
    "\u202etxt.exe",
    "\u2066\u2069\u061c",
    "zero\u200bwidth\u2060\ufeff",
    "soft\xadhyphen",
    "\U000e0041\U000e0042",
    "\ufe0f\u3164\u2800",
    "\ud800",
    "\u2028",
]
PART = {"pid": 1, "base_url": "http://h", "health": "ok"}


def hostile_status(text: str) -> dict[str, object]:
    """Give the status of a stack in which everything foreign says this."""
    last = {"finished_at": "2026-11-29T21:00:00", "summary": text, "state": text}
    approval = {"actions": [text], "incident_ids": [text], "expires_at": "2026-11-29T21:00:00", "by": text}
    return {
        "prefect": {**PART, "ui_url": "u"},
        "worker": {"pid": 1},
        "monitoring": {**PART, "health": text},
        "services": {text: {**PART, "release": text, "health": text}},
        "gateways": {},
        "triage": {"last": last, "next_at": text, "overdue": False},
        "open_incidents": [text],
        "mode": "act",
        "approvals": [approval],
    }


def drawn(text: str) -> str:
    """Draw the live table on a terminal without colors."""
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, color_system=None, width=200, legacy_windows=False)
    console.print(status_table(hostile_status(text)))
    return stream.getvalue()


def plain(text: str) -> bool:
    """Say whether nothing in it acts on a terminal or hides."""
    return all(one.isprintable() or one == "\n" for one in text)


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_what_would_act_on_the_terminal_is_shown_instead(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The person paged reads what is so, not what an answer paints over it."""
    say(f"release {text}")
    complain(f"BAD: was {text}")
    said = capsys.readouterr()

    assert plain(said.out)
    assert plain(said.err)
    assert said.out.count("\n") == 1
    assert safe(text) != text
    assert plain(drawn(text))
    assert all(plain(one) and "\n" not in one for one in status_lines(hostile_status(text)))


@given(st.text(st.characters(codec=None), max_size=40))
def test_no_text_at_all_passes_unseen(text: str) -> None:
    """Whatever Unicode adds next year, too."""
    assert safe(text).isprintable()
    assert safe(safe(text)) == safe(text)


@pytest.mark.parametrize("text", ["1.0[/rc1]", "[bold]", "[red]ok[/red]", "[link=http://evil.example]x[/link]", "[/]"])
def test_markup_in_a_release_is_text_and_does_not_end_the_live_view(text: str) -> None:
    """A release with a bracket in its name ended `runbook up`, and with it the whole stack."""
    table = ProgressTable(frozenset({"XNAS"}))
    table.report("XNAS", text)
    stream = io.StringIO()
    Console(file=stream, width=200).print(table)

    assert text in drawn(text)
    assert text in stream.getvalue()


@pytest.mark.parametrize("text", [CLEARS_SCREEN, "one\nforged"], ids=ascii)
def test_a_ledger_line_paints_nothing_over_the_incidents(
    text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The order service writes the same file, and quotes what a gateway told it."""
    at = {"timestamp": NOW.isoformat(), "type": "x", "service": "order-service"}
    details = {"until": "2099-01-01T00:00:00Z", "reason": f"work {text}", "by": "kim"}
    lines = [
        {**at, "incident_id": f"INC-1{text}", "event": "opened"},
        {**at, "source": "operator", "type": "maintenance_started", "details": details},
    ]
    (tmp_path / "incidents.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines), "utf-8")
    monkeypatch.setenv("RUNBOOK_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("RUNBOOK_SERVICES", '{"order-service": {}}')
    for command in (incidents, show_maintenance):
        with pytest.raises(SystemExit):
            command()
    said = capsys.readouterr().out

    assert plain(said)
    assert said.count("\n") == 2


def test_a_json_document_has_no_control_character(capsys: pytest.CaptureFixture[str]) -> None:
    """It is read on a terminal as often as by a program."""
    say_json({"release": "".join(map(chr, range(0x110))) + CLEARS_SCREEN})
    said = capsys.readouterr().out

    assert plain(said)
    assert CLEARS_SCREEN in json.loads(said)["release"]
