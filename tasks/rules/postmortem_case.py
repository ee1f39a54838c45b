"""Put together what was kept of an incident and what can still be found: nothing that was known is lost again."""

from collections.abc import Iterable

from tasks.model.messages import Delivery
from tasks.model.postmortem import PostmortemCase


def merged_case(kept: PostmortemCase, found: PostmortemCase) -> PostmortemCase:
    """Complete what can be found now with what was kept before: the ledger rotates, and looks are kept for a day.

    Runbook: §5.1.
    Errors: none.
    """
    # A ledger that was rotated has fewer records of the incident, and other line numbers: then the kept ones count.
    fuller = found if len(found.records) >= len(kept.records) else kept
    looks = {look.at: look for look in (*kept.looks, *found.looks)}
    return found.model_copy(
        update={
            "incident": fuller.incident,
            "records": fuller.records,
            "around": fuller.around,
            "looks": tuple(looks[at] for at in sorted(looks)),
            "messages": _messages((*kept.messages, *found.messages)),
            "evidence_files": found.evidence_files or kept.evidence_files,
        }
    )


def _messages(deliveries: Iterable[Delivery]) -> tuple[Delivery, ...]:
    found = {(one.key, one.channel, one.timestamp): one for one in deliveries}
    return tuple(sorted(found.values(), key=lambda one: one.timestamp))
