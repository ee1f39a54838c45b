"""The ledger file: append under a lock, heal a torn line, survive two writers."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tasks.clients.files.jsonl import write_lines
from tasks.clients.incidents.ledger import append, read_ledger, transact
from tasks.model.errors import CannotAct, CannotObserve, Code
from tasks.model.incidents.incident import Ledger, LedgerRecord

AT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
RECORD = LedgerRecord(timestamp=AT, type="x", service="order-service", summary="über ok")
WRITER = """
import sys
from pathlib import Path
from datetime import UTC, datetime
from tasks.clients.incidents.ledger import append
from tasks.model.incidents.incident import LedgerRecord
for number in range(50):
    append(Path(sys.argv[1]), [LedgerRecord(timestamp=datetime.now(UTC), type=f"{sys.argv[2]}-{number}")])
"""


def test_what_was_appended_is_read_back(tmp_path: Path) -> None:
    """The ledger is the only memory there is."""
    path = tmp_path / "deep" / "incidents.jsonl"

    append(path, [RECORD])

    assert [one.summary for one in read_ledger(path).records] == [RECORD.summary]


def test_a_name_that_is_no_text_is_recorded_all_the_same(tmp_path: Path) -> None:
    """A stranger on the port may have any bytes for a name; an incident that cannot be written is told to nobody."""
    path = tmp_path / "incidents.jsonl"
    torn = RECORD.model_copy(update={"summary": "held by sq\udcffuat", "details": {"who": ["sq\udcffuat", 7]}})

    append(path, [torn])

    (kept,) = read_ledger(path).records
    assert (kept.summary, kept.details) == ("held by sq?uat", {"who": ["sq?uat", 7]})


def test_a_missing_ledger_is_an_empty_one(tmp_path: Path) -> None:
    """The first run on a new machine must not fail."""
    assert read_ledger(tmp_path / "none.jsonl") == Ledger()


def test_a_ledger_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """Unknown budgets must stop every action, so this is never an empty ledger."""
    with pytest.raises(CannotObserve) as caught:
        read_ledger(tmp_path)

    assert caught.value.code is Code.LEDGER_UNREADABLE


def test_a_torn_last_line_is_healed_by_the_next_append(tmp_path: Path) -> None:
    """A writer killed in mid-line costs its own line, never the next one."""
    path = tmp_path / "incidents.jsonl"
    append(path, [RECORD])
    path.write_bytes(path.read_bytes() + b'{"timestamp": "2026-11-2')

    append(path, [RECORD])

    ledger = read_ledger(path)
    assert len(ledger.records) == 2
    assert [skipped.line for skipped in ledger.skipped] == [2]


def test_two_writers_lose_nothing(tmp_path: Path) -> None:
    """The order service and a triage write at the same time."""
    path = tmp_path / "incidents.jsonl"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), name]) for name in ("a", "b")]
    assert [writer.wait(60) for writer in writers] == [0, 0]

    ledger = read_ledger(path)

    assert sorted(one.type for one in ledger.records) == sorted(f"{name}-{n}" for name in "ab" for n in range(50))
    assert ledger.skipped == ()


def test_a_decision_sees_what_was_written_before_it(tmp_path: Path) -> None:
    """Two triggers in one second must not open two incidents."""
    path = tmp_path / "incidents.jsonl"

    def open_once(ledger: Ledger) -> list[LedgerRecord]:
        return [] if ledger.records else [RECORD]

    assert len(transact(path, open_once)) == 1
    assert transact(path, open_once) == ()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, which only Linux has")
def test_a_full_disk_is_told_and_nothing_is_thought_written() -> None:
    """What cannot be recorded must not be done."""
    with pytest.raises(OSError, match="No space left"):
        write_lines(Path("/dev/full"), b"{}\n")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_in_place_of_the_ledger_does_not_hang_the_look(tmp_path: Path) -> None:
    """A hostile or mistaken path ends in one clear line."""
    path = tmp_path / "incidents.jsonl"
    os.mkfifo(path)

    with pytest.raises(CannotObserve) as caught:
        read_ledger(path)

    assert caught.value.code is Code.LEDGER_UNREADABLE


def test_a_ledger_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    """An action that cannot be recorded is not begun."""
    (tmp_path / "file").write_text("")

    with pytest.raises(CannotAct) as caught:
        append(tmp_path / "file" / "incidents.jsonl", [RECORD])

    assert caught.value.code is Code.LEDGER_UNWRITABLE
