"""The last hour of one service as a chart draws it: what each triage saw, and when releases changed."""

from datetime import datetime, timedelta
from typing import Self

from pydantic import AwareDatetime, Field, model_validator

from tasks.model.probes.probes import OrderOutcome, Seen
from tasks.model.values import Value

HOUR = timedelta(hours=1)


class ChartPoint(Value):
    """What one pass of checks saw: the probe, what became of its orders, and the errors since the last one."""

    at: AwareDatetime
    health: Seen
    orders: dict[OrderOutcome, int] = Field(default_factory=dict)
    errors_count: int = Field(default=0, ge=0)


class ReleaseMark(Value):
    """A change that may explain what came after it: a release, a feature, a routing table."""

    at: AwareDatetime
    label: str


class Chart(Value):
    """Points and marks between two times; what lies outside is not drawn."""

    service: str
    since: AwareDatetime
    until: AwareDatetime
    points: tuple[ChartPoint, ...] = ()
    releases: tuple[ReleaseMark, ...] = ()

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        if self.until <= self.since:
            raise ValueError("expected since < until")
        return self

    @classmethod
    def last_hour(
        cls, service: str, until: datetime, points: tuple[ChartPoint, ...], releases: tuple[ReleaseMark, ...] = ()
    ) -> Self:
        """Draw the hour before a time."""
        return cls(service=service, since=until - HOUR, until=until, points=points, releases=releases)

    def part(self, at: datetime) -> float | None:
        """Say where a time lies, from 0 at `since` to 1 at `until`; None outside."""
        part = (at - self.since) / (self.until - self.since)
        return part if 0 <= part <= 1 else None
