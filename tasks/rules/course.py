"""Decide how far down the page a run goes; nothing here goes there."""

from tasks.model.by_hand import HandStory
from tasks.model.incident import Outcome
from tasks.model.plan import Plan
from tasks.model.remediation import IncidentUpdate, RemediationCase, RemediationResult
from tasks.model.report import TriageStory
from tasks.rules.in_force import in_force
from tasks.rules.planning.due import ends_incident, not_tried, sum_up, worth_trying


def needs_runbook(story: TriageStory) -> bool:
    """Say whether §1.4 to §5 have anything to do: a cause, an incident that may be over, or one whose end is untold.

    So has what the automation left in force: an incident answers for it until a person resumes it.

    Without a ledger that can be read and written nothing is recorded and so nothing is done; the report says so.
    """
    context = story.evidence.context
    waiting = context.open_incidents or context.untold_recoveries or in_force(story.evidence.latest).own
    return not context.ledger_detail and bool(story.diagnosis.findings or waiting)


def recorded(story: TriageStory, update: IncidentUpdate) -> TriageStory:
    """Go on with what was recorded; where nothing could be, the run goes on as one without a ledger."""
    if not update.fault:
        return story.having(incidents=update)
    context = story.evidence.context.model_copy(update={"ledger_detail": update.fault})
    return story.model_copy(update={"evidence": story.evidence.model_copy(update={"context": context})})


def may_act(plan: Plan) -> bool:
    """Say whether anything of a plan may be done, or is to be asked for."""
    return any(worth_trying(one) for one in plan.actions)


def remediation_case(story: TriageStory, plan: Plan) -> RemediationCase:
    """Hand over what §2 works on."""
    context = story.evidence.context
    return RemediationCase(
        request=context.request,
        diagnosis=story.diagnosis,
        process=story.evidence.latest.process,
        plan=plan,
        late_s=context.late_s,
        incidents=story.incidents.open,
    )


def nothing_allowed(story: TriageStory, plan: Plan) -> RemediationResult | None:
    """Say why nothing of a plan is done; None where it asks for nothing."""
    if not plan.actions:
        return None
    return sum_up(remediation_case(story, plan), tuple(not_tried(one) for one in plan.actions), None)


def case_by_hand(story: HandStory, plan: Plan) -> RemediationCase:
    """Hand over what §2 works on where a person ordered it."""
    context = story.evidence.context
    return RemediationCase(
        request=context.request,
        diagnosis=story.diagnosis,
        process=story.evidence.latest.process,
        plan=plan,
        late_s=context.late_s,
        asked=story.instruction.asked,
        incidents=(story.incident,),
    )


def nothing_by_hand(case: RemediationCase) -> RemediationResult:
    """Say why nothing of a person's order is done."""
    return sum_up(case, tuple(not_tried(one) for one in case.plan.actions), None)


def ended_incidents(story: TriageStory) -> tuple[str, ...]:
    """Name the incidents to write down: ended in this run, or before it where a run was killed at that point."""
    closed = tuple(one.incident_id for one in story.incidents.closed)
    done = story.remediation.actions if story.remediation else ()
    healed = (one.planned for one in done if one.proven is Outcome.RECOVERED)
    ended = (*closed, *(one.incident_id for one in healed if ends_incident(one)))
    return tuple(dict.fromkeys((*ended, *story.evidence.context.unwritten_incidents)))
