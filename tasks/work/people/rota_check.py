"""Check the rotas now and then: read what has changed of their calendars, and find the gaps that are to be reported."""

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from tasks.clients.incidents.ledger import append, read_ledger
from tasks.clients.incidents.mode import current_mode
from tasks.clients.people.calendar_refresh import refresh_calendars
from tasks.clients.people.kept_calendar import FOLDER
from tasks.clients.people.on_call import roster_between
from tasks.model.messages.messages import Message
from tasks.rules.people.rota_gaps import AHEAD, BACK, due_gaps, gap_messages, gap_record
from tasks.settings import RunbookSettings

EVERY_S = 900.0


def check_rota(settings: RunbookSettings, now: datetime, send: Callable[[str, Message], bool]) -> int:
    """Report each gap of a rota once, and say how many were; at most every quarter of an hour, in one process.

    Errors: `LEDGER_UNREADABLE`, `LEDGER_UNWRITABLE`: a gap that could not be recorded is reported again.
    Steps: it is queued before it is recorded, so that a crash in between loses none; its key tells a second one.
    """
    rotas = settings.on_call.rotas
    if not rotas or not settings.services or not _is_due(settings):
        return 0
    refresh_calendars(settings, now)
    service = next(iter(settings.services))
    place = settings.ledger(service)
    rosters = {tier: roster_between(settings, tier, now - BACK, now + AHEAD) for tier in rotas}
    known = {tier: roster for tier, roster in rosters.items() if roster is not None}
    gaps = due_gaps(known, read_ledger(place).records, now)
    for found in gaps:
        for message in gap_messages(found, current_mode(settings), now):
            send(service, message)
        append(place, [gap_record(found, service, now)])
    return len(gaps)


def _is_due(settings: RunbookSettings) -> bool:
    """Say whether the last check is long ago, or a calendar has changed since; from now on it is not."""
    stamp = settings.state_dir / FOLDER / "checked"
    checked_s, now_s = _changed_s(stamp), time.time()
    files = (one.calendar_file for one in settings.on_call.rotas.values() if one.calendar_file)
    is_new = any(_changed_s(path) > checked_s for path in files)
    if not is_new and 0 <= now_s - checked_s < EVERY_S:
        return False
    stamp.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    stamp.touch()
    return True


def _changed_s(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
