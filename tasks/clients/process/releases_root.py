"""Find the watched service's releases on this machine: the folder, the current one, the history, what is known good."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from tasks.clients.files.regular_file import read_regular, read_tail
from tasks.rules.diagnosis.recent_changes import parse_moves
from tasks.rules.remediation.release_record import ran_healthy, why_not_good
from tasks.settings import ServiceSettings

POINTER_LIMIT_BYTES = 200
TABLE_LIMIT_BYTES = 16 * 1_048_576
HISTORY_TAIL_BYTES = 256 * 1024
MANIFEST_LIMIT_COUNT = 4 * 1024 * 1024


def releases_root(service: ServiceSettings) -> Path | None:
    """Name the folder of the releases: its own setting, else the `--root` that the service is started with."""
    if service.releases_root is not None:
        return service.releases_root
    command = service.start_command
    places = [place for place, word in enumerate(command[:-1]) if word == "--root"]
    return Path(command[places[0] + 1]) if places else None


def current_release_folder(service: ServiceSettings) -> Path | None:
    """Name the folder of the current release, or None where there is none on this machine."""
    root = releases_root(service)
    if root is None:
        return None
    try:
        version = read_regular(root / "current", POINTER_LIMIT_BYTES).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return root / version if version and "/" not in version and not version.startswith(".") else None


def release_history(service: ServiceSettings) -> bytes:
    """Read the newest lines of the history of moves; nothing where there is none to read."""
    root = releases_root(service)
    return _tail(root / "history.jsonl") if root else b""


def not_known_good(service: ServiceSettings, releases: Iterable[str]) -> dict[str, str]:
    """Say of each release that is not known to be good by its own record why it is not.

    Runbook: §2.3 Roll back to the previous release.
    What cannot be read proves nothing.
    """
    root = releases_root(service)
    if root is None:
        return {}
    moves, healthy = parse_moves(release_history(service)), ran_healthy(_tail(root / "runs.jsonl").splitlines())
    faults = {name: why_not_good(name, _manifest(root / name), moves, healthy) for name in releases}
    return {name: fault for name, fault in faults.items() if fault}


def live_table_hash(service: ServiceSettings) -> str | None:
    """Digest the routing table that the next start would read, where the history of moves tells where it lies."""
    file = _live_table(service)
    try:
        return hashlib.sha256(read_regular(file, TABLE_LIMIT_BYTES)).hexdigest() if file else None
    except (OSError, ValueError):
        return None


def live_table_changed_at(service: ServiceSettings) -> datetime | None:
    """Say when the live routing table was written last; None where nobody can say."""
    file = _live_table(service)
    try:
        return datetime.fromtimestamp(file.stat().st_mtime, UTC) if file else None
    except (OSError, ValueError, OverflowError):
        return None


def _live_table(service: ServiceSettings) -> Path | None:
    moves = parse_moves(release_history(service))
    file = moves[-1].routing_file if moves else None
    return Path(file) if file else None


def _manifest(release: Path) -> str:
    try:
        return read_regular(release / "manifest.json", 4 * MANIFEST_LIMIT_COUNT).decode("utf-8")[:MANIFEST_LIMIT_COUNT]
    except (OSError, UnicodeDecodeError):
        return ""


def _tail(path: Path) -> bytes:
    try:
        return read_tail(path, HISTORY_TAIL_BYTES)[0]
    except OSError:
        return b""
