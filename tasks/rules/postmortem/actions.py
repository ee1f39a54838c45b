"""What was done, and what became of it: also what was ineffective, what was refused, and the manual actions."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from tasks.model.incidents.incident import Event, Outcome, Source
from tasks.model.postmortem.postmortem import NumberedRecord, PostmortemCase
from tasks.rules.formats.json_values import text_of
from tasks.rules.formats.markdown_cells import cell
from tasks.rules.formats.time import utc_text
from tasks.rules.incidents.action_history import is_rearm

REFUSED_KEY = "refused-"
# As the messages about a plan say it: `Not done: action target: reason (CODE).`, and as they said it before 2.0.
NOT_DONE = re.compile(r"\bNot done: (?P<detail>.{1,600}?) \((?P<code>[A-Z_]{2,60})\)\.")
NOT_DONE_BEFORE = re.compile(
    r"\bNot done, (?P<code>[A-Z_]{2,60}): (?P<detail>.{1,600}?)\.(?= Done: | Not done, | Recovered |$)"
)
DETAIL_LIMIT_COUNT = 300
VERDICTS = {
    Outcome.RECOVERED: "helped",
    Outcome.NOT_RECOVERED: "**did not help**",
    Outcome.REFUSED: "refused, nothing was done",
    Outcome.DONE: "done; whether it helped was not proven",
    Outcome.UNKNOWN: "**its end is not known**",
}


class ActionTaken(NamedTuple):
    """One action by its key: when it began and ended, what became of it, and the lines that say so."""

    action: str
    began_at: datetime
    ended_at: datetime | None
    outcome: str | None
    detail: str
    lines: tuple[int, ...]

    @property
    def verdict(self) -> str:
        if self.outcome in set(Outcome):
            return VERDICTS[Outcome(self.outcome)]
        return cell(self.outcome, 60) if self.outcome else VERDICTS[Outcome.UNKNOWN]


class Refusal(NamedTuple):
    """An action that a guard refused: its code, and the message about it."""

    at: datetime
    code: str
    detail: str
    line: int


def action_lines(case: PostmortemCase) -> list[str]:
    """Write every action with its outcome, then what was refused, then the manual actions.

    Runbook: §5.1 Remediation.
    """
    acted = [_action_line(one) for one in actions_taken(case)]
    return ["## Actions", "", *(acted or ["The automation did nothing."]), *_refusal_lines(case), *_manual_lines(case)]


def actions_taken(case: PostmortemCase) -> tuple[ActionTaken, ...]:
    """Fold the records of each action into one, oldest first; an end without a beginning counts too."""
    found: dict[str, ActionTaken] = {}
    for one in case.records:
        record = one.record
        if record.event not in {Event.ACTION_STARTED, Event.ACTION_FINISHED}:
            continue
        key = text_of(record.details, "key", 300) or f"line {one.line}"
        found[key] = _step(found.get(key), one)
    return tuple(found.values())


def refusals(case: PostmortemCase) -> tuple[Refusal, ...]:
    """List what a guard refused, by the messages about it; each only once."""
    sent = {message.key: message.text for message in case.messages}
    found: dict[tuple[str, str], Refusal] = {}
    for one in case.records:
        if one.record.event != Event.NOTIFIED:
            continue
        key = text_of(one.record.details, "key", 300) or ""
        for code, detail in _refused(key.rpartition("/")[2], sent.get(key, one.record.summary)):
            found.setdefault((code, detail), Refusal(one.record.timestamp, code, detail, one.line))
    return tuple(found.values())


def _refused(about: str, text: str) -> Iterable[tuple[str, str]]:
    """Read the refusals out of one message: of nothing else, or of a part of a plan whose rest was done."""
    if about.startswith(REFUSED_KEY):
        yield about.removeprefix(REFUSED_KEY), text
        return
    for found in (*NOT_DONE.finditer(text), *NOT_DONE_BEFORE.finditer(text)):
        yield found["code"], found["detail"]


def manual_actions(case: PostmortemCase) -> Iterable[NumberedRecord]:
    """Find what people did while it ran: control changes of an operator, re-arms, maintenance."""
    for one in (*case.records, *case.around):
        if one.record.source == Source.OPERATOR and (is_rearm(one.record) or one.record.event != Event.ACKNOWLEDGED):
            yield one


def _step(known: ActionTaken | None, one: NumberedRecord) -> ActionTaken:
    record, details = one.record, one.record.details
    detail = text_of(details, "detail") or _why(details)
    if known is None:
        ended = record.timestamp if record.event == Event.ACTION_FINISHED else None
        words = (text_of(details, "action", 100) or record.summary or "an action", text_of(details, "target", 100))
        action = " ".join(filter(None, words))
        outcome = text_of(details, "outcome", 100) if ended else None
        return ActionTaken(action, record.timestamp, ended, outcome, detail, (one.line,))
    lines = (*known.lines, one.line)
    if record.event == Event.ACTION_STARTED:
        return known._replace(lines=lines)
    # The proof comes after the act and says more: both are shown, the last outcome counts.
    said = detail or record.summary
    return known._replace(
        ended_at=known.ended_at or record.timestamp,
        outcome=text_of(details, "outcome", 100),
        detail="; ".join(filter(None, (known.detail, said))),
        lines=lines,
    )


def _why(details: dict[str, Any]) -> str:
    """Say why an action was begun, and which person stands behind it."""
    people = (("asked for by", "asked_by"), ("answered by", "answered_by"))
    named = (f"{words} {by}" for words, key in people if (by := text_of(details, key, 100)))
    return "; ".join(filter(None, (text_of(details, "why"), *named)))


def _action_line(one: ActionTaken) -> str:
    name, said = cell(one.action.replace("_", " "), 60), cell(one.detail, DETAIL_LIMIT_COUNT)
    took = f"took {(one.ended_at - one.began_at).total_seconds():.1f} s" if one.ended_at else "its end was never seen"
    lines = ", ".join(map(str, one.lines))
    return f"- **{name}**, {utc_text(one.began_at)}, {took}: {one.verdict}. {said} (lines {lines})"


def _refusal_lines(case: PostmortemCase) -> list[str]:
    rows = [
        f"- {cell(one.code, 60)}, {utc_text(one.at)}: {cell(one.detail, DETAIL_LIMIT_COUNT)} (line {one.line})"
        for one in refusals(case)
    ]
    return ["", "Refused by a guard:", "", *rows] if rows else []


def _manual_lines(case: PostmortemCase) -> list[str]:
    rows = [
        f"- {utc_text(one.record.timestamp)}: {cell(one.record.summary or one.record.type, DETAIL_LIMIT_COUNT)} "
        f"(line {one.line})"
        for one in manual_actions(case)
    ]
    return ["", "Manual actions:", "", *rows] if rows else []
