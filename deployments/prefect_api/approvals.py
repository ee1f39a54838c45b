"""The plans that wait for a person's answer, as Prefect's server knows them, and the answer to one of them."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from deployments.prefect_api.client import PrefectDoor
from tasks.clients.incidents.ledger import append, read_ledger
from tasks.model.errors import Code, RunbookError
from tasks.model.incidents.ledger_file import LedgerPlace
from tasks.model.people.person import Identity
from tasks.model.remediation.plan import Approval, ApprovalAnswer
from tasks.rules.remediation.planning.approval_records import is_answer, late_answer_records, plan_fingerprint
from tasks.rules.remediation.planning.proposal import SERVER_PATIENCE_S
from tasks.settings import RunbookSettings
from tasks.work.people.answers import give_answer

RUNS_COUNT = 50
# What the form of the run calls an answer.
DECISIONS = {ApprovalAnswer.APPROVED: "approve", ApprovalAnswer.REJECTED: "reject"}
TIMEOUT_S = 10.0
# Prefect's server says that a run is paused before it has the form that the run waits at.
NO_FORM_YET = "Run input schema not found."
FORM_WITHIN_S = 10.0
FORM_PAUSE_S = 0.2
# The run that waits asks its server once a second; on a busy host the answer of that server takes a while.
TAKEN_WITHIN_S = 20.0


def waiting_approvals(door: PrefectDoor, now: datetime) -> list[dict[str, Any]]:
    """List what waits for an answer, the longest waiting first; what nobody can answer any more does not wait."""
    question = {
        "flows": {"name": {"any_": ["remediation"]}},
        "flow_runs": {"state": {"type": {"any_": ["PAUSED"]}}},
        "limit": RUNS_COUNT,
    }
    found = door.ask("/flow_runs/filter", question)
    runs = [_waiting(one) for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    known = [one for one in runs if one is not None and datetime.fromisoformat(one["expires_at"]) > now]
    return sorted(known, key=lambda one: str(one["since"]))


def chosen(waiting: list[dict[str, Any]], wanted: str) -> dict[str, Any]:
    """Find the plan that an incident's or a flow run's id means; without one, the only one there is.

    Errors: `NOTHING_WAITS` names what does wait.
    """
    fits = [one for one in waiting if not wanted or wanted == one["flow_run_id"] or wanted in one["incident_ids"]]
    if len(fits) == 1:
        return fits[0]
    known = ", ".join(name for one in waiting for name in one["incident_ids"]) or "nothing"
    was = f"id={wanted[:100]}" if wanted else "none named"
    raise RunbookError(
        Code.NOTHING_WAITS,
        f"expected a plan that waits for an answer, {known} does, found {was}; see the message that asked",
    )


def all_chosen(waiting: list[dict[str, Any]], wanted: Iterable[str]) -> list[dict[str, Any]]:
    """Find each plan that one of the ids means, as they are listed: with commas or blanks between them.

    Errors: `NOTHING_WAITS` where one id means no plan; then nothing is answered at all.
    """
    ids = [name for words in wanted for name in words.replace(",", " ").split()]
    return list({one["flow_run_id"]: one for one in (chosen(waiting, name) for name in ids or [""])}.values())


def own_waiting(door: PrefectDoor, settings: RunbookSettings, now: datetime) -> list[dict[str, Any]]:
    """List what waits for an answer on this host: of a server that several hosts share, its own services alone."""
    waiting = waiting_approvals(door, now)
    own = settings.watching().services if door.queue else ()
    return [one for one in waiting if one["service"] in own] if door.queue else waiting


def answer_plan(
    door: PrefectDoor, settings: RunbookSettings, plan: dict[str, Any], identity: Identity, approval: Approval
) -> str:
    """Answer one plan as who is proven, and see that the run has taken it; give that in words.

    Errors: `NOT_PERMITTED`, `BAD_ARGUMENT`, `NOTHING_WAITS`, `ANSWER_NOT_TAKEN`, and those of the ledger.
    """
    service, run_id, ledger = plan["service"], plan["flow_run_id"], settings.ledger(plan["service"])
    said = give_answer(settings, service, run_id, identity, approval) if settings.people else approval
    before_count = recorded_count(ledger, plan, said)
    answer(door, run_id, DECISIONS[said.answer], said.by, said.note)
    see_taken(ledger, plan, said, before_count)
    actions, ids = ", ".join(plan["actions"]), ", ".join(plan["incident_ids"])
    taken = [one for one in read_ledger(ledger).records if is_answer(one, plan["incident_ids"], said)]
    waits = bool(taken) and taken[-1].details.get("waits") is True
    second = " A second person must approve it, too." if waits else ""
    return f"{said.answer.capitalize()} by {said.by}: {actions} ({ids}).{second}"


def answer(door: PrefectDoor, flow_run_id: str, decision: str, by: str, note: str) -> None:
    """Answer one plan, and let its run go on. Right after a run begins to wait, the server lacks its form: it comes.

    Errors: `BAD_ARGUMENT` when the form refuses the answer, `NOTHING_WAITS` when somebody else has just answered.
    """
    run_input = {"decision": decision, "answered_by": by, "note": note}
    form_by_s = time.monotonic() + FORM_WITHIN_S
    status, because = _answered(door, flow_run_id, run_input)
    while because == NO_FORM_YET and time.monotonic() < form_by_s:
        time.sleep(FORM_PAUSE_S)
        status, because = _answered(door, flow_run_id, run_input)
    if status == "ACCEPT":
        return
    code = Code.BAD_ARGUMENT if status == "REJECT" else Code.NOTHING_WAITS
    raise RunbookError(code, f"expected the answer to be taken, found {because}, flow_run={flow_run_id}; see its page")


def recorded_count(ledger: LedgerPlace, plan: dict[str, Any], said: Approval) -> int:
    """Count how often the ledger has this answer to this plan.

    Errors: `LEDGER_UNREADABLE`.
    """
    return sum(is_answer(one, plan["incident_ids"], said) for one in read_ledger(ledger).records)


def see_taken(ledger: LedgerPlace, plan: dict[str, Any], said: Approval, before_count: int) -> None:
    """Wait until the run that asked has recorded the answer: its server calls a run that was killed *running*, too.

    Errors: `ANSWER_NOT_TAKEN` when it has not. The answer is then recorded here: a no holds for the next plan as well.
    """
    by_s = time.monotonic() + TAKEN_WITHIN_S
    while time.monotonic() < by_s:
        if recorded_count(ledger, plan, said) > before_count:
            return
        time.sleep(FORM_PAUSE_S)
    append(ledger, late_answer_records(plan["service"], plan["keys"], said, datetime.now(UTC)))
    what = (
        "nothing of the plan is done"
        if said.answer is ApprovalAnswer.APPROVED
        else "the answer holds for the next plan"
    )
    raise RunbookError(
        Code.ANSWER_NOT_TAKEN,
        f"expected the run's receipt within {TAKEN_WITHIN_S:g} s, found none, flow_run={plan['flow_run_id']}; "
        f"it has ended or hangs: {what}, a triage that still sees the trouble plans again",
    )


def _answered(door: PrefectDoor, flow_run_id: str, run_input: dict[str, str]) -> tuple[str | None, str]:
    """Send the answer; give what the server made of it, and why."""
    said = door.ask(f"/flow_runs/{flow_run_id}/resume", {"run_input": run_input}, timeout_s=TIMEOUT_S)
    if not isinstance(said, dict):
        return None, str(said)
    return said.get("status"), str((said.get("details") or {}).get("reason") or said)[:300]


def _waiting(run: dict[str, Any]) -> dict[str, Any] | None:
    details = (run.get("state") or {}).get("state_details") or {}
    case = (run.get("parameters") or {}).get("case")
    if not details.get("pause_timeout") or not isinstance(case, dict):
        return None
    actions = (case.get("plan") or {}).get("actions") or []
    # The server's own patience is longer than the run's.
    ends_at = datetime.fromisoformat(details["pause_timeout"]) - timedelta(seconds=SERVER_PATIENCE_S)
    return {
        "flow_run_id": run["id"],
        "incident_ids": list(dict.fromkeys(str(one["incident_id"]) for one in actions)),
        "service": str((case.get("request") or {}).get("service")),
        "actions": [_action(one) for one in actions],
        "keys": _keys(actions),
        "plan": plan_fingerprint(actions),
        "since": run["state"]["timestamp"],
        "expires_at": ends_at.isoformat(),
    }


def _keys(actions: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Gather the keys of the actions by their incident, as an answer is recorded."""
    keys: dict[str, list[str]] = {}
    for one in actions:
        keys.setdefault(str(one["incident_id"]), []).append(str(one.get("key", "")))
    return keys


def _action(one: dict[str, Any]) -> str:
    target = {key: value for key, value in (one.get("target") or {}).items() if isinstance(value, str)}
    return " ".join((str(one["action"]).replace("_", " "), *target.values()))
