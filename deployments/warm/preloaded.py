"""Load what every triage would load late because it is slow. Imported by the fork server, for what its import does."""

import contextlib
from datetime import UTC, datetime

from tasks.clients.calendars import preload_calendars
from tasks.model.errors import RunbookError
from tasks.rules.market_hours import DEFAULT_CALENDARS
from tasks.settings import load_settings


def load(now: datetime) -> None:
    """Load the calendars of the watched services.

    Errors: none; wrong settings are told by the flow that reads them.
    """
    names = set(DEFAULT_CALENDARS.values())
    with contextlib.suppress(RunbookError):
        names |= {name for service in load_settings().services.values() for name in service.calendars.values()}
    preload_calendars(names, now)


load(datetime.now(UTC))
