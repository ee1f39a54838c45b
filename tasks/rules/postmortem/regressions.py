"""A past incident as a test: pick the run that decided, say what is expected of it, and hold the rules of now to it."""

from collections.abc import Iterable

from tasks.model.diagnosis.diagnosis import Confidence, Diagnosis
from tasks.model.evidence.stored_run import Difference, StoredRun
from tasks.model.incidents.incident import IncidentState
from tasks.model.postmortem.regressions import ExpectedCause, Regression, RegressionReplay
from tasks.rules.diagnosis.replay import replay

ABSENT = "nothing"


def says_of(incident: IncidentState, run: StoredRun) -> Confidence | None:
    """Say how sure a run was of a cause of the incident; None where it named none of them.

    Runbook: §5.2 A check that catches the like of it earlier.
    """
    found = {finding.confidence for finding in run.diagnosis.findings if finding.cause in incident.causes}
    return next((one for one in Confidence if one in found), None)


def expected_causes(diagnosis: Diagnosis) -> tuple[ExpectedCause, ...]:
    """Say what must not change of a diagnosis."""
    return tuple(ExpectedCause.of(finding) for finding in diagnosis.findings)


def regression_replay(regression: Regression, run: StoredRun, file: str) -> RegressionReplay:
    """Name the cause again with the rules of now, and hold it to what is expected; other words are no change.

    Runbook: §5.2.
    """
    named = expected_causes(replay(run.evidence))
    return RegressionReplay(
        incident_id=regression.incident_id,
        file=file,
        expected=regression.expected,
        named=named,
        differences=tuple(_differences(regression.expected, named)),
    )


def cause_words(causes: tuple[ExpectedCause, ...]) -> str:
    """Name causes on one line; none is a healthy service."""
    return ", ".join(f"{one.cause} ({one.confidence}, {one.tier})" for one in causes) or "nothing wrong"


def _differences(expected: tuple[ExpectedCause, ...], named: tuple[ExpectedCause, ...]) -> Iterable[Difference]:
    for index in range(max(len(expected), len(named))):
        one = expected[index] if index < len(expected) else None
        two = named[index] if index < len(named) else None
        if one is None or two is None or one.cause is not two.cause:
            then, now = (found.cause.value if found else ABSENT for found in (one, two))
            yield Difference(place=f"causes[{index}].cause", then=then, now=now)
            continue
        yield from _places(f"causes[{index}]", one, two)


def _places(place: str, one: ExpectedCause, two: ExpectedCause) -> Iterable[Difference]:
    then, now = one.model_dump(mode="json"), two.model_dump(mode="json")
    for key, value in then.items():
        if value != now[key]:
            yield Difference(place=f"{place}.{key}", then=_words(value), now=_words(now[key]))


def _words(value: object) -> str:
    return (", ".join(map(str, value)) if isinstance(value, list) else str(value or "")) or ABSENT
