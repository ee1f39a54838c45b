"""`runbook` alone: what matters in an incident first, each with the next command; read from this host's files only."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from deployments.views.overview import ServiceNow, begin_lines, overview_lines
from tasks.clients.evidence.history import history_path, recall_observations
from tasks.clients.incidents.ledger import read_ledger
from tasks.clients.incidents.mode import current_mode
from tasks.clients.locks.host_lock import holder_of
from tasks.model.errors import RunbookError
from tasks.model.incidents.incident import Ledger
from tasks.rules.incidents.fold import open_incidents
from tasks.rules.remediation.planning.approval_records import waiting_plan
from tasks.settings import RunbookSettings, load_settings

# Whoever types one word in an incident reads the answer at once; what is not read by then is named. Units: seconds.
READ_FOR_S = 0.3
SEEN_WITHIN = timedelta(hours=2)


class Overview(NamedTuple):
    """The lines, and whether any service is configured here; settings that cannot be read are somebody's."""

    lines: list[str]
    is_configured: bool = True


def overview() -> Overview:
    """Say what is open, waits and is in force in each service; what to begin with where none is configured.

    Errors: none; what cannot be read is one line.
    """
    now = datetime.now(UTC)
    try:
        settings = load_settings()
        if not settings.services:
            return Overview(begin_lines(), is_configured=False)
        return Overview(overview_lines(list(_services(settings, now)), len(settings.services), now))
    except RunbookError as error:
        return Overview([str(error)])


def _services(settings: RunbookSettings, now: datetime) -> Iterator[ServiceNow]:
    ends_at_s = time.monotonic() + READ_FOR_S
    for name in settings.services:
        yield _service(settings, name, now)
        if time.monotonic() > ends_at_s:
            return


def _service(settings: RunbookSettings, name: str, now: datetime) -> ServiceNow:
    try:
        ledger, fault = read_ledger(settings.ledger(name), patience_s=0.0), ""
    except RunbookError as error:
        ledger, fault = Ledger(), str(error)
    running = open_incidents(ledger, name)
    plans = {one.incident_id: waiting_plan(ledger.records, one.incident_id, now) for one in running}
    history = recall_observations(history_path(settings, name), now, SEEN_WITHIN)
    return ServiceNow(
        name=name,
        mode=current_mode(settings),
        fault=fault,
        incidents=running,
        waiting={incident_id: plan for incident_id, plan in plans.items() if plan},
        acting=holder_of(settings.state_dir, name) or "",
        last=history[-1] if history else None,
    )
