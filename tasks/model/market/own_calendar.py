"""A market's hours as a person writes them into the settings (`[calendars.NAME]`)."""

from datetime import date, time
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from tasks.model.setting_types import TimeZone

Window = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$")]


class OwnCalendar(BaseModel):
    """Sessions and holidays of one's own; with `base` only what differs from that calendar.

    Units: `sessions` are local times of day, and one that ends before it begins opens on the evening before;
    `weekdays` count Monday as 0; `half_days` say when such a day closes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: str | None = None
    time_zone: TimeZone = "UTC"
    sessions: tuple[Window, ...] = ()
    weekdays: frozenset[Annotated[int, Field(ge=0, le=6)]] = frozenset(range(5))
    holidays: frozenset[date] = frozenset()
    half_days: dict[date, time] = Field(default_factory=dict)
    extra_days: frozenset[date] = frozenset()


def hand_calendars_on(cls: type[BaseModel], values: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001 - a validator's form
    """Hand the calendars of all services to each, beside those that are its alone."""
    services, shared = values.get("services"), values.get("calendars")
    if not isinstance(services, dict) or not isinstance(shared, dict):
        return values
    handed = {
        name: {**one, "own_calendars": {**shared, **one.get("own_calendars", {})}} if isinstance(one, dict) else one
        for name, one in services.items()
    }
    return {**values, "services": handed}
