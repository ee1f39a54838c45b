"""A sweep: one pass over every service of a host, and the triages of those that need one."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, Field

from tasks.model.diagnosis.diagnosis import Finding, Status
from tasks.model.evidence.evidence import AlertSeen, TriageRequest
from tasks.model.probes.history import PastObservation
from tasks.model.values import Value


class SweepRequest(Value):
    """What a run is asked to check: `asked` as for one service, whose name is filled in for each.

    `payload` is the alert as it was sent, for the runs that go on from here; `seen` is what it says of each service.
    """

    services: tuple[str, ...]
    asked: TriageRequest
    payload: dict[str, Any] | None = None
    seen: dict[str, AlertSeen | None] = Field(default_factory=dict)

    def of(self, service: str) -> TriageRequest:
        """Ask the same of one service."""
        return self.asked.model_copy(update={"service": service, "seen": self.seen.get(service, self.asked.seen)})

    def parameters(self, service: str) -> dict[str, Any]:
        """Ask the same of one service in a run of its own; what is not asked is left out: a form knows no none."""
        asked = self.asked.model_dump(mode="json", include={"alert", "asset_class", "note", "mode"})
        given = {"service": service, **asked, "payload": self.payload}
        return {name: value for name, value in given.items() if value is not None}


class Standing(StrEnum):
    """What one pass says of a service: nothing to do, a triage to start, or that it could not be checked.

    *Restricted* has nothing to do either, and is not healthy: somebody holds its trading back.
    """

    HEALTHY = "healthy"
    RESTRICTED = "restricted"
    NEEDS_TRIAGE = "needs a triage"
    BLIND = "could not check"


class ServiceSeen(Value):
    """What one pass over one service found. A cause named here was seen once and is not confirmed.

    Units: `waited_s` from the start of the sweep to the start of the check, `took_s` from there to its end.
    """

    service: str
    standing: Standing
    because: str
    looked_at: AwareDatetime
    status: Status | None = None
    findings: tuple[Finding, ...] = ()
    error_lines_count: int = 0
    notes: tuple[str, ...] = ()
    waited_s: float = 0.0
    took_s: float = 0.0
    past: PastObservation | None = None


class SweepObservations(Value):
    """All services once, in the order of the settings; and what this host has left to send.

    `late` where the run began too long after its time for anything to be done (safety rule 11).
    """

    services: tuple[ServiceSeen, ...]
    unsent_count: int = 0
    late: bool = False


class Start(StrEnum):
    """What became of the triage that one service needs."""

    STARTED = "started"
    AT_WORK = "at work"
    WAITS = "waits"
    HERE = "in this run"


class OwnTriage(Value):
    """The triage of one service: in a run of its own where somebody runs it, else in this one."""

    service: str
    start: Start
    detail: str = ""
    run_url: str | None = None


class TriageUnderWay(Value):
    """A run that works on one service now."""

    service: str
    run_url: str | None = None
    since: datetime | None = None
    waits_for_a_person: bool = False


class SweepRecord(Value):
    """Everything that one sweep reports."""

    request: SweepRequest
    observations: SweepObservations
    triages: tuple[OwnTriage, ...] = ()
