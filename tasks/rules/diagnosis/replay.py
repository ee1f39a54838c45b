"""Name the cause of a stored run again, with the rules of now."""

from collections.abc import Iterator
from typing import Any

from tasks.model.diagnosis.diagnosis import Diagnosis
from tasks.model.evidence.evidence import Evidence
from tasks.model.evidence.stored_run import Difference, Replay, StoredRun
from tasks.rules.diagnosis.name_causes import name_cause

ABSENT = "nothing"


def replay(evidence: Evidence) -> Diagnosis:
    """Name the cause again: the same evidence gives the same diagnosis, bit for bit, as long as the rules are the same.

    Runbook: §5.1.
    """
    return name_cause(evidence)


def replayed(run: StoredRun) -> Replay:
    """Hold the diagnosis of then against that of now.

    Runbook: §5.1.
    """
    now = replay(run.evidence)
    differences = tuple(_differences("", run.diagnosis.model_dump(mode="json"), now.model_dump(mode="json")))
    return Replay(then=run.diagnosis, now=now, differences=differences)


def _differences(place: str, then: Any, now: Any) -> Iterator[Difference]:
    if then == now:
        return
    if isinstance(then, dict) and isinstance(now, dict):
        for key in dict.fromkeys((*then, *now)):
            yield from _differences(
                f"{place}.{key}" if place else str(key), then.get(key, ABSENT), now.get(key, ABSENT)
            )
    elif isinstance(then, list) and isinstance(now, list):
        for index in range(max(len(then), len(now))):
            one = then[index] if index < len(then) else ABSENT
            two = now[index] if index < len(now) else ABSENT
            yield from _differences(f"{place}[{index}]", one, two)
    else:
        yield Difference(place=place, then=_told(then), now=_told(now))


def _told(value: Any) -> str:
    # A whole finding that is there on one side only is told by its cause.
    return str(value["cause"]) if isinstance(value, dict) and "cause" in value else str(value)
