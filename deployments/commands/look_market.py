"""`runbook look market`: is a market open, and when does that change."""

from datetime import UTC, datetime

from deployments.commands.looking import Answer, JsonOutput, give
from deployments.views.look import market_lines
from tasks.clients.calendars import read_calendar
from tasks.model.orders import AssetClass
from tasks.model.own_calendar import OwnCalendar
from tasks.rules.market_hours import DEFAULT_CALENDARS, market_hours, parse_at
from tasks.settings import load_settings


def look_market(
    *,
    asset_class: AssetClass,
    at: str | None = None,
    calendar: str | None = None,
    service: str | None = None,
    json_output: JsonOutput = False,
) -> None:
    """Say whether the market of an asset class is open, in which session, and when it opens and closes next.

    Parameters
    ----------
    asset_class
        Which asset class.
    at
        A time with an offset, as 2026-11-27T18:30Z; default now.
    calendar
        Which calendar: FX, 24/7, or a name of exchange-calendars; default the service's, else the usual one.
    service
        Which watched service's calendars; may be left out where there is one, or none.
    json_output
        Print one JSON document.
    """
    give(lambda: market_answer(asset_class, at, calendar or calendar_of(service, asset_class)), json_output=json_output)


def calendar_of(service: str | None, asset_class: AssetClass) -> str:
    """Name the calendar by which the triage of a service goes; without any watched service, the usual one.

    Errors: `BAD_SETTING`, `UNKNOWN_SERVICE`.
    """
    settings = load_settings()
    usual = DEFAULT_CALENDARS[asset_class]
    if service is None and not settings.services:
        return usual
    return settings.service(service or settings.only_service()).calendars.get(asset_class, usual)


def own_calendars() -> dict[str, OwnCalendar]:
    """Read every calendar that the settings hold."""
    settings = load_settings()
    services = (service.own_calendars for service in settings.services.values())
    return {name: own for table in (*services, settings.calendars) for name, own in table.items()}


def market_answer(asset_class: AssetClass, at: str | None, calendar: str) -> Answer:
    """Look the time up and lay the answer out.

    Errors: `BAD_ARGUMENT` for a bad time; `BAD_SETTING` for a calendar nobody has; `CALENDAR_UNREADABLE`.
    """
    moment = datetime.now(UTC) if at is None else parse_at(at)
    hours = market_hours(asset_class, read_calendar(calendar, moment, own_calendars()), moment)
    return Answer(hours.model_dump(mode="json"), market_lines(hours))
