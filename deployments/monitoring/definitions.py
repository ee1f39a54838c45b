"""Every metric of ours: its name, help text, labels beside `service`, and where its series come from.

Label sets are closed, and their series stand there from the start: a rate over a series that appears with its first
event would miss that event.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import product
from typing import NamedTuple

from deployments.monitoring.counts import OTHER, Durations
from deployments.monitoring.sources import Numbers
from tasks.model.diagnosis.diagnosis import Audience, Cause, Status
from tasks.model.incidents.incident import Action, Outcome
from tasks.model.probes.probes import OrderOutcome, Seen
from tasks.settings import ServiceSettings

SINCE_START = "since this endpoint started"
IN_LEDGER = "in the whole ledger"
Labels = tuple[str, ...]
# Labels without `service`, and the value.
Series = Mapping[Labels, float]


class ServiceNumbers(NamedTuple):
    """ServiceNumbers watched service: its settings and its numbers."""

    watched: ServiceSettings
    numbers: Numbers


class Definition(NamedTuple):
    """ServiceNumbers metric."""

    name: str
    text: str
    labels: Labels
    series: Callable[[ServiceNumbers], Series]


class Histogram(NamedTuple):
    name: str
    text: str
    durations: Callable[[Numbers], Durations]


def last_observation(one: ServiceNumbers) -> Series:
    """Give the time of the last observation; no series before the first."""
    at = one.numbers.passes.latest_at
    return {(): at.timestamp()} if at else {}


def last_activity(one: ServiceNumbers) -> Series:
    """Give the time of the last triage activity; no series before the first."""
    at = one.numbers.last_activity_at
    return {(): at.timestamp()} if at else {}


def status_now(one: ServiceNumbers) -> Series:
    return {(word.value,): word == one.numbers.passes.status for word in Status}


def open_now(one: ServiceNumbers) -> Series:
    return _filled(Counter(one.numbers.ledger.open.values()), Cause)


def orders_sent(one: ServiceNumbers) -> Series:
    every = product(map(str, one.watched.synthetic_orders), map(str, OrderOutcome))
    return _with(every, one.numbers.passes.orders)


def gateway_probes(one: ServiceNumbers) -> Series:
    return _with(product(one.watched.gateways, ("failed", "passed")), one.numbers.passes.gateways)


def action_results(one: ServiceNumbers) -> Series:
    every = product((*map(str, Action), OTHER), map(str, Outcome))
    return _with(every, one.numbers.ledger.results)


def _filled(counts: Mapping[str, float], words: Iterable[str]) -> Series:
    return {(word,): count for word, count in {**dict.fromkeys(map(str, words), 0), **counts}.items()}


def _with(every: Iterable[Labels], counts: Mapping[Labels, float]) -> Series:
    return {**dict.fromkeys(every, 0), **counts}


GAUGES = (
    Definition(
        "runbook_last_observation_timestamp_seconds",
        "Time of the last triage observation of the service",
        (),
        last_observation,
    ),
    Definition(
        "runbook_last_activity_timestamp_seconds",
        "Time a triage last completed or wrote to the ledger",
        (),
        last_activity,
    ),
    Definition(
        "runbook_triage_stalled",
        "1 when triage of the service has stalled",
        (),
        lambda one: {(): one.numbers.stalled},
    ),
    Definition("runbook_service_status", "1 for the status the last triage found", ("status",), status_now),
    Definition(
        "runbook_remediation_in_progress",
        "1 while a run holds the service's lock to act on it",
        (),
        lambda one: {(): one.numbers.remediating},
    ),
    Definition(
        "runbook_maintenance", "1 while a maintenance window is open", (), lambda one: {(): one.numbers.maintenance}
    ),
    Definition("runbook_open_incidents", "Open incidents", ("cause",), open_now),
    Definition(
        "runbook_actions_unfinished",
        "Actions started whose outcome is unknown; `runbook rearm` clears them",
        (),
        lambda one: {(): len(one.numbers.ledger.unfinished)},
    ),
    Definition(
        "runbook_source_readable",
        "1 if the source was readable at this scrape",
        ("source",),
        lambda one: {(name,): good for name, good in one.numbers.readable.items()},
    ),
)
COUNTERS = (
    Definition(
        "runbook_runs_total",
        f"Triage runs by the status they found, {SINCE_START}",
        ("status",),
        lambda one: _filled(one.numbers.passes.runs, Status),
    ),
    Definition(
        "runbook_probe_passes_total",
        f"Passes of checks; a triage that confirms a failure makes several, {SINCE_START}",
        (),
        lambda one: {(): one.numbers.passes.rounds_count},
    ),
    Definition(
        "runbook_health_checks_total",
        f"Last health check of each triage by result, {SINCE_START}",
        ("result",),
        lambda one: _filled(one.numbers.passes.health, Seen),
    ),
    Definition(
        "runbook_synthetic_orders_total",
        f"Synthetic orders by outcome, {SINCE_START}",
        ("asset_class", "outcome"),
        orders_sent,
    ),
    Definition(
        "runbook_gateway_checks_total",
        f"Direct probes of each gateway by result, {SINCE_START}",
        ("gateway", "result"),
        gateway_probes,
    ),
    Definition(
        "runbook_diagnoses_total",
        f"Triage runs that found the cause, {SINCE_START}",
        ("cause",),
        lambda one: _filled(one.numbers.passes.diagnoses, Cause),
    ),
    Definition(
        "runbook_incidents_total",
        f"Incidents by the cause they were opened for, {IN_LEDGER}",
        ("cause",),
        lambda one: _filled(one.numbers.ledger.opened, Cause),
    ),
    Definition(
        "runbook_actions_started_total",
        f"Actions started, {IN_LEDGER}",
        ("action",),
        lambda one: _filled(one.numbers.ledger.started, (*Action, OTHER)),
    ),
    Definition(
        "runbook_action_results_total",
        f"Recorded action outcomes; `done` is followed by `recovered` or `not_recovered`, {IN_LEDGER}",
        ("action", "outcome"),
        action_results,
    ),
    Definition(
        "runbook_notifications_sent_total",
        f"Notifications delivered by audience, {IN_LEDGER}",
        ("audience",),
        lambda one: _filled(one.numbers.ledger.notified, (*Audience, OTHER)),
    ),
    Definition(
        "runbook_ledger_lines_skipped_total",
        f"Unreadable ledger lines, {IN_LEDGER}",
        (),
        lambda one: {(): one.numbers.ledger.skipped},
    ),
)
HISTOGRAMS = (
    Histogram(
        "runbook_time_to_detect_seconds",
        f"Time from the last observation without the failure to the opened incident (an upper bound), {IN_LEDGER}",
        lambda numbers: numbers.ledger.to_detect,
    ),
    Histogram(
        "runbook_time_to_recover_seconds",
        f"Time from the opened incident to its recovery, {IN_LEDGER}",
        lambda numbers: numbers.ledger.to_recover,
    ),
)
