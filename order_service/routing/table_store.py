"""The table that serves now, its good copies by the hash of their bytes, and the file on disk that may differ."""

import logging
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from order_service.routing.table import (
    MAX_TABLE_BYTES,
    GatewayRules,
    LoadedTable,
    RoutingTable,
    TableRefused,
    parse_table,
    table_hash,
)
from order_service.runtime.clock import utc_now
from order_service.runtime.codes import Code, Refused
from order_service.runtime.files import PRIVATE_MODE, write_atomically

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
            write_atomically(self._directory / f"{digest}.toml", raw, PRIVATE_MODE)
            write_atomically(self._directory / "last_good", digest.encode(), PRIVATE_MODE)
            for old in self._newest_first()[KEPT_COUNT:]:
                old.unlink()
        except OSError as error:
            log.warning("ROUTING_COPY_NOT_KEPT: hash=%s; %s", digest, error)

    def kept(self) -> tuple[KeptTable, ...]:
        """List the copies that are still good, the last loaded one first."""
        good = [path for path in self._newest_first() if _hash_of(path) == path.stem]
        return tuple(KeptTable(path.stem, datetime.fromtimestamp(_written_at(path), UTC)) for path in good)

    def shipped_hash(self) -> str | None:
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


@dataclass(frozen=True, slots=True)
class FileState:
    """What lies on disk at this moment; `error` means that a restart would fail on it."""

    hash: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class DiskState:
    """The live file, and the tables that it could be replaced by."""

    file: FileState
    kept: tuple[KeptTable, ...]
    shipped_hash: str | None


class RoutingStore:
    """Hold the last good table and replace it only by another good one."""

    def __init__(self, path: Path, copies: TableCopies, known_gateways: frozenset[str]) -> None:
        self.path = path
        self._copies = copies
        self._known_gateways = known_gateways
        self.loaded = self.read()

    @property
    def table(self) -> RoutingTable:
        return self.loaded.table

    def rules_of(self, gateway: str) -> GatewayRules | None:
        return self.table.gateways.get(gateway)

    def disk_state(self) -> DiskState:
        """Read everything that lies on disk, without taking any of it."""
        return DiskState(self.file_state(), self._copies.kept(), self._copies.shipped_hash())

    def file_state(self) -> FileState:
        """Read the file on disk without taking it, so that a latent corruption shows before a restart."""
        try:
            raw = self._bytes()
        except TableRefused as error:
            return FileState(None, str(error))
        try:
            parse_table(raw, self._known_gateways)
        except TableRefused as error:
            return FileState(table_hash(raw), str(error))
        return FileState(table_hash(raw), None)

    def read(self) -> LoadedTable:
        """Read the table on disk and keep a copy of it; who calls puts it in force.

        Errors: TableRefused; the table that serves is untouched.
        """
        raw = self._bytes()
        loaded = LoadedTable(parse_table(raw, self._known_gateways), table_hash(raw), utc_now())
        self._copies.keep(raw, loaded.hash)
        return loaded

    def restore(self, digest: str) -> LoadedTable:
        """Put the good table of this hash back as the live file and read it; who calls puts it in force.

        Errors: Refused when there is no such table, or its bytes were altered; TableRefused when the table does not
        fit this service, or another one lies in its place afterwards; OSError when the file cannot be written.
        Steps: 1 find the bytes by their hash · 2 prove that they are a table · 3 replace the file · 4 read it back.
        """
        raw = self._copies.find(digest)
        parse_table(raw, self._known_gateways)
        write_atomically(self.path, raw)
        loaded = self.read()
        if loaded.hash != digest:
            raise TableRefused(f"expected {digest} on disk after writing it, was {loaded.hash}; somebody else writes")
        return loaded

    def _bytes(self) -> bytes:
        try:
            with self.path.open("rb") as file:
                raw = file.read(MAX_TABLE_BYTES + 1)
        except OSError as error:
            raise TableRefused(f"cannot read {self.path}; {error.strerror or error}") from error
        if len(raw) > MAX_TABLE_BYTES:
            raise TableRefused(f"expected at most {MAX_TABLE_BYTES} bytes, was more")
        return raw
