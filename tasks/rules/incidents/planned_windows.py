"""Say which planned windows are open or to come, and whether a cause lies within what they concern."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tasks.model.diagnosis.diagnosis import Cause, Finding
from tasks.model.incidents.incident import IncidentState
from tasks.model.incidents.maintenance import Maintenance
from tasks.model.incidents.planned_work import PlannedWork
from tasks.rules.formats.time import utc_text
from tasks.rules.incidents.message_keys import about_of

BY = "runbook.toml"
SPREAD = "also-"
# No clock of the world is further from UTC.
_ANY_ZONE = timedelta(hours=26)
# Of these a gateway or a class alone may be the reason. All else is of the whole service, or of our own tool, or a
# strategy that runs wild: no test session explains it.
_OF_A_PART = frozenset(
    {
        Cause.DEPENDENCY_UNREACHABLE,
        Cause.GATEWAY_FAILING,
        Cause.ROUTING_MISCONFIGURED,
        Cause.BAD_RELEASE,
        Cause.BAD_FEATURE,
        Cause.UNKNOWN,
    }
)


def windows_between(planned: Iterable[PlannedWork], starts: datetime, ends: datetime) -> tuple[Maintenance, ...]:
    """List the windows that touch a time, in the order in which they begin."""
    found = (_window(one, at) for one in planned for at in _starts_of(one, starts, ends))
    touching = (one for one in found if one.started_at < ends and one.until > starts)
    return tuple(sorted(touching, key=lambda one: (one.started_at, one.until, one.name)))


def _starts_of(work: PlannedWork, starts: datetime, ends: datetime) -> Iterable[datetime]:
    """Give the times on the wall at which a window begins that may touch a time."""
    if work.rrule is None:
        return (work.starts,)
    zone = ZoneInfo(work.time_zone)
    first, last = (moment.astimezone(zone).replace(tzinfo=None) for moment in (starts, ends))
    return work.rule.between(first - work.length - _ANY_ZONE, last + _ANY_ZONE, inc=True)


def _window(work: PlannedWork, starts: datetime) -> Maintenance:
    started_at = work.moment(starts)
    return Maintenance(
        started_at=started_at,
        until=started_at + work.length,
        reason=f"planned {work.name}{f': {work.expected}' if work.expected else ''}",
        by=BY,
        name=work.name,
        gateways=work.gateways,
        asset_classes=work.asset_classes,
    )


def is_planned(found: Finding | IncidentState, windows: Sequence[Maintenance]) -> bool:
    """Say whether all that a cause is about lies within what open windows concern alone.

    A cause of the whole service never does, nor one of which nobody knows what it is about.
    """
    causes = (found.cause,) if isinstance(found, Finding) else found.causes
    if not causes or not _OF_A_PART.issuperset(causes):
        return False
    gateways = found.gateways if isinstance(found, Finding) else _gateways_of(found)
    return concerned(gateways, found.asset_classes, windows)


def concerned(gateways: Iterable[str], classes: Iterable[str], windows: Sequence[Maintenance]) -> bool:
    """Say whether these gateways, or these classes, lie within what windows concern.

    A window of gateways and classes concerns those classes at those gateways alone.
    """
    both = [one for one in windows if one.gateways and one.asset_classes]
    of_gateways = {name for one in windows if one not in both for name in one.gateways}
    of_classes = {name for one in windows if one not in both for name in one.asset_classes}
    wanted, sought = set(gateways), set(classes)
    return (
        bool(wanted and wanted <= of_gateways)
        or bool(sought and sought <= of_classes)
        or any(wanted and sought and wanted <= set(one.gateways) and sought <= set(one.asset_classes) for one in both)
    )


def _gateways_of(incident: IncidentState) -> tuple[str, ...]:
    """Name the gateways of an incident with those that it has spread to since."""
    about = (about_of(key, incident.incident_id) for key in incident.told)
    return (*incident.gateways, *(one.removeprefix(SPREAD) for one in about if one.startswith(SPREAD)))


def planned_words(windows: Iterable[Maintenance], service: str) -> str:
    """Say what is planned, for the headline: whatever is seen, nobody takes it for an ordinary day."""
    return " ".join(
        f"{_what(one, service)}: planned {one.name} until {utc_text(one.until)[11:16]}Z." for one in windows
    )


def _what(window: Maintenance, service: str) -> str:
    return ", ".join(window.concerns) or service
