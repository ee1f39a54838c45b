"""A restart is carried out while people are notified of it; what the desk must read first waits for its message."""

import asyncio
from typing import Any

import pytest

from flows.triage import notify_and_act
from tasks.model.incidents.incident import Action, Outcome
from tasks.model.remediation.plan import Plan
from tasks.model.remediation.remediation import RemediationResult
from tasks.model.remediation.verdicts import Verdict
from tasks.model.reports.report import TriageStory
from tasks.rules.diagnosis.name_causes import name_cause
from tests.fakes.incident.cases import planned
from tests.fakes.incident.observations import NOW, evidence, observation

LIMIT_S = 20


class Parts:
    """Both parts of the flow, in whose place each says when it began and ended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.events: list[str] = []
        self.release, self.fault = asyncio.Event(), ""
        monkeypatch.setattr("flows.triage.escalation", self.escalation)
        monkeypatch.setattr("flows.triage.remediation", self.remediation)

    async def escalation(self, *_: Any) -> tuple[Any, ...]:
        """Notify over a slow channel."""
        self.events.append("notifying")
        await self.release.wait()
        self.events.append("notified")
        if self.fault:
            raise OSError(self.fault)
        return ()

    async def remediation(self, _: Any) -> RemediationResult:
        """Act, and let the slow channel go on."""
        await asyncio.sleep(0)
        self.events.append("acted")
        self.release.set()
        return RemediationResult(outcome=Outcome.DONE, detail="done")


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Parts:
    """Put them in the place of the flow's own."""
    return Parts(monkeypatch)


async def carried_out(action: Action) -> TriageStory:
    """Notify and act as a triage does, with a plan of one action."""
    seen = evidence(observation())
    allowed = planned(action).model_copy(update={"verdict": Verdict.yes("confirmed")})
    plan = Plan(written_at=NOW, actions=(allowed,))
    story = TriageStory(evidence=seen, diagnosis=name_cause(seen), plan=plan)
    async with asyncio.timeout(LIMIT_S):
        return await notify_and_act(story, plan, ())


async def test_a_restart_waits_for_no_message_to_arrive(parts: Parts) -> None:
    """A channel that is slow costs the desk no second in which its orders hang."""
    story = await carried_out(Action.RESTART_SERVICE)

    assert parts.events == ["notifying", "acted", "notified"]
    assert story.remediation
    assert story.remediation.outcome is Outcome.DONE


async def test_a_pause_is_announced_before_it_is_done(parts: Parts) -> None:
    """The desk reads what is coming before its orders are refused."""
    parts.release.set()
    await carried_out(Action.PAUSE_STRATEGIES)

    assert parts.events == ["notifying", "notified", "acted"]


async def test_a_message_that_breaks_cuts_no_restart_off(parts: Parts) -> None:
    """Both come to their end; then the run says what broke."""
    parts.fault = "no space left"
    with pytest.raises(OSError, match="no space left"):
        await carried_out(Action.RESTART_SERVICE)

    assert parts.events == ["notifying", "acted", "notified"]
