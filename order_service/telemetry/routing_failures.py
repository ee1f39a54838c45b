"""Routing failures, reported once and then in sums: a dead gateway is one fact, not one per order."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from order_service.runtime.codes import Code
from order_service.telemetry.incidents import IncidentLog

REPORT_EVERY_S = 15.0
REPORTED = frozenset(
    {
        Code.NO_ROUTE,
        Code.GATEWAY_UNREACHABLE,
        Code.GATEWAY_BUSY,
        Code.GATEWAY_TIMEOUT,
        Code.GATEWAY_DISCONNECTED,
        Code.GATEWAY_ANSWER_UNUSABLE,
        Code.GATEWAY_ANSWER_MISMATCHED,
    }
)
Key = tuple[str, str, Code]


@dataclass(slots=True)
class _Seen:
    count: int = 0
    synthetic_count: int = 0
    reported_at: float | None = None
    example: str = ""
    message: str = ""


@dataclass(slots=True)
class RoutingFailures:
    """Report the first failure of a kind at once and the sum of the following ones every few seconds."""

    incidents: IncidentLog
    clock: Callable[[], float] = time.monotonic
    _seen: dict[Key, _Seen] = field(default_factory=dict)

    def note(self, key: Key, client_order_id: str, message: str, *, is_synthetic: bool = False) -> None:
        """Count one failed order by asset class, gateway and code; test orders are counted apart as well."""
        if key[2] not in REPORTED:
            return
        seen = self._seen.setdefault(key, _Seen())
        seen.count += 1
        seen.synthetic_count += is_synthetic
        seen.example, seen.message = client_order_id, message
        if seen.reported_at is None:
            self._report(key, seen)

    def report_sums(self) -> None:
        """Report what gathered since the last time; forget what has stopped."""
        now = self.clock()
        for key, seen in list(self._seen.items()):
            if seen.reported_at is None or now - seen.reported_at < REPORT_EVERY_S:
                continue
            if seen.count:
                self._report(key, seen)
            else:
                del self._seen[key]

    def _report(self, key: Key, seen: _Seen) -> None:
        asset_class, gateway, code = key
        self.incidents.record(
            "order_routing_failed",
            f"{seen.count} {asset_class} order(s) not routed through {gateway}: {code}",
            {
                "asset_class": asset_class,
                "gateway": gateway,
                "code": code,
                "count": seen.count,
                "synthetic_count": seen.synthetic_count,
                "example_client_order_id": seen.example,
                "message": seen.message,
            },
        )
        seen.count, seen.synthetic_count, seen.reported_at = 0, 0, self.clock()
