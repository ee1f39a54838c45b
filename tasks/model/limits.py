"""Limits that a rule or a look is held to; settings fill them."""

from pydantic import Field

from tasks.model.values import Value


class LookLimits(Value):
    """Time limits of the looks. Units: seconds and bytes."""

    connect_timeout_s: float = Field(default=1.0, gt=0, le=30)
    health_timeout_s: float = Field(default=1.5, gt=0, le=30)
    metrics_timeout_s: float = Field(default=1.5, gt=0, le=30)
    order_timeout_s: float = Field(default=5.0, gt=0, le=30)
    body_limit_bytes: int = Field(default=1_048_576, gt=0)
    confirm_looks_count: int = Field(default=3, ge=3, le=10)
    confirm_interval_s: float = Field(default=1.0, ge=1.0, le=30)


class RestartLimits(Value):
    """Safety rule 4 and the deadlines of one restart. Units: seconds and counts."""

    per_window_count: int = Field(default=2, ge=0, le=10)
    window_s: float = Field(default=900, gt=0)
    per_day_count: int = Field(default=4, ge=0, le=50)
    drain_timeout_s: float = Field(default=5.0, gt=0, le=120)
    kill_timeout_s: float = Field(default=5.0, gt=0, le=60)
    start_timeout_s: float = Field(default=20.0, gt=0, le=300)
    snapshot_timeout_s: float = Field(default=10.0, gt=0, le=10)
    confirm_for_s: float = Field(default=30.0, gt=0, le=600)
    confirm_timeout_s: float = Field(default=90.0, gt=0, le=900)
