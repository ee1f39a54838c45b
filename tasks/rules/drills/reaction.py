"""Say how far a drill has come, from the lines of the ledger since it began."""

from collections.abc import Iterable

from tasks.model.drills import Drill
from tasks.model.incident import Action, Event, LedgerRecord, Outcome
from tasks.rules.json_values import text_of

# An action that is only done is still being looked at.
PROVEN = frozenset({Outcome.RECOVERED, Outcome.NOT_RECOVERED, Outcome.REFUSED, Outcome.UNKNOWN})


def has_reacted(drill: Drill, records: Iterable[LedgerRecord]) -> bool:
    """Say whether the automation has done all that is expected, with its effect looked at where it is to be proven.

    Errors: none. A control has reacted at once: there is nothing to wait for.
    """
    if drill.expected.is_control:
        return True
    ends = _last_ends(records)
    done = {action for action, _ in ends}
    wanted = next((one for one in drill.expected.actions if one <= done), None)
    if wanted is None or None in ends.values():
        return False
    return not drill.expected.heals or all(end in PROVEN for (action, _), end in ends.items() if action in wanted)


def _last_ends(records: Iterable[LedgerRecord]) -> dict[tuple[str, str], str | None]:
    """Find how each action ended last; None where it was begun and has not."""
    ends: dict[tuple[str, str], str | None] = {}
    for record in records:
        place = (text_of(record.details, "action", 100) or "", text_of(record.details, "key", 500) or "")
        if record.event == Event.ACTION_STARTED:
            ends[place] = None
        elif record.event == Event.ACTION_FINISHED and place in ends:
            ends[place] = text_of(record.details, "outcome", 100)
    return ends


def begun_actions(records: Iterable[LedgerRecord]) -> tuple[tuple[Action | str, str], ...]:
    """List the actions that were begun, in order, each with the words of its target."""
    started = (record for record in records if record.event == Event.ACTION_STARTED)
    return tuple(
        (text_of(one.details, "action", 100) or "", text_of(one.details, "target", 500) or "") for one in started
    )
