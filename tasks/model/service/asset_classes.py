"""How an asset class of a service is described: which calendar it trades by, and what differs from it."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

from tasks.model.probes.orders import AssetClass
from tasks.model.setting_types import Table


def _two_times(value: object) -> object:
    return tuple(value.split("/")) if isinstance(value, str) else value


def _forward(interval: tuple[AwareDatetime, AwareDatetime]) -> tuple[AwareDatetime, AwareDatetime]:
    if interval[0] >= interval[1]:
        raise ValueError("an interval that ends after it begins is expected, as 2026-02-01T03:45Z/2026-02-01T10:00Z")
    return interval


Interval = Annotated[tuple[AwareDatetime, AwareDatetime], BeforeValidator(_two_times), AfterValidator(_forward)]


class ClassSettings(Table):
    """One asset class. Without a calendar it has the usual one of its name; most names have none."""

    calendar: str | None = Field(default=None, min_length=1)
    extra_holidays: frozenset[date] = frozenset()
    extra_sessions: tuple[Interval, ...] = ()


def calendar_fault(described: Mapping[AssetClass, ClassSettings], calendars: Mapping[AssetClass, str]) -> str | None:
    """Say which class has its calendar written twice: nobody guesses which of them holds."""
    twice = next((name for name, one in described.items() if one.calendar and name in calendars), None)
    return f"expected one calendar of {twice} was two; take {twice} out of `calendars`" if twice else None
