"""Measure what several trading hosts cost one Prefect server on PostgreSQL and Redis.

Steps:
    1. the local stack on a PostgreSQL and a Redis of the bench's own; its own schedule is paused
    2. what one heartbeat of an order service costs the server, beyond what it spends at rest
    3. beside it hosts: each with a worker, a work queue and scripted services of its own, a sweep every minute
    4. for each number of hosts some minutes: CPU of each part, rows, events, connections, Redis's commands, and how
       late each sweep began and ended
"""

import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
from redis import Redis
from sqlalchemy.ext.asyncio import AsyncConnection

from bench.database import bytes_held, count, number, with_database
from bench.figures import Bench, Database, Figure, Run, row
from bench.growth import MINUTE_S, READ_AT_S, service_table
from bench.machine import cpu_s, family
from bench.order_stack import Process, running
from bench.stack import BenchStack, database_server, process_on, since, stack_in, wait_for
from deployments.stack.ports import ORDER_SERVICE
from tasks.model.fleet.queues import deployment_name
from tests.fakes.stack.redis_server import no_redis, redis_server

ONLINE_S = 180.0
REST_S, WRITTEN_S = 20.0, 10.0
CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"


@dataclass(frozen=True)
class Host:
    """One trading host: its queue, and the process of its worker."""

    name: str
    worker_pid: int


@dataclass(frozen=True)
class Spent:
    """What was spent so far. Units: CPU seconds by part; counts."""

    cpu_s: dict[str, float]
    counts: dict[str, float]


def measure(run: Run) -> Iterator[Figure]:
    """Let one host after the other join."""
    if reason := no_redis():
        raise SystemExit(f"NO_REDIS: expected a Redis to measure with was none: {reason}")
    most, services_count = max(run.given.hosts), run.given.services
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        database_server(Database.POSTGRESQL) as database,
        redis_server() as redis,
        stack_in(run, Path(folder), database._replace(redis_url=redis.url)) as stack,
        running("services", "bench.growth_services", str(most * services_count + 1), folder) as services,
        ExitStack() as workers,
    ):
        yield from heartbeat_rows(stack, run.given.heartbeats)
        hosts: list[Host] = []
        for hosts_count in sorted(run.given.hosts):
            while len(hosts) < hosts_count:
                hosts.append(join(stack, workers, services, len(hosts), services_count))
            yield from rows_of(stack, hosts, run)


def heartbeat_rows(stack: BenchStack, heartbeats_count: int) -> Iterator[Figure]:
    """Send heartbeats of the stack's own service one after the other, and give what one of them costs."""
    service = {"prefect.resource.id": f"order-service.{ORDER_SERVICE}", "prefect.resource.name": ORDER_SERVICE}
    start, began = spent(stack, []), time.monotonic()
    time.sleep(REST_S)
    before, rested_s = spent(stack, []), time.monotonic() - began
    began = time.monotonic()
    for _ in range(heartbeats_count):
        beat = {"id": str(uuid.uuid4()), "occurred": datetime.now(UTC).isoformat(), "event": "order-service.heartbeat"}
        stack.call("POST", "/events", [{**beat, "resource": service, "payload": {"status": "ok"}}])
    # What is buffered is written within this.
    time.sleep(WRITTEN_S)
    after, took_s = spent(stack, []), time.monotonic() - began
    for part, cpu in after.cpu_s.items():
        at_rest = (before.cpu_s[part] - start.cpu_s[part]) / rested_s
        each_ms = 1000 * (cpu - before.cpu_s[part] - took_s * at_rest) / heartbeats_count
        yield row(f"one heartbeat: CPU: {part}", "CPU-ms", [each_ms])
        yield row(f"at rest: CPU a minute: {part}", "CPU-s", [MINUTE_S * at_rest])


def join(stack: BenchStack, workers: ExitStack, services: Process, index: int, services_count: int) -> Host:
    """Start the worker of one more host, and wait until it is online."""
    name = f"host-{index + 1:02}"
    folder = stack.state.root / name
    folder.mkdir()
    ports = services.ports[index * services_count : (index + 1) * services_count]
    pids, gateway = stack.state.root, services.ports[-1]
    tables = [service_table(folder, pids, f"{name}-{at:03}", port, gateway) for at, port in enumerate(ports)]
    (folder / "runbook.toml").write_text("".join(tables), "utf-8")
    own = {"RUNBOOK_QUEUE": name, "RUNBOOK_CONFIG": str(folder / "runbook.toml"), "RUNBOOK_STATE_DIR": str(folder)}
    words = ("-m", "deployments.worker", name)
    pid = workers.enter_context(process_on(stack, *words, **{**stack.client_variables, **own}))
    question = {"workers": {"status": {"any_": ["ONLINE"]}}}

    def online() -> bool:
        return any(one["name"] == name for one in stack.call("POST", "/work_pools/runbook/workers/filter", question))

    wait_for(online, ONLINE_S, f"NOT_ONLINE: expected the worker of {name}; see bench.log", every_s=1.0)
    sys.stderr.write(f"{name} is online\n")
    return Host(name, pid)


def rows_of(stack: BenchStack, hosts: list[Host], run: Run) -> Iterator[Figure]:
    """Let some minutes pass, and give what each of them cost; the first one is not counted."""
    time.sleep((READ_AT_S - time.time()) % MINUTE_S)
    time.sleep(MINUTE_S)
    minutes, before, began_at = run.given.minutes, spent(stack, hosts), datetime.now(UTC)
    time.sleep(minutes * MINUTE_S)
    after = spent(stack, hosts)
    what = f"{len(hosts)} hosts of {run.given.services} services"
    for part, cpu in after.cpu_s.items():
        yield row(f"{what}: CPU a minute: {part}", "CPU-s", [(cpu - before.cpu_s[part]) / minutes])
    for name, counted in after.counts.items():
        yield row(f"{what}: {name} a minute", "", [(counted - before.counts[name]) / minutes])
    connections = with_database(stack.database_url, lambda connection: number(connection, CONNECTIONS))
    yield row(f"{what}: connections to PostgreSQL", "", [connections])
    sweeps = [one for host in hosts for one in sweeps_of(stack, host, began_at)]
    run.details.setdefault("sweeps", {})[what] = {"spent": [asdict(before), asdict(after)], "sweeps": sweeps}
    yield row(f"{what}: sweeps that ran, of {minutes * len(hosts)}", "", [len(sweeps)])
    yield row(f"{what}: from the minute to the start of a sweep", "s", [late for late, _ in sweeps] or [MINUTE_S])
    yield row(f"{what}: from the minute to the end of a sweep", "s", [end for _, end in sweeps] or [MINUTE_S])


def sweeps_of(stack: BenchStack, host: Host, began_at: datetime) -> list[tuple[float, float]]:
    """Read when the sweeps of one host began and ended, each in seconds of its own minute."""
    window = {"after_": began_at.isoformat(), "before_": (datetime.now(UTC) - timedelta(seconds=30)).isoformat()}
    question = {
        "deployments": {"name": {"any_": [deployment_name("every-minute", host.name)]}},
        "flow_runs": {"expected_start_time": window, "state": {"type": {"any_": ["COMPLETED"]}}},
    }
    found = stack.call("POST", "/flow_runs/filter", question)
    due = [(datetime.fromisoformat(one["expected_start_time"]), one) for one in found]
    return [(since(at, one["start_time"]), since(at, one["end_time"])) for at, one in due]


def spent(stack: BenchStack, hosts: list[Host]) -> Spent:
    workers = [process for host in hosts for process in family(host.worker_pid)]
    redis = [one for one in psutil.Process().children() if "redis-server" in one.name()]
    parts = {"workers": workers, "Prefect's server": stack.server_family(), "PostgreSQL": stack.database_family()}
    counts, held = with_database(stack.database_url, counts_and_bytes)
    with Redis.from_url(stack.server.redis_url) as client:
        commands = client.info("stats")["total_commands_processed"]
    return Spent(
        {name: cpu_s(processes) for name, processes in {**parts, "Redis": redis}.items()},
        {"rows": sum(counts.values()), "events": counts["events"], "kB": held / 1e3, "Redis commands": commands},
    )


async def counts_and_bytes(connection: AsyncConnection) -> tuple[dict[str, int], int]:
    return await count(connection), await bytes_held(connection)


OPTIONS = {"hosts": ((1, 5, 10), (1, 3)), "services": (20, 5), "minutes": (3, 2), "heartbeats": (1000, 300)}
BENCH = Bench("hosts", measure, (Database.POSTGRESQL,), OPTIONS)
