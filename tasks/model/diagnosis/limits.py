"""Limits that a rule or a check is held to; settings fill them."""

from pydantic import Field

from tasks.model.diagnosis.deploy_regression import RegressionLimits
from tasks.model.values import Value

# What a run spends before it asks or acts: the checks, the confirming ones, its messages.
LOOKING_S = 60.0


class ProbeLimits(Value):
    """Time limits of the checks. Units: seconds and bytes."""

    connect_timeout_s: float = Field(default=1.0, gt=0, le=30)
    health_timeout_s: float = Field(default=1.5, gt=0, le=30)
    metrics_timeout_s: float = Field(default=1.5, gt=0, le=30)
    order_timeout_s: float = Field(default=5.0, gt=0, le=30)
    gateway_timeout_s: float = Field(default=4.0, gt=0, le=30)
    body_limit_bytes: int = Field(default=1_048_576, gt=0)
    patience_s: float = Field(default=4.0, gt=0, le=30)
    confirm_looks_count: int = Field(default=3, ge=3, le=10)
    confirm_interval_s: float = Field(default=1.0, ge=1.0, le=30)
    order_in_flight_s: float = Field(default=10.0, gt=0, le=300)


class RestartLimits(Value):
    """Safety rule 4 and the deadlines of one restart. Units: seconds and counts."""

    per_window_count: int = Field(default=2, ge=0, le=10)
    window_s: float = Field(default=900, gt=0)
    per_day_count: int = Field(default=4, ge=0, le=50)
    drain_timeout_s: float = Field(default=5.0, gt=0, le=120)
    kill_timeout_s: float = Field(default=5.0, gt=0, le=60)
    start_timeout_s: float = Field(default=20.0, gt=0, le=300)
    snapshot_timeout_s: float = Field(default=10.0, gt=0, le=10)
    confirm_for_s: float = Field(default=120.0, gt=0, le=600)
    confirm_timeout_s: float = Field(default=300.0, gt=0, le=900)

    @property
    def longest_s(self) -> float:
        """How long a restart may take at most, from the snapshot to the end of its proof."""
        stop_s = self.drain_timeout_s + self.kill_timeout_s
        return self.snapshot_timeout_s + stop_s + self.start_timeout_s + self.confirm_timeout_s


class RemediationLimits(Value):
    """Limits of the other actions. Units: seconds; orders a minute.

    `orders_wait_s` is how long unproven orders may take to prove themselves before an action is left to a person.
    `approval_above_orders_per_min` asks a person before a re-route or a rollback of more, even in mode *act*; unset
    asks never.
    An action that did not help for long, twice in a row for the same cause, waits `back_off_s` before it is done again,
    and twice as long each time after that, `back_off_longest_s` at most; one that helped for that long starts again.
    One that was done `ask_after_ineffective_count` times for a cause and never helped asks a person; 0 never asks.
    """

    orders_wait_s: float = Field(default=10.0, ge=0, le=120)
    approval_above_orders_per_min: float | None = Field(default=None, ge=0)
    effect_wait_s: float = Field(default=5.0, gt=0, le=60)
    back_off_s: float = Field(default=900.0, ge=0, le=86_400)
    back_off_longest_s: float = Field(default=14_400.0, gt=0, le=604_800)
    ask_after_ineffective_count: int = Field(default=1, ge=0, le=10)


class EscalationLimits(Value):
    """When a page that nobody takes is repeated, and when the next tier is paged (§3). Units: seconds and counts.

    `every` is the time between two pages: while a market of the affected classes is open, while it is closed, and
    within `near_s` of its opening or close. Each tier is reminded `reminders_count` times before the next one is
    paged; the last tier `last_reminders_count` times, each wait twice as long as the one before. The desk is notified
    of how an incident stands every `desk_every_s` until it is over; 0 never does.
    """

    open_every_s: float = Field(default=300.0, gt=0, le=86_400)
    closed_every_s: float = Field(default=1800.0, gt=0, le=86_400)
    near_every_s: float = Field(default=120.0, gt=0, le=86_400)
    near_s: float = Field(default=900.0, ge=0, le=7200)
    reminders_count: int = Field(default=1, ge=0, le=10)
    last_reminders_count: int = Field(default=6, ge=0, le=20)
    undelivered_after_s: float = Field(default=90.0, gt=0, le=3600)
    acknowledged_s: float = Field(default=1800.0, gt=0, le=86_400)
    acknowledged_longest_s: float = Field(default=14_400.0, gt=0, le=86_400)
    desk_every_s: float = Field(default=900.0, ge=0, le=86_400)
    flapping_count: int = Field(default=2, ge=1, le=20)
    flapping_window_s: float = Field(default=1800.0, ge=0, le=86_400)


class DiagnosisLimits(Value):
    """Where a number becomes a symptom (§2.2). Units: as the names end; ratios are of the whole, 0 to 1.

    Memory that grows is restarted for only from `memory_close_ratio` of its limit on, and while a market is open and
    orders fill only where the limit is `memory_act_within_s` away, or it is at `memory_ratio`.
    A disk is full below `disk_free_bytes`, or where it is small below `disk_free_ratio` of it.
    Confirming: `confirm_count` bad checks, counted over this run's rounds and the runs before. Closing:
    `close_good_count` runs without the symptom in a row, over at least `close_good_s`. While what the automation set
    stays in force after that, people are asked to lift it every `resume_reminder_s`.
    """

    confirm_count: int = Field(default=3, ge=3, le=10)
    close_good_count: int = Field(default=2, ge=1, le=20)
    close_good_s: float = Field(default=45.0, ge=0, le=3600)
    resume_reminder_s: float = Field(default=1800.0, ge=60, le=86_400)

    hung_silence_s: float = Field(default=4.0, ge=0, le=120)
    frozen_cpu_ratio: float = Field(default=0.02, ge=0, lt=1)
    spinning_cpu_ratio: float = Field(default=0.9, gt=0, le=1)
    starved_wait_ratio: float = Field(default=0.5, gt=0, le=1)

    crash_count: int = Field(default=3, ge=2, le=20)
    crash_window_s: float = Field(default=900.0, gt=0, le=86_400)
    crash_fresh_s: float = Field(default=120.0, gt=0, le=86_400)
    crash_release_count: int = Field(default=2, ge=2, le=20)
    crash_release_life_s: float = Field(default=300.0, gt=0, le=86_400)

    gateway_slow_ms: float = Field(default=500.0, gt=0)
    unstable_turns_count: int = Field(default=6, ge=2, le=100)
    unstable_window_s: float = Field(default=120.0, gt=0, le=86_400)
    unstable_settled_s: float = Field(default=60.0, gt=0, le=86_400)
    unstable_quiet_s: float = Field(default=180.0, gt=0, le=86_400)
    unknown_lasting_s: float = Field(default=180.0, gt=0, le=86_400)

    memory_ratio: float = Field(default=0.9, gt=0, le=1)
    memory_limit_bytes: int | None = Field(default=None, gt=0)
    memory_growth_bytes: int = Field(default=104_857_600, gt=0)
    memory_growth_ratio: float = Field(default=1.5, gt=1)
    memory_exhausted_in_s: float = Field(default=3600.0, gt=0)
    memory_close_ratio: float = Field(default=0.75, gt=0, le=1)
    memory_act_within_s: float = Field(default=300.0, gt=0)
    descriptors_ratio: float = Field(default=0.95, gt=0, le=1)

    disk_free_ratio: float = Field(default=0.05, ge=0, lt=1)
    disk_free_bytes: int = Field(default=104_857_600, ge=0)
    inodes_free_ratio: float = Field(default=0.01, ge=0, lt=1)
    clock_skew_s: float = Field(default=5.0, gt=1)

    slow_release_ratio: float = Field(default=3.0, ge=1.5)
    slow_release_ms: float = Field(default=10.0, gt=0)
    strategy_rate_ratio: float = Field(default=20.0, gt=1)
    strategy_rate_per_s: float = Field(default=5.0, gt=0)
    strategy_orders_count: int = Field(default=300, gt=0)
    regression: RegressionLimits = RegressionLimits()


def run_limit_fault(approval_timeout_s: float, acting_s: float, run_limit_s: float) -> str:
    """Say why a run would be ended before it has proven what it did; empty where it lives long enough."""
    if LOOKING_S + approval_timeout_s + acting_s <= run_limit_s:
        return ""
    return (
        f"expected {LOOKING_S:.0f} s to look, approval_timeout_s={approval_timeout_s:g} and {acting_s:g} s to act and "
        f"to prove it within run_limit_s={run_limit_s:g} was more, and the run would be ended midway; lower "
        "approval_timeout_s or restart.confirm_timeout_s, or raise run_limit_s here and in the job variables"
    )
