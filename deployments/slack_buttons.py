"""Receive the buttons of Slack: `python -m deployments.slack_buttons`. It needs `slack.app_token`."""

import asyncio
import logging
import signal
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from pydantic import SecretStr

from deployments.prefect_api.approvals import answer_plan, own_waiting
from deployments.prefect_api.client import open_door
from deployments.views.words import complain
from tasks.clients.incidents.acknowledge import acknowledge
from tasks.clients.incidents.ledger import read_ledger
from tasks.clients.messages.delivery_thread import sender_of
from tasks.clients.messages.slack.presses import forget, is_first
from tasks.clients.messages.slack.socket_mode import listen_for_presses
from tasks.model.errors import Code, RunbookError
from tasks.model.incidents.incident import Action
from tasks.model.messages.slack_press import Press, Pressed
from tasks.model.people.person import Door, Identity, Right
from tasks.model.probes.control import TradingState
from tasks.model.remediation.operator_action import ManualAction
from tasks.model.remediation.plan import Approval, ApprovalAnswer, Request
from tasks.rules.formats.time import utc_text
from tasks.rules.incidents.action_history import APPROVAL_TYPE
from tasks.rules.messages.desk import desk_clock
from tasks.rules.messages.operator import outcome_line
from tasks.rules.messages.slack.blocks import escape
from tasks.rules.people.permissions import right_of_answer
from tasks.rules.remediation.operator_action import pause_targets
from tasks.settings import RunbookSettings, load_settings
from tasks.work.people.permits import order_permitted, permitted
from tasks.work.remediation.operator_action import pause_ordered

LOGGER = logging.getLogger("runbook.slack_buttons")
REFUSED = {
    Pressed.ACKNOWLEDGE: "Not taken.",
    Pressed.APPROVE: "Not approved.",
    Pressed.REJECT: "Not rejected.",
    Pressed.PAUSE: "Not paused.",
}


def main() -> None:
    """Hear presses until SIGTERM or Ctrl-C.

    Errors: exit 2 and one line for a wrong setting, or where no app token is set.
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        settings = load_settings().watching()
        token = app_token(settings)
    except RunbookError as error:
        complain(str(error))
        sys.exit(2)
    listen_for_presses(settings.slack, token, lambda press: pressed(load_settings, press, datetime.now(UTC)), stop)


def app_token(settings: RunbookSettings) -> SecretStr:
    """Give the app-level token.

    Errors: `NOT_CONFIGURED`.
    """
    if settings.slack.app_token is None:
        detail = "expected an app-level token was none; set slack.app_token, or do without the button"
        raise RunbookError(Code.NOT_CONFIGURED, detail)
    return settings.slack.app_token


def pressed(load: Callable[[], RunbookSettings], press: Press, now: datetime) -> str:
    """Do what a person pressed, once, with the settings of now; give the words for them, or none for a press again.

    Runbook: §2, in mode *propose*; §2.2; §3 Escalation matrix.

    Errors: none; what could not be done is reported to the person who pressed.
    """
    try:
        return _once(load(), press, now)
    except RunbookError as error:
        LOGGER.warning("not done, by=%s %s: %s", press.by, press.what, error)
        return escape(f"{REFUSED[press.pressed]} {error}")


def _once(settings: RunbookSettings, press: Press, now: datetime) -> str:
    if not is_first(settings.state_dir, press, now):
        return ""
    try:
        words = _done(settings, press, now)
    except RunbookError:
        forget(settings.state_dir, press, now)
        raise
    finally:
        sender_of(settings).kick()
    LOGGER.warning("by=%s %s: %s", press.by, press.what, words)
    return escape(words)


def _done(settings: RunbookSettings, press: Press, now: datetime) -> str:
    match press.pressed:
        case Pressed.ACKNOWLEDGE:
            return _taken(settings, press, now)
        case Pressed.APPROVE:
            return answered(settings, press, ApprovalAnswer.APPROVED, now)
        case Pressed.REJECT:
            return answered(settings, press, ApprovalAnswer.REJECTED, now)
        case Pressed.PAUSE:
            return paused(settings, press)


def _taken(settings: RunbookSettings, press: Press, now: datetime) -> str:
    """Write that a person has the incident, for the service's time."""
    who = permitted(settings, _user(press), Right.ACKNOWLEDGE, "", press.service).by if settings.people else press.by
    incident = acknowledge(settings, press.incident_id, who, now)
    until = f" until {utc_text(incident.acknowledged_until)}" if incident.acknowledged_until else ""
    return f"{incident.incident_id} is with you{until}; its pages stop."


def answered(settings: RunbookSettings, press: Press, said: ApprovalAnswer, now: datetime) -> str:
    """Answer the plan that the person saw, and no other, the way that `runbook approve` does.

    Runbook: §2, in mode *propose*.
    Errors: `NOT_PERMITTED`; `PLAN_CHANGED`, `NOTHING_WAITS`; those of Prefect and of the ledger.
    """
    permitted(_proving(settings), _user(press), right_of_answer(said), "", press.service)
    door = open_door()
    waiting = [one for one in own_waiting(door, settings, now) if press.incident_id in one["incident_ids"]]
    shown = [one for one in waiting if (one["flow_run_id"], one["plan"]) == (press.flow_run_id, press.fingerprint)]
    if waiting and not shown:
        raise RunbookError(
            Code.PLAN_CHANGED,
            "expected an answer to the plan that waits now, found one to an earlier plan; "
            "the head of the thread shows the one that waits",
        )
    if not shown:
        raise RunbookError(Code.NOTHING_WAITS, f"expected a plan that waits, found none; {_last(settings, press)}")
    try:
        return answer_plan(door, settings, shown[0], _user(press), Approval(answer=said))
    except RunbookError as error:
        if error.code in {Code.NOTHING_WAITS, Code.BAD_ARGUMENT}:
            detail = f"expected to be the first to answer, found that the run has gone on; {_last(settings, press)}"
            raise RunbookError(Code.NOTHING_WAITS, detail) from None
        raise


def paused(settings: RunbookSettings, press: Press) -> str:
    """Halt what the person chose, the way that `runbook pause` does; Prefect is not needed.

    Runbook: §2.2 Else pause automated strategies.
    Errors: `NOT_PERMITTED`, `UNKNOWN_SERVICE`.
    """
    asked = Request(by="", reason=f"pressed in Slack, {press.incident_id}")
    targets = pause_targets(press.asset_class, "", TradingState.HALTED)
    order = ManualAction(service=press.service, action=Action.PAUSE_STRATEGIES, asked=asked, targets=targets)
    story, result = asyncio.run(pause_ordered(settings, order_permitted(_proving(settings), _user(press), order)))
    return outcome_line(story, result)


def _user(press: Press) -> Identity:
    return Identity(door=Door.SLACK, name=press.user_id)


def _proving(settings: RunbookSettings) -> RunbookSettings:
    """Give the settings where they say who is who in Slack; without that nobody is proven, and only pages are taken.

    Errors: `NOT_PERMITTED`.
    """
    if settings.answers_in_slack:
        return settings
    raise RunbookError(Code.NOT_PERMITTED, "expected a Slack user in [people], found none; add `slack` to a person")


def _last(settings: RunbookSettings, press: Press) -> str:
    """Say how the last plan of the incident was answered."""
    records = read_ledger(settings.ledger(press.service)).records
    answers = [one for one in records if one.type == APPROVAL_TYPE and one.incident_id == press.incident_id]
    return f"{answers[-1].summary}, {desk_clock(answers[-1].timestamp)}" if answers else "see `runbook status`"


if __name__ == "__main__":
    main()
