"""The history of checks: one line a run, read leniently, for a day."""

from datetime import timedelta
from pathlib import Path

import pytest

from tasks.clients.evidence.history import recall_observations, remember_observation
from tests.fakes.incident.observations import NOW
from tests.fakes.incident.past import ago, counters, past


def test_runs_are_recalled_in_order_as_they_were_kept(tmp_path: Path) -> None:
    """A trend over runs in disorder is none."""
    path = tmp_path / "looks" / "s.jsonl"
    looks = [past(minutes, counters=counters({"a": minutes})) for minutes in (3, 2, 1)]

    assert all(remember_observation(path, look) for look in looks)
    assert recall_observations(path, NOW) == tuple(looks)


def test_what_is_old_or_from_the_future_is_not_recalled(tmp_path: Path) -> None:
    """Rates across a night, or a clock that was set back, are noise."""
    path = tmp_path / "s.jsonl"
    for minutes in (500, 1, -5):
        remember_observation(path, past(minutes))

    assert [look.at for look in recall_observations(path, NOW)] == [ago(1)]


@pytest.mark.parametrize("torn", [b'{"at": "2026', b"\x00\xff\n", b"[[[[\n", b'{"at": 1, "status": NaN}\n', b"{}\n"])
def test_a_torn_or_foreign_line_costs_itself_alone(tmp_path: Path, torn: bytes) -> None:
    """A crash in the middle of a write must not blind the next run."""
    path = tmp_path / "s.jsonl"
    remember_observation(path, past(2))
    with path.open("ab") as file:
        file.write(torn + (b"" if torn.endswith(b"\n") else b"\n"))
    remember_observation(path, past(1))

    assert [look.at for look in recall_observations(path, NOW)] == [ago(2), ago(1)]


def test_after_a_day_the_file_is_set_aside_and_still_read(tmp_path: Path) -> None:
    """The history is bounded, and midnight is no gap in it."""
    path = tmp_path / "s.jsonl"
    remember_observation(path, past(25 * 60))
    remember_observation(path, past(24 * 60 + 30))
    remember_observation(path, past(1))
    remember_observation(path, past(0.5))

    assert len(path.read_bytes().splitlines()) == 2
    assert len(path.with_suffix(".jsonl.1").read_bytes().splitlines()) == 2
    assert len(recall_observations(path, NOW, timedelta(days=2))) == 4


def test_a_history_that_cannot_be_written_or_read_is_none(tmp_path: Path) -> None:
    """Later runs see less; nothing stops."""
    (tmp_path / "looks").write_text("in the way")

    assert not remember_observation(tmp_path / "looks" / "s.jsonl", past(1))
    assert recall_observations(tmp_path / "looks" / "s.jsonl", NOW) == ()
