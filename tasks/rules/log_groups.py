"""Gather lines that say the same into findings: exact counts, bounded groups."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from tasks.model.log_findings import ExceptionSeen, LogFinding, LogKind, Rate, ScanQuestion, earlier, later
from tasks.model.log_levels import Severity
from tasks.rules.log_keywords import kind_of
from tasks.rules.log_templates import merged, template_of
from tasks.rules.redaction import cleaned, without_secrets

# Above the first bound, like templates are merged; above the second, what is left is counted as one.
MERGE_ABOVE = 256
GROUPS_LIMIT = 512
SAMPLE_CHARACTERS = 2000
MINUTES_KEPT = 130


class Event(NamedTuple):
    """One error or warning, with the trace that belongs to it; `line` is where it starts, `last_line` where it ends."""

    line: int
    severity: Severity
    message: str
    at: datetime | None
    sample: str
    exception: ExceptionSeen | None = None
    leveled: bool = True


@dataclass(slots=True)
class Known:
    """What earlier scans saw of a template: since when, and how often in each minute of the epoch."""

    first_at: datetime | None = None
    minutes: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Group:
    """Lines that say the same."""

    kind: LogKind
    severity: Severity
    template: str
    exception: ExceptionSeen | None
    first_line: int
    sample: str
    count: int = 0
    last_line: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    minutes: dict[int, int] = field(default_factory=dict)
    last_raw: bytes = b""

    @property
    def key(self) -> str:
        """Name the group across scans."""
        return "|".join((self.kind, self.severity.label, self.exception.type if self.exception else "", self.template))


class Groups:
    """All groups of one scan."""

    def __init__(self) -> None:
        self._groups: dict[tuple[Severity, str, str], Group] = {}
        self.overflowed = False

    def add(self, event: Event) -> Group:
        """Count one event in its group."""
        group = self._group_for(event)
        group.count += 1
        group.last_line = max(group.last_line, event.line)
        if event.at:
            group.first_at = earlier(group.first_at, event.at)
            group.last_at = later(group.last_at, event.at)
            count_minute(group, minute_of(event.at))
        return group

    def counts(self) -> dict[str, int]:
        """Give the count of each group by its key."""
        return {group.key: group.count for group in self._groups.values()}

    def all(self) -> list[Group]:
        """Give the groups in the order in which they were first seen."""
        return list(self._groups.values())

    def _group_for(self, event: Event) -> Group:
        template = _template(event)
        key = (event.severity, event.exception.type if event.exception else "", template)
        found = self._groups.get(key)
        if found is None:
            # Groups leave this process: in checkpoints, in what a run is given, in messages.
            key = (key[0], key[1], without_secrets(template))
            found = self._groups.get(key)
        if found is None and len(self._groups) >= MERGE_ABOVE:
            key = (key[0], key[1], self._merge(key) or template)
            found = self._groups.get(key)
        if found is None and len(self._groups) >= GROUPS_LIMIT:
            self.overflowed = True
            key = (event.severity, "", "(all other messages)")
            found = self._groups.get(key)
        if found is None:
            kind = kind_of(event.message, has_exception=event.exception is not None)
            sample = without_secrets(event.sample[:SAMPLE_CHARACTERS])
            found = self._groups[key] = Group(
                kind, event.severity, key[2], cleaned(event.exception), event.line, sample
            )
        return found

    def _merge(self, key: tuple[Severity, str, str]) -> str | None:
        """Merge a new template into a like one, which then has the merged text."""
        for other, group in self._groups.items():
            text = merged(other[2], key[2]) if other[:2] == key[:2] else None
            if text is None:
                continue
            if text != other[2] and (key[0], key[1], text) not in self._groups:
                group.template = text
                self._groups[key[0], key[1], text] = self._groups.pop(other)
            return text if (key[0], key[1], text) in self._groups else None
        return None


def minute_of(moment: datetime) -> int:
    """Give the minute of the epoch."""
    return int(moment.timestamp()) // 60


def count_minute(group: Group | Known, minute: int, count: int = 1) -> None:
    """Count in a minute; only the last minutes that a rate needs are kept."""
    group.minutes[minute] = group.minutes.get(minute, 0) + count
    if len(group.minutes) > 4 * MINUTES_KEPT:
        least = max(group.minutes) - MINUTES_KEPT
        group.minutes = {each: number for each, number in group.minutes.items() if each >= least}


def finding_of(group: Group, known: Known | None, question: ScanQuestion, end: datetime | None) -> LogFinding:
    """Make the finding: its rate in the hour up to `end` and before, and whether it is new since the release."""
    first_seen = earlier(group.first_at, known.first_at if known else None)
    minutes = dict(group.minutes)
    for minute, count in (known.minutes if known else {}).items():
        minutes[minute] = minutes.get(minute, 0) + count
    return LogFinding(
        kind=group.kind, severity=group.severity, template=group.template, count=group.count,
        first_line=group.first_line, last_line=group.last_line, first_at=group.first_at, last_at=group.last_at,
        sample=group.sample, exception=group.exception, rate=rate_of(minutes, end or question.now),
        is_new=bool(question.released_at and first_seen and first_seen >= question.released_at),
    )  # fmt: skip


def rate_of(minutes: dict[int, int], end: datetime) -> Rate:
    """Count the last hour and the one before; no ratio when the hour before had none."""
    last = minute_of(end)
    recent = sum(count for minute, count in minutes.items() if last - 60 < minute <= last)
    before = sum(count for minute, count in minutes.items() if last - 120 < minute <= last - 60)
    return Rate(last_hour_count=recent, hour_before_count=before, ratio=round(recent / before, 3) if before else None)


def remember(known: Known | None, group: Known) -> Known:
    """Add what this scan saw to what earlier ones saw."""
    kept = Known(earlier(known.first_at if known else None, group.first_at), dict(known.minutes) if known else {})
    for minute, count in group.minutes.items():
        kept.minutes[minute] = kept.minutes.get(minute, 0) + count
    least = max(kept.minutes, default=0) - MINUTES_KEPT
    kept.minutes = {minute: count for minute, count in kept.minutes.items() if minute >= least}
    return kept


def minute_time(minute: int) -> datetime:
    """Give the time at which a minute of the epoch begins."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)


def _template(event: Event) -> str:
    text = template_of(event.message)
    if event.exception is None:
        return text
    named = f"{event.exception.type}: {template_of(event.exception.message)}".removesuffix(": ")
    return named if not text or event.exception.type in text or text.startswith("Traceback") else f"{text} | {named}"
