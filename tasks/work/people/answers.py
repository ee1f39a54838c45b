"""Who answered a plan: a person whom a shell or Slack has proven, else the user of the Prefect server's login."""

from datetime import UTC, datetime

from tasks.clients.incidents.ledger import append, read_ledger
from tasks.clients.messages.delivery_thread import sender_of
from tasks.model.errors import RunbookError
from tasks.model.people.person import Identity, ProvenAnswer
from tasks.model.remediation.plan import Approval, ApprovalAnswer
from tasks.model.remediation.remediation import RemediationCase
from tasks.rules.people.answers import as_first, first_approver, given_record, needs_two, proven_person
from tasks.rules.people.permissions import right_of_answer
from tasks.rules.remediation.planning.approval_records import answer_records
from tasks.settings import RunbookSettings
from tasks.work.people.permits import permitted


def give_answer(
    settings: RunbookSettings, service: str, flow_run_id: str, identity: Identity, approval: Approval
) -> Approval:
    """Prove at a shell or in Slack whose answer it is, and record that for the run that waits.

    Errors: `NOT_PERMITTED`, `LEDGER_UNWRITABLE`.
    """
    found = permitted(settings, identity, right_of_answer(approval.answer), approval.by, service)
    proven = approval.model_copy(update={"by": found.by})
    record = given_record(service, flow_run_id, proven, (identity, found), datetime.now(UTC))
    append(settings.ledger(service), [record])
    return proven


def answer_proven(
    settings: RunbookSettings, case: RemediationCase, flow_run_id: str, approval: Approval, form_user: Identity
) -> ProvenAnswer:
    """Let an answer hold where its person may give it, and where two must, only that of the second.

    Errors: `LEDGER_UNREADABLE`, `LEDGER_UNWRITABLE`; an answer that does not hold is `fault`, and the plan waits on.
    """
    place, service = settings.ledger(case.service), case.service
    records = read_ledger(place).records
    person = proven_person(records, service, flow_run_id, approval)
    if not person:
        try:
            found = permitted(settings, form_user, right_of_answer(approval.answer), approval.by, service)
        except RunbookError as error:
            return ProvenAnswer(fault=f"The last answer does not hold. {error}.")
        person, approval = found.key, approval.model_copy(update={"by": found.by})
    if approval.answer is not ApprovalAnswer.APPROVED or not needs_two(case.plan, settings.four_eyes):
        return ProvenAnswer(approval=approval)
    if first := first_approver(records, flow_run_id, person):
        return ProvenAnswer(approval=approval.model_copy(update={"first": first}))
    append(place, as_first(answer_records(case, approval, datetime.now(UTC)), flow_run_id, person))
    sender_of(settings).kick()
    return ProvenAnswer(fault=f"Approved by {approval.by}. A second person must approve it, too.")
