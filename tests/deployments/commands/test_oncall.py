"""`runbook oncall`: who comes, until when, and who is missing."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deployments.commands.oncall import oncall
from tasks.model.errors import Code, RunbookError

ROTA = """
[people.ada]
name = "Ada Lovelace"
[people.sam]
[services.order-service]
[on_call.tier_1]
rotation = ["ada", "sam"]
starts = 2026-11-30
shift = "1d"
hand_over = "08:00"
time_zone = "Europe/Berlin"
[on_call.tier_2]
rotation = ["sam"]
starts = 2026-12-05
ends = 2026-12-08
"""
CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:test
BEGIN:VEVENT
UID:1
DTSTART:20260101T080000Z
DTEND:20260102T080000Z
SUMMARY:Eve
END:VEVENT
END:VCALENDAR
"""


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Ask with these settings, and give what was printed with the exit code."""
    monkeypatch.setenv("RUNBOOK_STATE_DIR", str(tmp_path / "var"))

    def ask(settings: str, **words: Any) -> tuple[str, int]:
        path = tmp_path / "runbook.toml"
        path.write_text(settings, "utf-8")
        monkeypatch.setenv("RUNBOOK_CONFIG", str(path))
        with pytest.raises(SystemExit) as ended:
            oncall(**words)
        return capsys.readouterr().out, int(str(ended.value.code))

    return ask


def test_it_says_who_is_on_call_who_is_next_and_what_is_missing(asked: Any) -> None:
    """One look before the weekend shows the gap behind it."""
    out, code = asked(ROTA, at="2026-12-06T12:00Z", days=7)

    assert out.splitlines() == [
        "Tier 1: Ada Lovelace until 07:00Z, then sam.",
        "Tier 2: sam until 2026-12-08 08:00Z.",
        "  Gap: nobody from 2026-12-08 08:00Z until 2026-12-13 12:00Z.",
    ]
    assert code == 0


def test_a_tier_that_has_nobody_is_exit_one(asked: Any) -> None:
    """A check in CI or cron finds it by the exit code."""
    out, code = asked(ROTA, at="2026-12-05T07:00Z", days=1)

    assert out.splitlines()[1:] == [
        "Tier 2: NOBODY, then sam from 08:00Z.",
        "  Gap: nobody from 07:00Z until 08:00Z.",
    ]
    assert code == 1


def test_the_document_names_keys_and_times(asked: Any) -> None:
    """Another tool reads it."""
    out, code = asked(ROTA, at="2026-12-06T12:00Z", json_output=True)
    first, second = json.loads(out)["tiers"]

    assert first["tier"] == "tier_1"
    assert first["now"] == {
        "person": "ada",
        "name": "Ada Lovelace",
        "starts": "2026-12-06T07:00:00.000Z",
        "ends": "2026-12-07T07:00:00.000Z",
    }
    assert first["next"]["person"] == "sam"
    assert (first["gaps"], first["calendar_read_at"], first["fault"]) == ([], None, None)
    assert len(second["gaps"]) == 1
    assert code == 0


def test_a_calendar_is_read_and_what_is_wrong_with_it_is_said(asked: Any, tmp_path: Path) -> None:
    """An event that names nobody is a line, and no error."""
    path = tmp_path / "rota.ics"
    today = datetime.now(UTC).strftime("%Y%m%d")
    path.write_text(CALENDAR.replace("20260101", today).replace("20260102T08", f"{today}T09"), "utf-8")
    out, code = asked(f'[people.ada]\n[on_call.tier_3]\ncalendar_file = "{path.as_posix()}"\n', days=1)

    assert out.startswith("Tier 3: NOBODY.\n  Gap: nobody from ")
    assert "  Calendar: event 'Eve' names no one person of [people].\n" in out
    assert "  Calendar read " in out
    assert code == 1


@pytest.mark.parametrize(
    ("settings", "words", "code"),
    [
        ("[services.order-service]\n", {}, Code.NOT_CONFIGURED),
        (ROTA, {"at": "tomorrow"}, Code.BAD_ARGUMENT),
    ],
)
def test_what_cannot_be_answered_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str, words: dict[str, Any], code: Code
) -> None:
    """Nobody takes *no rota* for *nobody is missing*."""
    path = tmp_path / "runbook.toml"
    path.write_text(settings, "utf-8")
    monkeypatch.setenv("RUNBOOK_CONFIG", str(path))

    with pytest.raises(RunbookError) as caught:
        oncall(**words)

    assert caught.value.code is code
