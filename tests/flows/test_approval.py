"""A plan that waits for a person: what is shown, what each answer means, and what no answer means."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deployments.prefect_api.approvals import answer, chosen, waiting_approvals
from deployments.prefect_api.client import PrefectDoor
from deployments.stack.local_http import ask
from flows.remediation import remediation
from tasks.clients.incidents.ledger import read_ledger
from tasks.clients.incidents.mode import current_mode, set_mode
from tasks.clients.process.probe import service_identity
from tasks.model.errors import Code, RunbookError
from tasks.model.incidents.incident import Event, LedgerRecord, Outcome, Source
from tasks.model.incidents.modes import Mode
from tasks.model.probes.orders import AssetClass
from tasks.model.remediation.remediation import RemediationCase, RemediationResult
from tasks.model.remediation.verdicts import GuardCode
from tasks.model.reports.report import TriageStory
from tasks.rules.incidents.action_history import APPROVAL_TYPE
from tasks.rules.remediation.branches import remediation_case
from tasks.work.remediation.plan import planned_for
from tests.fakes.incident.triaged import triaged
from tests.fakes.service.monitored_service import Patient, running

pytestmark = [
    pytest.mark.prefect,
    pytest.mark.skipif(sys.platform == "win32", reason="the drills are POSIX signals"),
    # Prefect leaves sockets of its own client to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
NAME = "order-service"


@pytest.fixture
def hung(tmp_path: Path, prefect: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Patient]:
    """A hung stub in mode propose, with a control plane that still answers: the pause reaches another process."""
    assert prefect
    with running(tmp_path, control_token="any") as one:
        one.watch_from_the_environment(monkeypatch)
        set_mode(one.settings, Mode.PROPOSE)
        assert one.pid
        os.kill(one.pid, signal.SIGSTOP)
        yield one


def case_of(story: TriageStory) -> RemediationCase:
    """What the remediation gets."""
    assert story.plan
    return remediation_case(story, story.plan)


async def form_of(api: str, incident_id: str, but: str = "") -> dict[str, Any]:
    """Wait until the plan of an incident waits for an answer; `but` is a form that was answered already."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for one in await asyncio.to_thread(waiting_approvals, PrefectDoor(api), datetime.now(UTC)):
            if incident_id in one["incident_ids"] and one["since"] != but:
                return one
    raise AssertionError("no plan waits for an answer")


async def shown_on(api: str, run_id: str, key: str) -> str:
    """What one form of a run says; its words come a moment after its state."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = await asyncio.to_thread(ask, f"{api}/flow_runs/{run_id}/input/{key}-description")
        if isinstance(found, str):
            return found.replace("\\", "")
    raise AssertionError("the form says nothing")


def answers(patient: Patient) -> list[LedgerRecord]:
    """The answers that the ledger knows."""
    return [one for one in read_ledger(patient.ledger).records if one.type == APPROVAL_TYPE]


def state_of(api: str, run_id: str) -> str:
    """How the run of a form ended."""
    return str((ask(f"{api}/flow_runs/{run_id}") or {})["state"]["type"])


async def ended(run: "asyncio.Task[RemediationResult]") -> RemediationResult:
    """Wait for the end of a remediation."""
    return await asyncio.wait_for(run, 60)


async def test_a_person_approves_after_an_answer_that_could_not_be_read(hung: Patient, prefect: str) -> None:
    """The form shows plan, evidence and orders, asks again for a name, and the ledger tells who said yes."""
    case = case_of(await triaged(hung))
    incident_id = case.plan.actions[0].incident_id
    run = asyncio.create_task(remediation(case))

    first = await form_of(prefect, incident_id)
    with pytest.raises(RunbookError, match="NOTHING_WAITS"):
        chosen([first], "INC-of-somebody-else")
    undecided = {"run_input": {"answered_by": "ada", "note": ""}}
    refused = await asyncio.to_thread(ask, f"{prefect}/flow_runs/{first['flow_run_id']}/resume", undecided)
    await asyncio.to_thread(answer, PrefectDoor(prefect), first["flow_run_id"], "approve", "?!", "")
    again = await form_of(prefect, incident_id, but=first["since"])
    text = await shown_on(prefect, again["flow_run_id"], "paused-approval-2")
    await asyncio.to_thread(
        answer, PrefectDoor(prefect), again["flow_run_id"], "approve", " ada ", "looked at the stacks"
    )
    result = await ended(run)

    assert (refused or {})["status"] == "REJECT", "who decides nothing has rejected nothing: the run waits on"
    assert first["actions"][0] == "restart service"
    for words in ("service_hung", "Orders not proven", "If nobody answers by", "a name is expected", incident_id):
        assert words in text
    assert result.outcome is Outcome.RECOVERED
    (said,) = answers(hung)
    assert (said.source, said.event, said.details["by"]) == (Source.OPERATOR, Event.ACKNOWLEDGED, "ada")
    started = next(one for one in read_ledger(hung.ledger).records if one.event == Event.ACTION_STARTED)
    assert started.details["answered_by"] == "ada"
    assert state_of(prefect, again["flow_run_id"]) == "COMPLETED"
    with pytest.raises(RunbookError) as late:
        answer(PrefectDoor(prefect), again["flow_run_id"], "approve", "bob", "")
    assert late.value.code is Code.NOTHING_WAITS


async def test_a_rejected_plan_is_not_done_and_not_asked_for_again(hung: Patient, prefect: str) -> None:
    """A no holds for the incident: nobody is asked the same every minute; observe takes the hands off for all runs."""
    story = await triaged(hung)
    case = case_of(story)
    run = asyncio.create_task(remediation(case))
    form = await form_of(prefect, case.plan.actions[0].incident_id)
    await asyncio.to_thread(answer, PrefectDoor(prefect), form["flow_run_id"], "reject", "ada", "the venue restarts it")
    result = await ended(run)

    plan = await planned_for(hung.settings, story)
    assert {one.code for one in result.actions} == {GuardCode.REJECTED_BY_PERSON}
    assert not plan.asks
    assert "rejected by ada: the venue restarts it" in plan.actions[0].verdict.detail
    assert Event.ACTION_STARTED not in [one.event for one in read_ledger(hung.ledger).records]
    identity = service_identity(hung.service)
    assert identity
    assert identity.pid == hung.pid

    run = asyncio.create_task(remediation(case))
    form = await form_of(prefect, case.plan.actions[0].incident_id)
    await asyncio.to_thread(answer, PrefectDoor(prefect), form["flow_run_id"], "observe", "ada", "")
    result = await ended(run)

    assert {one.code for one in result.actions} == {GuardCode.MODE_FORBIDS}
    assert current_mode(hung.settings) is Mode.OBSERVE
    assert "set the mode to observe" in answers(hung)[-1].summary


async def test_no_answer_takes_the_safe_branch_and_nobody_can_answer_any_more(
    hung: Patient, prefect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule 12: what pauses trading is tried, what is disruptive is not, and the run ends as one that ran."""
    monkeypatch.setenv("RUNBOOK_APPROVAL_TIMEOUT_S", "3")
    case = case_of(await triaged(hung))
    run = asyncio.create_task(remediation(case))
    form = await form_of(prefect, case.plan.actions[0].incident_id)

    result = await ended(run)

    assert result.actions[0].code is GuardCode.APPROVAL_EXPIRED
    assert [one.planned.target.asset_class for one in result.actions[1:]] == [AssetClass.EQUITY]
    assert result.actions[1].code is not GuardCode.APPROVAL_EXPIRED
    (said,) = answers(hung)
    assert (said.source, said.event, said.summary) == (Source.TRIAGE, Event.OBSERVED, "nobody answered in time")
    assert state_of(prefect, form["flow_run_id"]) == "COMPLETED"
    assert not [
        one for one in waiting_approvals(PrefectDoor(prefect), datetime.now(UTC)) if one["since"] == form["since"]
    ]
