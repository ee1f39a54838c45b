"""Files of the stack that are damaged: one line that says what to do, and never a traceback."""

import os
import sqlite3
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deployments.prefect_server.sqlite_ import check_sqlite
from deployments.stack.parts import Part
from deployments.stack.stack_file import StackRecord
from deployments.stack.starting import Starting
from deployments.stack.state_dir import StateDir
from tasks.model.errors import Code, RunbookError
from tests.deployments.asking import runbook

GARBAGE = {"bytes": b"\x00\xff\xfe{garbage" * 400, "list": b"[1, 2]", "nested": b"[" * 100_000}


def database(folder: Path) -> Path:
    """Make a database of some pages."""
    file = folder / "prefect.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE flow_run (id TEXT PRIMARY KEY, name TEXT)")
        connection.executemany("INSERT INTO flow_run VALUES (?, ?)", [(str(one), "x" * 200) for one in range(2000)])
    connection.close()
    return file


def damage(file: Path, how: str) -> None:
    """Damage it as a full disk, a bad copy or a bad block does."""
    whole = file.read_bytes()
    middle = len(whole) // 2
    match how:
        case "no database":
            file.write_bytes(GARBAGE["bytes"])
        case "header":
            file.write_bytes(b"garbage" + whole[7:])
        case "middle":
            file.write_bytes(whole[:middle] + b"\xff" * 8192 + whole[middle + 8192 :])
        case "cut":
            file.write_bytes(whole[: middle + 100])


@pytest.mark.parametrize("how", ["no database", "header", "middle", "cut"])
def test_a_damaged_database_of_prefect_is_one_line_with_what_to_do(how: str, tmp_path: Path) -> None:
    """The person paged reads what to move away, not forty lines of SQLAlchemy."""
    file = database(tmp_path)
    damage(file, how)

    with pytest.raises(RunbookError) as refused:
        check_sqlite(file)

    assert refused.value.code is Code.DATABASE_REFUSED
    assert f"path={file}; move prefect.db* away, then `runbook up`" in refused.value.detail
    assert "\n" not in refused.value.detail


def test_a_sound_database_a_new_one_and_one_in_use_pass(tmp_path: Path) -> None:
    """The look must not stand in the way of a start."""
    file = database(tmp_path)
    check_sqlite(file)
    check_sqlite(tmp_path / "none.db")
    (tmp_path / "new.db").touch()
    check_sqlite(tmp_path / "new.db")
    with sqlite3.connect(file, isolation_level=None) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        check_sqlite(file)
    holder.close()


@pytest.mark.parametrize("kind", GARBAGE)
@pytest.mark.parametrize("words", [("up", "--detach"), ("status",), ("status", "--json"), ("down",)], ids=" ".join)
def test_a_garbled_stack_file_is_one_line(
    words: tuple[str, ...], kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it named may still run: it must neither pass for no stack nor end in a traceback."""
    state = StateDir(tmp_path)
    state.stack_file.write_bytes(GARBAGE[kind])
    for name in [name for name in os.environ if name.startswith(("RUNBOOK_", "PREFECT_"))]:
        monkeypatch.delenv(name)
    said = runbook(*words, RUNBOOK_STATE_DIR=str(tmp_path))

    assert said.returncode == 1
    assert len(said.stderr.splitlines()) == 1
    assert str(state.stack_file) in said.stderr


def test_of_a_part_that_fails_the_last_words_are_told_and_not_its_traceback(tmp_path: Path) -> None:
    """The last line says what went wrong; the rest is in its log, which is named."""
    program = "import sys; print('reading'); sys.stdout.flush(); {}['prefect.db']"
    part = Part("part", (sys.executable, "-c", program), tmp_path / "log", tmp_path, lambda: False)
    stack = StackRecord(mark="m", started_at=datetime.now(UTC), starter=None, ports={})

    with pytest.raises(RunbookError) as failed:
        Starting(stack, tmp_path / "stack.json").launch(part)

    assert "reading\n    KeyError: 'prefect.db'" in failed.value.detail
    assert "Traceback" not in failed.value.detail
    assert "File " not in failed.value.detail
