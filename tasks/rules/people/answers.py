"""An answer to a plan that a door has proven, as the ledger keeps it for the run that waits; and the first of two."""

from collections.abc import Iterable
from datetime import datetime

from tasks.model.incidents.incident import Action, LedgerRecord, Source
from tasks.model.people.person import Identity, Permit
from tasks.model.remediation.plan import Approval, ApprovalAnswer, Plan
from tasks.rules.incidents.action_history import APPROVAL_TYPE

GIVEN_TYPE = "answer_given"


def given_record(
    service: str, flow_run_id: str, approval: Approval, proven: tuple[Identity, Permit], now: datetime
) -> LedgerRecord:
    """Write that a door has proven whose answer this is, before it is sent to the run that waits."""
    identity, permit = proven
    return LedgerRecord(
        timestamp=now,
        type=GIVEN_TYPE,
        service=service,
        source=Source.OPERATOR,
        summary=f"{approval.words}, as {identity.words}",
        details={
            "flow_run": flow_run_id,
            "answer": approval.answer,
            "by": approval.by,
            "person": permit.key,
            "door": identity.words,
        },
    )


def proven_person(records: Iterable[LedgerRecord], service: str, flow_run_id: str, approval: Approval) -> str:
    """Find the key of the person whose answer to this run a door has proven; empty where none has."""
    wanted = (flow_run_id, approval.answer, approval.by)
    return next(
        (
            str(record.details.get("person") or "")
            for record in records
            if (record.type, record.service, record.source) == (GIVEN_TYPE, service, Source.OPERATOR)
            and tuple(record.details.get(name) for name in ("flow_run", "answer", "by")) == wanted
        ),
        "",
    )


def needs_two(plan: Plan, four_eyes: tuple[Action, ...]) -> bool:
    """Say whether a plan holds an action that two people must approve."""
    return any(one.action in four_eyes for one in plan.actions)


def as_first(records: Iterable[LedgerRecord], flow_run_id: str, person: str) -> tuple[LedgerRecord, ...]:
    """Mark the records of an approval as the first of two: the plan waits on."""
    return tuple(
        one.model_copy(
            update={
                "summary": f"{one.summary}; waits for a second person",
                "details": {**one.details, "flow_run": flow_run_id, "person": person, "waits": True},
            }
        )
        for one in records
    )


def first_approver(records: Iterable[LedgerRecord], flow_run_id: str, second: str) -> str:
    """Find who else has approved the plan of this run; empty where nobody, or only the same person, has."""
    return next(
        (
            str(record.details.get("by") or "")
            for record in records
            if record.type == APPROVAL_TYPE
            and record.source == Source.OPERATOR
            and record.details.get("flow_run") == flow_run_id
            and record.details.get("waits") is True
            and record.details.get("answer") == ApprovalAnswer.APPROVED
            and record.details.get("person") not in {second, "", None}
        ),
        "",
    )
