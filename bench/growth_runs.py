"""Read what became of one minute: from Prefect when its run began and ended, from the history who was looked at."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.measuring.prefect_calls import call
from bench.measuring.stack import BenchStack
from tasks.clients.look_history import last_look_at
from tasks.clients.round_looks import ROUND_S

LIMIT_COUNT = 200
# Prefect counts the time until a run in whole seconds: it may begin as much before its minute.
EARLY_S = 1.0


@dataclass(frozen=True)
class Minute:
    """One minute. Units: seconds from its beginning; `spent` in CPU seconds, rows and bytes.

    `look_delays_s` has one entry for each service that was looked at in time.
    """

    services_count: int
    begins_at: datetime
    start_delay_s: float
    run_ends_s: float
    state: str
    look_delays_s: tuple[float, ...]
    spent: dict[str, float]

    @property
    def met(self) -> bool:
        """Say whether everybody was looked at within the minute, and the run over."""
        in_time = len(self.look_delays_s) == self.services_count and self.run_ends_s < ROUND_S + 15
        return self.state == "COMPLETED" and in_time

    @property
    def words(self) -> str:
        """Say it in a line, while it is measured."""
        last_s = max(self.look_delays_s, default=0.0)
        return (
            f"{self.services_count} services: run {self.state} began {self.start_delay_s:.2f} s, ended "
            f"{self.run_ends_s:.1f} s, {len(self.look_delays_s)} looked at, the last {last_s:.1f} s; worker "
            f"{self.spent['worker_s']:.1f} CPU-s, server {self.spent['server_s']:.1f} CPU-s, "
            f"{self.spent['rows']:.0f} rows"
        )

    def document(self) -> dict[str, Any]:
        """Give it as it stands in the JSON."""
        return {**asdict(self), "begins_at": self.begins_at.isoformat(), "met": self.met}


def minute_of(stack: BenchStack, names: tuple[str, ...], begins_at: datetime, spent: dict[str, float]) -> Minute:
    """Read one minute that has just passed."""
    run = _scheduled_run(stack.api, begins_at)
    looked = (last_look_at(stack.folder / "looks" / f"{name}.jsonl", datetime.now(UTC), timedelta(1)) for name in names)
    since = begins_at - timedelta(seconds=EARLY_S)
    delays = tuple((at - begins_at).total_seconds() for at in looked if at is not None and at >= since)
    return Minute(
        services_count=len(names),
        begins_at=begins_at,
        start_delay_s=_after(run.get("start_time"), begins_at),
        run_ends_s=_after(run.get("end_time"), begins_at),
        state=run.get("state_type") or "NONE",
        look_delays_s=delays,
        spent=spent,
    )


def triages_of(stack: BenchStack, begins_at: datetime) -> dict[str, list[float]]:
    """Read when the triages of single services began and ended in one minute."""
    asked = {
        "deployments": {"name": {"any_": ["one-service"]}},
        "flow_runs": {"start_time": {"after_": begins_at.isoformat()}},
        "limit": LIMIT_COUNT,
    }
    runs = call(stack.api, "POST", "/flow_runs/filter", asked)
    return {
        "starts_s": sorted(_after(one["start_time"], begins_at) for one in runs),
        "ends_s": sorted(_after(one["end_time"], begins_at) for one in runs if one["end_time"]),
    }


def _scheduled_run(api: str, begins_at: datetime) -> dict[str, Any]:
    window = {"after_": begins_at.isoformat(), "before_": (begins_at + timedelta(seconds=1)).isoformat()}
    asked = {
        "deployments": {"name": {"any_": ["every-minute"]}},
        "flow_runs": {"expected_start_time": window},
        "limit": 1,
    }
    found = call(api, "POST", "/flow_runs/filter", asked)
    return dict(found[0]) if found else {}


def _after(text: str | None, begins_at: datetime) -> float:
    """Count from the minute's beginning; what has not happened counts as the whole minute."""
    return (datetime.fromisoformat(text) - begins_at).total_seconds() if text else 60.0
