"""The buttons at the head of an incident's thread, each with what it is bound to; and the press of one."""

import json
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from tasks.model.messages.slack_press import Press, Pressed, WaitingPlan
from tasks.model.probes.orders import AssetClass
from tasks.rules.messages.desk import desk_clock
from tasks.rules.messages.slack.blocks import Block, clean, cut, plain

VALUE_LIMIT_COUNT, BLOCK_ID_LIMIT_COUNT = 2000, 255
CONFIRM_LIMIT_COUNT, PLAN_LIMIT_COUNT = 300, 2000
NAME_LIMIT_COUNT, ID_LIMIT_COUNT, CLASSES_COUNT = 80, 300, 99
EVERYTHING = "*"


def acknowledge_button(service: str, incident_id: str) -> tuple[Block, ...]:
    """Offer to take the incident."""
    value = json.dumps({"service": service, "incident_id": incident_id})
    if len(value) > VALUE_LIMIT_COUNT:
        return ()
    button = {
        "type": "button",
        "action_id": Pressed.ACKNOWLEDGE.value,
        "text": {"type": "plain_text", "text": "Acknowledge", "emoji": False},
        "style": "primary",
        "value": value,
    }
    return ({"type": "actions", "block_id": "acknowledge", "elements": [button]},)


def plan_words(plan: WaitingPlan) -> str:
    """Say what waits for whom until when."""
    whom = f"a second person (approved by {plan.first})" if plan.first else "approval"
    return f"Waits for {whom} until {desk_clock(plan.until)}: {'; '.join(plan.actions)}."


def plan_blocks(service: str, incident_id: str, plan: WaitingPlan) -> tuple[Block, ...]:
    """Show the plan that waits, with what answers it: bound to this plan of this run, and confirmed first."""
    bound = {"flow_run": plan.flow_run_id, "plan": plan.fingerprint}
    value = json.dumps({"service": service, "incident_id": incident_id, **bound})
    if len(value) > VALUE_LIMIT_COUNT:
        return ()
    actions = "; ".join(plan.actions)
    approve = {
        **_button(Pressed.APPROVE, "Approve", value),
        "style": "primary",
        "confirm": _confirm("Approve this plan?", f"{actions}. Every guard is checked again first.", "Approve"),
    }
    reject = {
        **_button(Pressed.REJECT, "Reject", value),
        "style": "danger",
        "confirm": _confirm("Reject this plan?", f"Nothing of it is done: {actions}.", "Reject"),
    }
    shown = {"type": "section", "text": plain(plan_words(plan), PLAN_LIMIT_COUNT)}
    return (shown, {"type": "actions", "block_id": "answer", "elements": [approve, reject]})


def pause_blocks(service: str, incident_id: str, classes: Iterable[AssetClass]) -> tuple[Block, ...]:
    """Offer to halt one class, or all; what is chosen is confirmed before it is sent."""
    block_id = json.dumps({"service": service, "incident_id": incident_id})
    if len(block_id) > BLOCK_ID_LIMIT_COUNT:
        return ()
    listed = [(name, name) for name in list(classes)[:CLASSES_COUNT]]
    select = {
        "type": "static_select",
        "action_id": Pressed.PAUSE.value,
        "placeholder": plain("Pause a class …", 150),
        "options": [_option(words, value) for words, value in (*listed, ("EVERYTHING", EVERYTHING))],
        "confirm": _confirm(
            "Pause trading?", "New orders are halted at once. Cancels still go through. A person resumes it.", "Pause"
        ),
    }
    return ({"type": "actions", "block_id": block_id, "elements": [select]},)


def read_press(payload: dict[str, Any]) -> Press | None:
    """Find the press of a button of ours in a payload.

    Errors: none; any other payload, and one that is not in its form, is None.
    """
    actions, user = payload.get("actions"), payload.get("user")
    if payload.get("type") != "block_actions" or not isinstance(actions, list) or not isinstance(user, dict):
        return None
    ours: object = next((one for one in actions if _text(one, "action_id") in set(Pressed)), {})
    bound, by, url = _bound(ours), _name(user), _text(payload, "response_url")
    if not _text(bound, "incident_id") or not by:
        return None
    try:
        return Press(
            incident_id=_text(bound, "incident_id")[:ID_LIMIT_COUNT],
            by=by,
            answer_url=url if url.startswith(("https://", "http://")) else "",
            pressed=Pressed(_text(ours, "action_id")),
            service=_text(bound, "service")[:ID_LIMIT_COUNT],
            user_id=_text(user, "id")[:NAME_LIMIT_COUNT],
            press_id=(_text(payload, "trigger_id") or _text(ours, "action_ts"))[:ID_LIMIT_COUNT],
            flow_run_id=_text(bound, "flow_run")[:ID_LIMIT_COUNT],
            fingerprint=_text(bound, "plan")[:ID_LIMIT_COUNT],
            asset_class=_class(ours),
        )
    except (ValidationError, ValueError):
        return None


def _class(action: object) -> str | None:
    """Read which class was chosen; a select without a choice of ours is no press (`ValueError`)."""
    if _text(action, "action_id") != Pressed.PAUSE:
        return None
    chosen = action.get("selected_option") if isinstance(action, dict) else None
    value = _text(chosen, "value")
    if not value:
        raise ValueError("nothing was chosen")
    return None if value == EVERYTHING else value


def _bound(action: object) -> object:
    """Read what a button is bound to; a select keeps it in the name of its block, since its options are too short."""
    where = "block_id" if _text(action, "action_id") == Pressed.PAUSE else "value"
    try:
        return json.loads(_text(action, where))
    except (ValueError, RecursionError):
        return None


def _button(pressed: Pressed, words: str, value: str) -> Block:
    return {"type": "button", "action_id": pressed.value, "text": plain(words, 75), "value": value}


def _option(words: str, value: str) -> Block:
    return {"text": plain(words, 75), "value": value}


def _confirm(title: str, words: str, yes: str) -> Block:
    said = {"type": "plain_text", "text": cut(words, CONFIRM_LIMIT_COUNT), "emoji": False}
    return {"title": plain(title, 100), "text": said, "confirm": plain(yes, 30), "deny": plain("Cancel", 30)}


def _name(user: dict[str, Any]) -> str:
    named = _text(user, "username") or _text(user, "name")
    return " ".join(clean(named or _text(user, "id")).split())[:NAME_LIMIT_COUNT]


def _text(table: object, key: str) -> str:
    found = table.get(key) if isinstance(table, dict) else None
    return found if isinstance(found, str) else ""
