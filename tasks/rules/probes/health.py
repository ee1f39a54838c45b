"""Judge one answer of `GET /health` (§1.2), by what a healthy answer is of this service."""

from datetime import datetime
from typing import Any, NamedTuple

from tasks.model.probes.probes import Exchange, Fault, HealthProbe, Seen
from tasks.model.service.health_settings import HealthSettings
from tasks.rules.formats.time import parse_time
from tasks.rules.probes.dependencies import read_dependencies
from tasks.rules.probes.http_status import header, status_words
from tasks.rules.service.expression import NOT_JSON, document_of, holds, matches, value_at, word_at

OK, DEGRADED, ERROR = "ok", "degraded", "error"
BUNDLED = HealthSettings()
REFUSED_LOGIN = frozenset({401, 403, 407})


class _Verdict(NamedTuple):
    seen: Seen
    detail: str
    status: str | None = None


def judge_health(
    exchange: Exchange, now: datetime, described: HealthSettings = BUNDLED, *, logs_in: bool = False
) -> HealthProbe:
    """Say whether the probe passed: only on a status and an answer that are known to be healthy.

    Runbook: §1.2 Quick health checks.
    Errors: none; whatever came back is a check. A failure of our own client is blind, and so is a login of ours that
    was refused: how the service is, it did not say.
    """
    document = document_of(exchange.body) if exchange.fault is Fault.NONE else NOT_JSON
    if logs_in and exchange.http_status in REFUSED_LOGIN - set(described.status_codes):
        detail = f"could not check: our login was refused, {status_words(exchange)}"
        return HealthProbe(seen=Seen.BLIND, detail=detail, looked_at=now, exchange=exchange)
    verdict = _verdict(exchange, document, described)
    return HealthProbe(
        seen=verdict.seen,
        detail=verdict.detail,
        looked_at=now,
        exchange=exchange,
        status=verdict.status,
        release=word_at(described.release, document),
        started_at=parse_time(value_at(described.started_at, document)),
        dependencies=read_dependencies(value_at(described.dependencies, document)),
    )


def serves(probe: HealthProbe) -> bool:
    """Say whether the service says that it works, if with less."""
    return probe.seen is Seen.PASSED or (probe.seen is Seen.FAILED and probe.status == DEGRADED)


def _verdict(exchange: Exchange, document: Any, described: HealthSettings) -> _Verdict:
    word = word_at("status", document, 40)
    if exchange.blind:
        return _Verdict(Seen.BLIND, f"could not check: {exchange.detail}")
    if exchange.fault is not Fault.NONE:
        return _Verdict(Seen.FAILED, f"{exchange.fault}: {exchange.detail}")
    if exchange.http_status not in described.status_codes:
        words = status_words(exchange)
        return _Verdict(Seen.FAILED, f"{words} status={word}" if word else words, word)
    if described.body_matches is not None:
        return _of_text(exchange, described.body_matches)
    return _of_document(exchange, document, described, word)


def _of_text(exchange: Exchange, pattern: str) -> _Verdict:
    if matches(pattern, exchange.body.removeprefix("\ufeff")):
        return _Verdict(Seen.PASSED, f"http_status={exchange.http_status} {_took(exchange)}", OK)
    said = " ".join(exchange.body.split())[:80]
    detail = f"http_status={exchange.http_status}, the answer does not match health.body_matches: {said!r}"
    return _Verdict(Seen.FAILED, detail, ERROR)


def _of_document(exchange: Exchange, document: Any, described: HealthSettings, word: str | None) -> _Verdict:
    """Read what the conditions say: one that is neither true nor false says nothing, which is not healthy.

    Steps: where both are true it is degraded; less is known to be good.
    """
    status = exchange.http_status
    if document is NOT_JSON:
        found = f", {kind.partition(';')[0]}" if (kind := header(exchange, "content-type")) else ""
        return _Verdict(Seen.FAILED, f"malformed: http_status={status}, no JSON{found}")
    is_healthy, is_degraded = holds(described.healthy_when, document), holds(described.degraded_when, document)
    told = f"status={word}" if word else "no status"
    if is_degraded:
        both = ", healthy_when and degraded_when are both true" if is_healthy else ""
        return _Verdict(Seen.FAILED, f"http_status={status} status={word or DEGRADED}{both}", DEGRADED)
    if is_healthy:
        return _Verdict(Seen.PASSED, f"http_status={status} status={word or OK} {_took(exchange)}", OK)
    if is_healthy is None:
        return _Verdict(
            Seen.FAILED,
            f"http_status={status} {told}, health.healthy_when gave neither true nor false",
            word or ERROR,
        )
    if word is None and described.healthy_when == BUNDLED.healthy_when:
        return _Verdict(Seen.FAILED, f"malformed: http_status={status}, no JSON object with a status")
    return _Verdict(Seen.FAILED, f"http_status={status} {told}", word or ERROR)


def _took(exchange: Exchange) -> str:
    return f"in {exchange.seconds_s * 1000:.0f} ms"
