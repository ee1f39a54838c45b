"""Write a described change as what is sent, and judge what it, or its proof, came back with."""

import re
from collections.abc import Collection, Iterable, Mapping

import orjson

from tasks.model.incidents.incident import Action
from tasks.model.probes.control import ControlReason, GatewayState, RouteScope, TradingState
from tasks.model.remediation.plan import Target
from tasks.model.service.control_settings import IN_PATTERN, STATE_WORDS, ControlAction, ControlKey
from tasks.model.values import Value
from tasks.rules.service.expression import document_of, holds, matches
from tasks.rules.service.filled_template import fill_body, fill_path, fill_text

Values = Mapping[str, str]
JSON = "application/json"
# Beside one of these a word means something else.
NEGATIONS = frozenset({"not", "no", "never", "un", "non", "isn", "wasn", "error", "failed", "failure", "unknown"})
# What a change is when its template does not name the state: `pause` alone halts.
PLAIN_STATE = {
    ControlKey.PAUSE: TradingState.HALTED,
    ControlKey.PAUSE_STRATEGY: TradingState.HALTED,
    ControlKey.RESUME: TradingState.ACTIVE,
    ControlKey.RESUME_STRATEGY: TradingState.ACTIVE,
}


class ControlRequest(Value):
    """What is sent for a change: a call, or a command."""

    method: str = ""
    path: str = ""
    body: str = ""
    command: tuple[str, ...] = ()


KEYS = {
    Action.PAUSE_STRATEGIES: ControlKey.PAUSE,
    Action.RESUME: ControlKey.RESUME,
    Action.REROUTE_ORDERS: ControlKey.REROUTE,
    Action.MARK_DEGRADED: ControlKey.MARK_DEGRADED,
    Action.RESTORE_ROUTING: ControlKey.RESTORE_ROUTING,
    Action.DISABLE_FEATURE: ControlKey.DISABLE_FEATURE,
}
# What does the same in another way: a table is also put back route by route.
INSTEAD = {ControlKey.RESTORE_ROUTING: ControlKey.REROUTE}
OF_STRATEGY = {ControlKey.PAUSE: ControlKey.PAUSE_STRATEGY, ControlKey.RESUME: ControlKey.RESUME_STRATEGY}


def key_of(action: Action, target: Target) -> ControlKey | None:
    """Name the change that an action makes; None for one that goes past the control plane."""
    key = KEYS.get(action)
    if key is not None and target.strategy is not None:
        return OF_STRATEGY.get(key, key)
    return ControlKey.CLEAR_MARK if key is ControlKey.RESUME and target.asset_class is None else key


def not_available(key: ControlKey, action: ControlAction | None, values: Values, classes: Collection[str]) -> str:
    """Say why a change cannot be made as it is asked for, before anything is sent; empty where it can.

    Steps: 1. what is not described 2. a state that its template cannot say, or has no word for 3. a trial with test
    orders that it cannot say apart 4. a resume of one class that would let others trade, too
    """
    if action is None:
        return f"expected {key} in the control table of this service, found none; describe it, or do it yourself"
    names = action.sent_names
    if values.get("scope") == RouteScope.SYNTHETIC and "scope" not in names:
        return "expected ${scope} in control.reroute to try it with test orders alone, found none"
    if key is ControlKey.RESUME and "asset_class" not in names and set(classes) != {values.get("asset_class", "")}:
        return "expected ${asset_class} in control.resume, found none; it would let other classes trade, too"
    if key is ControlKey.PAUSE and "asset_class" not in names and classes and values.get("asset_class") not in classes:
        return f"expected one of {', '.join(sorted(classes))}, which control.pause is for, found another class"
    return _cannot_say(key, action, values.get("state", ""))


def _cannot_say(key: ControlKey, action: ControlAction, state: str) -> str:
    plain = PLAIN_STATE.get(key, state)
    if state != plain and "state" not in action.sent_names:
        return f"expected ${{state}} in control.{key} to set {state}, found none; it can only be {plain}"
    if state != plain and action.has_condition and "state" not in action.proof_names:
        return f"expected ${{state}} in the proof of control.{key} to tell {state} apart, found none"
    if state and state not in action.words and not STATE_WORDS.isdisjoint(action.words):
        return f"expected a word for {state} in control.{key}.words, found none; this service cannot do it"
    return ""


def request_of(action: ControlAction, values: Values, why: ControlReason) -> ControlRequest | str:
    """Fill what is sent; or say why it cannot be."""
    known = {**words_of(action, values), "reason": why.reason, "set_by": why.set_by}
    if action.command:
        # What a person wrote must not be read as an option.
        free = {name: known[name].lstrip("- ") for name in ("reason", "set_by")}
        return ControlRequest(command=tuple(fill_text(one, {**known, **free}) for one in action.command))
    body = "" if action.body is None else fill_body(action.body, known, action.content_type)
    if body is None:
        return f"a value cannot stand in a body of {action.content_type}; nothing was sent"
    if body and action.content_type.startswith(JSON) and not _is_json(body):
        return "expected a body that is JSON once it is filled, found none; correct its template; nothing was sent"
    return ControlRequest(method=action.method, path=fill_path(action.path or "", known), body=body)


def proof_of(action: ControlAction, values: Values) -> ControlRequest | None:
    """Fill what is asked for the proof; None where the answer to the change itself has to prove it."""
    known = words_of(action, values)
    if isinstance(action.proven_by, str):
        return ControlRequest(method="GET", path=fill_path(action.proven_by, known))
    if action.proven_by:
        return ControlRequest(command=tuple(fill_text(one, known) for one in action.proven_by))
    return None


def words_of(action: ControlAction, values: Values) -> dict[str, str]:
    """Say the values in the service's own words."""
    return {name: action.words.get(value, value) for name, value in values.items()}


def is_proven(action: ControlAction, values: Values, text: str, *, by_command: bool) -> bool | None:
    """Say whether an answer, or the output of a command that ended with 0, shows the change; None where it cannot say.

    Steps: 1. the condition of the description 2. without one, the 0 of a proving command counts where it writes
    nothing, or the state itself and none of another
    """
    known = words_of(action, values)
    if action.proven_when is not None:
        expression = fill_text(action.proven_when, known)
        found = holds(expression, document_of(text))
        # Some programs write a warning before their answer.
        return holds(expression, document_of(_last_line(text))) if found is None and by_command else found
    if action.proven_matches is not None:
        pattern = IN_PATTERN.sub(lambda named: re.escape(known.get(named[1], "")), action.proven_matches)
        return matches(pattern, text.strip())
    if action.proven_by is None or not by_command:
        return None
    return True if not text.strip() else _says(text, _wanted(values, known))


def _wanted(values: Values, known: Values) -> frozenset[str]:
    name = "state" if "state" in values else "gateway" if "gateway" in values else "table_hash"
    return frozenset({values.get(name, "").lower(), known.get(name, "").lower()})


def _says(text: str, wanted: frozenset[str]) -> bool | None:
    """Read a state off a few words; another state is a no, and a text that says neither proves nothing."""
    told = frozenset(re.split(r"[^a-z0-9._:-]+|[:=](?=\s)", text.lower()[:4000]))
    told |= {part for word in told for part in re.split(r"[:=]", word)}
    others = {word.lower() for word in STATE_WORDS} - wanted
    if told & NEGATIONS:
        return None
    if told & others:
        return False if not told & wanted else None
    return True if told & wanted else None


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "")


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def all_show(found: Iterable[bool | None]) -> bool | None:
    """Say whether a change shows everywhere: one that does not is a no, and one that cannot say leaves it open."""
    seen = tuple(found)
    if False in seen:
        return False
    return None if None in seen or not seen else True


def standing_of(asked: Iterable[tuple[str, bool | None]]) -> str | None:
    """Say how a thing stands by the proofs of its states; None where they contradict each other, or one cannot say.

    Steps: what is none of the restrictions is free, unless being free has a proof of its own, which then must hold.
    """
    found = tuple(asked)
    proven = {state for state, holds_now in found if holds_now}
    if len(proven) == 1:
        return proven.pop()
    if proven or not found or any(holds_now is None for _, holds_now in found):
        return None
    free = {TradingState.ACTIVE.value, GatewayState.ENABLED.value}
    if free & {state for state, _ in found}:
        return None
    return GatewayState.ENABLED if GatewayState.DEGRADED in {state for state, _ in found} else TradingState.ACTIVE
