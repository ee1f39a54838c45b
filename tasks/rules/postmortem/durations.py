"""How long each stage of an incident took: to detect, to notify, to acknowledge, to act, to recover."""

from datetime import datetime, timedelta
from typing import NamedTuple

from tasks.model.incidents.incident import Event
from tasks.model.postmortem.postmortem import NumberedRecord, PostmortemCase
from tasks.model.probes.probes import Seen
from tasks.rules.formats.json_values import text_of
from tasks.rules.formats.markdown_cells import cell
from tasks.rules.formats.time import shifted, utc_text
from tasks.rules.incidents.action_history import is_rearm
from tasks.rules.postmortem.actions import actions_taken
from tasks.rules.postmortem.cause import named

# A fact that the service reported this long before belongs to the incident, where it is about the same.
FIRST_SIGN_WITHIN = timedelta(minutes=15)
SLOW_FACTOR = 3.0
SLOW_LEAST_MS = 50.0
NOT_KNOWN = "not known"
SIGN_WORDS = ("unreachable", "failed", "refused", "unavailable", "broken")


class Stage(NamedTuple):
    """One stretch of the incident; without an end where it never came to it."""

    name: str
    since: datetime
    until: datetime | None
    note: str = ""

    @property
    def seconds_s(self) -> float | None:
        """How long it took; clocks of two hosts may disagree, and time never runs backwards."""
        return max(0.0, (self.until - self.since).total_seconds()) if self.until else None

    @property
    def took(self) -> str:
        return lasted(self.seconds_s) if self.seconds_s is not None else NOT_KNOWN


def began_at(case: PostmortemCase) -> tuple[datetime, str]:
    """Say when the trouble began, as far as anything shows it, and what shows it.

    Runbook: §1.1 When did it start.
    """
    opened = case.incident.opened_at
    signs = [(one.record.timestamp, f"reported by the service, line {one.line}") for one in first_signs(case)]
    failed = case.first_run.evidence.observations[0].looked_at if case.first_run else None
    if failed is not None and failed <= opened:
        signs.append((failed, "the first check that failed"))
    return min(signs, default=(opened, "the incident was opened; nothing earlier is known"))


def last_good_at(case: PostmortemCase) -> datetime | None:
    """Find the last run before the incident that found nothing wrong."""
    began, _ = began_at(case)
    return max((look.at for look in case.looks if look.at < began and look.status == "ok"), default=None)


def detection_s(case: PostmortemCase) -> float:
    """Measure from the first sign to the opened incident."""
    began, _ = began_at(case)
    return max(0.0, (case.incident.opened_at - began).total_seconds())


def recovery_s(case: PostmortemCase) -> float | None:
    """Measure from the first sign to the end; None while it runs."""
    began, _ = began_at(case)
    closed = case.incident.closed_at
    return max(0.0, (closed - began).total_seconds()) if closed else None


def acknowledged(case: PostmortemCase) -> tuple[datetime, str] | None:
    """Find who acknowledged it first, and when."""
    for one in case.records:
        record = one.record
        if record.event == Event.ACKNOWLEDGED and not is_rearm(record):
            return record.timestamp, str(record.details.get("by") or "a person")
    return None


def stages(case: PostmortemCase) -> tuple[Stage, ...]:
    """List the stages, in the order in which they come."""
    began, sign = began_at(case)
    opened, closed = case.incident.opened_at, case.incident.closed_at
    good = last_good_at(case)
    bound = f"; at most {lasted((opened - good).total_seconds())} after the last good run" if good else ""
    who = acknowledged(case)
    acted = actions_taken(case)
    ended = [one.ended_at for one in acted if one.ended_at]
    return (
        Stage("to detect", began, opened, sign + bound),
        Stage("to notify", opened, _first(case, Event.NOTIFIED)),
        Stage("to acknowledge", opened, who[0] if who else None, f"by {who[1]}" if who else "nobody acknowledged it"),
        Stage("to act", opened, acted[0].began_at if acted else None, "" if acted else "no action was taken"),
        *(Stage(f"the action {one.action.replace('_', ' ')}", one.began_at, one.ended_at) for one in acted),
        Stage("to prove recovery after the last action", ended[-1], closed) if ended else
        Stage("to recover without an action", opened, closed, "no action of the automation ended it"),
        Stage("to recover, in all", began, closed, "" if closed else "it still runs"),
    )  # fmt: skip


def time_lines(case: PostmortemCase) -> list[str]:
    """Write how long it took to detect, to acknowledge and to recover.

    Runbook: §5.1 Timelines.
    """
    rows = [
        f"- {cell(one.name, 80)}: **{one.took}**{f'; {cell(one.note, 200)}' if one.note else ''}"
        for one in stages(case)
    ]
    return ["## Detection and recovery", "", *rows]


def slow_lines(case: PostmortemCase) -> list[str]:
    """Write what took longest of our own doing, and what answered slowly.

    Runbook: §5.1 What was slow.
    """
    timed = [one for one in stages(case)[:-1] if one.seconds_s]
    longest = sorted(timed, key=lambda one: -(one.seconds_s or 0))[:3]
    ours = [f"- {cell(one.name, 80)}: {one.took} ({utc_text(one.since)} to {utc_text(one.until)})"
            for one in longest if one.until]  # fmt: skip
    theirs = [f"- {line}" for line in slow_answers(case)]
    return ["## What was slow", "", *(ours or ["- no stage took a measurable time"]), *(theirs or _nothing_slow(case))]


def slow_answers(case: PostmortemCase) -> tuple[str, ...]:
    """Hold what the first run measured against the hour before it."""
    if case.first_run is None:
        return ()
    latest = case.first_run.evidence.latest
    before = [look for look in case.looks if look.status == "ok" and look.at < case.incident.opened_at]
    health = latest.health.exchange
    measured = [("GET /health", health.seconds_s * 1000, [one.health_ms for one in before])] if health else []
    for probe in latest.gateways:
        past = [found.latency_ms for one in before if (found := one.gateway(probe.gateway))]
        if probe.latency_ms is not None and probe.seen is Seen.PASSED:
            measured.append((f"gateway {probe.gateway}", probe.latency_ms, past))
    for order in latest.orders:
        usual = [sent.latency_ms for one in before if (sent := one.order(order.asset_class))]
        if order.exchange is not None:
            measured.append((f"test order {order.asset_class}", order.exchange.seconds_s * 1000, usual))
    return tuple(line for name, now_ms, past in measured if (line := _slow(name, now_ms, past)))


def lasted(seconds_s: float) -> str:
    """Say a length of time as a person does."""
    if seconds_s < 120:
        return f"{seconds_s:.1f} s"
    if seconds_s < 7200:
        return f"{seconds_s / 60:.1f} min"
    return f"{seconds_s / 3600:.1f} h"


def _slow(name: str, now_ms: float, past: list[float | None]) -> str | None:
    known = sorted(one for one in past if one is not None)
    usual_ms = known[len(known) // 2] if known else None
    if now_ms < SLOW_LEAST_MS or (usual_ms is not None and now_ms < usual_ms * SLOW_FACTOR):
        return None
    before = f"{usual_ms:.0f} ms" if usual_ms is not None else NOT_KNOWN
    return f"{cell(name, 80)}: {now_ms:.0f} ms in the first run; in the hour before {before}"


def _nothing_slow(case: PostmortemCase) -> list[str]:
    if case.first_run is None:
        return ["- how fast the service and the gateways answered is not known: no evidence of a run was kept"]
    return ["- whatever answered in the first run, answered as fast as in the hour before"]


def _first(case: PostmortemCase, event: Event) -> datetime | None:
    return next((one.record.timestamp for one in case.records if one.record.event == event), None)


def first_signs(case: PostmortemCase) -> tuple[NumberedRecord, ...]:
    """Find what the service itself reported of this trouble before it was opened, and did not take back."""
    opened, gateways = case.incident.opened_at, set(named(case, "gateways"))
    since = shifted(opened, -FIRST_SIGN_WITHIN)
    signs: dict[str, NumberedRecord] = {}
    for one in case.around:
        about = text_of(one.record.details, "gateway", 100) or ""
        if not since <= one.record.timestamp <= opened or (gateways and about and about not in gateways):
            continue
        if one.record.type.endswith("_recovered"):
            signs.pop(about, None)
        elif any(word in one.record.type for word in SIGN_WORDS):
            signs.setdefault(about, one)
    return tuple(signs.values())
