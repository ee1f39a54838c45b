"""A page that is due: to whom, why now, and the numbers that decided."""

from enum import StrEnum

from pydantic import AwareDatetime, Field

from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.incidents.modes import Mode
from tasks.model.market.market import MarketHours
from tasks.model.values import Value


class PageReason(StrEnum):
    """Why a tier is paged now."""

    NOT_TOLD = "not_told"
    NOT_ACKNOWLEDGED = "not_acknowledged"
    ACKNOWLEDGEMENT_OVER = "acknowledgement_over"
    NEXT_TIER = "next_tier"
    UNDELIVERED = "undelivered"
    EXHAUSTED = "exhausted"


class PageClock(Value):
    """The time as the timers of an incident see it. Units: `every_s` is the time between two pages now, in seconds.

    `quiet_until` is when a maintenance window ended last; `acting` says that somebody acts on the service now;
    `queued_at` are the keys of messages that have been sent and have not arrived, with since when.
    """

    now: AwareDatetime
    every_s: float
    quiet_until: AwareDatetime | None = None
    acting: bool = False
    queued_at: dict[str, AwareDatetime] = Field(default_factory=dict)


class MarketClock(Value):
    """The hours of the affected markets now, and a little while ago, which tells whether one has just opened."""

    now: tuple[MarketHours, ...] = ()
    before: tuple[MarketHours, ...] = ()


class Page(Value):
    """One page. `about` completes its key; `from_tier` waited before it. Units: `waited_s` in seconds."""

    audience: Audience
    reason: PageReason
    about: str
    waited_s: float
    from_tier: Audience


class PageWords(Value):
    """What every page names: how far the automation may go, and the desk's clock."""

    mode: Mode
    time_zone: str = "UTC"
