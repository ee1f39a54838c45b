"""Evidence first, and the action in any case: no name in the ledger, and no process, holds it up or leads it astray."""

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.clients.evidence import snapshot
from tasks.rules.incidents.paths import file_stem
from tasks.settings import ServiceSettings

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
HOSTILE = (
    "/escaped",
    "../../../../escaped",
    "INC-\x00",
    "x" * 5000,
    "..",
    "",
    ".",
    "a/../../b",
    "\ud800",
    "C:\\x",
    "é",
)


def kept(state_dir: Path, incident_id: str) -> Path:
    """Take a snapshot of a service that writes a log, for one incident; gives its folder."""
    log = state_dir / "o.log"
    log.write_text("a line\n", "utf-8")
    folder = snapshot.snapshot_folder(state_dir, incident_id, NOW)
    taken = snapshot.take_snapshot(ServiceSettings(log_files=(log,)), folder, 10)
    assert "log-0-o.log" in taken.parts
    return taken.folder


@pytest.mark.parametrize("incident_id", HOSTILE)
def test_no_incident_id_leads_the_evidence_out_of_its_folder_or_stops_the_action(
    tmp_path: Path, incident_id: str
) -> None:
    """The ledger is written by others, too: an id of theirs must neither pick our paths nor keep a restart from us."""
    folder = kept(tmp_path, incident_id)

    assert os.path.realpath(folder).startswith(os.path.realpath(tmp_path / "evidence") + os.sep)
    assert folder.parent.parent == tmp_path / "evidence"


@given(st.text(max_size=300))
def test_every_incident_id_is_one_plain_name_of_a_folder(incident_id: str) -> None:
    """One way from an id to a path, and it holds for all ids."""
    stem = file_stem(incident_id)

    assert stem not in {"", ".", ".."}
    assert not set(stem) & set('/\\:*?"<>|\x00')
    assert len(stem.encode()) <= 200
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / stem).mkdir()


@pytest.mark.parametrize("error", [psutil.NoSuchProcess(1), OSError(5, "x"), ValueError("x"), TypeError("x")])
def test_a_part_that_cannot_be_read_is_named_and_the_others_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """A process that ends between two of our reads is the very reason for the restart that waits for this."""

    def gone(_: ServiceSettings) -> None:
        raise error

    monkeypatch.setattr(snapshot, "find_process", gone)
    kept(tmp_path, "INC-1")

    taken = snapshot.take_snapshot(ServiceSettings(), tmp_path / "again", 10)
    assert "process.json" in taken.missing
