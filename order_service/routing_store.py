"""The table that serves now, its last good copies, and the file on disk that may differ from it."""

import logging
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from order_service.clock import utc_now
from order_service.routing import GatewayRules, LoadedTable, RoutingTable, TableRefused, parse_table, table_hash

log = logging.getLogger(__name__)

MAX_TABLE_BYTES = 1024 * 1024
KEPT_COPIES = 20


@dataclass(frozen=True, slots=True)
class FileState:
    """What lies on disk at this moment; `error` means that a restart would fail on it."""

    hash: str | None
    error: str | None


class RoutingStore:
    """Hold the last good table and replace it only by another good one."""

    def __init__(self, path: Path, copies_dir: Path, known_gateways: frozenset[str]) -> None:
        self.path = path
        self._copies_dir = copies_dir
        self._known_gateways = known_gateways
        self.loaded = self.read()

    @property
    def table(self) -> RoutingTable:
        """Give the table that serves."""
        return self.loaded.table

    def rules_of(self, gateway: str) -> GatewayRules | None:
        """Give the table's rules for a gateway, if it names it."""
        return self.table.gateways.get(gateway)

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
        self._keep_copy(raw, loaded.hash)
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

    def _keep_copy(self, raw: bytes, digest: str) -> None:
        """Keep the good table by its hash; a full disk costs the copy, never the table."""
        try:
            self._copies_dir.mkdir(parents=True, exist_ok=True)
            write_atomically(self._copies_dir / f"{digest}.toml", raw)
            write_atomically(self._copies_dir / "last_good", digest.encode())
            copies = sorted(self._copies_dir.glob("*.toml"), key=lambda copy: copy.stat().st_mtime, reverse=True)
            for old in copies[KEPT_COPIES:]:
                old.unlink()
        except OSError as error:
            log.warning("ROUTING_COPY_NOT_KEPT: hash=%s; %s", digest, error)


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file as a whole: readers see the old bytes or the new ones, also after a crash.

    Errors: OSError; the old file stays.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
