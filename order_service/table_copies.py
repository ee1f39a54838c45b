"""Good routing tables kept by the hash of their bytes, beside the one that the release was shipped with."""

import logging
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from order_service.atomic_file import write_atomically
from order_service.codes import Code, Refused
from order_service.routing import MAX_TABLE_BYTES, table_hash

log = logging.getLogger(__name__)

KEPT_COUNT = 20
_COPY_NAME = re.compile(r"[0-9a-f]{64}\.toml")


@dataclass(frozen=True, slots=True)
class KeptTable:
    """One good table that can be put back, and when it was last loaded."""

    hash: str
    loaded_at: datetime


class TableCopies:
    """Keep every table that was loaded, and give it back only as long as its bytes are what they were."""

    def __init__(self, directory: Path, shipped: Path) -> None:
        self._directory = directory
        self._shipped = shipped

    def keep(self, raw: bytes, digest: str) -> None:
        """Keep a good table by its hash; a full disk costs the copy, never the table."""
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            write_atomically(self._directory / f"{digest}.toml", raw)
            write_atomically(self._directory / "last_good", digest.encode())
            for old in self._newest_first()[KEPT_COUNT:]:
                old.unlink()
        except OSError as error:
            log.warning("ROUTING_COPY_NOT_KEPT: hash=%s; %s", digest, error)

    def kept(self) -> tuple[KeptTable, ...]:
        """List the copies that are still good, the last loaded one first."""
        good = [path for path in self._newest_first() if _hash_of(path) == path.stem]
        return tuple(KeptTable(path.stem, datetime.fromtimestamp(_written_at(path), UTC)) for path in good)

    def shipped_hash(self) -> str | None:
        """Digest the table that the release was shipped with; nothing where it cannot be read."""
        return _hash_of(self._shipped)

    def find(self, digest: str) -> bytes:
        """Give the bytes of a kept table, else those of the shipped one, as long as they have this hash.

        Errors: Refused with UNKNOWN_TABLE, naming what there is, or TABLE_COPY_CORRUPTED.
        """
        copy = self._directory / f"{digest}.toml"
        found = [raw for path in (copy, self._shipped) if (raw := _bytes_of(path)) is not None]
        raw = next((raw for raw in found if table_hash(raw) == digest), None)
        if raw is not None:
            return raw
        if copy.exists():
            message = f"expected the kept copy {digest} unchanged, was altered on disk; {self._choices()}"
            raise Refused(Code.TABLE_COPY_CORRUPTED, message, "hash")
        raise Refused(Code.UNKNOWN_TABLE, f"no table of hash {digest} is kept; {self._choices()}", "hash")

    def _choices(self) -> str:
        hashes = dict.fromkeys([*(one.hash for one in self.kept()), self.shipped_hash()])
        return f"there are: {', '.join(name for name in hashes if name) or 'none'}"

    def _newest_first(self) -> list[Path]:
        try:
            copies = [path for path in self._directory.iterdir() if _COPY_NAME.fullmatch(path.name) and path.is_file()]
        except OSError:
            return []
        return sorted(copies, key=_written_at, reverse=True)


def _written_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _hash_of(path: Path) -> str | None:
    raw = _bytes_of(path)
    return None if raw is None else table_hash(raw)


def _bytes_of(path: Path) -> bytes | None:
    """Read a table; of a file that is too large for one, no more than shows that it is."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_TABLE_BYTES + 1)
    except OSError:
        return None
