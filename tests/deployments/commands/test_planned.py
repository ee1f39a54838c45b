"""`runbook maintenance show`: what is open and what is planned, with its next times."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deployments.commands.automation import show

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Show what these settings plan."""

    def ask(planned: str, **words: Any) -> str:
        path = tmp_path / "runbook.toml"
        path.write_text(f'[services.order-service]\ngateways = {{ XNAS = "http://127.0.0.1:9" }}\n{planned}', "utf-8")
        monkeypatch.setenv("RUNBOOK_CONFIG", str(path))
        monkeypatch.setenv("RUNBOOK_STATE_DIR", str(tmp_path))
        with pytest.raises(SystemExit) as ended:
            show(**words)
        assert ended.value.code == 0
        return capsys.readouterr().out

    return ask


def table(starts: datetime, **keys: str) -> str:
    """One planned piece of work."""
    lines = "".join(f"{name} = {value}\n" for name, value in keys.items())
    return f'[[services.order-service.planned]]\nname = "test session"\nstarts = {starts:%Y-%m-%dT%H:%M:%S}\n{lines}'


def test_what_is_planned_is_shown_with_its_next_times(shown: Any) -> None:
    """Two weeks ahead somebody can still object."""
    starts = TODAY + timedelta(days=2, hours=21)
    out = shown(
        table(starts, duration='"30m"', rrule='"FREQ=WEEKLY;COUNT=2"', gateways='["XNAS"]', expected='"all rejected"')
    )

    assert out.splitlines() == [
        "order-service is not in maintenance.",
        *(
            f"XNAS: planned test session: all rejected, from {at:%Y-%m-%dT%H:%M:%S}.000Z "
            f"until {at + timedelta(minutes=30):%Y-%m-%dT%H:%M:%S}.000Z"
            for at in (starts, starts + timedelta(days=7))
        ),
    ]


def test_planned_work_on_the_whole_service_that_is_open_is_maintenance(shown: Any) -> None:
    """One question, one answer: is it in maintenance now, and by whom."""
    starts = datetime.now(UTC) - timedelta(minutes=5)
    document = json.loads(shown(table(starts, duration='"1h"'), json_output=True))

    assert (document["open"], document["by"]) == (True, "runbook.toml")
    assert [(one["name"], one["open"]) for one in document["planned"]] == [("test session", True)]


def test_without_anything_planned_the_document_is_as_before(shown: Any) -> None:
    """Scripts that read it go on."""
    assert json.loads(shown("", json_output=True)) == {
        "service": "order-service",
        "open": False,
        "started_at": None,
        "until": None,
        "reason": None,
        "by": None,
    }
