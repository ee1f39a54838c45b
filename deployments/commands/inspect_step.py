"""`runbook inspect STEP`: one read-only check alone. A step is imported when it is called: `--help` must be instant.

A step's function has its options and observes; `deployments/views/observations.py` has its columns.
"""

from cyclopts import App

app = App(name="inspect", help="Run one read-only check alone. Exit 0 ok, 1 it failed, 2 usage error, 3 unknown.")
STEPS = {
    "health": ("service", "Ask `GET /health` once; only 200 with status ok passes (§1.2)."),
    "process": ("service", "Check the server's process: pid, memory, CPU, open files, port (§1.2)."),
    "metrics": ("service", "Read `GET /metrics` once; unreadable metrics say nothing of the service (§1.2)."),
    "orders": (
        "service",
        "Sends small TEST ORDERS (--no-orders: none) (§1.3), and names the orders that are not proven (§2).",
    ),
    "gateways": ("service", "Ask each gateway's own health, past the service (§1.2)."),
    "routing": ("service", "Show where each asset class goes, who set it and why; an unsound table fails (§2.2)."),
    "market": ("files", "Say whether a market is open, and when that changes (§1.1)."),
    "incidents": ("files", "Read an incidents.jsonl; a line that cannot be read is named (§1.4)."),
    "logs": ("files", "Find the errors of a log, grouped, a stack trace as one finding (§1.4)."),
}
for _name, (_file, _help) in STEPS.items():
    app.command(f"deployments.commands.inspect_{_file}:{_name}", name=_name, help=_help)
