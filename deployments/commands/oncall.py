"""`runbook oncall`: who is on call, by tier; until when, who is next, and the gaps ahead."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, NamedTuple

from cyclopts import Parameter, validators

from deployments.commands.answer import FAILED, OK, Answer, end_with
from deployments.commands.options import JsonOutput
from tasks.clients.people.calendar_refresh import refresh_calendars
from tasks.clients.people.on_call import roster_between
from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.errors import Code, RunbookError
from tasks.model.people.rota import Gap, Roster, Shift
from tasks.rules.formats.time import duration_text, parse_time, utc_text
from tasks.rules.messages.on_call import clock_text, name_of
from tasks.rules.people.rota import next_shift, shift_at
from tasks.rules.people.rota_gaps import gaps_ahead
from tasks.settings import RunbookSettings, load_settings

# Whoever asks twice in a minute waits for the calendars once.
READ_AGAIN_AFTER = timedelta(minutes=1)
At = Annotated[str | None, Parameter(name="--at", help="When: 2026-12-24T18:00Z; default now.")]
Days = Annotated[int, Parameter(help="How far to look for gaps.", validator=validators.Number(gte=1, lte=60))]


class _Standing(NamedTuple):
    tier: Audience
    roster: Roster
    shift: Shift | None
    next: Shift | None
    gaps: tuple[Gap, ...]


def oncall(*, at: At = None, days: Days = 7, json_output: JsonOutput = False) -> None:
    """Show who is on call for each tier. Exit 1 where a tier with a rota has nobody at that time."""
    settings, now = load_settings(), datetime.now(UTC)
    when = _asked(at, now)
    if not settings.on_call.rotas:
        raise RunbookError(
            Code.NOT_CONFIGURED, "expected a rota was none; describe one in [on_call.tier_1] of runbook.toml"
        )
    refresh_calendars(settings, now, READ_AGAIN_AFTER)
    found = [_standing(settings, tier, when, timedelta(days=days)) for tier in settings.on_call.rotas]
    document = {"at": utc_text(when), "tiers": [_as_json(settings, one) for one in found]}
    lines = [line for one in found for line in _lines(settings, one, when, now)]
    missing = any(one.shift is None for one in found)
    end_with(Answer(document, lines, FAILED if missing else OK), json_output=json_output)


def _asked(at: str | None, now: datetime) -> datetime:
    moment = parse_time(at) if at is not None else now
    if moment is None:
        raise RunbookError(Code.BAD_ARGUMENT, f"expected a time like 2026-12-24T18:00Z, found {at!r:.60}; correct --at")
    return moment


def _standing(settings: RunbookSettings, tier: Audience, when: datetime, ahead: timedelta) -> _Standing:
    # Who is next may stand beyond the days that are shown.
    ahead_of_next = max(ahead, 2 * settings.on_call.rotas[tier].horizon)
    roster = roster_between(settings, tier, when, when + ahead_of_next)
    assert roster is not None  # noqa: S101 - only the tiers that have a rota are asked for
    gaps = gaps_ahead(roster, when, when + ahead)
    return _Standing(tier, roster, shift_at(roster, when), next_shift(roster, when), gaps)


def _as_json(settings: RunbookSettings, one: _Standing) -> dict[str, Any]:
    return {
        "tier": one.tier.value,
        "now": _shift_json(settings, one.shift),
        "next": _shift_json(settings, one.next),
        "gaps": [{"starts": utc_text(gap.starts), "ends": utc_text(gap.ends)} for gap in one.gaps],
        "calendar_read_at": utc_text(one.roster.as_of) if one.roster.as_of else None,
        "fault": one.roster.fault or None,
    }


def _shift_json(settings: RunbookSettings, shift: Shift | None) -> dict[str, Any] | None:
    if shift is None:
        return None
    times = {"starts": utc_text(shift.starts), "ends": utc_text(shift.ends)}
    return {"person": shift.person, "name": name_of(settings.people, shift.person), **times}


def _lines(settings: RunbookSettings, one: _Standing, when: datetime, now: datetime) -> Iterator[str]:
    tier, shift, after = one.tier.value.replace("_", " ").capitalize(), one.shift, one.next
    is_at = f"{name_of(settings.people, shift.person)} until {clock_text(shift.ends, when)}" if shift else "NOBODY"
    then = f", then {name_of(settings.people, after.person)}" if after else ""
    begins = f" from {clock_text(after.starts, when)}" if after and not (shift and shift.ends == after.starts) else ""
    yield f"{tier}: {is_at}{then}{begins}."
    for gap in one.gaps:
        yield f"  Gap: nobody from {clock_text(gap.starts, when)} until {clock_text(gap.ends, when)}."
    if one.roster.fault:
        yield f"  Calendar: {one.roster.fault}."
    if one.roster.as_of:
        yield f"  Calendar read {duration_text((now - one.roster.as_of).total_seconds())} ago."
