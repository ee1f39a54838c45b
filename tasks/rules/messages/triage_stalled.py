"""Triage has stalled: what the monitoring part itself sees of the services, and nothing that nobody saw."""

from collections.abc import Mapping

from pydantic import AwareDatetime, Field

from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.incidents.incident import IncidentState
from tasks.model.incidents.modes import Mode
from tasks.model.messages.messages import Message
from tasks.model.probes.liveness import Liveness, SeenAlive
from tasks.model.values import Value
from tasks.rules.fleet.watchdog import NAMED_COUNT, Stall
from tasks.rules.messages.desk import UTC_NAME, desk_clock
from tasks.rules.messages.templates import ending, listed, message_of

WATCH_STOPPED, CANNOT_TRADE = "watch-stopped", "watch-stopped-cannot-trade"
PAGED = (Audience.TIER_3, Audience.TIER_1)


class StalledWords(Value):
    """What the messages are made of beside the silence: `seen` is what the monitoring part sees of each service."""

    mode: Mode
    now: AwareDatetime
    seen: Mapping[str, SeenAlive] = Field(default_factory=dict)
    time_zone: str = UTC_NAME


def stalled_messages(
    incident: IncidentState, silence: Stall, words: StalledWords, services: tuple[str, ...]
) -> tuple[Message, ...]:
    """Write to those who fix it and those who must check until then; to the desk where a service cannot trade.

    Runbook: §3.1, §3.3, §4.1. It is no order-routing incident, so the template of §4.2 would say what nobody knows.
    Where a service stops answering after the first page, its people get a second one.
    """
    down = tuple(name for name in services if name in words.seen and words.seen[name].cannot_trade(words.now))
    seen = " ".join(
        seen_words(name, words.seen.get(name))
        for name in sorted(services, key=lambda one: one not in down)[:NAMED_COUNT]
    )
    stalled, end = f"Triage has stalled: {silence.words}.", ending(incident, words.mode)
    text = f"{seen} {_advice(down)} {stalled} {end}" if down else f"{stalled} {_advice(down)} {seen} {end}"
    about = "-".join((CANNOT_TRADE, *_others(down, incident))) if down else WATCH_STOPPED
    pages = tuple(message_of(incident, audience, about, text) for audience in PAGED)
    return (*pages, message_of(incident, Audience.DESK, about, _desk_text(down, words))) if down else pages


def seen_words(service: str, seen: SeenAlive | None) -> str:
    """Say what the monitoring part saw of one service, and when."""
    if seen is None:
        return f"The state of {service} is unknown."
    since, asked_at = desk_clock(seen.since), desk_clock(seen.asked_at)
    match seen.answered.liveness:
        case Liveness.ANSWERS:
            return f"{service} answered at {asked_at} ({seen.answered.detail}); its orders are not checked."
        case Liveness.FAILS:
            return f"{service} has answered with errors since {since} ({seen.answered.detail}, last at {asked_at})."
        case Liveness.SILENT:
            return f"{service} HANGS: no answer since {since}, probed each second (last at {asked_at})."
        case Liveness.REFUSED:
            return f"{service} IS DOWN: it has refused connections since {since} (last at {asked_at})."
        case Liveness.UNREACHABLE:
            return f"{service} cannot be reached from this host ({seen.answered.detail}); its state is unknown."


def _advice(down: tuple[str, ...]) -> str:
    fix = "fix the worker or the Prefect server: `runbook status`."
    todo = f"Restart {listed(down)} by hand" if down else "Check the service with `runbook check`"
    return f"{todo}, then {fix}"


def _others(down: tuple[str, ...], incident: IncidentState) -> tuple[str, ...]:
    return tuple(name for name in sorted(down) if name != incident.service)


def _desk_text(down: tuple[str, ...], words: StalledWords) -> str:
    since = (f"{name} since {desk_clock(words.seen[name].since, words.time_zone)}" for name in down)
    return (
        f"No orders can be placed: no answer from {', '.join(since)}. Automatic recovery is not running. "
        "On-call and the platform team have been paged."
    )
