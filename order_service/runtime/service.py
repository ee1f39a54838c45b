"""One running service: how its parts are put together, begun and ended. Nothing is decided here."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import orjson

from order_service.api.contract import TRADING_STATE_VALUE, AssetClass
from order_service.control.plane import Change, ControlPlane
from order_service.control.state import ControlState
from order_service.control.tables import TableControl
from order_service.gateways.health import GatewayHealth, GatewayVitals
from order_service.gateways.pool import Gateways, read_addresses
from order_service.journal.journal import Journal
from order_service.journal.rows import JournaledOrder, JournalUnavailable
from order_service.orders.answers import error_json
from order_service.orders.flow import OrderFlow
from order_service.orders.order import ANSWERED, NOT_PROVEN
from order_service.orders.outcome_recorder import OutcomeRecorder
from order_service.orders.positions import PositionBook
from order_service.orders.pre_trade_checks import Features, PreTradeChecks
from order_service.orders.reconciler import Cancels, Reconciler
from order_service.routing.report import RoutingReport
from order_service.routing.table import TableRefused
from order_service.routing.table_store import RoutingStore, TableCopies
from order_service.runtime.clock import rfc3339, utc_now
from order_service.runtime.codes import CannotStart, Code, Refused
from order_service.runtime.settings import Settings
from order_service.telemetry.announcements import Announcements, Heartbeat
from order_service.telemetry.events import EventSender
from order_service.telemetry.health_report import HealthReport
from order_service.telemetry.incidents import IncidentLog
from order_service.telemetry.log_lines import LogLines
from order_service.telemetry.metrics import Metrics
from order_service.telemetry.routing_failures import RoutingFailures
from order_service.telemetry.track_record import TrackRecord, Vitals

log = logging.getLogger(__name__)

FIRST_PROBES_S = 1.5
FLUSH_S = 1.0
_PACKAGE = Path(__file__).resolve().parents[1]
_INTERRUPTED = error_json(
    Code.SERVICE_STOPPED_IN_FLIGHT, "the service stopped while the order was out; the gateway is being asked"
)


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

        Steps: 1 in flight becomes unknown · 2 positions and open orders · 3 loops · 4 first probe of every gateway.
        """
        interrupted = self.journal.mark_interrupted(_INTERRUPTED)
        self._take_over()
        self.journal.start()
        self.gateways.follow(self.routing.table)
        self.follow_changes()
        self._start_loops()
        await self.gateway_health.first_probes(FIRST_PROBES_S)
        self.announcements.started(interrupted, self.reconciler.real_count(), self.control.broken)

    async def stop(self) -> None:
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
        """Bring clients and gauges in line with the table and what people have set."""
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
        return await self.flow.drained(self.settings.drain_deadline_s)

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
        self.checks = PreTradeChecks(self.routing, self.control, positions, self.features)
        self.gateways = Gateways(self.addresses, self.checks.recheck)
        self.recorder = OutcomeRecorder(self.journal, positions, self.features)
        self.reconciler = Reconciler(self.gateways, self.recorder, self.metrics, self.settings.resolve_every_s)
        self.cancels = Cancels(self.journal, self.gateways, self.recorder, self.reconciler)
        self.failures = RoutingFailures(self.incidents)
        self.flow = OrderFlow(
            release=self.settings.release,
            checks=self.checks,
            journal=self.journal,
            gateways=self.gateways,
            recorder=self.recorder,
            reconciler=self.reconciler,
            metrics=self.metrics,
            failures=self.failures,
        )

    def _wire_views(self) -> None:
        settings = self.settings
        self.announcements = Announcements(settings.name, settings.release, self.incidents, self.routing, self.checks)
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
            draining=lambda: self.flow.draining,
        )
        self.routing_report = RoutingReport(self.routing, self.control, self.checks, self.features, self.gateway_health)
        self.plane = ControlPlane(
            self.control, self.routing, self.incidents, self.follow_changes, begin_drain=self.flow.begin_drain
        )
        self.tables = TableControl(self.routing, self.incidents, self.follow_changes)
        self.events = self._event_sender()
        self.heartbeat = Heartbeat(
            self.health, self.incidents, self.failures, lambda: self.journal.error, self.events, settings.heartbeat_s
        )
        self._wire_gauges()

    def _wire_gauges(self) -> None:
        self.metrics.orders_unknown.set_function(self.reconciler.real_count)
        self.metrics.orders_unknown_synthetic.set_function(self.reconciler.synthetic_count)
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
                self.reconciler.watch(row)
            self.reconciler.follow(row)

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
            self.reconciler.run(),
            self.heartbeat.run_watch(),
            self.heartbeat.run_events(),
        ]
        if self.events is not None:
            loops.append(self.events.run())
        release = release_folder()
        if release is not None:
            loops.append(TrackRecord(release, self._vitals).run())
        self._tasks = [asyncio.create_task(loop) for loop in loops]


def release_folder(package: Path = _PACKAGE) -> Path | None:
    """Give the folder of the release that this code runs from; none for code that was never released."""
    release = package.parent.parent
    is_released = package.parent.name == "code" and (release / "manifest.json").is_file()
    return release if is_released else None


def shipped_table(package: Path = _PACKAGE) -> Path:
    return (release_folder(package) or package) / "config" / "routing.toml"


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
