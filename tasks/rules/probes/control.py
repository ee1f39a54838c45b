"""Judge the control plane's answer to one change: in force, provably not, not known, or no such door."""

from typing import Any

from tasks.model.probes.control import ControlAnswer, ControlCode, ControlOutcome
from tasks.model.probes.probes import Exchange, Fault
from tasks.rules.formats.json_values import line_of, parse_object, state_of, table_of

# What a service of another make says beside its 200: only true means done, and these words mean that it is not.
DONE_KEYS = ("ok", "success", "accepted", "applied", "done")
WORD_KEYS = ("status", "result", "outcome")
NOT_DONE_WORDS = frozenset(
    {"error", "failed", "failure", "refused", "rejected", "denied", "pending", "queued", "accepted", "unknown", "no"}
)
# The codes of a 404 that speak of the door. Any other code of a service's own speaks of what stands behind it.
NO_DOOR_CODES = frozenset({None, "NOT_FOUND", "METHOD_NOT_ALLOWED", "NOT_IMPLEMENTED"})


def judge_control(exchange: Exchange) -> ControlAnswer:
    """Say what became of a change.

    Runbook: §2.1, §2.2, §2.3.
    Errors: none. Only an answer proves that nothing was done; without a usable one the change may be in force, and
    that is *unknown*. A connection that never stood has sent nothing.
    """
    match exchange.fault:
        case Fault.NONE:
            return _judge_status(exchange, parse_object(exchange.body))
        case Fault.REFUSED | Fault.UNREACHABLE | Fault.TLS:
            detail = f"{exchange.detail}; nothing was sent"
            return ControlAnswer(outcome=ControlOutcome.REFUSED, detail=detail, code=ControlCode.NOT_REACHED)
        case Fault.TIMED_OUT | Fault.CUT_OFF | Fault.CLIENT:
            return _unknown(exchange, ControlCode.NOT_ANSWERED, f"{exchange.fault}: {exchange.detail}")
        case Fault.TOO_LARGE | Fault.MALFORMED | Fault.BAD_STATUS:
            return _unknown(exchange, ControlCode.UNREADABLE_ANSWER, f"{exchange.fault}: {exchange.detail}")


def refuses_the_fields(answer: ControlAnswer) -> bool:
    """Say whether the service refused the request itself, which proves that nothing was done."""
    return answer.outcome is ControlOutcome.REFUSED and answer.http_status in {400, 422}


def _judge_status(exchange: Exchange, body: dict[str, Any] | None) -> ControlAnswer:
    status = exchange.http_status or 0
    error = table_of(body, "error")
    code = line_of(error, "code", 100) or line_of(body, "error", 100) or line_of(body, "code", 100)
    said = f"http_status={status} code={code or 'none'} message={_message(body, error)}"
    match status // 100:
        case 2:
            return _judge_done(exchange, body, code)
        case 3:
            detail = f"http_status={status}; redirects are not followed, set base_url to where the service answers"
            return _unknown(exchange, ControlCode.REDIRECTED, detail)
        case 4:
            return _judge_refusal(status, code, said)
        case _ if status == 501:
            return _answer(ControlOutcome.NOT_AVAILABLE, status, code or ControlCode.NO_SUCH_CONTROL, said)
        case _:
            return _unknown(exchange, code or ControlCode.SERVER_ERROR, said)


def _judge_done(exchange: Exchange, body: dict[str, Any] | None, code: str | None) -> ControlAnswer:
    status = exchange.http_status
    if exchange.body.strip() and body is None:
        return _unknown(exchange, ControlCode.UNREADABLE_ANSWER, f"http_status={status}, no JSON object")
    if body is not None and body.get("error") is not None:
        detail = f"http_status={status} with an error code={code}"
        return _unknown(exchange, code or ControlCode.UNREADABLE_ANSWER, detail)
    denied = _denied_by(body or {})
    if denied:
        return _unknown(exchange, code or ControlCode.UNREADABLE_ANSWER, f"http_status={status} with {denied}")
    if body is not None and body.get("persisted") is False:
        detail = f"http_status={status}; in force, but the service could not keep it: a restart would lose it"
        return _answer(ControlOutcome.DONE, status, None, detail)
    return _answer(ControlOutcome.DONE, status, None, f"http_status={status}")


def _denied_by(body: dict[str, Any]) -> str:
    """Find where an answer with a good status says that nothing came of it."""
    said = ((key, body.get(key)) for key in DONE_KEYS if key in body)
    words = {key: state_of(body, key) for key in WORD_KEYS}
    return next((f"{key}={str(value)[:40]}" for key, value in said if value is not True), "") or next(
        (f"{key}={word}" for key, word in words.items() if word in NOT_DONE_WORDS), ""
    )


def _judge_refusal(status: int, code: str | None, said: str) -> ControlAnswer:
    if status in {401, 403}:
        detail = f"{said}; set control_token to the token that the service expects"
        return _answer(ControlOutcome.REFUSED, status, code or ControlCode.UNAUTHORIZED, detail)
    if status == 405 or (status == 404 and code in NO_DOOR_CODES):
        detail = f"{said}; this service has no such control"
        return _answer(ControlOutcome.NOT_AVAILABLE, status, code or ControlCode.NO_SUCH_CONTROL, detail)
    return _answer(ControlOutcome.REFUSED, status, code or ControlCode.REQUEST_REFUSED, said)


def _message(body: dict[str, Any] | None, error: dict[str, Any] | None) -> str:
    return line_of(error, "message", 300) or line_of(body, "message", 300) or line_of(body, "detail", 300) or "none"


def _unknown(exchange: Exchange, code: str, detail: str) -> ControlAnswer:
    told = f"{detail}; it may be in force: look at GET /routing"
    return _answer(ControlOutcome.UNKNOWN, exchange.http_status, code, told)


def _answer(outcome: ControlOutcome, status: int | None, code: str | None, detail: str) -> ControlAnswer:
    return ControlAnswer(outcome=outcome, detail=detail, code=code, http_status=status)
