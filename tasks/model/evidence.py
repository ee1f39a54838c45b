"""Everything seen in one triage: frozen, stored, and enough to name the cause again."""

from pydantic import AwareDatetime

from tasks.model.incident import AlertType, IncidentState
from tasks.model.looks import Observation
from tasks.model.modes import Mode
from tasks.model.orders import AssetClass
from tasks.model.values import Value


class TriageRequest(Value):
    """What started the run: a schedule without an alert, or a person's form."""

    service: str
    alert: AlertType | None = None
    asset_class: AssetClass | None = None
    note: str = ""
    mode: Mode | None = None


class Context(Value):
    """§1.1: which alert, since when, what is open already, and how far this run may go."""

    request: TriageRequest
    looked_at: AwareDatetime
    mode: Mode
    late_s: float
    alert: str | None = None
    began_at: AwareDatetime | None = None
    recent_count: int = 0
    ledger_skipped_count: int = 0
    ledger_detail: str = ""
    open_incidents: tuple[IncidentState, ...] = ()
    run_url: str | None = None


class Evidence(Value):
    """The context and every round of looks, oldest first."""

    context: Context
    observations: tuple[Observation, ...]

    @property
    def latest(self) -> Observation:
        """The last round of looks."""
        return self.observations[-1]
