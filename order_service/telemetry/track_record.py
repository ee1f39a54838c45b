"""What a release can say for itself later: that it ran, with which configuration, and failed no order."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from order_service.releases.records import HealthyRun, append_run
from order_service.runtime.clock import rfc3339, utc_now

log = logging.getLogger(__name__)

CHECK_EVERY_S = 2.0
RECORDED_AFTER_S = (30.0, 600.0, 3600.0)


@dataclass(frozen=True, slots=True)
class Vitals:
    """What the service is at one moment: whether it serves, its orders so far, and the configuration in force."""

    is_serving: bool
    answered_count: int
    failed_count: int
    routing_hash: str
    features: Mapping[str, bool]

    def spoils(self, before: "Vitals") -> bool:
        """Say whether a healthy run that began with `before` is over."""
        same = (self.routing_hash, self.features) == (before.routing_hash, before.features)
        return not (self.is_serving and same and self.failed_count == before.failed_count)


@dataclass(slots=True)
class TrackRecord:
    """Write a healthy run beside the releases, at 30 seconds, ten minutes and an hour.

    Serving without orders proves nothing, and gateways that are down say nothing of the release.
    Errors: none; a record that cannot be written is logged once.
    """

    release: Path
    vitals: Callable[[], Vitals]
    clock: Callable[[], float] = time.monotonic
    _first: Vitals | None = None
    _since_s: float = 0.0
    _to_record: list[float] = field(default_factory=list)

    async def run(self) -> None:
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            run = self.due()
            if run is not None:
                await asyncio.to_thread(self._write, run)

    def due(self) -> HealthyRun | None:
        """Give a run that is to be recorded now, if there is one."""
        now_s, vitals = self.clock(), self.vitals()
        if self._first is None or vitals.spoils(self._first):
            self._first, self._since_s, self._to_record = vitals, now_s, list(RECORDED_AFTER_S)
            return None
        for_s, orders_count = now_s - self._since_s, vitals.answered_count - self._first.answered_count
        if not self._to_record or for_s < self._to_record[0] or orders_count < 1:
            return None
        self._to_record = [each for each in self._to_record if each > for_s]
        return HealthyRun(
            at=rfc3339(utc_now()),
            version=self.release.name,
            for_s=round(for_s, 1),
            orders_count=orders_count,
            routing_hash=vitals.routing_hash,
            features=vitals.features,
        )

    def _write(self, run: HealthyRun) -> None:
        try:
            append_run(self.release.parent, run)
        except OSError as error:
            log.warning("TRACK_RECORD_NOT_KEPT: release=%s; %s", run.version, error)
