"""Read the calendars of the rotas again where that is due, and keep what they say; a broken one takes nothing away."""

import asyncio
import hashlib
from datetime import datetime, timedelta
from typing import NamedTuple

from tasks.clients.files.regular_file import read_regular
from tasks.clients.messages.deadline import within
from tasks.clients.people.calendar_reader import read_calendar
from tasks.clients.people.kept_calendar import keep, read_kept
from tasks.clients.service.http import Call, exchange, http_client
from tasks.model.people.rota import KeptCalendar, RotaSettings
from tasks.model.probes.probes import Fault
from tasks.model.service.http_settings import HttpSettings
from tasks.rules.people.calendar_shifts import shifts_named
from tasks.settings import RunbookSettings

# The time that is kept: a page may be read late, and a calendar that is away is missed for weeks by nobody.
BACK, AHEAD = timedelta(days=8), timedelta(days=62)
LIMIT_BYTES = 2 * 1_048_576
FETCH_S, CONNECT_S = 5.0, 2.0


class _Text(NamedTuple):
    """The text of a calendar, or why there is none."""

    text: str
    fault: str = ""


def refresh_calendars(settings: RunbookSettings, now: datetime, older: timedelta = timedelta()) -> None:
    """Read every calendar of a rota that was asked for that long ago, or never.

    Errors: none; what cannot be read stays as it was kept, with why. `SINK_UNWRITABLE` where it cannot be kept.
    """
    for tier, rota in settings.on_call.rotas.items():
        if not rota.has_calendar:
            continue
        before = read_kept(settings, tier)
        known = before if before and before.source == _source(rota) else None
        if known is None or not now - older < known.asked_at <= now:
            keep(settings, tier, _read(settings, rota, known, now))


def _read(settings: RunbookSettings, rota: RotaSettings, known: KeptCalendar | None, now: datetime) -> KeptCalendar:
    found = _fetched(rota)
    fresh = KeptCalendar(source=_source(rota), asked_at=now, read_at=now, starts=now - BACK, ends=now + AHEAD)
    if found.fault:
        return _still(known, fresh, found.fault)
    read = read_calendar(found.text, fresh.starts, fresh.ends)
    if read.fault and not read.events:
        return _still(known, fresh, read.fault)
    named = shifts_named(read, rota, settings.people)
    return fresh.model_copy(update={"shifts": named.shifts, "fault": named.fault})


def _still(known: KeptCalendar | None, fresh: KeptCalendar, fault: str) -> KeptCalendar:
    """Go on with what was read before, and say why it is old."""
    return (known or fresh.model_copy(update={"read_at": None})).model_copy(
        update={"asked_at": fresh.asked_at, "fault": fault}
    )


def _source(rota: RotaSettings) -> str:
    """Tell one calendar from another; the address is a secret and stands in no file."""
    where = rota.calendar_url.get_secret_value() if rota.calendar_url else str(rota.calendar_file)
    return hashlib.sha256(where.encode()).hexdigest()[:16]


def _fetched(rota: RotaSettings) -> _Text:
    if rota.calendar_url is not None:
        return _answer(rota.calendar_url.get_secret_value())
    assert rota.calendar_file is not None  # noqa: S101 - the settings name one of both
    try:
        content = read_regular(rota.calendar_file, LIMIT_BYTES + 1)
    except OSError as error:
        return _Text("", f"{rota.calendar_file}: {error.strerror or 'cannot be read'}")
    return _bounded(content)


def _answer(url: str) -> _Text:
    """Ask in a thread of its own: whoever reads a calendar may be in an event loop already."""
    try:
        return within(FETCH_S + CONNECT_S, lambda: asyncio.run(_asked(url)))
    except TimeoutError:
        return _Text("", "its address gives no answer in time")


async def _asked(url: str) -> _Text:
    async with http_client(HttpSettings(), CONNECT_S) as client:
        got = await exchange(client, Call("GET", url, FETCH_S, body_limit_bytes=LIMIT_BYTES))
    if got.fault is not Fault.NONE:
        return _Text("", f"its address gives no answer that can be read ({got.fault.value.replace('_', ' ')})")
    if got.http_status != 200:
        return _Text("", f"its address answers {got.http_status}")
    return _bounded(got.body.encode())


def _bounded(content: bytes) -> _Text:
    if len(content) > LIMIT_BYTES:
        return _Text("", f"it is larger than {LIMIT_BYTES // 1_048_576} MiB")
    return _Text(content.decode("utf-8", errors="replace"))
