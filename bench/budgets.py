"""Every budget, by its bench and its row. Where more is better the row has to reach it, elsewhere it may cost that."""

from bench.figures import Budget


def of_median(limit: float) -> Budget:
    return Budget(limit=limit)


def of_p95(limit: float) -> Budget:
    return Budget(limit=limit, of_p95=True)


BUDGETS: dict[str, dict[str, Budget]] = {
    "orders": {"orders, open loop": of_median(800), "order latency, open loop, p99": of_median(60)},
    "log_scan": {
        "log scan, cold, normal day, a core": of_median(1),
        "log scan ÷ ripgrep, wall clock, normal day": of_median(1),
        "log scan, peak memory, normal day": of_median(150),
        "log scan, peak memory, many words": of_median(150),
        "log scan, 1 MB of new lines in 10 GB": of_median(50),
        "log scan, CPU of one line of 1 MB, the worst": of_median(100),
    },
    "checks": {"all checks of a healthy service, at once": of_median(40)},
    "ledger": {"one append to a ledger of 10 kB": of_median(5), "one append to a ledger of 64 MB": of_median(5)},
    "runs": {
        "manual trigger → triage finished": of_median(0.45),
        "CPU of a healthy minute: worker": of_median(0.3),
        "CPU of a healthy minute: server": of_median(2.0),
    },
    # Flat: after an hour at most a hundredth more.
    "memory": {"held: the whole stack": of_median(600), "growth: the whole stack": of_median(6)},
    "events": {
        "service's incident → triage started": of_median(0.5),
        "silence → triage started": of_p95(15),
        "silence → triage started, by the heartbeat alone": of_p95(15),
    },
    "remedies": {
        "hang → the service answers again, found by its silence": of_median(8),
        "hang → recovered and proven, found by its silence": of_median(18),
        "hang → recovered and proven, alerted at once": of_median(18),
    },
    "clicks": {
        "clicks that fail, SQLite, our server": of_median(0),
        "clicks that fail, PostgreSQL, our server": of_median(0),
    },
    "database": {"held at the end ÷ held before": of_median(1.05)},
    "growth": {
        "100 services: not probed in their minute": of_median(0),
        "100 services: from the minute to the start of its run": of_p95(5),
        "most services whose minute was met": of_median(1000),
        "1000 services: not probed in their minute": of_median(0),
        "1000 services: from the minute to the probe of a service": of_p95(40),
        "1000 services: CPU of the worker for each service": of_median(20),
    },
    "hosts": {},
    "faults": {"faults without the expected reaction": of_median(0)},
}
