"""Checks as code: one rule each, drafted from an incident, switched on by a person, held against every run's evidence.

A check that fires is a note. It opens no incident, and nothing is ever done because of it.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.values import Value

ID_PATTERN = r"^[a-z0-9][a-z0-9-]{0,79}$"


class Signal(StrEnum):
    """One number that every run can measure; the unit ends its name."""

    HEALTH_MS = "health_ms"
    ORDER_MS = "order_ms"
    OWN_MS = "own_ms"
    GATEWAY_MS = "gateway_ms"
    GATEWAY_FAILED_COUNT = "gateway_failed_count"
    GATEWAY_TURNS_COUNT = "gateway_turns_count"
    ORDERS_FAILED_COUNT = "orders_failed_count"
    ORDERS_NOT_FILLED_COUNT = "orders_not_filled_count"
    ORDERS_UNKNOWN_COUNT = "orders_unknown_count"
    MEMORY_BYTES = "memory_bytes"
    OPEN_FILES_COUNT = "open_files_count"
    SERVICE_STARTS_COUNT = "service_starts_count"
    ROUTING_FAULTS_COUNT = "routing_faults_count"
    DISK_FREE_RATIO = "disk_free_ratio"
    CLOCK_SKEW_S = "clock_skew_s"


class CheckSide(StrEnum):
    """On which side of its limit a number is worth a note."""

    AT_LEAST = "at_least"
    AT_MOST = "at_most"


class ThresholdRule(Value):
    """A number of one run at or beyond a limit. `subject` is the gateway or asset class, where the signal has one."""

    kind: Literal["threshold"] = "threshold"
    signal: Signal
    subject: str = Field(default="", max_length=100)
    side: CheckSide = CheckSide.AT_LEAST
    limit: float = Field(allow_inf_nan=False)


class LogTemplateRule(Value):
    """Lines of this template in what the service logged since the run before."""

    kind: Literal["log_template"] = "log_template"
    template: str = Field(min_length=1, max_length=400)
    at_least_count: int = Field(default=1, ge=1)


class MetricRule(Value):
    """The growth of the service's own counters: every series of the name that carries these labels, added up."""

    kind: Literal["metric"] = "metric"
    counter: str = Field(min_length=1, max_length=200)
    labels: dict[str, str] = Field(default_factory=dict, max_length=10)
    at_least_per_minute: float = Field(gt=0, allow_inf_nan=False)


Rule = Annotated[ThresholdRule | LogTemplateRule | MetricRule, Field(discriminator="kind")]


class CheckStatus(StrEnum):
    """Only an accepted check is held against the runs."""

    DRAFT = "draft"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Check(Value):
    """One check as its file holds it; a person may edit its rule. `because` are the numbers that drafted it."""

    version: Literal[1] = 1
    check_id: str = Field(pattern=ID_PATTERN)
    service: str
    rule: Rule
    status: CheckStatus = CheckStatus.DRAFT
    incident_id: str = ""
    owner: Audience = Audience.TIER_2
    drafted_at: AwareDatetime
    because: tuple[str, ...] = ()
    decided_by: str = ""
    decided_at: AwareDatetime | None = None
    reason: str = ""


class CheckResult(Value):
    """What one accepted check says of one run; `fired` is None where nobody could measure, which is not health."""

    check_id: str
    fired: bool | None
    detail: str
    incident_id: str = ""
    owner: Audience = Audience.TIER_2
