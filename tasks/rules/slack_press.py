"""Read the press of our button as Slack sends it; everything in it comes from outside."""

import json
from typing import Any

from tasks.model.values import Value
from tasks.rules.slack_head import ACKNOWLEDGE
from tasks.rules.slack_text import clean

NAME_LIMIT_COUNT = 80
ID_LIMIT_COUNT = 300


class Press(Value):
    """Who pressed the button of which incident; `answer_url` takes a word that only this person sees."""

    incident_id: str
    by: str
    answer_url: str = ""


def read_press(payload: dict[str, Any]) -> Press | None:
    """Find the press of the acknowledge button in a payload.

    Errors: none; any other payload, and one that is not in its form, is None.
    """
    actions, user = payload.get("actions"), payload.get("user")
    if payload.get("type") != "block_actions" or not isinstance(actions, list) or not isinstance(user, dict):
        return None
    value = next((_text(one, "value") for one in actions if _text(one, "action_id") == ACKNOWLEDGE), "")
    incident_id, by = _incident(value), _name(user)
    if not incident_id or not by:
        return None
    url = _text(payload, "response_url")
    return Press(incident_id=incident_id, by=by, answer_url=url if url.startswith(("https://", "http://")) else "")


def _incident(value: str) -> str:
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return ""
    return _text(found, "incident_id")[:ID_LIMIT_COUNT]


def _name(user: dict[str, Any]) -> str:
    named = _text(user, "username") or _text(user, "name")
    return " ".join(clean(named or _text(user, "id")).split())[:NAME_LIMIT_COUNT]


def _text(table: object, key: str) -> str:
    found = table.get(key) if isinstance(table, dict) else None
    return found if isinstance(found, str) else ""
