"""Every metric of ours: its name, what it tells, its labels beside `service`, and where its series come from.

Label sets are closed, and their series stand there from the start: a rate over a series that appears with its first
event would miss that event.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import product
from typing import NamedTuple

from deployments.monitoring.durations import Durations
from deployments.monitoring.ledger_counts import OTHER
from deployments.monitoring.sources import Numbers
from tasks.model.diagnosis import Audience, Cause, Status
from tasks.model.incident import Action, Outcome
from tasks.model.looks import OrderOutcome, Seen
from tasks.settings import ServiceSettings

SINCE_START = "since this endpoint started"
IN_LEDGER = "in the whole ledger"
Labels = tuple[str, ...]
# Labels without `service`, and the value.
Series = Mapping[Labels, float]


class One(NamedTuple):
    """One watched service: its settings and its numbers."""

    watched: ServiceSettings
    numbers: Numbers


class Told(NamedTuple):
    """One metric."""

    name: str
    text: str
    labels: Labels
    series: Callable[[One], Series]


class ToldDurations(NamedTuple):
    """One histogram."""

    name: str
    text: str
    durations: Callable[[Numbers], Durations]


def last_look(one: One) -> Series:
    """Say when a run last looked; nothing where none ever has."""
    at = one.numbers.looks.latest_at
    return {(): at.timestamp()} if at else {}


def last_sign(one: One) -> Series:
    """Say when a triage last showed any sign of life."""
    at = one.numbers.last_sign_at
    return {(): at.timestamp()} if at else {}


def status_now(one: One) -> Series:
    """Say 1 for the status that the last run found."""
    return {(word.value,): word == one.numbers.looks.status for word in Status}


def open_now(one: One) -> Series:
    """Count the open incidents by cause."""
    return _filled(Counter(one.numbers.ledger.open.values()), Cause)


def orders_sent(one: One) -> Series:
    """Count the synthetic orders by asset class and outcome."""
    every = product(map(str, one.watched.synthetic_orders), map(str, OrderOutcome))
    return _with(every, one.numbers.looks.orders)


def gateway_looks(one: One) -> Series:
    """Count the direct looks at each gateway."""
    return _with(product(one.watched.gateways, ("failed", "passed")), one.numbers.looks.gateways)


def action_results(one: One) -> Series:
    """Count the recorded results of actions."""
    every = product((*map(str, Action), OTHER), map(str, Outcome))
    return _with(every, one.numbers.ledger.results)


def _filled(counts: Mapping[str, float], words: Iterable[str]) -> Series:
    return {(word,): count for word, count in {**dict.fromkeys(map(str, words), 0), **counts}.items()}


def _with(every: Iterable[Labels], counts: Mapping[Labels, float]) -> Series:
    return {**dict.fromkeys(every, 0), **counts}


GAUGES = (
    Told("runbook_last_look_timestamp_seconds", "When a triage last looked at the service", (), last_look),
    Told("runbook_last_sign_timestamp_seconds", "When a triage last looked, or wrote to the ledger", (), last_sign),
    Told(
        "runbook_watch_silent",
        "1 when no triage looks at the service any more",
        (),
        lambda one: {(): one.numbers.silent},
    ),
    Told("runbook_service_status", "1 for the status that the last triage found", ("status",), status_now),
    Told(
        "runbook_acting",
        "1 while somebody holds the service's lock to act on it",
        (),
        lambda one: {(): one.numbers.acting},
    ),
    Told("runbook_maintenance", "1 while a maintenance window is open", (), lambda one: {(): one.numbers.maintenance}),
    Told("runbook_open_incidents", "Incidents that are open now", ("cause",), open_now),
    Told(
        "runbook_actions_unfinished",
        "Actions that were begun and whose end is not known; a re-arm settles them",
        (),
        lambda one: {(): len(one.numbers.ledger.unfinished)},
    ),
    Told(
        "runbook_source_readable",
        "1 where what is counted could be read just now",
        ("source",),
        lambda one: {(name,): good for name, good in one.numbers.readable.items()},
    ),
)
COUNTERS = (
    Told(
        "runbook_runs_total",
        f"Triages that looked, by the status that they found, {SINCE_START}",
        ("status",),
        lambda one: _filled(one.numbers.looks.runs, Status),
    ),
    Told(
        "runbook_look_rounds_total",
        f"Rounds of looks; a triage that confirms a failure makes several, {SINCE_START}",
        (),
        lambda one: {(): one.numbers.looks.rounds_count},
    ),
    Told(
        "runbook_health_looks_total",
        f"The last health look of each triage by its result, {SINCE_START}",
        ("result",),
        lambda one: _filled(one.numbers.looks.health, Seen),
    ),
    Told(
        "runbook_synthetic_orders_total",
        f"Synthetic orders by what became of them, {SINCE_START}",
        ("asset_class", "outcome"),
        orders_sent,
    ),
    Told(
        "runbook_gateway_looks_total",
        f"Direct looks at each gateway by result, {SINCE_START}",
        ("gateway", "result"),
        gateway_looks,
    ),
    Told(
        "runbook_diagnoses_total",
        f"Triages that found this cause, {SINCE_START}",
        ("cause",),
        lambda one: _filled(one.numbers.looks.diagnoses, Cause),
    ),
    Told(
        "runbook_incidents_total",
        f"Incidents by the cause they were opened for, {IN_LEDGER}",
        ("cause",),
        lambda one: _filled(one.numbers.ledger.opened, Cause),
    ),
    Told(
        "runbook_actions_started_total",
        f"Actions begun, {IN_LEDGER}",
        ("action",),
        lambda one: _filled(one.numbers.ledger.started, (*Action, OTHER)),
    ),
    Told(
        "runbook_action_results_total",
        f"Results of actions as recorded; one that was done is later recovered or not_recovered, {IN_LEDGER}",
        ("action", "outcome"),
        action_results,
    ),
    Told(
        "runbook_messages_told_total",
        f"Messages that reached their audience, {IN_LEDGER}",
        ("audience",),
        lambda one: _filled(one.numbers.ledger.told, (*Audience, OTHER)),
    ),
    Told(
        "runbook_ledger_lines_skipped_total",
        f"Lines that could not be read, {IN_LEDGER}",
        (),
        lambda one: {(): one.numbers.ledger.skipped},
    ),
)
HISTOGRAMS = (
    ToldDurations(
        "runbook_time_to_detect_seconds",
        f"From the last look without the trouble to the opened incident, so the longest it went unseen, {IN_LEDGER}",
        lambda numbers: numbers.ledger.to_detect,
    ),
    ToldDurations(
        "runbook_time_to_recover_seconds",
        f"From the opened incident to its recovery, {IN_LEDGER}",
        lambda numbers: numbers.ledger.to_recover,
    ),
)
