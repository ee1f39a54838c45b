"""Where a service's logs are found: files by patterns, the journal by its cursor."""

import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from tasks.clients.logs.log_sources import log_sources
from tasks.clients.logs.scan_logs import logs_check, recent_logs, scan_log
from tasks.model.logs.findings import LogCheck
from tasks.model.service.log_settings import LogSettings
from tasks.settings import ServiceSettings
from tests.tasks.logs.asking import question, written

ERROR = "2026-11-22 16:11:02 ERROR no route\n"
# A journalctl that keeps to the options it was given: what came after the cursor, else all of it.
JOURNALCTL = """#!/bin/sh
echo "$@" >> "{folder}/asked"
cursor=
for option in "$@"; do case "$option" in --after-cursor=*) cursor="${{option#--after-cursor=}}";; esac; done
if [ "$cursor" = gone ]; then echo "Failed to seek to cursor" >&2; exit 1; fi
if [ -z "$cursor" ]; then cat "{folder}/journal"; exit; fi
awk -v c="\\"$cursor\\"" 'seen; index($0, c) {{ seen = 1 }}' "{folder}/journal"
"""


def service_with(**logs: object) -> ServiceSettings:
    return ServiceSettings.model_validate({"logs": logs})


def entry(number: int, message: str, priority: int = 6) -> str:
    at = str(1_763_827_862_000_000 + number)
    table = {"__CURSOR": f"s={number}", "__REALTIME_TIMESTAMP": at, "PRIORITY": str(priority), "MESSAGE": message}
    return json.dumps(table) + "\n"


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A journal that a stand-in for journalctl reads."""
    program = tmp_path / "bin" / "journalctl"
    program.parent.mkdir()
    program.write_text(JOURNALCTL.format(folder=tmp_path))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    (tmp_path / "journal").touch()
    return tmp_path / "journal"


def write(journal: Path, text: str) -> None:
    journal.write_text(text)


async def checked(service: ServiceSettings, folder: Path) -> LogCheck:
    return await logs_check(service, folder / "state", question())


async def test_patterns_find_the_logs_of_today(tmp_path: Path) -> None:
    """A pattern is asked at each scan: a container that was started since has its log read."""
    service = service_with(files=[str(tmp_path / "*" / "*.log")], fix_messages=[str(tmp_path / "fix-*")])
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.log").write_text(ERROR)
        found = await checked(service, tmp_path)

    assert [scan.error_lines for scan in found.scans] == [0, 1]
    assert "fix-*" in found.blind[0]


def test_what_a_log_was_rotated_into_is_not_a_log_of_its_own(tmp_path: Path) -> None:
    """It is read with the log; read alone, each error would be reported twice."""
    for name in ("oms.log", "oms.log.1", "oms.log-20261121", "oms.log.2.gz", "oms-audit.log"):
        (tmp_path / name).write_text(ERROR)

    found = log_sources(service_with(files=[str(tmp_path / "oms*")]))

    assert [path.name for path in found.files] == ["oms-audit.log", "oms.log"]


def test_a_file_that_is_named_and_missing_is_blind(tmp_path: Path) -> None:
    """Nobody reads that there are no errors where there is no log."""
    found = recent_logs(service_with(files=[str(tmp_path / "none.log")]), question())

    assert "FILE_UNREADABLE" in found.blind[0]


async def test_the_journal_is_read_on_from_where_it_was_read(journal: Path, tmp_path: Path) -> None:
    """Each entry is reported once, by the place that the journal itself names."""
    service = service_with(journal_units=["oms.service"])
    counts = []
    for number, message in enumerate(("ERROR one", "INFO errors gone", "level=error two"), start=1):
        with journal.open("a") as file:
            file.write(entry(number, message))
        counts.append([scan.error_lines for scan in (await checked(service, tmp_path)).scans])

    asked = (tmp_path / "asked").read_text().splitlines()
    assert counts == [[1], [0], [1]]
    assert "--unit=oms.service" in asked[0]
    assert "--since=@" in asked[0]
    assert [line.partition("--after-cursor=")[2].split()[0] for line in asked[1:]] == ["s=1", "s=2"]


async def test_a_cursor_that_is_gone_is_a_gap(journal: Path, tmp_path: Path) -> None:
    """The journal was cleaned: what is there is read, and that lines may be missing is said."""
    service = service_with(journal_units=["oms.service"])
    write(journal, entry(1, "ERROR one").replace("s=1", "gone"))
    await checked(service, tmp_path)
    write(journal, entry(2, "ERROR two"))
    found = await checked(service, tmp_path)

    assert found.scans[0].error_lines == 1
    assert found.scans[0].notes[0].startswith("GAP")


async def test_a_journal_that_cannot_be_read_is_blind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host without systemd has no journal."""
    monkeypatch.setenv("PATH", str(tmp_path))
    found = await checked(service_with(journal_units=["oms.service"]), tmp_path)

    assert found.scans == ()
    assert "journalctl" in found.blind[0]


def test_a_unit_is_no_option_of_the_command() -> None:
    """What is set may not turn into another question."""
    with pytest.raises(ValidationError):
        LogSettings(journal_units=("--vacuum-size=1",))


@pytest.mark.parametrize(
    ("line", "zone", "at"),
    [
        ("2026-07-01 10:00:00 ERROR x", "Europe/London", datetime(2026, 7, 1, 9, tzinfo=UTC)),
        ("2026-07-01 10:00:00 ERROR x", "UTC", datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("2026-07-01T10:00:00Z ERROR x", "Europe/London", datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("2026-07-01T10:00:00+02:00 ERROR x", "Europe/London", datetime(2026, 7, 1, 8, tzinfo=UTC)),
        ("2026-07-01 10:00:00.1 CEST [1] ERROR:  x", "Asia/Tokyo", datetime(2026, 7, 1, 8, 0, 0, 100_000, tzinfo=UTC)),
        ('{"time":"2026-07-01 10:00:00","level":"error"}', "America/New_York", datetime(2026, 7, 1, 14, tzinfo=UTC)),
        ('{"time":"1782900000000","level":"error"}', "Asia/Tokyo", datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("Jul  1 10:00:00 h oms[1]: ERROR x", "Asia/Tokyo", datetime(2026, 7, 1, 1, tzinfo=UTC)),
        ("Dec 31 23:00:00 h oms[1]: ERROR x", "UTC", datetime(2025, 12, 31, 23, tzinfo=UTC)),
        ('{"log":"10:00:00 ERROR x\\n","stream":"stdout","time":"2026-07-01T10:00:00Z"}', "Asia/Tokyo",
         datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("20260701-10:00:00.000 : 8=FIX.4.4|35=3|52=20260701-10:00:00|58=x|", "UTC",
         datetime(2026, 7, 1, 10, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_a_time_is_read_in_the_zone_of_its_host(tmp_path: Path, line: str, zone: str, at: datetime) -> None:
    """An hour off, and the errors lie before the release that they came with."""
    path = written(tmp_path, f"{line}\n".encode())
    finding = scan_log(path, question(time_zone=zone)).findings[0]
    repeated = scan_log(written(tmp_path, f"{line}\n".encode() * 3), question(time_zone=zone)).findings[0]

    assert finding.first_at == at
    assert repeated.last_at == at
