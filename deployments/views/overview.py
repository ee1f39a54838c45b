"""What matters in an incident, a line each: what is broken, what waits for a person, what is in force, what to type."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from tasks.model.incidents.incident import IncidentState
from tasks.model.incidents.modes import Mode
from tasks.model.messages.slack_press import WaitingPlan
from tasks.model.probes.history import PastObservation
from tasks.rules.formats.time import clock_text, duration_text
from tasks.rules.in_force.restrictions import in_force_words
from tasks.rules.incidents.tiers import TIER_NAMES, tier_of
from tasks.rules.incidents.transitions import half_done
from tasks.rules.messages.resume_offer import way_back
from tasks.rules.messages.templates import command_line

HEALTHY = "ok"
# A triage runs every minute; what was seen longer ago says little of now.
STALE = timedelta(minutes=5)


class ServiceNow(NamedTuple):
    """What the files of this host say of one service.

    `fault` is why its ledger could not be read, `acting` who holds its lock, `last` the last run that saw it.
    """

    name: str
    mode: Mode
    fault: str
    incidents: tuple[IncidentState, ...]
    waiting: Mapping[str, WaitingPlan]
    acting: str
    last: PastObservation | None

    def is_quiet(self, now: datetime) -> bool:
        """Say whether nothing of it needs a person, as far as was seen lately."""
        last = self.last
        seen = last is not None and last.status == HEALTHY and not last.held and now - last.at < STALE
        return seen and not (self.fault or self.incidents or self.acting)


def begin_lines() -> list[str]:
    """Say what to begin with where no service is configured."""
    return [
        "No service is configured here. Begin with one of these:",
        "  runbook up                           start the whole local stack, with a service to watch",
        "  runbook contract --write --url URL   describe your own service, from what it answers",
    ]


def overview_lines(services: list[ServiceNow], count: int, now: datetime) -> list[str]:
    """Write every service that needs a person, then how many do not.

    Runbook: §1.1, where a person begins in a shell.
    """
    loud = [one for one in services if not one.is_quiet(now)]
    quiet = [one for one in services if one.is_quiet(now)]
    lines = [line for one in loud for line in _service_lines(one, now)]
    lines += [_quiet_line(quiet)] if quiet else []
    left = count - len(services)
    lines += [f"{left} more services were not read in time: `runbook incidents` lists all."] if left else []
    return [*lines, "Next: `runbook check` says how it is now, `runbook plan` what would be done."]


def _quiet_line(quiet: list[ServiceNow]) -> str:
    seen = min(one.last.at for one in quiet if one.last)
    names = quiet[0].name if len(quiet) == 1 else f"{len(quiet)} services"
    known = ", nothing in force" if all(one.last and one.last.held is not None for one in quiet) else ""
    return f"{names}: no open incident{known}; last seen ok at {clock_text(seen)}. Mode {quiet[0].mode}."


def _service_lines(one: ServiceNow, now: datetime) -> Iterator[str]:
    count = len(one.incidents)
    running = f"{count or 'no'} open incident{'s' if count > 1 else ''}"
    last = _last_words(one.last, now)
    yield f"{one.name}: {'its incidents are not known' if one.fault else running}; {last}. Mode {one.mode}."
    if one.fault:
        yield f"  {one.fault}"
    if one.acting:
        yield f"  Under way: {one.acting}"
    for incident in one.incidents:
        yield from _incident_lines(incident, one.waiting.get(incident.incident_id), now)
    if one.last and one.last.held:
        ways = "; ".join(dict.fromkeys(way_back(held) for held in one.last.held))
        yield f"  In force, as seen at {clock_text(one.last.at)}: {in_force_words(one.last.held)} To lift it: {ways}"


def _last_words(last: PastObservation | None, now: datetime) -> str:
    if last is None:
        return "no run has seen it for 2 h: `runbook status` says whether triages run"
    ago = f", {duration_text((now - last.at).total_seconds())} ago" if now - last.at >= STALE else ""
    return f"last seen {last.status} at {clock_text(last.at)}{ago}"


def _incident_lines(incident: IncidentState, plan: WaitingPlan | None, now: datetime) -> Iterator[str]:
    incident_id = incident.incident_id
    causes = ", ".join(cause.replace("_", " ") for cause in incident.causes) or "manual action"
    since, tier = clock_text(incident.trouble_since), TIER_NAMES[tier_of(incident.tier)]
    if incident.recovered_at:
        causes = f"recovered at {clock_text(incident.recovered_at)}, still open: {causes}"
    if incident.acknowledged_until and incident.acknowledged_until > now:
        until = clock_text(incident.acknowledged_until)
        yield f"  {causes} since {since}, acknowledged by {incident.acknowledged_by} until {until} ({incident_id})"
    else:
        yield f"  {causes} since {since}, with {tier}: `{command_line('runbook', 'ack', incident_id)}`"
    if plan:
        answer, reject = (command_line("runbook", word, incident_id) for word in ("approve", "reject"))
        first = f" (approved by {plan.first}, waits for a second person)" if plan.first else ""
        actions = ", ".join(plan.actions)
        yield f"  WAITS FOR YOU until {clock_text(plan.until)}: {actions}{first}: `{answer}` or `{reject}`"
    for action in half_done(incident):
        what = f"{action.action.replace('_', ' ')} began at {clock_text(action.started_at)}"
        yield f"  HALF DONE: {what}, and its end is not known: check the service, then `runbook rearm --reason …`"
