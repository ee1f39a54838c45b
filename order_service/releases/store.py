"""Where releases live: <root>/<version>/, the pointer `current`, the records, and the lock for writers."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from order_service.runtime.files import write_atomically


class ReleaseCode(StrEnum):
    RELEASE_MISSING = "RELEASE_MISSING"
    RELEASE_CORRUPTED = "RELEASE_CORRUPTED"
    RELEASE_EXISTS = "RELEASE_EXISTS"
    RELEASE_BROKEN = "RELEASE_BROKEN"
    NO_PREVIOUS_RELEASE = "NO_PREVIOUS_RELEASE"
    LIVE_TABLE_REFUSED = "LIVE_TABLE_REFUSED"
    ROUTING_FILE_UNKNOWN = "ROUTING_FILE_UNKNOWN"
    SOURCE_INVALID = "SOURCE_INVALID"
    RELEASES_LOCKED = "RELEASES_LOCKED"
    FILES_UNUSABLE = "FILES_UNUSABLE"


class ReleaseError(Exception):
    def __init__(self, code: ReleaseCode, detail: str) -> None:
        super().__init__(f"{code}: {' '.join(detail.split())}")
        self.code = code


def missing(version: str, was: str) -> ReleaseError:
    return ReleaseError(
        ReleaseCode.RELEASE_MISSING, f"expected release {version}, was {was}; list shows what there is, build makes one"
    )


def corrupted(version: str, was: str) -> ReleaseError:
    return ReleaseError(
        ReleaseCode.RELEASE_CORRUPTED,
        f"expected release {version} as built, was {was}; build it under a new version or deploy another",
    )


_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+\-]{0,63}")
_RESERVED = frozenset({"current", "history.jsonl", "runs.jsonl"})
_LOCK_WAIT_S = 30


def is_version(text: str) -> bool:
    return _VERSION.fullmatch(text) is not None and text not in _RESERVED


class ReleaseStore:
    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.history = self.root / "history.jsonl"
        self._pointer = self.root / "current"

    def path(self, version: str) -> Path:
        return self.root / version

    def versions(self) -> list[str]:
        if not self.root.is_dir():
            return []
        return sorted(each.name for each in self.root.iterdir() if each.is_dir() and is_version(each.name))

    def current(self) -> str | None:
        """Name the current release; nothing when none was deployed or the pointer is unreadable."""
        try:
            text = self._pointer.read_text(encoding="utf-8").strip()
        except (FileNotFoundError, UnicodeDecodeError):
            return None
        return text if is_version(text) else None

    def current_path(self) -> Path:
        """Give the directory of the current release.

        Errors: ReleaseError when none is current.
        """
        version = self.current()
        if version is None:
            raise missing("named by " + str(self._pointer), "none")
        return self.path(version)

    def point_to(self, version: str) -> None:
        write_atomically(self._pointer, f"{version}\n".encode())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other writers out; the lock falls with the process that holds it.

        Errors: ReleaseError when another writer does not finish.
        """
        import filelock  # noqa: PLC0415 - reading and running a release do without it

        self.root.mkdir(parents=True, exist_ok=True)
        try:
            with filelock.FileLock(self.root / ".lock", timeout=_LOCK_WAIT_S):
                yield
        except filelock.Timeout:
            raise ReleaseError(
                ReleaseCode.RELEASES_LOCKED, f"expected the lock within {_LOCK_WAIT_S} s, was held; try again"
            ) from None
