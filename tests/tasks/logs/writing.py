"""A log as a service writes it and logrotate turns it, with the checks that were taken at it."""

import gzip
import os
from pathlib import Path

from tasks.clients.logs.scan_logs import scan_new_lines
from tasks.model.logs.findings import LogScan
from tests.tasks.logs.asking import question

GOOD = "2026-11-22 16:11:02,124 INFO orders - order accepted, 0 errors\n"
BAD = "2026-11-22 16:11:02,125 ERROR orders - gateway XNAS timed out order={}\n"


class Log:
    """A log, the scans of it, and what they should have seen in all."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "orders.log"
        self.state = folder / "state"
        self.scans: list[LogScan] = []
        self.written = 0

    def write(self, text: str) -> None:
        """Append, as the service does."""
        with self.path.open("a") as file:
            file.write(text)

    def bad(self, count: int) -> None:
        """Append numbered error lines."""
        for _ in range(count):
            self.written += 1
            self.write(BAD.format(self.written))

    def scan(self) -> LogScan:
        """Look at what is new."""
        self.scans.append(scan_new_lines(self.path, self.state, question(line_numbers=True)))
        return self.scans[-1]

    @property
    def errors_seen(self) -> int:
        """Sum the error lines of all scans."""
        return sum(scan.error_lines for scan in self.scans)


def pack(path: Path) -> None:
    """Pack a file as logrotate does: the time of writing stays."""
    status = path.stat()
    with gzip.open(f"{path}.gz", "wb") as file:
        file.write(path.read_bytes())
    os.utime(f"{path}.gz", ns=(status.st_atime_ns, status.st_mtime_ns))
    path.unlink()


def rotate(path: Path, *, packed: bool = False) -> None:
    """Rotate by rename: log.1 becomes log.2, and so on; what is older is packed."""
    for number in range(9, 0, -1):
        for ending in ("", ".gz"):
            older = path.with_name(f"{path.name}.{number}{ending}")
            if older.exists():
                older.rename(path.with_name(f"{path.name}.{number + 1}{ending}"))
    first = path.with_name(f"{path.name}.1")
    path.rename(first)
    path.touch()
    if packed:
        pack(first)
