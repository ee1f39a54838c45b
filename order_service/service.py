"""One running service: how its parts are put together, begun and ended. Nothing is decided here."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from decimal import Decimal

import orjson

from order_service.announcements import Announcements
from order_service.answers import error_json
from order_service.cancels import Cancels
from order_service.clock import rfc3339, utc_now
from order_service.codes import CannotStart, Code, Refused
from order_service.control_changes import Change
from order_service.control_plane import ControlPlane
from order_service.control_state import ControlState
from order_service.drain import Drain
from order_service.events import EventSender
from order_service.features import Features
from order_service.gatekeeper import Gatekeeper
from order_service.gateways.addresses import read_addresses
from order_service.gateways.health import GatewayHealth, GatewayVitals
from order_service.gateways.pool import Gateways
from order_service.health_report import HealthReport
from order_service.heartbeat import Heartbeat
from order_service.incidents import IncidentLog
from order_service.journal.journal import Journal
from order_service.journal.rows import JournaledOrder
from order_service.journal.schema import JournalUnavailable
from order_service.log_lines import LogLines
from order_service.metrics import TRADING_STATE_VALUE, Metrics
from order_service.order import ANSWERED, NOT_PROVEN, AssetClass
from order_service.order_flow import OrderFlow
from order_service.own_release import release_folder, shipped_table
from order_service.positions import PositionBook
from order_service.resolver import Resolver
from order_service.routing import TableRefused
from order_service.routing_failures import RoutingFailures
from order_service.routing_report import RoutingReport
from order_service.routing_store import RoutingStore
from order_service.settings import Settings
from order_service.settlement import Settlement
from order_service.table_control import TableControl
from order_service.table_copies import TableCopies
from order_service.track_record import TrackRecord, Vitals

log = logging.getLogger(__name__)

FIRST_LOOK_S = 1.5
_INTERRUPTED = error_json(
    Code.SERVICE_STOPPED_IN_FLIGHT, "the service stopped while the order was out; the gateway is being asked"
)

FLUSH_S = 1.0


class OrderService:
    """Hold every part of one running service.

    Errors: CannotStart from the constructor, with the line an operator reads; nothing runs then.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.started_at = rfc3339(utc_now())
        self._open_what_may_be_broken()
        self._wire_orders()
        self._wire_views()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Take over what the last process left, then begin to work.

        Steps: 1 in flight becomes unknown · 2 positions and open orders · 3 loops · 4 first look at every gateway.
        """
        interrupted = self.journal.mark_interrupted(_INTERRUPTED)
        self._take_over()
        self.journal.start()
        self.gateways.follow(self.routing.table)
        self.follow_changes()
        self._start_loops()
        await self.gateway_health.first_look(FIRST_LOOK_S)
        self.announcements.started(interrupted, self.resolver.real_count(), self.control.broken)

    async def stop(self) -> None:
        """Stop working and leave everything on disk."""
        self.announcements.stopped()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.events is not None:
            await self.events.flush(FLUSH_S)
        await self.gateways.close()
        await asyncio.to_thread(self.journal.close)
        await asyncio.to_thread(self.incidents.close)
        await asyncio.to_thread(self.logs.stop)

    def follow_changes(self) -> None:
        """Bring clients and gauges in line with the table and what was set by hand."""
        self.gateways.follow(self.routing.table)
        for asset_class in AssetClass:
            state = self.control.trading_state(asset_class)
            self.metrics.trading_state.labels(asset_class.value).set(TRADING_STATE_VALUE[state])
        for feature in self.features.names():
            self.metrics.feature_enabled.labels(feature).set(self.features.enabled(feature))
        self.metrics.show_strategies(self.control.document.strategies)

    async def reload(self) -> None:
        """Take the routing table because a signal says so; the outcome is in the log and the ledger."""
        with contextlib.suppress(Refused):
            await self.tables.reload(Change(reason="SIGHUP", set_by="signal"))

    async def drained(self) -> bool:
        """Take no new orders and wait for those in flight."""
        self.drain.begin()
        return await self.drain.finished(self.flow.running_count, self.settings.drain_deadline_s)

    def _open_what_may_be_broken(self) -> None:
        settings = self.settings
        self.token = settings.token()
        self.addresses = read_addresses(settings.gateways_path)
        self.routing = _read_table(settings, frozenset(self.addresses))
        self.journal = _open_journal(settings)
        self.metrics = Metrics(settings.release)
        self.logs = LogLines(settings, self.metrics.log_lines_lost.inc)
        self.incidents = IncidentLog(settings.incidents_path, settings.name, self.metrics.incidents_failed.inc)
        self.control = ControlState(settings.state_dir / "control.json")

    def _wire_orders(self) -> None:
        positions = self.positions = PositionBook()
        self.features = Features(self.routing, self.control)
        self.gatekeeper = Gatekeeper(self.routing, self.control, positions, self.features)
        self.gateways = Gateways(self.addresses, self.gatekeeper.recheck)
        self.settlement = Settlement(self.journal, positions, self.features)
        self.resolver = Resolver(self.gateways, self.settlement, self.metrics, self.settings.resolve_every_s)
        self.cancels = Cancels(self.journal, self.gateways, self.settlement, self.resolver)
        self.failures = RoutingFailures(self.incidents)
        self.drain = Drain()
        self.flow = OrderFlow(
            release=self.settings.release,
            gatekeeper=self.gatekeeper,
            journal=self.journal,
            gateways=self.gateways,
            settlement=self.settlement,
            resolver=self.resolver,
            metrics=self.metrics,
            failures=self.failures,
            drain=self.drain,
        )

    def _wire_views(self) -> None:
        settings = self.settings
        self.announcements = Announcements(
            settings.name, settings.release, self.incidents, self.routing, self.gatekeeper
        )
        self.gateway_health = GatewayHealth(
            self.addresses, self.routing.rules_of, self.announcements.gateway_changed, settings.gateway_probe_s
        )
        self.health = HealthReport(
            release=settings.release,
            started_at=self.started_at,
            gateways=self.gateway_health,
            control=self.control,
            routing=self.routing,
            journal_error=lambda: self.journal.error,
            storage_error=lambda: self.logs.error or self.incidents.error or self.control.save_error,
            draining=lambda: self.drain.draining,
        )
        self.routing_report = RoutingReport(
            self.routing, self.control, self.gatekeeper, self.features, self.gateway_health
        )
        self.plane = ControlPlane(
            self.control, self.routing, self.incidents, self.follow_changes, begin_drain=self.drain.begin
        )
        self.tables = TableControl(self.routing, self.incidents, self.follow_changes)
        self.events = self._event_sender()
        self.heartbeat = Heartbeat(
            self.health, self.incidents, self.failures, lambda: self.journal.error, self.events, settings.heartbeat_s
        )
        self._wire_gauges()

    def _wire_gauges(self) -> None:
        self.metrics.orders_unknown.set_function(self.resolver.real_count)
        self.metrics.orders_unknown_synthetic.set_function(self.resolver.synthetic_count)
        self.metrics.orders_inflight.set_function(self.flow.running_count)
        for name, vitals in self.gateway_health.vitals.items():
            self.metrics.gateway_up.labels(name).set_function(_up(vitals))
            self.metrics.gateway_latency.labels(name).set_function(_latency_s(vitals))

    def _event_sender(self) -> EventSender | None:
        if self.settings.events_url is None:
            return None
        sender = EventSender(
            str(self.settings.events_url),
            self.settings.name,
            self.metrics.events_lost.inc,
            self.settings.events_login(),
        )
        self.incidents.listener = sender.incident
        return sender

    def _take_over(self) -> None:
        for position in self.journal.positions():
            self.positions.restore(position)
        for row in self.journal.open_orders():
            self.positions.open(row.order, _cum_qty(row))
            if row.status in NOT_PROVEN:
                self.resolver.watch(row)
            self.resolver.follow(row)

    def _vitals(self) -> Vitals:
        counts = self.metrics.orders_by_outcome()
        return Vitals(
            is_serving=self.health.document()["status"] != "error",
            answered_count=sum(counts[status] for status in ANSWERED),
            failed_count=counts["error"],
            routing_hash=self.routing.loaded.hash,
            features={name: self.features.enabled(name) for name in self.features.names()},
        )

    def _start_loops(self) -> None:
        loops = [
            self.gateway_health.run(),
            self.resolver.run(),
            self.heartbeat.run_watch(),
            self.heartbeat.run_events(),
        ]
        if self.events is not None:
            loops.append(self.events.run())
        release = release_folder()
        if release is not None:
            loops.append(TrackRecord(release, self._vitals).run())
        self._tasks = [asyncio.create_task(loop) for loop in loops]


def _read_table(settings: Settings, known_gateways: frozenset[str]) -> RoutingStore:
    try:
        copies = TableCopies(settings.state_dir / "routing", shipped_table())
        return RoutingStore(settings.routing_path, copies, known_gateways)
    except TableRefused as error:
        line = f"ROUTING_TABLE_REFUSED: {settings.routing_path}: {error}; restore a good table and start again"
        raise CannotStart(line, 2) from error


def _open_journal(settings: Settings) -> Journal:
    try:
        return Journal(settings.state_dir / "journal.db", settings.journal_sync, settings.journal_timeout_s)
    except JournalUnavailable as error:
        raise CannotStart(
            f"JOURNAL_UNAVAILABLE: {error}; the service takes no order it cannot write down", 1
        ) from error


def _cum_qty(row: JournaledOrder) -> Decimal:
    execution = {} if row.execution is None else orjson.loads(row.execution)
    return Decimal(execution.get("cum_qty") or 0)


def _up(vitals: GatewayVitals) -> Callable[[], float]:
    return lambda: 1.0 if vitals.up else 0.0


def _latency_s(vitals: GatewayVitals) -> Callable[[], float]:
    return lambda: (vitals.latency_ms or 0.0) / 1000
