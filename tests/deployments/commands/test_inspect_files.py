"""`runbook inspect incidents` and `look logs`: every line is read or named, and no file breaks or hangs the check."""

import gzip
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deployments.commands import inspect_files
from deployments.commands.inspect_files import since_of
from tasks.model.errors import Code
from tests.deployments.asking import Terminal, settings_of
from tests.fakes.service.monitored_service import watched

OPENED = (
    '{"timestamp":"2026-11-22T10:00:00Z","type":"service_hung","service":"order-service","incident_id":"INC-1",'
    '"event":"opened","source":"triage","summary":"hung","details":{"cause":"service_hung","tier":"tier_1"}}'
)
CLOSED = (
    '{"timestamp":"2026-11-22T10:05:00Z","type":"service_hung","service":"order-service","incident_id":"INC-1",'
    '"event":"closed"}'
)
LOG = (
    '{"timestamp":"2026-11-22T10:00:00Z","level":"INFO","message":"0 errors"}\n'
    '{"timestamp":"2026-11-22T11:00:00Z","level":"ERROR","message":"gateway XNAS timed out"}\n'
    '{"timestamp":"2026-11-22T12:00:00Z","level":"ERROR","message":"gateway XNAS timed out"}\n'
)
NEEDED = {"kind", "severity", "template", "count", "first_line", "last_line", "first_at", "last_at", "sample"}


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """A folder without settings."""
    return Terminal(tmp_path, monkeypatch, capsys)


def test_an_incident_is_told_once_and_a_foreign_record_by_itself(terminal: Terminal, tmp_path: Path) -> None:
    """A person wants incidents, and the lines that belong to none."""
    foreign = '{"ts":1795341600,"alert":"HighLatency"}'
    (tmp_path / "i.jsonl").write_text(f"{OPENED}\n{foreign}\n{CLOSED}\n")
    ended = terminal.types("inspect", "incidents", "--file", "i.jsonl", "--json")
    incident, record = ended.document["incidents"]

    assert (ended.code, ended.document["read"], ended.document["skipped"]) == (0, 3, [])
    assert (incident["incident_id"], incident["line"], incident["last_line"]) == ("INC-1", 1, 3)
    assert (incident["opened_at"], incident["closed_at"]) == ("2026-11-22T10:00:00Z", "2026-11-22T10:05:00Z")
    assert (incident["causes"], incident["tier"]) == (["service_hung"], "tier_1")
    assert (record["line"], record["type"], record["timestamp"]) == (2, "HighLatency", "2026-11-22T10:00:00.000Z")


def test_what_cannot_be_read_is_named_by_its_line(terminal: Terminal, tmp_path: Path) -> None:
    """None is lost silently: NaN, nesting, bad UTF-8, foreign types, a missing time, a torn end."""
    lines = [b"{", b"[" * 100_000, b'{"time":NaN,"type":"x"}', b"\xff\xfe", b"7", b'{"type":"x"}', b'{"time":1e9}']
    (tmp_path / "i.jsonl").write_bytes(b"\n".join([OPENED.encode(), *lines, b'{"timestamp":"2026-']))
    ended = terminal.types("inspect", "incidents", "--file", "i.jsonl", "--json")

    assert (ended.code, ended.document["read"]) == (0, 1)
    assert [one["line"] for one in ended.document["skipped"]] == [2, 3, 4, 5, 6, 7, 8, 9]
    assert all(one["reason"] for one in ended.document["skipped"])


def test_absurd_nesting_that_can_be_read_can_also_be_written(terminal: Terminal, tmp_path: Path) -> None:
    """The reader takes a thousand levels; a writer that recurses would end in a traceback."""
    details = '{"a":' * 900 + "1" + "}" * 900
    line = f'{{"timestamp":"2026-11-22T10:00:00Z","type":"x","details":{details}}}'
    (tmp_path / "i.jsonl").write_text(line)

    assert terminal.types("inspect", "incidents", "--file", "i.jsonl", "--json").document["read"] == 1


def test_records_of_an_incident_that_opened_elsewhere_are_still_told(terminal: Terminal, tmp_path: Path) -> None:
    """After a rotation the opening is in another file."""
    (tmp_path / "i.jsonl").write_text(CLOSED)
    (record,) = terminal.types("inspect", "incidents", "--file", "i.jsonl", "--json").document["incidents"]

    assert (record["incident_id"], record["event"]) == ("INC-1", "closed")


def test_a_ledger_too_long_to_read_whole_says_so(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its line numbers count from where the reading began."""
    (tmp_path / "i.jsonl").write_text(OPENED)
    monkeypatch.setattr(inspect_files, "READ_LIMIT_BYTES", 10)

    assert terminal.types("inspect", "incidents", "--file", "i.jsonl", "--json").document["notes"]


def test_the_ledger_of_a_service_may_not_be_there_yet(terminal: Terminal, tmp_path: Path) -> None:
    """A new service had no incident; a file that was named and is missing is a typing error."""
    terminal.watches(watched(tmp_path), incidents_file="'none.jsonl'")
    ours, named = terminal.types("inspect", "incidents"), terminal.types("inspect", "incidents", "--file", "none.jsonl")

    assert (ours.code, named.code) == (0, 3)
    assert named.one_line.startswith(Code.FILE_UNREADABLE)


def test_only_the_service_that_is_asked_about(terminal: Terminal, tmp_path: Path) -> None:
    """Two services may share one ledger."""
    (tmp_path / "i.jsonl").write_text(
        OPENED + "\n" + OPENED.replace("order-service", "other").replace("INC-1", "INC-2")
    )
    terminal.watches(watched(tmp_path), incidents_file="'i.jsonl'")
    (incident,) = terminal.types("inspect", "incidents", "--json").document["incidents"]

    assert incident["incident_id"] == "INC-1"


def test_the_errors_of_a_log_are_one_finding(terminal: Terminal, tmp_path: Path) -> None:
    """The document holds every key of the contract; line numbers only when asked for."""
    (tmp_path / "a.log").write_text(LOG)
    ended = terminal.types("inspect", "logs", "--file", "a.log", "--json")
    (finding,) = ended.document["findings"]

    assert (ended.code, ended.document["lines"], ended.document["bytes"]) == (0, 3, len(LOG))
    assert ended.document["error_lines"] == 2
    assert "error_line_numbers" not in ended.document
    assert {*NEEDED, "exception", "is_new"} <= set(finding)
    assert (finding["kind"], finding["count"], finding["first_line"], finding["last_line"]) == ("timeout", 2, 2, 3)


def test_line_numbers_are_listed_when_asked_for(terminal: Terminal, tmp_path: Path) -> None:
    """A person opens the file at the line."""
    (tmp_path / "a.log").write_text(LOG)
    ended = terminal.types("inspect", "logs", "--file", "a.log", "--json", "--line-numbers")

    assert ended.document["error_line_numbers"] == [2, 3]


def test_an_older_log_may_be_packed(terminal: Terminal, tmp_path: Path) -> None:
    """Rotation packs what is older."""
    with gzip.open(tmp_path / "a.log.1.gz", "wb") as file:
        file.write(LOG.encode())

    assert terminal.types("inspect", "logs", "--file", "a.log.1.gz", "--json").document["error_lines"] == 2


def test_since_leaves_out_what_is_older(terminal: Terminal, tmp_path: Path) -> None:
    """Yesterday's errors are not this incident's."""
    (tmp_path / "a.log").write_text(LOG)
    ended = terminal.types("inspect", "logs", "--file", "a.log", "--json", "--since", "2026-11-22T11:30Z")

    assert [finding["count"] for finding in ended.document["findings"]] == [1]


def test_since_is_a_time_or_how_long_ago() -> None:
    """On a call people say: the last quarter of an hour."""
    now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

    assert since_of("15m", now) == now - timedelta(minutes=15)
    assert since_of("2026-11-22T11:30:00Z", now) == now - timedelta(minutes=30)
    assert since_of(None, now) is None


@pytest.mark.parametrize(
    "words", [("--since", "noon"), ("--deadline-s", "0"), ("--deadline-s", "nan"), ("--service", "x")]
)
def test_a_log_asked_for_wrongly(terminal: Terminal, words: tuple[str, ...]) -> None:
    """One line names the option."""
    ended = terminal.types("inspect", "logs", "--file", "a.log", *words)

    assert ended.code == 2
    assert ended.one_line.startswith(Code.BAD_ARGUMENT)


def test_every_log_of_a_service_is_looked_at(terminal: Terminal, tmp_path: Path) -> None:
    """One that is missing is named, and hides nothing of the others."""
    (tmp_path / "a.log").write_text(LOG)
    terminal.settings(settings_of(watched(tmp_path), log_files="['missing.log', 'a.log']"))
    ended = terminal.types("inspect", "logs", "--json")
    missing, found = ended.document["files"]

    assert ended.code == 3
    assert missing["error"]["code"] == Code.FILE_UNREADABLE
    assert found["error_lines"] == 2


def test_what_came_first_after_a_release_is_new(terminal: Terminal, tmp_path: Path) -> None:
    """The first question after a deploy; the ledger knows when the release came up."""
    now = datetime.now(UTC)
    starts = [(now - timedelta(minutes=50), "1.0.0"), (now - timedelta(minutes=10), "1.1.0")]
    (tmp_path / "i.jsonl").write_text(
        "".join(
            f'{{"timestamp":"{at.isoformat()}","type":"service_started","service":"order-service",'
            f'"details":{{"release":"{release}"}}}}\n'
            for at, release in starts
        )
    )
    errors = ((now - timedelta(minutes=20), "disk is slow"), (now - timedelta(minutes=5), "no such column"))
    (tmp_path / "a.log").write_text(
        "".join(f'{{"timestamp":"{at.isoformat()}","level":"ERROR","message":"{text}"}}\n' for at, text in errors)
    )
    terminal.watches(watched(tmp_path), incidents_file="'i.jsonl'", log_files="['a.log']")
    (found,) = terminal.types("inspect", "logs", "--json").document["files"]

    assert {one["template"]: one["is_new"] for one in found["findings"]} == {
        "disk is slow": False,
        "no such column": True,
    }


UNREADABLE = {"missing": "missing", "a folder": "folder", "a pipe": "pipe", "a name not UTF-8": os.fsdecode(b"\xff")}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("json_words", [(), ("--json",)], ids=["lines", "json"])
@pytest.mark.parametrize("name", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("step", ["incidents", "logs"])
def test_a_file_that_cannot_be_read_is_one_line(
    terminal: Terminal, tmp_path: Path, step: str, name: str, json_words: tuple[str, ...]
) -> None:
    """A pipe would block for ever; exit 3 says that nothing was seen."""
    (tmp_path / "folder").mkdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
    ended = terminal.types("inspect", step, "--file", name, *json_words)

    assert ended.code == 3
    assert ended.one_line.startswith((Code.FILE_UNREADABLE, Code.LEDGER_UNREADABLE))
    if json_words:
        assert ended.document["error"]["code"] in ended.one_line


READABLE = {
    "empty": b"",
    "binary": bytes(range(256)) * 4000,
    "nested": b"[" * 100_000 + b"\n" + b'{"a":' * 100_000,
    "one long line": b'{"level":"error","msg":"' + b"x" * 5_000_000 + b'"}',
    "no line end": b"ERROR",
    "NUL bytes": b"\x00" * 100_000,
    "a torn archive": gzip.compress(LOG.encode() * 1000)[:80],
    "no archive": b"\x1f\x8b" + b"x" * 100,
    "escape sequences": b"ERROR \x1b]0;owned\x07\x1b[2J \xc2\x9b31m\n",
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("content", READABLE.values(), ids=READABLE)
@pytest.mark.parametrize("step", ["incidents", "logs"])
def test_no_content_breaks_a_look(terminal: Terminal, tmp_path: Path, step: str, content: bytes) -> None:
    """Each ends in a value or in one line; and nothing that acts on a terminal gets through."""
    (tmp_path / "f").write_bytes(content)
    lines, document = (
        terminal.types("inspect", step, "--file", "f"),
        terminal.types("inspect", step, "--file", "f", "--json"),
    )

    assert lines.code == document.code
    assert lines.code in {0, 3}
    assert isinstance(document.document, dict)
    assert not {"\x1b", "\x07", "\x00", "\x9b"} & set(lines.out + lines.err)
