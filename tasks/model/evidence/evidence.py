"""Everything seen in one triage: frozen, stored, and enough to name the cause again."""

from datetime import datetime

from pydantic import AwareDatetime

from tasks.model.checks.checks import Check
from tasks.model.diagnosis.changes import Change, GatewayTransition, ProcessRun
from tasks.model.diagnosis.limits import DiagnosisLimits
from tasks.model.incidents.incident import AlertType, IncidentState
from tasks.model.incidents.maintenance import Maintenance
from tasks.model.incidents.modes import Mode
from tasks.model.market.market import MarketHours
from tasks.model.probes.history import PastObservation
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import HealthProbe, Observation
from tasks.model.values import Value


class AlertSeen(Value):
    """One firing alert in the runbook's words; what the payload does not say is left open."""

    name: str
    began_at: AwareDatetime | None = None
    asset_class: AssetClass | None = None
    summary: str = ""


class TriageRequest(Value):
    """What started the run: a schedule without an alert, or a person's form."""

    service: str
    alert: AlertType | None = None
    asset_class: AssetClass | None = None
    note: str = ""
    mode: Mode | None = None
    seen: AlertSeen | None = None


class KnownGateway(Value):
    """A gateway as the settings name it, with the asset classes that it takes."""

    name: str
    asset_classes: tuple[AssetClass, ...] = ()


class Context(Value):
    """§1.1: which alert, since when, what is open already, what changed lately, and how far this run may go.

    `history` are the runs before, oldest first; `limits` those that were in force, so that a replay judges alike.
    `start_failure` is what the service's last start wrote when it was refused, with no start and no new table since.
    `unsent_count` is what earlier runs left to send.
    `planned` are the planned windows that are open, also those of some gateways or classes alone.
    `checks` are the accepted ones, which name no cause; `unwritten_incidents` are over, and have no postmortem yet.
    `follow_ups_due` says that follow-ups may be overdue, or are to be handed over.
    """

    request: TriageRequest
    looked_at: AwareDatetime
    mode: Mode
    late_s: float
    alert: str | None = None
    began_at: AwareDatetime | None = None
    recent_count: int = 0
    recent_is_least: bool = False
    ledger_skipped_count: int = 0
    ledger_detail: str = ""
    open_incidents: tuple[IncidentState, ...] = ()
    run_url: str | None = None
    changes: tuple[Change, ...] = ()
    lives: tuple[ProcessRun, ...] = ()
    gateway_turns: tuple[GatewayTransition, ...] = ()
    known_gateways: tuple[KnownGateway, ...] = ()
    known_classes: tuple[AssetClass, ...] = ()
    known_instances: tuple[str, ...] = ()
    history: tuple[PastObservation, ...] = ()
    limits: DiagnosisLimits = DiagnosisLimits()
    start_failure: str = ""
    maintenance: Maintenance | None = None
    planned: tuple[Maintenance, ...] = ()
    desk_time_zone: str = "UTC"
    desk_every_s: float = 0.0
    untold_recoveries: tuple[str, ...] = ()
    unsent_count: int = 0
    checks: tuple[Check, ...] = ()
    checks_detail: str = ""
    unwritten_incidents: tuple[str, ...] = ()
    follow_ups_due: bool = False


class Evidence(Value):
    """The context and every pass of checks, oldest first; the markets only where something is wrong."""

    context: Context
    observations: tuple[Observation, ...]
    markets: tuple[MarketHours, ...] = ()

    @property
    def latest(self) -> Observation:
        """The last pass of checks."""
        return self.observations[-1]

    @property
    def checked_before(self) -> tuple[HealthProbe, ...]:
        """The failed checks of health that the hang watch made before this triage."""
        return self.observations[0].checked_before

    @property
    def checked_since(self) -> datetime:
        """When the first check that counts was made: by this triage, or by the hang watch before it."""
        return self.checked_before[0].looked_at if self.checked_before else self.observations[0].looked_at

    @property
    def limits(self) -> DiagnosisLimits:
        """The limits that were in force."""
        return self.context.limits
