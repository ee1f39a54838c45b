"""What one look saw, for a person: a first line with the verdict, then the facts."""

from collections.abc import Iterable

from rich.text import Text

from deployments.views.terminal import BAD, BOLD, DIM, GOOD, UNSURE, Part, facts, line
from tasks.model.looks import GatewayLook, HealthLook, MetricsLook, OrderLook, OrderOutcome, Seen
from tasks.model.market import MarketHours
from tasks.model.processes import ProcessLook, ProcessState
from tasks.rules.times import utc_text

STYLES = {Seen.PASSED: GOOD, Seen.FAILED: BAD, Seen.BLIND: UNSURE, Seen.NOT_CONFIGURED: DIM}
STATE_STYLES = {ProcessState.RUNNING: GOOD, ProcessState.BLIND: UNSURE}
DEPENDENCY_STYLES = {"ok": GOOD, "degraded": UNSURE}
# As wide as the longest verdict, `rejected_as_expected`: looks line up under each other.
VERDICT_WIDTH, NAME_WIDTH = 21, 14


def health_lines(look: HealthLook) -> list[Text]:
    """Tell of one `GET /health`, and of the dependencies as the service reports them."""
    known = facts(
        [
            ("release", look.release),
            ("started", utc_text(look.started_at) if look.started_at else None),
            ("answered in", f"{look.exchange.seconds_s * 1000:.0f} ms" if look.exchange else None),
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
                ("listens", None if look.listens is None else ("yes" if look.listens else "no")),
                ("age", None if started is None else f"{(look.looked_at - started).total_seconds():.0f} s"),
                ("port held by", owner),
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


def market_lines(hours: MarketHours) -> list[Text]:
    """Tell whether the market is open, and when that changes."""
    word = ("open", GOOD) if hours.open else ("closed", UNSURE)
    return [
        line((word[0].ljust(VERDICT_WIDTH), word[1]), (hours.asset_class.value, BOLD), f" at {utc_text(hours.at)}"),
        *facts(
            [
                ("session", hours.session.value.replace("_", " ")),
                ("calendar", hours.calendar),
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


def _latency(latency_ms: float | None) -> Part:
    return ("" if latency_ms is None else f"  {latency_ms:g} ms", DIM)


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.0f}"
