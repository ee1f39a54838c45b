"""Measure how a minute grows with the services of a host: one of the local stack, and scripted ones beside it.

Steps:
    1. the whole local stack on its schedule, and many services in one small process, each on a port of its own
    2. for each number of services some real minutes: when the run began, when the last service was probed, what
       worker, server and database spent, which rows and bytes it left
    3. with the most of these some fail at once: how long until each has a triage of its own, and until its end
    4. ever more services, until a minute is not met
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.database import bytes_held, count, with_database
from bench.figures import Bench, Database, Figure, Run, row
from bench.machine import cpu_s, family
from bench.order_stack import Process, running
from bench.stack import BenchStack, bench_stack, since
from deployments.stack.ports import ORDER_SERVICE
from deployments.stack.stack_settings import TEST_SYMBOLS, TRADED
from tasks.clients.evidence.history import FOLDER, last_observation_at
from tasks.work.fleet.sweep import SWEEP_S

MINUTE_S = 60.0
# A run is over before this second of its minute, else it is the minute that is not met.
READ_AT_S = 52.0
# Prefect counts the time until a run in whole seconds: it may begin as much before its minute.
EARLY_S = 1.0
COUNTS, MORE = (1, 100, 400, 1000), (1250, 1500)
UNHEALTHY_RATIO = 0.05
WORKER = "CPU of the worker"
SPENDING = {
    WORKER: "CPU-s",
    "CPU of Prefect's server": "CPU-s",
    "CPU of the database": "CPU-s",
    "rows": "rows",
    "bytes": "bytes",
}
LINES = "".join(f'{{"level":"INFO","message":"order {number} filled"}}\n' for number in range(20))


@dataclass(frozen=True)
class Minute:
    """One minute. Units: seconds from its beginning; `spent` in CPU seconds, rows and bytes.

    `probed_s` has one entry for each service that was probed in time.
    """

    services_count: int
    begins_at: datetime
    starts_s: float
    ends_s: float
    state: str
    probed_s: tuple[float, ...]
    spent: dict[str, float]

    @property
    def met(self) -> bool:
        """Say whether every service was probed within the minute, and the run over."""
        return self.state == "COMPLETED" and not self.missed_count and self.ends_s < SWEEP_S + 15

    @property
    def missed_count(self) -> int:
        return self.services_count - len(self.probed_s)


class Host:
    """The scripted services beside the stack's own order service; `names` are those that are monitored now."""

    def __init__(self, stack: BenchStack, services: Process, folder: Path) -> None:
        self.stack, self._services, self.names = stack, services, [ORDER_SERVICE]
        self._own_settings, self._folder = stack.state.settings_file.read_text("utf-8"), folder

    def monitor(self, services_count: int) -> None:
        """Monitor the stack's own service, and as many others as there are to be beside it."""
        others = {f"orders-{number + 1:03}": self._services.ports[number] for number in range(services_count - 1)}
        self.names = [ORDER_SERVICE, *others]
        staged = self.stack.state.settings_file.with_suffix(".staged")
        gateway = self._services.ports[-1]
        folder = self._folder
        tables = "".join(service_table(folder, folder, name, port, gateway) for name, port in others.items())
        staged.write_text(self._own_settings + tables, "utf-8")
        staged.replace(self.stack.state.settings_file)

    def fail(self, unhealthy_count: int) -> None:
        """Make the first services unhealthy, and all others healthy."""
        print(unhealthy_count, file=self._services.handle.stdin, flush=True)

    def one_minute(self) -> Minute:
        """Let one whole minute pass, and say what it came to."""
        time.sleep(max(0.0, READ_AT_S + 2 - time.time() % MINUTE_S))
        # A service that trades writes.
        for log in self._folder.glob("*.log"):
            with log.open("a", encoding="utf-8") as file:
                file.write(LINES)
        before, begins_s = self._spent(), (time.time() // MINUTE_S + 1) * MINUTE_S
        time.sleep(begins_s + READ_AT_S - time.time())
        spent = {name: value - before[name] for name, value in self._spent().items()}
        begins_at, day = datetime.fromtimestamp(begins_s, UTC), timedelta(days=1)
        window = {"after_": begins_at.isoformat(), "before_": (begins_at + timedelta(seconds=1)).isoformat()}
        run = next(iter(self._runs("every-minute", {"expected_start_time": window})), {})
        histories = [self.stack.state.root / FOLDER / f"{name}.jsonl" for name in self.names]
        probed_at = [last_observation_at(path, datetime.now(UTC), day) for path in histories]
        probed_s = [(at - begins_at).total_seconds() for at in probed_at if at]
        minute = Minute(
            services_count=len(self.names),
            begins_at=begins_at,
            # What has not happened counts as the whole minute.
            starts_s=since(begins_at, run["start_time"]) if run.get("start_time") else MINUTE_S,
            ends_s=since(begins_at, run["end_time"]) if run.get("end_time") else MINUTE_S,
            state=run.get("state_type") or "NONE",
            probed_s=tuple(at for at in probed_s if at >= -EARLY_S),
            spent=spent,
        )
        sys.stderr.write(
            f"{minute.services_count} services: run {minute.state} began {minute.starts_s:.2f} s, ended "
            f"{minute.ends_s:.1f} s, {minute.missed_count} not probed, worker {spent[WORKER]:.1f} CPU-s\n"
        )
        return minute

    def triages(self, begins_at: datetime) -> dict[str, list[float]]:
        """Read when the triages of single services began and ended in one minute."""
        runs = self._runs("one-service", {"start_time": {"after_": begins_at.isoformat()}})
        return {
            moment: sorted(since(begins_at, one[f"{moment}_time"]) for one in runs if one[f"{moment}_time"])
            for moment in ("start", "end")
        }

    def _runs(self, deployment: str, which: dict[str, Any]) -> list[dict[str, Any]]:
        question = {"deployments": {"name": {"any_": [deployment]}}, "flow_runs": which, "limit": 200}
        return list(self.stack.call("POST", "/flow_runs/filter", question))

    def _spent(self) -> dict[str, float]:
        url = self.stack.database_url
        clocks = map(cpu_s, (family(self.stack.worker_pid()), self.stack.server_family(), self.stack.database_family()))
        held = (float(sum(with_database(url, count).values())), float(with_database(url, bytes_held)))
        return dict(zip(SPENDING, (*clocks, *held), strict=True))


def service_table(folder: Path, pids: Path, name: str, port: int, gateway_port: int) -> str:
    """Write one service: its own ledger and log, four test orders, five gateways that all of them share."""
    log = folder / f"{name}.log"
    if not log.exists():
        log.write_text(LINES)
    lines = [
        f"\n[services.{name}]",
        f'base_url = "http://127.0.0.1:{port}"',
        f"pid_file = {json.dumps(str(pids / f'{port}.pid'))}",
        'process_pattern = "bench.growth_services"',
        f"log_files = {json.dumps([str(log)])}",
        f"incidents_file = {json.dumps(str(folder / f'{name}.jsonl'))}",
    ]
    lines += [f'[services.{name}.gateways.{one}]\nbase_url = "http://127.0.0.1:{gateway_port}"' for one in TRADED]
    for kind, symbol in TEST_SYMBOLS.items():
        lines.append(f"[services.{name}.synthetic_orders.{kind}]\nsymbol = {json.dumps(symbol)}")
    return "\n".join(lines) + "\n"


def measure(run: Run) -> Iterator[Figure]:
    """Let the host grow."""
    counts, most = tuple(run.given.counts), max(run.given.counts)
    more, unhealthy_count = MORE if counts == COUNTS else (), round(UNHEALTHY_RATIO * most)
    minutes: list[Minute] = []
    ill: Minute | None = None
    failing: dict[str, list[float]] = {}
    with (
        # It outlives the stack, which writes ledgers there.
        tempfile.TemporaryDirectory(prefix="bench-growth-") as folder,
        bench_stack(run, scheduled=True) as stack,
        running("services", "bench.growth_services", str(max((most, *more)) + 1), folder) as services,
    ):
        host = Host(stack, services, Path(folder))
        for services_count in counts:
            host.monitor(services_count)
            # The first minute reads each ledger and log for the first time.
            host.one_minute()
            minutes += [host.one_minute() for _ in range(run.given.minutes)]
        if unhealthy_count:
            host.fail(unhealthy_count)
            ill = host.one_minute()
            failing = host.triages(ill.begins_at)
            host.fail(0)
        for services_count in more:
            # Those that failed are triaged once more until their incidents are closed; that is not to be counted here.
            host.monitor(services_count)
            host.one_minute()
            minutes.append(host.one_minute())
            if not minutes[-1].met:
                break
    run.details |= {"minutes": [{**asdict(one), "met": one.met} for one in minutes], "failing": failing}
    for services_count in dict.fromkeys(one.services_count for one in minutes):
        these = [one for one in minutes if one.services_count == services_count]
        yield from rows_of(f"{services_count} services", these)
    if ill is not None:
        yield from rows_of(f"{unhealthy_count} of {most} services fail at once", [ill])
    for moment, values in failing.items():
        what = f"{unhealthy_count} of {most} services fail at once: from the minute to the {moment} of a triage"
        yield row(what, "s", values or [MINUTE_S])
    yield from limit_rows(minutes, "" if more else ", of few")


def rows_of(what: str, these: list[Minute]) -> Iterator[Figure]:
    """Give the rows of one number of services."""
    rows: dict[tuple[str, str], list[float]] = {
        ("not probed in their minute", "services"): [one.missed_count for one in these],
        ("from the minute to the start of its run", "s"): [one.starts_s for one in these],
        ("from the minute to the probe of a service", "s"): [at for one in these for at in one.probed_s] or [MINUTE_S],
        ("from the minute to the end of its run", "s"): [one.ends_s for one in these],
        **{(f"{name} a minute", unit): [one.spent[name] for one in these] for name, unit in SPENDING.items()},
    }
    rows[f"{WORKER} for each service", "CPU-ms"] = [1000 * one.spent[WORKER] / one.services_count for one in these]
    for (words, unit), values in rows.items():
        yield row(f"{what}: {words}", unit, values)


def limit_rows(minutes: list[Minute], of_few: str) -> Iterator[Figure]:
    """Give the most services whose minute was met, which means little where more were not tried."""
    met = [one for one in minutes if one.met]
    missed = [one.services_count for one in minutes if not one.met]
    note = f"not with {min(missed)}" if missed else "more were not tried"
    most = max((one.services_count for one in met), default=0)
    what = f"most services whose minute was met{of_few}"
    yield row(what, "services", [most], more_is_better=True, note=note)


BENCH = Bench("growth", measure, (Database.POSTGRESQL,), {"counts": (COUNTS, (1, 100)), "minutes": (2, 1)})
