"""Find the log files of a service: those that are named, and those that match its patterns today."""

import glob
import os
from pathlib import Path
from typing import NamedTuple

from tasks.model.service.service_settings import ServiceSettings

# So many files of one service are read at most, the newest first.
FILES_LIMIT = 64
PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")


class LogSources(NamedTuple):
    """The files there are, and what a person reads of those that were expected and are not."""

    files: tuple[Path, ...]
    faults: tuple[str, ...] = ()


def log_sources(service: ServiceSettings) -> LogSources:
    """List the log files of a service; what a log was rotated into is read with it, and not listed."""
    files, faults = list(service.log_files), []
    for pattern in (*service.logs.files, *service.logs.fix_messages):
        found = _matches(pattern)
        files.extend(found)
        if not found:
            faults.append(f"FILE_UNREADABLE: expected a log at {pattern}, found none; correct the pattern")
    once = _without_rotated(list(dict.fromkeys(files)))
    if len(once) > FILES_LIMIT:
        faults.append(f"BOUNDED: the {FILES_LIMIT} newest of {len(once)} log files are read; narrow the patterns")
        once = sorted(once, key=_written_at, reverse=True)[:FILES_LIMIT]
    return LogSources(tuple(once), tuple(faults))


def unread(sources: LogSources) -> tuple[str, ...]:
    """Say which logs are missing, or cannot be read by us."""
    closed = (path for path in sources.files if not os.access(path, os.R_OK))
    return (
        *sources.faults,
        *(f"{path} {'is not ours to read' if path.exists() else 'is not there'}" for path in closed),
    )


def _matches(pattern: str) -> list[Path]:
    if not glob.has_magic(pattern):
        return [Path(pattern)]
    found = glob.iglob(pattern, recursive=True)  # noqa: PTH207 - a pattern may be absolute, which that of a path is not
    return sorted(path for each in found if (path := Path(each)).is_file())


def _without_rotated(files: list[Path]) -> list[Path]:
    """`oms.log.1` and `oms.log-20261129` go with `oms.log`; what is packed is old."""
    names = {(path.parent, path.name) for path in files}
    return [path for path in files if not path.name.endswith(PACKED) and not _is_older(path, names)]


def _is_older(path: Path, names: set[tuple[Path, str]]) -> bool:
    return any((path.parent, path.name[:end]) in names for end in range(1, len(path.name)) if path.name[end] in ".-")


def _written_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
