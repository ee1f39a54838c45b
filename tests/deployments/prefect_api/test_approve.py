"""`runbook approve`, `reject` and what `status` shows of plans that wait, against a server of Prefect's answers."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deployments.prefect_api import approvals
from deployments.prefect_api.approvals import all_chosen, chosen, recorded_count, see_taken
from deployments.views.status import triage_lines
from tasks.clients.incidents.ledger import append, read_ledger
from tasks.model.errors import Code, RunbookError
from tasks.model.incidents.ledger_file import LedgerPlace
from tasks.model.remediation.plan import Approval, ApprovalAnswer
from tasks.rules.incidents.action_history import action_history
from tasks.rules.remediation.planning.approval_records import late_answer_records
from tasks.rules.remediation.planning.proposal import SERVER_PATIENCE_S
from tests.deployments.asking import runbook
from tests.fakes.service.scripted import Asked, replied, scripted

pytestmark = pytest.mark.live

RUN = "0199c0de-0000-7000-8000-000000000001"


def paused_run(incident_id: str = "INC-1", left_s: float = 200, run_id: str = RUN) -> dict[str, Any]:
    """One paused remediation as Prefect's server lists it."""
    now = datetime.now(UTC)
    ends_at = now + timedelta(seconds=left_s + SERVER_PATIENCE_S)
    target = {"asset_class": "equity", "gateway": None, "routes": {}}
    named = {"incident_id": incident_id, "key": f"{incident_id}/pause", "target": target}
    action = {**named, "action": "pause_strategies"}
    return {
        "id": run_id,
        "state": {"timestamp": now.isoformat(), "state_details": {"pause_timeout": ends_at.isoformat()}},
        "parameters": {"case": {"request": {"service": "order-service"}, "plan": {"actions": [action]}}},
    }


def written_down(folder: Path, asked: Asked, incident_id: str) -> None:
    """What the run that waits writes once it has its answer."""
    said = asked.fields["run_input"]
    answer = ApprovalAnswer.APPROVED if said["decision"] == "approve" else ApprovalAnswer.REJECTED
    approval = Approval(answer=answer, by=said["answered_by"], note=said["note"])
    keys = {incident_id: [f"{incident_id}/pause"]}
    append(folder / "incidents.jsonl", late_answer_records("order-service", keys, approval, datetime.now(UTC)))


@asynccontextmanager
async def prefect_with(
    *runs: dict[str, Any], status: str = "ACCEPT", taken_in: Path | None = None
) -> AsyncIterator[tuple[str, list[Asked]]]:
    """A server on which these runs wait, and which takes an answer in one way; `taken_in` is where each is recorded."""
    incident_of = {one["id"]: one["parameters"]["case"]["plan"]["actions"][0]["incident_id"] for one in runs}

    def script(asked: Asked) -> bytes:
        if asked.path.endswith("/health"):
            return replied(200, True)
        if asked.path.endswith("/resume"):
            if taken_in is not None:
                written_down(taken_in, asked, incident_of[asked.path.split("/")[-2]])
            return replied(200, {"status": status, "details": {"reason": "answered by somebody else"}})
        return replied(200, list(runs))

    async with scripted(script) as (url, kept):
        yield url, kept


async def answered(folder: Path, api: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run one command as a person would, where no stack of ours runs."""
    config = folder / "runbook.toml"
    config.write_text('[services.order-service]\nbase_url = "http://127.0.0.1:1"\n', "utf-8")
    ours = {"RUNBOOK_STATE_DIR": str(folder), "RUNBOOK_CONFIG": str(config), "PREFECT_API_URL": f"{api}/api"}
    return await asyncio.to_thread(runbook, *words, **ours)


async def test_a_plan_is_approved_by_its_incident_and_the_form_gets_who_and_why(tmp_path: Path) -> None:
    """Whoever is paged reads the incident's id in the message, not a flow run's."""
    runs = (paused_run("INC-1"), paused_run("INC-2", run_id="r-2"))
    async with prefect_with(*runs, taken_in=tmp_path) as (api, kept):
        done = await answered(tmp_path, api, "approve", "INC-1", "--by", "ada", "--note", "looked")

    assert done.returncode == 0, done.stderr
    assert done.stdout == "Approved by ada: pause strategies equity (INC-1).\n"
    (resumed,) = [one for one in kept if one.path.endswith("/resume")]
    assert resumed.path == f"/api/flow_runs/{RUN}/resume"
    assert resumed.fields == {"run_input": {"decision": "approve", "answered_by": "ada", "note": "looked"}}


async def test_the_only_plan_that_waits_needs_no_id(tmp_path: Path) -> None:
    """In a hurry nobody copies ids."""
    async with prefect_with(paused_run(), taken_in=tmp_path) as (api, kept):
        done = await answered(tmp_path, api, "reject", "--by", "ada")

    assert done.stdout == "Rejected by ada: pause strategies equity (INC-1).\n"
    assert kept[-1].fields["run_input"]["decision"] == "reject"


async def test_nothing_that_waits_is_one_clear_line(tmp_path: Path) -> None:
    """Also where the time of the form is over: an answer that changes nothing must not seem to."""
    async with prefect_with(paused_run(left_s=-1)) as (api, _):
        none = await answered(tmp_path, api, "approve", "INC-1")
    async with prefect_with(paused_run(), status="ABORT") as (api, _):
        late = await answered(tmp_path, api, "approve", "INC-1")
    gone = await answered(tmp_path, "http://127.0.0.1:1", "approve", "INC-1")

    for refused, words in ((none, "nothing does"), (late, "answered by somebody else"), (gone, "PREFECT_UNREACHABLE")):
        assert refused.returncode == 1
        assert refused.stderr.count("\n") == 1
        assert words in refused.stderr
    assert none.stderr.startswith("NOTHING_WAITS: ")


def test_one_of_several_plans_must_be_named() -> None:
    """Approving the wrong plan is worse than asking once more."""
    waiting = [{"flow_run_id": name, "incident_ids": [f"INC-{name}"]} for name in ("a", "b")]

    with pytest.raises(RunbookError) as caught:
        chosen(waiting, "")

    assert caught.value.code is Code.NOTHING_WAITS
    assert "INC-a, INC-b" in caught.value.detail
    assert chosen(waiting, "b") == chosen(waiting, "INC-b")


def test_the_status_names_what_waits_until_when_and_how_to_answer() -> None:
    """The one command that everybody types shows that somebody is waited for."""
    one = {"actions": ["restart service"], "incident_ids": ["INC-1"], "expires_at": "2026-11-23T15:05:00.1+00:00"}
    triage = {"last": None, "next_at": None, "overdue": False}

    lines = triage_lines({"triage": triage, "open_incidents": [], "mode": "propose", "approvals": [one]})

    told = "waits for you   restart service, until 2026-11-23T15:05:00Z; answer with "
    assert lines[-1] == f"{told}`runbook approve INC-1` or `runbook reject INC-1`"


async def test_an_answer_that_comes_before_its_form_is_taken_when_the_form_is_there(tmp_path: Path) -> None:
    """The server calls a run paused before it knows what may be answered; a quick person must not be refused."""
    said = iter([("REJECT", "Run input schema not found."), ("ACCEPT", "")])

    def script(asked: Asked) -> bytes:
        if asked.path.endswith("/resume"):
            status, reason = next(said)
            if status == "ACCEPT":
                written_down(tmp_path, asked, "INC-1")
            return replied(200, {"status": status, "details": {"reason": reason}})
        return replied(200, asked.path.endswith("/health") or [paused_run()])

    async with scripted(script) as (url, _):
        done = await answered(tmp_path, url, "approve", "--by", "ada")

    assert done.returncode == 0, done.stderr
    assert next(said, None) is None


@pytest.mark.parametrize("listed", [("INC-1,", "INC-2"), ("INC-1, INC-2",), ("INC-1,INC-2",), ("INC-1", "INC-2")])
async def test_the_command_works_as_the_status_prints_it_for_a_plan_of_several_incidents(
    tmp_path: Path, listed: tuple[str, ...]
) -> None:
    """At three in the morning the line of the status is pasted, commas and all."""
    run = paused_run("INC-1")
    actions = run["parameters"]["case"]["plan"]["actions"]
    actions.append({**actions[0], "incident_id": "INC-2", "key": "INC-2/pause"})
    async with prefect_with(run, taken_in=tmp_path) as (api, kept):
        done = await answered(tmp_path, api, "approve", *listed, "--by", "ada")

    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("(INC-1, INC-2).\n")
    assert len([one for one in kept if one.path.endswith("/resume")]) == 1


def test_several_plans_are_answered_together_or_none_of_them() -> None:
    """A typing error in the second id must not leave the first plan answered."""
    waiting = [{"flow_run_id": name, "incident_ids": [f"INC-{name}"]} for name in ("a", "b")]

    assert all_chosen(waiting, ("INC-a,", "INC-b", "a")) == waiting
    with pytest.raises(RunbookError, match="NOTHING_WAITS"):
        all_chosen(waiting, ("INC-a", "INC-c"))


@pytest.mark.parametrize("said", [ApprovalAnswer.APPROVED, ApprovalAnswer.REJECTED])
def test_an_answer_that_no_run_takes_is_an_error_and_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: ApprovalAnswer
) -> None:
    """*Approved* for a run that was killed sends a person to bed while nothing is done; a no holds all the same."""
    monkeypatch.setattr(approvals, "TAKEN_WITHIN_S", 0.3)
    ledger, approval = LedgerPlace(path=tmp_path / "incidents.jsonl"), Approval(answer=said, by="ada")
    keys = {"INC-1": ["INC-1/pause"]}
    plan = {"flow_run_id": RUN, "incident_ids": ["INC-1"], "service": "order-service", "keys": keys}

    with pytest.raises(RunbookError) as caught:
        see_taken(ledger, plan, approval, 0)

    assert caught.value.code is Code.ANSWER_NOT_TAKEN
    assert recorded_count(ledger, plan, approval) == 1
    rejected = action_history(read_ledger(ledger).records, "order-service", datetime.now(UTC)).rejected
    assert list(rejected) == (["INC-1/pause"] if said is ApprovalAnswer.REJECTED else [])
    see_taken(ledger, plan, approval, 0)


async def test_an_answer_by_nobody_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    """The form would ask again, and the command would have said *approved*."""
    async with prefect_with(paused_run(), taken_in=tmp_path) as (api, kept):
        done = await answered(tmp_path, api, "approve", "--by", "\u200b")

    assert done.returncode == 2
    assert done.stderr.startswith("BAD_ARGUMENT: ")
    assert not [one for one in kept if one.path.endswith("/resume")]
