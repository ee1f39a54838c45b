"""Read from the ledger and the releases' history what changed lately: releases, features, routes, trading, gateways."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from tasks.model.diagnosis.changes import Change, ChangeKind, GatewayTransition
from tasks.model.incidents.incident import LedgerRecord
from tasks.model.probes.history import PastObservation
from tasks.model.values import Value
from tasks.rules.formats.json_values import parse_object, table_of, text_of
from tasks.rules.formats.time import parse_time, shifted

KIND_OF_PART = {
    "features": ChangeKind.FEATURE,
    "routes": ChangeKind.ROUTING,
    "reload": ChangeKind.ROUTING,
    "restore": ChangeKind.ROUTING,
    "trading": ChangeKind.TRADING,
    "strategies": ChangeKind.TRADING,
    "gateways": ChangeKind.GATEWAY,
    "drain": ChangeKind.SERVICE,
}
CHANGES_LIMIT_COUNT = 100
TURNS_LIMIT_COUNT = 500
STARTED, GATEWAY_DOWN, GATEWAY_UP = "service_started", "gateway_unreachable", "gateway_recovered"
# A move is written before the service that runs it is started; a clock read twice may differ a little.
CLOCK_SLACK = timedelta(seconds=2)


class ReleaseMove(Value):
    """One line of the releases' history: what was made current, which is not yet what runs.

    `before` is the release that was current until then, `routing_file` where the live routing table lies.
    """

    at: datetime
    to: str
    action: str
    by: str | None = None
    reason: str | None = None
    before: str | None = None
    routing_file: str | None = None


def control_changes(records: Iterable[LedgerRecord], since: datetime) -> tuple[Change, ...]:
    """Find what was changed by hand.

    Runbook: §1.1 What changed recently.
    """
    found = [one for one in records if one.type == "control_changed" and one.timestamp > since]
    return tuple(_control_change(record) for record in found[-CHANGES_LIMIT_COUNT:])


def release_changes(
    records: Iterable[LedgerRecord],
    moves: tuple[ReleaseMove, ...],
    history: tuple[PastObservation, ...],
    since: datetime,
) -> tuple[Change, ...]:
    """Find when the running release became another one.

    Runbook: §1.1 What changed recently.
    Steps: 1. the service's own starts 2. before these, or without them, what earlier checks saw 3. before all of it,
    what the move that brought the first of them says: a ledger may begin after the release that came last
    """
    starts = [(one.timestamp, release) for one in records if one.type == STARTED and (release := _release(one))]
    # Where the service tells of its starts these are exact; a check only knows that it was some time before.
    looks = [(min(one.started_at or one.at, one.at), release) for one in history if (release := one.release)]
    known = [*(one for one in looks if not starts or one[0] < starts[0][0] - CLOCK_SLACK), *starts]
    runs = [*_before_first(known, moves, since), *known]
    changed = [(at, before, now) for (_, before), (at, now) in pairwise(runs) if now != before and at > since]
    found = tuple(_release_change(at, before, now, moves) for at, before, now in changed[-CHANGES_LIMIT_COUNT:])
    return (*found, *_pending(runs, moves, since))


def gateway_turns(records: Iterable[LedgerRecord], since: datetime) -> tuple[GatewayTransition, ...]:
    """Find when the service saw a gateway go or come back.

    Runbook: §1.4 Repeated failures.
    """
    found = [
        GatewayTransition(at=one.timestamp, gateway=name, up=one.type == GATEWAY_UP)
        for one in records
        if one.type in {GATEWAY_DOWN, GATEWAY_UP} and one.timestamp > since and _is_fact(one)
        if (name := text_of(one.details, "gateway", 100))
    ]
    return tuple(found[-TURNS_LIMIT_COUNT:])


def parse_moves(data: bytes) -> tuple[ReleaseMove, ...]:
    """Read the lines of a releases' history; a line that is none is left out."""
    tables = (parse_object(line.decode("utf-8", errors="replace")) for line in data.splitlines())
    found = []
    for table in tables:
        at, to, action = parse_time((table or {}).get("at")), text_of(table, "to", 100), text_of(table, "action", 40)
        if at is not None and to is not None and action is not None:
            by, reason = text_of(table, "by", 100), text_of(table, "reason", 500)
            before, file = text_of(table, "from", 100), text_of(table, "routing_file", 4096)
            move = ReleaseMove(at=at, to=to, action=action, by=by, reason=reason, before=before, routing_file=file)
            found.append(move)
    return tuple(found)


def _control_change(record: LedgerRecord) -> Change:
    part, now = text_of(record.details, "part", 40) or "", table_of(record.details, "now") or {}
    words = ("state", "gateway", "enabled", "hash")
    value = next((now[word] for word in words if now.get(word) is not None), None)
    return Change(
        kind=KIND_OF_PART.get(part, ChangeKind.SERVICE),
        at=record.timestamp,
        key=text_of(record.details, "key", 100) or "",
        now=None if value is None else str(value)[:100].lower() if isinstance(value, bool) else str(value)[:100],
        before=text_of(now, "previous_hash", 100),
        by=text_of(record.details, "set_by", 100),
        reason=text_of(record.details, "reason", 500),
    )


def _before_first(
    runs: Sequence[tuple[datetime, str]], moves: tuple[ReleaseMove, ...], since: datetime
) -> list[tuple[datetime, str]]:
    """Say which release ran before the first known run, where a recent move that brought that one tells.

    The first start that is known of a release which came long ago is a restart.
    """
    if not runs:
        return []
    at, release = runs[0]
    move = next((one for one in reversed(moves) if one.at <= shifted(at, CLOCK_SLACK)), None)
    if move is None or move.to != release or move.before is None or move.at <= since:
        return []
    return [(move.at, move.before)]


def _pending(
    runs: Sequence[tuple[datetime, str]], moves: tuple[ReleaseMove, ...], since: datetime
) -> tuple[Change, ...]:
    if not runs or not moves:
        return ()
    (started_at, running), move = runs[-1], moves[-1]
    if move.to == running or move.at <= max(started_at, since):
        return ()
    change = _release_change(move.at, running, move.to, moves)
    return (change.model_copy(update={"is_pending": True}),)


def _release_change(at: datetime, before: str | None, now: str | None, moves: tuple[ReleaseMove, ...]) -> Change:
    move = next((one for one in reversed(moves) if one.to == now and one.at <= shifted(at, CLOCK_SLACK)), None)
    return Change(
        kind=ChangeKind.RELEASE,
        at=at,
        key="release",
        before=before,
        now=now,
        by=move.by if move else None,
        reason=move.reason if move else None,
        is_roll_back=move is not None and move.action == "roll-back",
    )


def _release(record: LedgerRecord) -> str | None:
    return text_of(record.details, "release", 100)


def _is_fact(record: LedgerRecord) -> bool:
    # Our own incidents carry the same type; only what the service itself saw counts as a turn.
    return record.incident_id is None
