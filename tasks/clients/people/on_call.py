"""Who is on call now: by the rotation of the settings, or by what was kept of a calendar; nothing is fetched here."""

from datetime import datetime, timedelta

from tasks.clients.people.kept_calendar import read_kept
from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.messages.delivery import Route
from tasks.model.people.person import Person
from tasks.model.people.rota import Roster, RotaSettings
from tasks.rules.messages.on_call import on_call_words
from tasks.rules.messages.routes import routes_to
from tasks.rules.people.rota import roster_of, rotation_roster, shift_at
from tasks.settings import RunbookSettings

# Whom a page calls is asked for this moment alone.
A_MOMENT = timedelta(minutes=1)
NOT_READ = "the calendar has not been read yet; `runbook oncall` reads it"


def roster_between(settings: RunbookSettings, tier: Audience, starts: datetime, ends: datetime) -> Roster | None:
    """Lay out who is on call between two moments; None where the tier has no rota.

    Errors: none; a calendar that could not be read is a fault in the roster, and its overrides count all the same.
    """
    rota = settings.on_call.rotas.get(tier)
    if rota is None:
        return None
    return (
        _by_calendar(settings, tier, rota, starts, ends) if rota.has_calendar else rotation_roster(rota, starts, ends)
    )


def _by_calendar(
    settings: RunbookSettings, tier: Audience, rota: RotaSettings, starts: datetime, ends: datetime
) -> Roster:
    kept = read_kept(settings, tier)
    roster = roster_of(rota, kept.shifts if kept else (), starts, ends)
    if kept is None or kept.read_at is None:
        return roster.model_copy(update={"ends": starts, "fault": kept.fault if kept else NOT_READ})
    known = {"starts": max(starts, kept.starts), "ends": max(starts, min(ends, kept.ends))}
    return roster.model_copy(update={**known, "as_of": kept.read_at, "fault": kept.fault})


def person_on_call(settings: RunbookSettings, tier: Audience, now: datetime) -> tuple[str, Person] | None:
    """Find who is on call at a moment, by key; None for nobody, and for one who has left the settings."""
    roster = roster_between(settings, tier, now, now + A_MOMENT)
    shift = shift_at(roster, now) if roster else None
    person = settings.people.get(shift.person) if shift else None
    return (shift.person, person) if shift and person else None


def routes_now(settings: RunbookSettings, audience: Audience, now: datetime, *, is_page: bool) -> tuple[Route, ...]:
    """List the ways to an audience; a page goes by those of who is on call, too."""
    on_call = person_on_call(settings, audience, now) if is_page else None
    return routes_to(settings.slack, settings.fallback, audience, on_call)


def words_now(settings: RunbookSettings, audience: Audience, now: datetime) -> str:
    """Say who is on call for an audience; nothing where it has no rota."""
    rota = settings.on_call.rotas.get(audience)
    roster = roster_between(settings, audience, now, now + rota.horizon) if rota else None
    return on_call_words(roster, settings.people, now) if roster else ""
