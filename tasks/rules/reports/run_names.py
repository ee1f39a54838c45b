"""What a run is called, what is broken first, and the tags by which a list of runs is filtered."""

from datetime import datetime

from tasks.model.diagnosis.diagnosis import Confidence, Diagnosis, Finding, Status
from tasks.model.incidents.incident import Outcome
from tasks.model.messages.messages import Message
from tasks.model.probes.control import printable_line
from tasks.model.remediation.plan import Due, PlannedAction
from tasks.model.remediation.remediation import RemediationCase, RemediationResult
from tasks.model.reports.report import STATE_OF, RunState, TriageStory, UnderWay
from tasks.rules.formats.time import utc_text
from tasks.rules.in_force.headline import broken_since, held_now, over_and_left, overall_status
from tasks.rules.in_force.restrictions import in_force_words
from tasks.rules.messages.desk import desk_clock
from tasks.rules.messages.templates import broken_words
from tasks.rules.remediation.planning.due import worth_trying

ROUTINE = "routine check"
NAME_LIMIT_COUNT = 160
ALERT_LIMIT_COUNT = 60
TAGS_COUNT = 12


def run_name(text: str, limit_count: int = NAME_LIMIT_COUNT) -> str:
    """Make a name of any text: one line that can be read and stored, cut where a list of runs would cut it."""
    line = printable_line(text)
    return line if len(line) <= limit_count else f"{line[: limit_count - 1].rstrip()}…"


def triage_name(service: str, alert: str | None) -> str:
    """Name a triage that begins: the service, and what it was started for."""
    return run_name(f"{service}: {run_name(alert, ALERT_LIMIT_COUNT) if alert else ROUTINE}")


def found_name(story: TriageStory) -> str:
    """Name a triage by what it found and what came of it, then by its service and alert.

    Runbook: §1 Initial triage.
    """
    request = story.evidence.context.request
    alert = request.alert or (request.seen.name if request.seen else None)
    return found_first(found_words(story), request.service, alert)


def run_state(story: TriageStory) -> RunState:
    """Say in one word how the service is at the end of a triage: by what was seen, and by what is in force.

    Errors: none. *Recovered* is only what was proven, with nothing left that is broken or holds trading back; and
    without a ledger nothing can be done, so nobody reads *healthy*.
    """
    evidence, diagnosis = story.evidence, story.diagnosis
    over, left = over_and_left(diagnosis, story.remediation)
    if over and not left:
        diagnosis = Diagnosis(status=Status.OK)
    status = overall_status(diagnosis, held_now(evidence, story.remediation), evidence)
    if status is not Status.OK:
        return STATE_OF[status]
    if evidence.context.ledger_detail:
        return RunState.DEGRADED
    return RunState.RECOVERED if over or story.incidents.closed else RunState.HEALTHY


def found_first(found: str, about: str, alert: str | None) -> str:
    """Put what was found before what it was found about, unless it names that; of a long one its end is cut."""
    why = f"alert {run_name(alert, ALERT_LIMIT_COUNT)}" if alert else ""
    words = ", ".join(part for part in (about, why) if part and part not in found)
    tail = f": {words}" if words else ""
    return run_name(f"{run_name(found.rstrip('.'), max(NAME_LIMIT_COUNT - len(tail), ALERT_LIMIT_COUNT))}{tail}")


def found_tags(story: TriageStory) -> tuple[str, ...]:
    """Tag a triage with its service, what it found, and the incidents that it is about."""
    causes = (finding.cause.value for finding in story.diagnosis.findings)
    incidents = (one.incident_id for one in (*story.incidents.open, *story.incidents.closed))
    return tuple(dict.fromkeys((story.evidence.context.request.service, *causes, *incidents)))[:TAGS_COUNT]


def ended_name(begun: str, result: RemediationResult) -> str:
    """Name a manual action by what came of it, too."""
    outcome = f" → {_outcome(result)}"
    return run_name(f"{run_name(begun, NAME_LIMIT_COUNT - len(outcome))}{outcome}")


def notifying_name(service: str, messages: tuple[Message, ...]) -> str:
    """Name the escalation by whom it notifies."""
    audiences = ", ".join(dict.fromkeys(one.audience.value for one in messages))
    return run_name(f"{service}: notify {audiences or 'who is due'}")


def watchdog_name(stalled: tuple[str, ...]) -> str:
    return run_name(f"triage has stalled: {', '.join(stalled)}") if stalled else "triages finish: nothing to do"


def acting_name(service: str, planned: tuple[PlannedAction, ...]) -> str:
    """Name the remediation: what is planned in the first place, in order, and what of it a guard forbids."""
    first = ", ".join(_planned_words(one) for one in planned if one.due is Due.ALWAYS)
    return run_name(f"{service}: {first or 'nothing planned'}")


def waiting_name(case: RemediationCase, until: datetime) -> str:
    """Name the part of a run that waits for a person: what is broken since when, and until when it waits."""
    broken = " and ".join(dict.fromkeys(_broken(one, case.service) for one in case.diagnosis.findings))
    since = min((one.reopened_at or one.opened_at for one in case.incidents), default=None)
    found = f"{broken or case.service}{f' since {utc_text(since)[11:16]}Z' if since else ''}"
    waits = f", waiting for YOU until {desk_clock(until)}"
    return run_name(f"{run_name(found, NAME_LIMIT_COUNT - len(waits))}{waits}")


def _planned_words(one: PlannedAction) -> str:
    return one.words if worth_trying(one) else f"{one.words} forbidden ({one.verdict.code})"


def found_words(story: TriageStory) -> str:
    """Say what a triage found and what comes of it, and what is in force, in as few words as a list of runs takes."""
    held = in_force_words(held_now(story.evidence, story.remediation).restrictions)
    found = f"{_diagnosed(story)}, but no ledger" if story.evidence.context.ledger_detail else _diagnosed(story)
    if not held:
        return found
    alone = story.diagnosis.status is Status.OK and not story.evidence.context.ledger_detail
    return held if alone else f"{found}. {held}"


def _diagnosed(story: TriageStory) -> str:
    if story.diagnosis.status is Status.OK:
        return "healthy again" if story.incidents.closed else "healthy"
    service, findings = story.evidence.context.request.service, story.diagnosis.findings
    broken = " and ".join(dict.fromkeys(_broken(finding, service) for finding in findings))
    since = min((broken_since(finding, story.evidence) for finding in findings), default=None)
    found = f"{broken or story.diagnosis.status.value}{f' since {utc_text(since)[11:16]}Z' if since else ''}"
    if story.under_way is not None:
        return f"{found}, {doing_words(story.under_way)}"
    return f"{found}, {_outcome(story.remediation)}" if story.remediation else found


def doing_words(doing: UnderWay) -> str:
    """Say in a few words what a run does now; whom it waits for stands in capitals, for a list of a thousand runs."""
    if doing.asked_until is not None:
        return f"waiting for YOU until {desk_clock(doing.asked_until)}"
    return f"{doing.action.words} under way" if doing.action else "under way"


def _broken(finding: Finding, service: str) -> str:
    unsure = "" if finding.confidence is Confidence.CONFIRMED else f" ({finding.confidence})"
    return f"{broken_words(finding, service)}{unsure}"


def _outcome(result: RemediationResult) -> str:
    word = result.outcome.words
    return f"{word} ({result.code})" if result.code and result.outcome is Outcome.REFUSED else word
