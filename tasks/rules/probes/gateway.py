"""Judge a gateway's own answer of `GET /health`: a venue's gateway need not speak our dialect to be well."""

from typing import NamedTuple

import orjson

from tasks.model.probes.probes import Exchange, Fault, Seen
from tasks.rules.probes.status_words import BAD_WORDS, GOOD_WORDS

KEYS = ("status", "state", "health", "healthy", "ok")
BROKE_OFF = frozenset({Fault.TIMED_OUT, Fault.CUT_OFF})
WORD_LIMIT_COUNT = 40


class GatewayAnswer(NamedTuple):
    """How a gateway's answer reads. *Not configured*: it answers, and does not say how it is."""

    seen: Seen
    detail: str
    fault: Fault = Fault.NONE


def judge_gateway(exchange: Exchange) -> GatewayAnswer:
    """Say whether a gateway answers, and whether it calls itself well or not.

    Runbook: §1.2 Quick health checks.
    Errors: none. A failure of our own client is blind.
    Steps: 1. nobody answered, or it broke off, or it answered 500 and above: failed 2. any other status than 2xx (a
    login, a redirect, no such path, too many requests): it answers, and nobody knows how it is 3. an empty answer is a
    good one; else its own word decides, and a word that is on no list is not known
    """
    status = exchange.http_status
    if exchange.blind:
        return GatewayAnswer(Seen.BLIND, f"could not check: {exchange.detail}", exchange.fault)
    if status is None or exchange.fault in BROKE_OFF:
        return GatewayAnswer(Seen.FAILED, f"{exchange.fault}: {exchange.detail}", exchange.fault)
    if status >= 500:
        return GatewayAnswer(Seen.FAILED, f"http_status={status}", Fault.BAD_STATUS)
    if not 200 <= status < 300:
        return GatewayAnswer(Seen.NOT_CONFIGURED, f"it answers, http_status={status}: how it is it does not say")
    return _said(status, exchange)


def judge_connection(exchange: Exchange) -> GatewayAnswer:
    """Say whether anybody takes a connection there; more it does not say.

    Runbook: §1.2 Quick health checks.
    Errors: none. A failure of our own, and TLS that was not agreed, is blind.
    """
    if exchange.blind:
        return GatewayAnswer(Seen.BLIND, f"could not check: {exchange.detail}", exchange.fault)
    if exchange.fault is not Fault.NONE:
        return GatewayAnswer(Seen.FAILED, f"{exchange.fault}: {exchange.detail}", exchange.fault)
    return GatewayAnswer(Seen.PASSED, f"{exchange.url} takes connections, in {exchange.seconds_s * 1000:.0f} ms")


def _said(status: int, exchange: Exchange) -> GatewayAnswer:
    body = exchange.body.removeprefix("\ufeff").strip()
    word = _word(body) if exchange.fault is Fault.NONE else None
    took = f"in {exchange.seconds_s * 1000:.0f} ms"
    if not body:
        return GatewayAnswer(Seen.PASSED, f"http_status={status} {took}")
    if word is None or word not in GOOD_WORDS | BAD_WORDS:
        return GatewayAnswer(Seen.NOT_CONFIGURED, f"it answers, http_status={status}: how it is it does not say")
    if word in BAD_WORDS:
        return GatewayAnswer(Seen.FAILED, f"http_status={status} status={word}", Fault.BAD_STATUS)
    return GatewayAnswer(Seen.PASSED, f"http_status={status} status={word} {took}")


def _word(body: str) -> str | None:
    """Find the word by which an answer says how it is: a text, a JSON text, or one key of a JSON object."""
    try:
        value = orjson.loads(body)
    except (orjson.JSONDecodeError, RecursionError):
        value = body
    if isinstance(value, dict):
        value = next((value[key] for key in KEYS if key in value), None)
    if not isinstance(value, str | bool | int):
        return None
    word = str(value).strip().lower().replace(" ", "_")
    return word if len(word) <= WORD_LIMIT_COUNT else None
