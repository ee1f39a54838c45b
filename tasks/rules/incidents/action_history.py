"""What the automation has done to a service since a person last re-armed it, counted from the ledger (safety rule 4).

The order of the file decides, not the clock: a record whose time lies in the future or long past, after a jump of some
host's clock, must neither give a spent budget back nor hide an action.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from pydantic import Field

from tasks.model.incidents.incident import Action, ActionRecord, Event, LedgerRecord, Outcome, Source
from tasks.model.remediation.plan import ApprovalAnswer
from tasks.model.values import Value
from tasks.rules.formats.json_values import text_of
from tasks.rules.formats.time import parse_time

REARMED_TYPE = "automation_rearmed"
APPROVAL_TYPE = "approval_answered"
ASKED_TYPE = "approval_asked"
ANSWERED_LIMIT_COUNT = 50
# After these the service is checked until it is proven healthy; the others contain trouble and fix nothing.
PROVEN_AFTERWARDS = frozenset(
    {
        Action.RESTART_SERVICE,
        Action.ROLL_BACK_RELEASE,
        Action.DISABLE_FEATURE,
        Action.RESTORE_ROUTING,
        Action.REROUTE_ORDERS,
    }
)
# Two writers may stamp their lines this far out of order; a record further ahead of us than this has a wrong clock.
CLOCK_SLACK = timedelta(minutes=5)


class ActionHistory(Value):
    """The actions since the last re-arm, oldest first; `started_at` is never after now nor before an earlier record.

    `rejected` are the actions that a person said no to, by their keys, with who did.
    """

    actions: tuple[ActionRecord, ...] = ()
    rejected: dict[str, str] = Field(default_factory=dict)

    def count_since(self, action: Action, since: datetime) -> int:
        """Count the actions of one kind begun since a time, whatever became of them."""
        return sum(one.action == action and one.started_at > since for one in self.actions)

    def ineffective_since(self, since: datetime) -> int:
        """Count the actions begun since a time that did not help."""
        return sum(one.outcome == Outcome.NOT_RECOVERED and one.started_at > since for one in self.actions)

    @property
    def half_done(self) -> tuple[ActionRecord, ...]:
        """Find the actions that were begun and whose end is not known, but for what tightens."""
        return tuple(one for one in self.actions if one.is_half_done)

    def unproven(self, incident_id: str) -> tuple[ActionRecord, ...]:
        """Find the actions of an incident that were done and whose effect nobody verified: their run was killed."""
        ours = (one for one in self.actions if one.key.startswith(f"{incident_id}/"))
        return tuple(one for one in ours if one.outcome == Outcome.DONE and one.action in PROVEN_AFTERWARDS)


def action_history(records: Iterable[LedgerRecord], service: str, now: datetime) -> ActionHistory:
    """Read the history of one service's actions; an action needs no incident that can still be read.

    Errors: none.
    """
    actions: dict[str, ActionRecord] = {}
    rejected: dict[str, str] = {}
    latest = datetime(1970, 1, 1, tzinfo=UTC)
    for record in records:
        moment = _moment(record.timestamp, latest, now)
        latest = max(latest, moment) if record.timestamp <= now + CLOCK_SLACK else latest
        if record.service != service:
            continue
        if is_rearm(record):
            actions, rejected = {}, {}
        elif record.type == APPROVAL_TYPE:
            rejected = answered(rejected, record)
        elif record.event == Event.ACTION_STARTED:
            actions[_key(record)] = begun_action(record, moment)
        elif record.event == Event.ACTION_FINISHED and _key(record) in actions:
            actions[_key(record)] = ended_action(actions[_key(record)], record)
    return ActionHistory(actions=tuple(actions.values()), rejected=rejected)


def answered(rejected: dict[str, str], record: LedgerRecord) -> dict[str, str]:
    """Take a person's answer to a plan; the last one to an action counts, and nobody else's word does."""
    keys = record.details.get("actions")
    if record.source != Source.OPERATOR or not isinstance(keys, list):
        return rejected
    named = {key[:200] for key in keys[:ANSWERED_LIMIT_COUNT] if isinstance(key, str)}
    if record.details.get("answer") == ApprovalAnswer.REJECTED:
        return {**rejected, **dict.fromkeys(named, record.summary[:300])}
    return {key: said for key, said in rejected.items() if key not in named}


def is_rearm(record: LedgerRecord) -> bool:
    """Say whether a record is a person's word that the automation may act again."""
    return record.type == REARMED_TYPE and record.source == Source.OPERATOR and record.event == Event.ACKNOWLEDGED


def begun_action(record: LedgerRecord, moment: datetime) -> ActionRecord:
    owner = record.details.get("owner_pid")
    return ActionRecord(
        key=text_of(record.details, "key", 200) or "",
        action=text_of(record.details, "action", 100) or "",
        started_at=moment,
        owner_pid=owner if isinstance(owner, int) else None,
        cause=text_of(record.details, "cause", 100) or "",
        target=text_of(record.details, "target", 200) or "",
        trouble_since=parse_time(record.details.get("trouble_since")),
    )


def ended_action(action: ActionRecord, record: LedgerRecord) -> ActionRecord:
    """Read the end of an action; its proof may say more of the same action later."""
    outcome = text_of(record.details, "outcome", 100)
    return action.model_copy(update={"finished_at": record.timestamp, "outcome": outcome})


def _moment(stamp: datetime, latest: datetime, now: datetime) -> datetime:
    if stamp > now + CLOCK_SLACK:
        return now
    return stamp if stamp > latest - CLOCK_SLACK else min(latest, now)


def _key(record: LedgerRecord) -> str:
    return text_of(record.details, "key", 200) or f"line-{record.line}"
