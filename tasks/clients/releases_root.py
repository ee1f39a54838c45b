"""Find the watched service's releases on this machine: the folder, the current one, the history of moves."""

from pathlib import Path

from tasks.settings import ServiceSettings

POINTER_LIMIT_BYTES = 200
HISTORY_TAIL_BYTES = 256 * 1024


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
        with (root / "current").open("r", encoding="utf-8") as file:
            version = file.read(POINTER_LIMIT_BYTES).strip()
    except (OSError, UnicodeDecodeError):
        return None
    return root / version if version and "/" not in version and not version.startswith(".") else None


def release_history(service: ServiceSettings) -> bytes:
    """Read the newest lines of the history of moves; nothing where there is none to read."""
    root = releases_root(service)
    if root is None:
        return b""
    try:
        with (root / "history.jsonl").open("rb") as file:
            size_bytes = file.seek(0, 2)
            file.seek(max(0, size_bytes - HISTORY_TAIL_BYTES))
            return file.read(HISTORY_TAIL_BYTES)
    except OSError:
        return b""
