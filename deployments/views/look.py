"""What one look saw, for a person: a first line with the verdict, then the facts."""

from collections.abc import Iterable

from rich.text import Text

from deployments.views.terminal import BAD, BOLD, DIM, GOOD, UNSURE, Part, facts, line
from tasks.model.looks import (
    GatewayLook,
    HealthLook,
    MetricsLook,
    OrderLook,
    OrderOutcome,
    RouteLook,
    RoutingLook,
    Seen,
)
from tasks.model.market import MarketHours
from tasks.model.processes import Disk, MachineLook, ProcessLook, ProcessState
from tasks.rules.times import utc_text

STYLES = {Seen.PASSED: GOOD, Seen.FAILED: BAD, Seen.BLIND: UNSURE, Seen.NOT_CONFIGURED: DIM}
STATE_STYLES = {ProcessState.RUNNING: GOOD, ProcessState.BLIND: UNSURE}
DEPENDENCY_STYLES = {"ok": GOOD, "degraded": UNSURE}
# As wide as the longest verdict, `rejected_as_expected`: looks line up under each other.
VERDICT_WIDTH, NAME_WIDTH = 21, 15


def health_lines(look: HealthLook) -> list[Text]:
    """Tell of one `GET /health`, and of the dependencies as the service reports them."""
    answer = look.exchange
    known = facts(
        [
            ("release", look.release),
            ("started", utc_text(look.started_at) if look.started_at else None),
            ("answered in", f"{answer.seconds_s * 1000:.0f} ms" if answer and answer.http_status else None),
        ]
    )
    reported = [
        line(
            "  ",
            one.name.ljust(NAME_WIDTH),
            (one.status, DEPENDENCY_STYLES.get(one.status, BAD)),
            _latency(one.latency_ms),
        )
        for one in look.dependencies
    ]
    return [_verdict(look.seen, "GET /health", look.detail), *known, *reported]


def process_lines(look: ProcessLook) -> list[Text]:
    """Tell of the process."""
    files = (
        None if look.open_files_count is None else f"{look.open_files_count} of {look.open_files_limit or 'unknown'}"
    )
    owner = f"pid {look.port_owner_pid} {look.port_owner_name or ''}" if look.port_owner_pid else None
    started = look.started_at
    return [
        line(
            (look.state.value.ljust(VERDICT_WIDTH), STATE_STYLES.get(look.state, BAD)),
            ("process".ljust(NAME_WIDTH), BOLD),
            look.detail,
        ),
        *facts(
            [
                ("memory", None if look.memory_bytes is None else f"{look.memory_bytes / 1_048_576:.1f} MiB"),
                ("CPU", None if look.cpu_ratio is None else f"{look.cpu_ratio:.0%} of a core"),
                ("open files", files),
                ("threads", _number(look.threads_count)),
                ("processes", _number(look.processes_count) if (look.processes_count or 1) > 1 else None),
                ("listens", None if look.listens is None else ("yes" if look.listens else "no")),
                ("age", None if started is None else f"{(look.looked_at - started).total_seconds():.0f} s"),
                ("port held by", owner),
                *_machine(look.machine),
            ]
        ),
    ]


def metrics_lines(look: MetricsLook) -> list[Text]:
    """Tell of the numbers that the runbook asks for."""
    gateways = ", ".join(f"{name} {'up' if up else 'DOWN'}" for name, up in sorted(look.gateways_up.items()))
    outcomes = ", ".join(f"{name} {count:.0f}" for name, count in sorted(look.orders_by_outcome.items()))
    return [
        _verdict(look.seen, "GET /metrics", look.detail),
        *facts(
            [
                ("release", look.release),
                ("orders", outcomes),
                ("unknown orders", _number(look.orders_unknown_count)),
                ("gateways", gateways),
            ]
        ),
    ]


def order_lines(looks: Iterable[OrderLook]) -> list[Text]:
    """Tell of each synthetic order; one that did not come back whole is shown with the answer."""
    return [one for look in looks for one in _order(look)]


def gateway_lines(looks: Iterable[GatewayLook]) -> list[Text]:
    """Tell of each gateway, asked directly."""
    return [_verdict(look.seen, f"gateway {look.gateway}", look.detail) for look in looks]


def routing_lines(look: RoutingLook) -> list[Text]:
    """Tell where each asset class goes, and whatever is not as it was shipped."""
    features = ", ".join(f"{name} {'on' if on else 'off'}" for name, on in sorted(look.features.items()))
    return [
        _verdict(look.seen, "GET /routing", look.detail),
        *(_route(route) for route in look.routes),
        *facts([("features", features), ("table", look.table_hash), ("file error", look.file_error)]),
    ]


def market_lines(hours: MarketHours) -> list[Text]:
    """Tell whether the market is open, and when that changes."""
    word = ("open", GOOD) if hours.open else ("closed", UNSURE)
    return [
        line((word[0].ljust(VERDICT_WIDTH), word[1]), (hours.asset_class.value, BOLD), f" at {utc_text(hours.at)}"),
        *facts(
            [
                ("session", hours.session.value.replace("_", " ")),
                ("calendar", hours.calendar),
                ("note", hours.note or None),
                ("next open", utc_text(hours.next_open) if hours.next_open else "never: it does not close"),
                ("next close", utc_text(hours.next_close) if hours.next_close else "never"),
            ]
        ),
    ]


def _verdict(seen: Seen, subject: str, detail: str) -> Text:
    return line((seen.value.ljust(VERDICT_WIDTH), STYLES[seen]), (subject.ljust(NAME_WIDTH), BOLD), detail)


def _order(look: OrderLook) -> list[Text]:
    style = GOOD if look.outcome.delivered else UNSURE if look.outcome is OrderOutcome.BLIND else BAD
    subject = (f"order {look.asset_class}".ljust(NAME_WIDTH), BOLD)
    where = f"at {look.gateway}: " if look.gateway else ""
    words = (look.outcome.value.ljust(VERDICT_WIDTH), style)
    head = line(words, subject, where, look.detail, (f"  {look.client_order_id}", DIM))
    answer = look.exchange.body if look.exchange and not look.outcome.delivered else ""
    return [head, *([line("  answered ", answer)] if answer else [])]


def _route(route: RouteLook) -> Text:
    state = (route.trading_state or "unknown", UNSURE if route.trading_state != "active" else GOOD)
    shipped, who = route.shipped_gateway, f"  {route.set_by or ''} {route.reason or ''}".rstrip()
    other = f"  shipped with {shipped}" if shipped and shipped != route.gateway else ""
    alternates = f"  else {', '.join(route.alternates)}" if route.alternates else ""
    name, gateway = route.asset_class.value.ljust(NAME_WIDTH), (route.gateway or "no gateway").ljust(NAME_WIDTH)
    return line("  ", name, gateway, state, (alternates, DIM), (other, BAD), (who, DIM))


def _machine(machine: MachineLook | None) -> list[tuple[str, str | None]]:
    """Name what the machine beneath lacks or not: cores, memory, room on the disks."""
    if machine is None:
        return []
    busiest = ", ".join(f"{one.name} pid {one.pid} {one.cpu_ratio:.0%}" for one in machine.busiest)
    busy = None if machine.busy_ratio is None else f"{machine.busy_ratio:.0%} of {machine.cores_count or '?'} cores"
    free = machine.memory_available_bytes
    disks = [("disk", _room(one)) for one in machine.disks]
    return [
        ("machine busy", busy),
        ("busy beside", busiest),
        ("free memory", None if free is None else _gigabytes(free)),
        *disks,
    ]


def _room(disk: Disk) -> str:
    return f"{_gigabytes(disk.free_bytes)} of {_gigabytes(disk.total_bytes)} free, for {disk.what}"


def _gigabytes(count_bytes: int) -> str:
    return f"{count_bytes / 1_073_741_824:.1f} GiB"


def _latency(latency_ms: float | None) -> Part:
    return ("" if latency_ms is None else f"  {latency_ms:g} ms", DIM)


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.0f}"
