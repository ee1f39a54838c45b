"""Count what is read of a log, and report it; the reading itself is left as it is."""

from pathlib import Path

from tasks.clients.log_files_scan import Source
from tasks.model.progress import LongStep, Progress, Report, Unit


class CountedSource:
    """A source that tells how far it was read. Units: `of_bytes` is 0 where nobody knows the whole."""

    def __init__(self, source: Source, report: Report, done_bytes: int, of_bytes: int) -> None:
        self._source = source
        self._report = report
        self._done_bytes = done_bytes
        self._of_bytes = of_bytes

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Read, and report."""
        count = self._source.readinto(buffer) or 0
        self._done_bytes += count
        self._report(Progress(step=LongStep.READ_LOGS, done=self._done_bytes, of=self._of_bytes, unit=Unit.BYTES))
        return count


def size_of(file: Path, *, packed: bool) -> int:
    """Say how many bytes there are to read; of an archive nobody knows before it is unpacked."""
    try:
        return 0 if packed else file.stat().st_size
    except OSError:
        return 0
