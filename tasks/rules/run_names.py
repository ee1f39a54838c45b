"""What a run is called, and the tags by which a list of runs is filtered: to be read at three in the morning."""

from tasks.model.control import printable_line
from tasks.model.diagnosis import Finding, Status
from tasks.model.incident import Outcome
from tasks.model.messages import Message
from tasks.model.plan import Due, PlannedAction
from tasks.model.remediation import RemediationResult
from tasks.model.report import TriageStory
from tasks.rules.headline import held_now
from tasks.rules.in_force import in_force_words
from tasks.rules.planning.due import worth_trying

ROUTINE = "routine look"
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
    """Name a triage by what it found, and by what came of it as far as that is known.

    Runbook: §1 Initial triage.
    """
    request = story.evidence.context.request
    alert = request.alert or (request.seen.name if request.seen else None)
    return run_name(f"{triage_name(request.service, alert)} → {_found(story)}")


def found_tags(story: TriageStory) -> tuple[str, ...]:
    """Tag a triage with its service, what it found, and the incidents that it is about."""
    causes = (finding.cause.value for finding in story.diagnosis.findings)
    incidents = (one.incident_id for one in (*story.incidents.open, *story.incidents.closed))
    return tuple(dict.fromkeys((story.evidence.context.request.service, *causes, *incidents)))[:TAGS_COUNT]


def ended_name(begun: str, result: RemediationResult) -> str:
    """Name a run that a person ordered by what came of it, too."""
    outcome = f" → {_outcome(result)}"
    return run_name(f"{run_name(begun, NAME_LIMIT_COUNT - len(outcome))}{outcome}")


def telling_name(service: str, messages: tuple[Message, ...]) -> str:
    """Name the telling: who is told anything new."""
    told = ", ".join(dict.fromkeys(one.audience.value for one in messages))
    return run_name(f"{service}: tell {told}") if told else f"{service}: tell who is due"


def watchdog_name(stalled: tuple[str, ...]) -> str:
    """Name what the dead man's switch found."""
    return run_name(f"triage has stalled: {', '.join(stalled)}") if stalled else "triages finish: nothing to do"


def acting_name(service: str, planned: tuple[PlannedAction, ...]) -> str:
    """Name the acting: what is planned in the first place, in order, and what of it a guard forbids."""
    first = ", ".join(_planned_words(one) for one in planned if one.due is Due.ALWAYS)
    return run_name(f"{service}: {first or 'nothing planned'}")


def _planned_words(one: PlannedAction) -> str:
    return one.words if worth_trying(one) else f"{one.words} forbidden ({one.verdict.code})"


def _found(story: TriageStory) -> str:
    held = in_force_words(held_now(story.evidence, story.remediation).restrictions)
    found = f"{_diagnosed(story)}, but no ledger" if story.evidence.context.ledger_detail else _diagnosed(story)
    if not held:
        return found
    alone = story.diagnosis.status is Status.OK and not story.evidence.context.ledger_detail
    return held if alone else f"{found}. {held}"


def _diagnosed(story: TriageStory) -> str:
    if story.diagnosis.status is Status.OK:
        return "healthy again" if story.incidents.closed else "healthy"
    causes = " and ".join(_cause(finding) for finding in story.diagnosis.findings)
    return f"{causes}, {_outcome(story.remediation)}" if story.remediation else causes


def _cause(finding: Finding) -> str:
    where = ", ".join(finding.gateways or tuple(one.value for one in finding.asset_classes))
    return f"{finding.cause}{f' ({where})' if where else ''}"


def _outcome(result: RemediationResult) -> str:
    word = result.outcome.words
    return f"{word} ({result.code})" if result.code and result.outcome is Outcome.REFUSED else word
