"""What a person reads of each observation: the table of columns of `runbook inspect` and `runbook check`."""

from typing import Any

from rich.text import Text

from deployments.views.columns import Rows, View, laid_out, lines
from tasks.model.logs.findings import LogFinding
from tasks.model.market.market import MarketHours
from tasks.model.probes.order_states import OrderSafety, OrderStates
from tasks.model.probes.probes import HealthProbe, OrderProbe, RouteStatus
from tasks.model.probes.processes import ProcessCheck
from tasks.rules.formats.time import utc_text
from tasks.rules.probes.http_status import asked_words


def lines_of(step: str, value: object) -> list[Text]:
    """Lay out what one step observed."""
    return laid_out(VIEWS[step], value)


def first_line(step: str, value: object) -> Text:
    """Give the verdict of one step alone."""
    return lines(VIEWS[step].head, value, VIEWS[step].computed)[0]


def _answered_s(probe: HealthProbe) -> float | None:
    return probe.exchange.seconds_s if probe.exchange and probe.exchange.http_status else None


def _age_s(probe: ProcessCheck) -> float | None:
    return None if probe.started_at is None else round((probe.looked_at - probe.started_at).total_seconds())


def _undelivered(probe: OrderProbe) -> str | None:
    return None if probe.exchange is None or probe.outcome.delivered else probe.exchange.body


def _unlisted_count(states: OrderStates) -> int | None:
    return states.unproven_count - len(states.unproven) or None


def _advice(states: OrderStates) -> str | None:
    return "ask the venue for these ids; never send them again" if states.verdict is OrderSafety.UNSAFE else None


def _elsewhere(route: RouteStatus) -> str | None:
    return route.shipped_gateway if route.shipped_gateway != route.gateway else None


def _place(finding: LogFinding) -> str:
    to = f" to {finding.last_line}" if finding.last_line != finding.first_line else ""
    return f"line {finding.first_line}{to}" + (f", last {utc_text(finding.last_at)}" if finding.last_at else "")


def _open(row: dict[str, Any]) -> str | None:
    return f"OPEN, {row['state']}" if "state" in row and not row["closed_at"] else None


def _closed(row: dict[str, Any]) -> str | None:
    return f"closed {row['closed_at'][:19]}Z" if row.get("closed_at") else None


def _market_state(hours: MarketHours) -> str:
    return "open" if hours.open else "closed"


# A verdict is as wide as the longest one, `rejected_as_expected`, so that verdicts line up under each other.
VIEWS = {
    "health": View(
        "{seen!s:21}{asked:14} {detail}",
        "release started_at answered_in=answered_s",
        (Rows("dependencies", "  {name:15}{status!s}  {latency_ms!d}"),),
        {"answered_s": _answered_s, "asked": lambda probe: asked_words(probe.exchange)},
    ),
    "process": View(
        "{state!s:21}process        {detail}",
        "memory_bytes cpu_ratio open_files_count open_files_limit threads_count processes_count listens age_s "
        "port_owner_pid port_owner_name machine.busy_ratio machine.cores_count machine.memory_available_bytes",
        (
            Rows("machine.busiest", "  busy beside {name} pid {pid} {cpu_ratio}"),
            Rows("machine.disks", "  disk {what} {free_bytes} free of {total_bytes}"),
        ),
        {"age_s": _age_s},
    ),
    "metrics": View(
        "{seen!s:21}{asked:14} {detail}",
        "release orders_count orders_by_outcome orders_unknown_count gateways_up",
    ),
    "exposition": View(
        "{line!w}  {text}", "", (Rows("oddities", "  odd line {line!w}  {code.value} {name}", 5, "odd lines"),)
    ),
    "orders": View(
        "{outcome!s:21}order {asset_class!b:9}{detail}  at {gateway}  {client_order_id!d}\n  answered {undelivered}",
        computed={"undelivered": _undelivered},
    ),
    "unproven": View(
        "{verdict!s:21}not proven     {detail}, {count!b}",
        rows=(
            Rows("unproven", "  {client_order_id!b}  {status}  {asset_class} at {gateway}  {age_s}  {detail!d}"),
            Rows("more", "  and {} more"),
            Rows("advice", "  {!d}"),
        ),
        computed={
            "count": lambda states: f"{states.unproven_count} in all" if states.unproven_count else None,
            "more": lambda states: [count] if (count := _unlisted_count(states)) else [],
            "advice": lambda states: [words] if (words := _advice(states)) else [],
        },
    ),
    "gateways": View("{seen!s:21}gateway {gateway!b:7}{detail}"),
    "instances": View(
        "{seen!s:21}instance {instance!b}  {detail}  process {state!s}",
        computed={
            "seen": lambda probe: probe.health.seen,
            "detail": lambda probe: probe.health.detail,
            "state": lambda probe: probe.process.state,
        },
    ),
    "routing": View(
        "{seen!s:21}GET /routing   {detail}",
        "features table_hash file_error",
        (
            Rows(
                "routes",
                "  {asset_class:15}{gateway:15}{trading_state!s}  else {alternates!d}"
                "  shipped with {elsewhere!e}  {set_by!d} {reason!d}",
            ),
        ),
        {"elsewhere": _elsewhere},
    ),
    "market": View(
        "{state!s:21}{asset_class!b} at {at}",
        "session calendar note next_open next_close",
        computed={
            "state": _market_state,
            "session": lambda hours: hours.session.value.replace("_", " "),
            "next_open": lambda hours: hours.next_open or "never: it does not close",
            "next_close": lambda hours: hours.next_close or "never",
        },
    ),
    "incidents": View(
        "{file!b}: {read} records read, {skipped_count} skipped, {open_count} open",
        rows=(
            Rows(
                "incidents",
                "  line {line:6} {timestamp}  {type}  {incident_id!b}  {open!e}  {closed!g}  {causes}  {summary!d}",
                -50,
                "ones",
            ),
            Rows("skipped", "  skipped line {line!w}  {reason}", 10, "skipped lines"),
            Rows("notes", "  {!w}"),
        ),
        computed={
            "open": _open,
            "closed": _closed,
            "skipped_count": lambda document: len(document["skipped"]) or "none",
            "open_count": lambda document: sum(_open(row) is not None for row in document["incidents"]),
        },
    ),
    "logs": View(
        "{file!b}: {error_lines!b} error lines of {lines}, {bytes} bytes, {findings_count} findings",
        rows=(
            Rows(
                "findings",
                "  {severity.label!s:9}{kind:12}x{count!b:6}{new!w:5}{template}  {place!d}\n"
                "           {exception.type!b}: {exception.message}  at {exception.frame!d}",
                20,
                "findings",
            ),
            Rows("cut", "  {!w}"),
            Rows("notes", "  {!w}"),
        ),
        computed={
            "findings_count": lambda scan: len(scan.findings),
            "new": lambda finding: "new" if finding.is_new else None,
            "place": _place,
            "cut": lambda scan: [] if scan.complete else ["cut short by the deadline: the rest was not read"],
        },
    ),
}
