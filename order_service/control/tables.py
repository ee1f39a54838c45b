"""Another routing table on request: the one that lies on disk, or a good one from before."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from order_service.api.contract import Document
from order_service.control.plane import Change, RestoreChange, record_change
from order_service.routing.table import LoadedTable, TableRefused
from order_service.routing.table_store import RoutingStore
from order_service.runtime.clock import rfc3339
from order_service.runtime.codes import Code, Refused
from order_service.telemetry.incidents import IncidentLog

log = logging.getLogger(__name__)


@dataclass(slots=True)
class TableControl:
    """Put another routing table in force; whatever goes wrong, the one in force stays in force.

    Errors: Refused, with the reason; it is in the log and the ledger, too.
    """

    routing: RoutingStore
    incidents: IncidentLog
    on_changed: Callable[[], None]
    _loading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def reload(self, change: Change) -> Document:
        """Take the routing table on disk, or refuse it and keep the one that serves."""
        async with self._loading:
            try:
                loaded = await asyncio.to_thread(self.routing.read)
            except TableRefused as error:
                raise self._refused(Refused(Code.ROUTING_TABLE_REFUSED, str(error)), change) from error
            return self._in_force("reload", loaded, change)

    async def restore(self, change: RestoreChange) -> Document:
        """Put the good table of a hash back as the live file and in force, also where that file is broken or gone."""
        async with self._loading:
            try:
                loaded = await asyncio.to_thread(self.routing.restore, change.hash)
            except Refused as refused:
                if refused.code is Code.UNKNOWN_TABLE:  # the caller's slip, and no fact about the table
                    raise
                raise self._refused(refused, change) from refused
            except TableRefused as error:
                raise self._refused(Refused(Code.ROUTING_TABLE_REFUSED, str(error)), change) from error
            except OSError as error:
                message = f"cannot write {self.routing.path}; {error.strerror or error}"
                raise self._refused(Refused(Code.ROUTING_FILE_NOT_WRITTEN, message), change) from error
            return self._in_force("restore", loaded, change)

    def _in_force(self, part: str, loaded: LoadedTable, change: Change) -> Document:
        before, self.routing.loaded = self.routing.loaded.hash, loaded
        self.on_changed()
        record_change(self.incidents, (part, "routing"), {"hash": loaded.hash, "previous_hash": before}, change)
        return {"hash": loaded.hash, "previous_hash": before, "loaded_at": rfc3339(loaded.loaded_at)}

    def _refused(self, refused: Refused, change: Change) -> Refused:
        """Report a refusal; give it as the caller reads it, with the table that stays in force."""
        serving = self.routing.loaded.hash
        details = {
            "path": str(self.routing.path),
            "code": refused.code,
            "error": refused.message,
            "serving_hash": serving,
            "set_by": change.set_by,
        }
        summary = f"routing table refused: {refused.message}"
        self.incidents.record("routing_table_refused", summary, details, source=change.source)
        log.error("%s: %s; serving=%s", refused.code, refused.message, serving)
        return Refused(refused.code, f"{refused.message}; the table {serving[:12]} stays in force", refused.field)
