"""Gather lines that say the same into findings: exact counts, bounded groups."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from tasks.model.logs.findings import ExceptionSeen, LogFinding, LogKind, Rate, ScanQuestion, Severity, earlier, later
from tasks.rules.logs.words import kind_of
from tasks.rules.messages.redaction import cleaned, without_secrets

# Above the first bound, like templates are merged; above the second, what is left is counted as one.
MERGE_ABOVE = 256
GROUPS_LIMIT = 512
SAMPLE_CHARACTERS = 2000
MINUTES_KEPT = 130


class LineEvent(NamedTuple):
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
    def __init__(self) -> None:
        self._groups: dict[tuple[Severity, str, str], Group] = {}
        self.overflowed = False

    def add(self, event: LineEvent) -> Group:
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

    def _group_for(self, event: LineEvent) -> Group:
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


def _template(event: LineEvent) -> str:
    text = template_of(event.message)
    if event.exception is None:
        return text
    named = f"{event.exception.type}: {template_of(event.exception.message)}".removesuffix(": ")
    return named if not text or event.exception.type in text or text.startswith("Traceback") else f"{text} | {named}"


TEMPLATE_CHARACTERS = 300

# Digits are made equal first, with the hexadecimal letters beside them; all other rules see "0" for any such run.
# A run is tried at its start alone: from each of its letters, a long word would cost the square of its length.
_RUNS = re.compile(r"(?<![0-9a-fA-F])[a-fA-F]*+[0-9][0-9a-fA-F]*+")
_RUNS_BYTES = re.compile(rb"(?<![0-9a-fA-F])[a-fA-F]*+[0-9][0-9a-fA-F]*+")
_RUNS_OF_ZERO = re.compile(rb"0[0a-fA-F]*")
_DIGITS_EQUAL = bytes(48 if 48 <= byte <= 57 else byte for byte in range(256))
_MASKS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.ASCII), mark)
    for pattern, mark in (
        (r"\b[\da-fA-F]+(?:-[\da-fA-F]+){4}\b", "<id>"),
        (r"\b0-0-0(?:[T ]0:0:0(?:[.,]0)?(?:Z|[+-]0:?0?\b)?)?|\b0:0:0(?:[.,]0)?", "<time>"),
        (r"\b0\.0\.0\.0(?::0)?\b|\[(?=[0a-fA-F]*+:)[0:a-fA-F]++\]:0", "<address>"),
        (r"\b\w+://[^\s\"',)]+", "<url>"),
        (r"\"(?:[^\"\\]|\\.){0,400}+\"|(?<![\w])'(?:[^'\\]|\\.){0,400}+'", "<text>"),
        (r"(?<![\w.<])(?:~|\.{1,2})?(?:/[\w.@%+=-]+){2,}/?|\b[A-Za-z]:\\[^\s:]+", "<path>"),
        (r"\b[a-f]{8,}\b|\b0x0\b", "0"),
    )
)
# A token with a digit in it: a number with its unit, or an id.
_TOKEN = re.compile(r"[A-Za-z_.\-+]{0,400}+0[\w.\-]*+", re.ASCII)
_NUMBER = re.compile(r"[+-]?0(?:[.]0)*[A-Za-z%]{0,3}[.]?$", re.ASCII)


def collapsed(raw: bytes) -> bytes:
    """Make all digits of a line equal; lines that differ in numbers and ids alone become the same bytes."""
    return _RUNS_BYTES.sub(b"0", raw)


def nearly_collapsed(raw: bytes) -> bytes:
    """Do the same faster, but for the letters before the first digit of an id; never joins more than `collapsed`."""
    return _RUNS_OF_ZERO.sub(b"0", raw.translate(_DIGITS_EQUAL))


def template_of(message: str) -> str:
    """Mask times, ids, addresses, URLs, quoted texts, paths and numbers of the first line of a message."""
    text = _RUNS.sub("0", message[:4000].lstrip().split("\n", 1)[0])[: TEMPLATE_CHARACTERS + 100]
    for pattern, mark in _MASKS:
        text = pattern.sub(mark, text)
    text = _TOKEN.sub(lambda found: "<n>" if _NUMBER.match(found[0]) else "<id>", text)
    return " ".join(text.split())[:TEMPLATE_CHARACTERS]


def merged(one: str, other: str) -> str | None:
    """Merge two templates that differ in few words; None when they differ in more than 3 of 10.

    Source: Drain (He et al., ICWS 2017): same count of words, same first word, similarity by place.
    """
    words, others = one.split(" "), other.split(" ")
    if len(words) != len(others) or words[0] != others[0]:
        return None
    same = sum(word == beside for word, beside in zip(words, others, strict=True))
    if same < 0.7 * len(words):
        return None
    return " ".join(word if word == beside else "<*>" for word, beside in zip(words, others, strict=True))
