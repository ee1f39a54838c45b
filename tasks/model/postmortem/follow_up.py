"""A follow-up of an incident: who owns it, until when, and what became of it."""

from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, Field

from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.setting_types import SecretUrl
from tasks.model.values import Value

ID_PATTERN = r"FU-[0-9a-f]{8}"


class DefaultOwner(StrEnum):
    """Who owns a new follow-up: whoever acknowledged the incident, or the role of its tier."""

    ACKNOWLEDGED = "acknowledged"
    TIER = "tier"


class FollowUpSettings(Value):
    """Defaults of a new follow-up, and where it is handed to. Units: days and seconds."""

    owner: DefaultOwner = DefaultOwner.ACKNOWLEDGED
    due_days: int = Field(default=14, ge=1, le=365)
    webhook_url: SecretUrl | None = None
    timeout_s: float = Field(default=3.0, gt=0, le=10)


class FollowUp(Value):
    """One thing to do after an incident; `tier` is reminded where it is overdue.

    `line` is how the postmortem had it last, so that what a person changed there is known; `edited` says that somebody
    changed it. `dropped` is one that a person struck out. `reminded_on` is the last day that its tier was reminded of
    it. `handed_at` is when the ticket system took it, `tried_at` and `fault` the last attempt that it did not take.
    """

    follow_up_id: str = Field(pattern=rf"^{ID_PATTERN}$")
    incident_id: str
    service: str
    tier: Audience
    owner: str = Field(min_length=1, max_length=200)
    due: date
    what: str
    why: str = ""
    created_at: AwareDatetime
    done_at: AwareDatetime | None = None
    done_by: str = ""
    dropped: bool = False
    edited: bool = False
    line: str = ""
    reminded_on: date | None = None
    handed_at: AwareDatetime | None = None
    tried_at: AwareDatetime | None = None
    fault: str = ""

    @property
    def is_open(self) -> bool:
        return self.done_at is None and not self.dropped

    @property
    def state(self) -> str:
        return "dropped" if self.dropped else "done" if self.done_at else "open"

    def is_overdue(self, today: date) -> bool:
        """Say whether its date has passed; on the day itself there is still time."""
        return self.is_open and self.due < today


class FollowUps(Value):
    """All follow-ups of one incident, as one file keeps them."""

    version: Literal[1] = 1
    incident_id: str
    service: str
    items: tuple[FollowUp, ...] = ()
