"""Decide how far down the page a run goes; nothing here goes there."""

from tasks.model.incidents.incident import Action, IncidentState, Outcome
from tasks.model.remediation.operator_action import ManualActionStory
from tasks.model.remediation.plan import Plan
from tasks.model.remediation.remediation import IncidentUpdate, RemediationCase, RemediationResult
from tasks.model.reports.report import TriageStory
from tasks.rules.in_force.restrictions import in_force
from tasks.rules.remediation.planning.due import ends_incident, not_tried, sum_up, worth_trying


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


def waits_for_no_message(plan: Plan) -> bool:
    """Say whether a plan is carried out while people are notified of it: restarts alone, which send no message between.

    A mark, a pause or a re-route is reported to the desk as it is done, and what is planned is read before it; a plan
    that asks is read first, too.
    """
    return not plan.asks and all(one.action is Action.RESTART_SERVICE for one in plan.actions if worth_trying(one))


def remediation_case(story: TriageStory, plan: Plan) -> RemediationCase:
    """Hand over what §2 works on."""
    return _case(story, plan, story.incidents.open)


def case_for_operator(story: ManualActionStory, plan: Plan) -> RemediationCase:
    """Hand over what §2 works on where a person asked for it."""
    return _case(story, plan, (story.incident,)).model_copy(update={"asked": story.manual_action.asked})


def _case(story: TriageStory | ManualActionStory, plan: Plan, incidents: tuple[IncidentState, ...]) -> RemediationCase:
    return RemediationCase(
        request=story.evidence.context.request,
        diagnosis=story.diagnosis,
        process=story.evidence.latest.process,
        processes={one.instance: one.process for one in story.evidence.latest.instances},
        plan=plan,
        late_s=story.evidence.context.late_s,
        incidents=incidents,
    )


def nothing_allowed(story: TriageStory, plan: Plan) -> RemediationResult | None:
    """Say why nothing of a plan is done; None where it asks for nothing."""
    if not plan.actions:
        return None
    return sum_up(remediation_case(story, plan), tuple(not_tried(one) for one in plan.actions), None)


def no_manual_action(case: RemediationCase) -> RemediationResult:
    return sum_up(case, tuple(not_tried(one) for one in case.plan.actions), None)


def ended_incidents(story: TriageStory) -> tuple[str, ...]:
    """Name the incidents to write down: ended in this run, or before it where a run was killed at that point."""
    closed = tuple(one.incident_id for one in story.incidents.closed)
    done = story.remediation.actions if story.remediation else ()
    recovered = (one.planned for one in done if one.proven is Outcome.RECOVERED)
    ended = (*closed, *(one.incident_id for one in recovered if ends_incident(one)))
    return tuple(dict.fromkeys((*ended, *story.evidence.context.unwritten_incidents)))
