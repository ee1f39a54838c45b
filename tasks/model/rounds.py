"""A round: one look at every service of a host, and who goes down the whole page for those that need it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, Field

from tasks.model.diagnosis import Finding, Status
from tasks.model.evidence import AlertSeen, TriageRequest
from tasks.model.past_looks import PastLook
from tasks.model.values import Value


class RoundRequest(Value):
    """What a run is asked to look at: `asked` as for one service, whose name is filled in for each.

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
    """What one look says of a service: nothing to do, a triage to make, or that we could not look.

    *Restricted* has nothing to do either, and is not well: somebody holds its trading back.
    """

    WELL = "well"
    RESTRICTED = "restricted"
    NEEDS_TRIAGE = "needs a triage"
    BLIND = "could not look"


class ServiceSeen(Value):
    """What one look at one service came to. A cause named here is seen once, and confirmed by nothing.

    Units: `waited_s` from the start of the round to the start of the look, `took_s` from there to its end.
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
    past: PastLook | None = None


class RoundLooks(Value):
    """All services once, in the order of the settings; and what this host has left to be told.

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


class RoundStory(Value):
    """Everything that one round has to tell."""

    request: RoundRequest
    looks: RoundLooks
    triages: tuple[OwnTriage, ...] = ()
