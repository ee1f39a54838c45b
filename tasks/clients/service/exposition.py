"""Read a Prometheus or OpenMetrics text exposition: every body ends in samples or in a named reason.

Our own reader, because prometheus_client's names no bad line, takes quadratic time in the labels of one line, and lets
through numbers that the format does not have (digits of other scripts).
"""

import re
from datetime import datetime

from tasks.model.probes.metrics import (
    Labels,
    MetricsSnapshot,
    MetricsUnreadable,
    MetricType,
    Oddity,
    OddityCode,
    Sample,
    UnreadableCode,
)
from tasks.rules.probes.exposition_line import NAME, read_sample, unquoted

LIMIT_BYTES = 1_048_576
EXCERPT_CHARACTERS = 120
ODDITIES_KEPT_COUNT = 100
BLANK = " \t\r"
COMMENT = re.compile(
    r"#[ \t]*+(?P<word>HELP|TYPE|UNIT|EOF)(?:[ \t]++(?P<name>[^ \t]++)(?:[ \t]++(?P<rest>.*+))?+)?+[ \t]*+"
)


def read_exposition(
    body: bytes, taken_at: datetime, content_type: str = "", limit_bytes: int = LIMIT_BYTES
) -> MetricsSnapshot | MetricsUnreadable:
    """Read one exposition: a bad line costs itself alone, and the numbers of its name, of which a part is lost.

    Runbook: §1.2 GET /metrics.
    Errors: none; a page with no more good lines than bad ones is a value that names the first bad one, and says nothing
    of the service's health.
    Source: https://prometheus.io/docs/instrumenting/exposition_formats/
    """
    if len(body) > limit_bytes:
        detail = f"expected at most limit_bytes={limit_bytes}, was bytes={len(body)}"
        return MetricsUnreadable(code=UnreadableCode.TOO_LARGE, detail=detail)
    reader = _Reader()
    lines = body.split(b"\n")
    # What follows the last line feed is a line that was never finished; its number may have lost digits.
    for number, line in enumerate(lines, start=1):
        reader.take(number, line, finished=number < len(lines))
    return reader.result(taken_at, must_end="openmetrics" in content_type.lower())


class _Reader:
    def __init__(self) -> None:
        self.samples: dict[tuple[str, Labels], float] = {}
        self.conflicting: set[tuple[str, Labels]] = set()
        self.sampled: set[str] = set()
        self.types: dict[str, MetricType] = {}
        self.helped: set[str] = set()
        self.oddities: list[Oddity] = []
        self.lost: set[str] = set()
        self.bad_count = 0
        self.first_bad: MetricsUnreadable | None = None
        self.ended = False

    def take(self, number: int, raw: bytes, *, finished: bool) -> None:
        """Take one line."""
        try:
            line = raw.decode().strip(BLANK)
        except UnicodeDecodeError:
            line = raw.decode(errors="replace").strip(BLANK)
            self._bad(_unreadable(UnreadableCode.NOT_UTF8, number, line, "text that is UTF-8"))
            return
        if not line:
            return
        if self.ended:
            self._bad(_unreadable(UnreadableCode.BAD_LINE, number, line, "nothing after # EOF"))
        elif line.startswith("#"):
            self._take_comment(number, line)
        elif (sample := read_sample(line)) is None:
            self._bad(_unreadable(UnreadableCode.BAD_LINE, number, line, "name{labels} value"))
        elif finished:
            self._keep(number, sample)
        else:
            self.lost.add(sample.name)
            self._odd(OddityCode.UNFINISHED_LINE, number, sample.name)

    def result(self, taken_at: datetime, *, must_end: bool) -> MetricsSnapshot | MetricsUnreadable:
        """Conclude the reading."""
        if self.first_bad is not None and self.bad_count >= len(self.samples):
            return self.first_bad
        if must_end and not self.ended:
            return MetricsUnreadable(code=UnreadableCode.CUT_OFF, detail="expected # EOF at the end, was none")
        kept = tuple(
            Sample(name=name, labels=labels, value=value)
            for (name, labels), value in self.samples.items()
            if (name, labels) not in self.conflicting
        )
        if not kept:
            return MetricsUnreadable(code=UnreadableCode.NO_SAMPLES, detail="expected at least one sample, was none")
        types = tuple(self.types.items())
        return MetricsSnapshot(
            taken_at=taken_at,
            samples=kept,
            types=types,
            oddities=tuple(self.oddities),
            lost=tuple(sorted(self.lost)),
            bad_lines_count=self.bad_count,
        )

    def _take_comment(self, number: int, line: str) -> None:
        found = COMMENT.fullmatch(line)
        if not found:
            return
        match found["word"], found["name"]:
            case "EOF", None:
                self.ended = True
            case "TYPE", name:
                self._take_type(number, name or "", (found["rest"] or "").strip(BLANK))
            case "HELP", str(name):
                if name in self.helped:
                    self._odd(OddityCode.HELP_TWICE, number, name)
                self.helped.add(name)
            case _:
                return

    def _take_type(self, number: int, name: str, word: str) -> None:
        name = unquoted(name) if name.startswith('"') else name
        if name in self.types:
            self._odd(OddityCode.TYPE_TWICE, number, name)
            return
        if word not in set(MetricType):
            self._odd(OddityCode.BAD_TYPE, number, name)
            return
        if name in self.sampled:
            self._odd(OddityCode.TYPE_AFTER_SAMPLES, number, name)
        self.types[name] = MetricType(word)

    def _keep(self, number: int, sample: Sample) -> None:
        key = (sample.name, sample.labels)
        self.sampled.add(sample.name)
        if key not in self.samples:
            self.samples[key] = sample.value
            return
        # NaN beside NaN is the same reading, though the numbers are not equal.
        same = repr(self.samples[key]) == repr(sample.value)
        self._odd(OddityCode.SAME_TWICE if same else OddityCode.CONFLICTING_TWICE, number, sample.name)
        if not same:
            self.conflicting.add(key)

    def _bad(self, why: MetricsUnreadable) -> None:
        """Leave a line out; what its name counts is not known any more."""
        self.bad_count += 1
        self.first_bad = self.first_bad or why
        named = NAME.match(why.text)
        if named:
            self.lost.add(named[0])
        self._odd(OddityCode.BAD_LINE, why.line or 0, why.text)

    def _odd(self, code: OddityCode, line: int, name: str) -> None:
        if len(self.oddities) < ODDITIES_KEPT_COUNT:
            self.oddities.append(Oddity(code=code, line=line, name=name[:EXCERPT_CHARACTERS]))


def _unreadable(code: UnreadableCode, number: int, line: str, expected: str) -> MetricsUnreadable:
    excerpt = line[:EXCERPT_CHARACTERS]
    return MetricsUnreadable(
        code=code, detail=f"expected {expected}, was line={number} {excerpt!r}", line=number, text=excerpt
    )
