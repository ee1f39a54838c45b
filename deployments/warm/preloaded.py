"""Load what every triage would load late because it is slow. Imported by the fork server, for what its import does."""

import contextlib
from datetime import UTC, datetime
from functools import partial

from deployments.stack.forked import from_copy
from tasks.clients.market.calendars import calendars_around, keep_calendars
from tasks.clients.service.access import tls_of
from tasks.model.errors import RunbookError
from tasks.rules.market.hours import DEFAULT_CALENDARS
from tasks.settings import load_settings


def load(now: datetime) -> None:
    """Load the calendars of the watched services, and whom their TLS trusts.

    Errors: none; wrong settings are told by the flow that reads them.
    """
    names = set(DEFAULT_CALENDARS.values())
    with contextlib.suppress(RunbookError):
        for service in load_settings().services.values():
            names |= {
                *service.calendars.values(),
                *(one.calendar for one in service.asset_classes.values() if one.calendar),
            }
            # What cannot be loaded is told by the check that needs it.
            with contextlib.suppress(RunbookError):
                tls_of(service.http)
    keep_calendars(from_copy(partial(calendars_around, names, now)))


load(datetime.now(UTC))
