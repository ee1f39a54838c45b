"""The table that serves now, its last good copies, and the file on disk that may differ from it."""

from dataclasses import dataclass
from pathlib import Path

from order_service.atomic_file import replace_shared
from order_service.clock import utc_now
from order_service.routing import (
    MAX_TABLE_BYTES,
    GatewayRules,
    LoadedTable,
    RoutingTable,
    TableRefused,
    parse_table,
    table_hash,
)
from order_service.table_copies import KeptTable, TableCopies


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
        """Give the table that serves."""
        return self.loaded.table

    def rules_of(self, gateway: str) -> GatewayRules | None:
        """Give the table's rules for a gateway, if it names it."""
        return self.table.gateways.get(gateway)

    def disk_state(self) -> DiskState:
        """Look at everything that lies on disk, without taking any of it."""
        return DiskState(self.file_state(), self._copies.kept(), self._copies.shipped_hash())

    def file_state(self) -> FileState:
        """Look at the file on disk without taking it, so that a latent corruption shows before a restart."""
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
        replace_shared(self.path, raw)
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
