"""`runbook look STEP`: any one look step alone. Each is imported when it is called: `--help` must be instant."""

from cyclopts import App

app = App(
    name="look",
    help="Make one look alone: exit 0 fine, 1 it failed, 2 called wrongly, 3 could not look.",
)
STEPS = {
    "health": "Ask `GET /health` once (§1.2).",
    "process": "Look at the server's process: pid, memory, CPU, open files (§1.2).",
    "metrics": "Read `GET /metrics` once (§1.2).",
    "orders": "Sends small TEST ORDERS (--no-orders: none) (§1.3), and names the orders that are not proven (§2).",
    "gateways": "Ask each gateway directly, past the service (§1.2).",
    "routing": "Read where each asset class goes (§2.2).",
    "market": "Say whether a market is open, and when that changes (§1.1).",
    "incidents": "Read an incidents.jsonl leniently (§1.4).",
    "logs": "Find the errors of a log, grouped (§1.4).",
}
for _step, _help in STEPS.items():
    app.command(f"deployments.commands.look_{_step}:look_{_step}", name=_step, help=_help)
