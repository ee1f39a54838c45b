"""Say so where the time that a person sets would end by a clock that is off, before it is set."""

from datetime import datetime

from deployments.prefect_api.client import any_door
from deployments.stack.local_http import date_of
from deployments.views.words import complain
from tasks.clients.incidents.ledger import read_ledger
from tasks.model.errors import RunbookError
from tasks.model.incidents.incident import Source
from tasks.rules.probes.clock_skew import LEDGER, clock_doubt
from tasks.settings import RunbookSettings

PREFECT = "Prefect's server"


def warn_of_clock(settings: RunbookSettings, services: list[str], now: datetime) -> None:
    """Compare our clock with the newest line of the ledgers and with Prefect's server; one line where it is off.

    Errors: none; who cannot be asked says nothing against it.
    """
    newest = max(filter(None, (_newest(settings, one) for one in services)), default=None)
    if doubt := clock_doubt(now, {LEDGER: newest, PREFECT: _told_by_prefect()}):
        complain(doubt)


def _newest(settings: RunbookSettings, service: str) -> datetime | None:
    try:
        records = read_ledger(settings.ledger(service)).records
    except RunbookError:
        return None
    # The service may be on another machine, with a clock of its own.
    return max((one.timestamp for one in records if one.source is not Source.ORDER_SERVICE), default=None)


def _told_by_prefect() -> datetime | None:
    try:
        door = any_door()
    except RunbookError:
        return None
    return date_of(f"{door.url}/health") if door else None
