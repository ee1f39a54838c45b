"""Metrics as they were read: samples with their oddities, or why there are none; and rates between two readings."""

from enum import StrEnum

from pydantic import AwareDatetime, ConfigDict

from tasks.model.values import Value

Labels = tuple[tuple[str, str], ...]
# Families name their samples with these endings.
SUFFIXES = ("_total", "_bucket", "_count", "_sum", "_created", "_info")

# The counters that are compared across runs.
COMPARED_NAMES = frozenset(
    {
        "orders_total",
        "orders_denied_total",
        "orders_invalid_total",
        "strategy_orders_total",
        "order_seconds_sum",
        "order_seconds_count",
        "gateway_seconds_sum",
        "gateway_seconds_count",
        "log_lines_lost_total",
        "incidents_failed_total",
        "process_start_time_seconds",
    }
)
# Source: https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics
PROCESS_NAMES = frozenset(
    {
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
        "process_open_fds",
        "process_max_fds",
        "process_threads",
        "process_start_time_seconds",
    }
)
CONTRACT_NAMES = COMPARED_NAMES | PROCESS_NAMES | {"orders_unknown", "gateway_up", "trading_state", "build_info"}


class Reading(Value):
    """A value with numbers that may be NaN or infinite; JSON carries these as text, so that they are read back."""

    model_config = ConfigDict(ser_json_inf_nan="strings")


class MetricType(StrEnum):
    """The types of both text formats; `untyped` is what nobody declared."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    SUMMARY = "summary"
    INFO = "info"
    STATESET = "stateset"
    GAUGEHISTOGRAM = "gaugehistogram"
    UNKNOWN = "unknown"
    UNTYPED = "untyped"


class Sample(Reading):
    """One series at one time; labels are in the order of their names."""

    name: str
    labels: Labels = ()
    value: float

    def has(self, labels: Labels) -> bool:
        """Say whether the series carries all these labels."""
        return set(labels) <= set(self.labels)


class OddityCode(StrEnum):
    """What is wrong with a line without making the rest unreadable."""

    SAME_TWICE = "SAME_TWICE"
    CONFLICTING_TWICE = "CONFLICTING_TWICE"
    BAD_TYPE = "BAD_TYPE"
    TYPE_TWICE = "TYPE_TWICE"
    TYPE_AFTER_SAMPLES = "TYPE_AFTER_SAMPLES"
    HELP_TWICE = "HELP_TWICE"
    UNFINISHED_LINE = "UNFINISHED_LINE"
    BAD_LINE = "BAD_LINE"


class Oddity(Value):
    """One odd line, by its number (counted from 1)."""

    code: OddityCode
    line: int
    name: str


class MetricsSnapshot(Reading):
    """One exposition that could be read. A series that came twice with different values is left out, and named odd.

    `lost` are the names of which at least one line could not be read: what they add up to is not known.
    """

    taken_at: AwareDatetime
    samples: tuple[Sample, ...]
    types: tuple[tuple[str, MetricType], ...] = ()
    oddities: tuple[Oddity, ...] = ()
    lost: tuple[str, ...] = ()
    bad_lines_count: int = 0

    def series(self, name: str, **labels: str) -> tuple[Sample, ...]:
        """Give all series of a name that carry these labels."""
        wanted = tuple(labels.items())
        return tuple(sample for sample in self.samples if sample.name == name and sample.has(wanted))

    def value(self, name: str, **labels: str) -> float | None:
        """Give the value of the one series of this name and these labels; None when there is none, or more than one."""
        found = self.series(name, **labels)
        return found[0].value if len(found) == 1 else None

    def type_of(self, name: str) -> MetricType:
        """Give the declared type of a sample's family."""
        declared = dict(self.types)
        bases = (name.removesuffix(suffix) for suffix in SUFFIXES if name.endswith(suffix))
        return next((declared[each] for each in (name, *bases) if each in declared), MetricType.UNTYPED)

    def knows(self, name: str) -> bool:
        """Say whether this reading had the family at all, if only its declaration."""
        return self.type_of(name) is not MetricType.UNTYPED or any(sample.name == name for sample in self.samples)


class UnreadableCode(StrEnum):
    """Why an exposition could not be read."""

    TOO_LARGE = "TOO_LARGE"
    NOT_UTF8 = "NOT_UTF8"
    BAD_LINE = "BAD_LINE"
    CUT_OFF = "CUT_OFF"
    NO_SAMPLES = "NO_SAMPLES"


class MetricsUnreadable(Value):
    """Metrics that could not be read; this says nothing of the service's health.

    `line` is the first bad line, counted from 1, with its beginning in `text`; None where no single line is to blame.
    """

    code: UnreadableCode
    detail: str
    line: int | None = None
    text: str = ""


class RateCode(StrEnum):
    """How a rate came about, or why there is none."""

    RATE = "RATE"
    RESET = "RESET"
    """The counter began again; counted from zero, so at least this much."""
    APPEARED = "APPEARED"
    """First seen now in a family that the earlier reading had; counted from zero."""
    NO_EARLIER = "NO_EARLIER"
    MISSING = "MISSING"
    CLOCK_BACKWARDS = "CLOCK_BACKWARDS"
    NOT_A_COUNT = "NOT_A_COUNT"


class CounterRate(Value):
    """One counter between two readings; `increase` and `per_second` are None where the code says there is no rate."""

    name: str
    labels: Labels
    code: RateCode
    window_s: float | None = None
    increase: float | None = None

    @property
    def per_second(self) -> float | None:
        """The mean rate over the window."""
        return self.increase / self.window_s if self.increase is not None and self.window_s else None
