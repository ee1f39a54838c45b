"""A game day on the real stack: a dead gateway from the desk's first word to the replay, and the score of a drill."""

import json
import sys
from typing import Any

import pytest

from deployments.commands.triage import follow, start
from deployments.prefect_api.client import PrefectDoor
from tasks.model.incidents.incident import IncidentState
from tests.fakes.drills.game_day import GameDay
from tests.fakes.polling import eventually

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.drill,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform == "win32", reason="the drills are POSIX signals"),
]
NOTICE = "We are experiencing degraded order routing for crypto. Investigating. Orders may be delayed. ETA 15m."
ARTIFACTS = "Key artifacts: incidents.jsonl, service logs, sample failing request/response."


def orders_resume(day: GameDay, **fields: str) -> None:
    """Fill the form in with which a person takes something back, and wait until it is done."""
    asked = {"reason": "the venue is back", "by": "ada", **fields}
    run = follow(PrefectDoor(day.api), start(PrefectDoor(day.api), asked, "remediation/do-resume"), quiet=True)
    assert run["state"]["type"] == "COMPLETED", run["state"]


def only_incident(day: GameDay) -> IncidentState:
    """The one incident of this drill."""
    (found,) = day.new_incidents()
    return found


def ledger(day: GameDay, incident_id: str, event: str) -> dict[str, Any]:
    """The first line of an incident with this event."""
    lines = map(json.loads, (day.state_dir / "incidents.jsonl").read_text("utf-8").splitlines())
    found: dict[str, Any] = next(one for one in lines if one["incident_id"] == incident_id and one["event"] == event)
    return found


def test_a_dead_gateway_from_the_desks_first_word_to_the_test_that_it_leaves(day: GameDay) -> None:
    """The desk and tier 3 read the page's own words; a person resumes; the incident ends in a document and a test."""
    day.kill(day.gateway_pid("CRYP"))
    day.triage()

    incident = only_incident(day).incident_id
    since, summary = ledger(day, incident, "opened")["timestamp"], ledger(day, incident, "diagnosed")["summary"]
    assert day.told("desk")[0] == NOTICE
    assert day.told("tier_3")[0].splitlines()[0] == (
        "Incident: order-routing health checks failing since "
        f"{since[:23]}Z. Errors: {summary.removesuffix('.')}. {ARTIFACTS}"
    )
    assert day.done() == [("mark_degraded", "done"), ("pause_strategies", "done")]
    assert day.states() == {"crypto": "halted"}

    day.up()
    day.triage()
    assert day.states() == {"crypto": "halted"}
    assert only_incident(day).is_open

    orders_resume(day, what="gateway_mark", name="CRYP")
    orders_resume(day, what="trading", asset_class="crypto")
    eventually(lambda: closed(day), within_s=90, every_s=1)

    assert day.states() == {}
    assert day.is_well()
    assert "Crypto trading is active again. Manual action by ada. Reason: the venue is back." in day.told("desk")
    holds_its_document_and_its_test(day, incident)


def closed(day: GameDay) -> bool:
    """Run one more triage, and say whether the incident is over."""
    day.triage()
    return not only_incident(day).is_open


def holds_its_document_and_its_test(day: GameDay, incident: str) -> None:
    """The postmortem tells what was done; the fixture expects the cause, and the rules of now name it."""
    document = (day.state_dir / "postmortems" / f"{incident}.md").read_text("utf-8")
    expected = json.loads((day.state_dir / "regressions" / f"{incident}.expected.json").read_text("utf-8"))
    replayed = day.stack.run("replay", "--json")

    assert "CRYP" in document
    assert "mark degraded" in document
    assert [one["cause"] for one in expected["expected"]] == ["dependency_unreachable"], expected["expected"]
    assert replayed.returncode == 0, replayed.stdout
    again = {one["incident_id"]: one["same"] for one in json.loads(replayed.stdout)["regressions"]}
    assert again[incident] is True


def drilled(day: GameDay, name: str) -> dict[str, Any]:
    """Run one drill with the product's own command, and give its score."""
    done = day.stack.run("drill", "run", name, "--yes", "--by", "ada", "--json", timeout_s=400)
    assert done.returncode == 0, done.stdout + done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    assert document["score"]["is_safe"], document
    (score,) = document["drills"]
    found: dict[str, Any] = score
    return found


def test_a_drill_breaks_heals_and_scores_by_itself(live_day: GameDay) -> None:
    """What a person would do by hand on a game live_day, with the orders counted."""
    pid = live_day.pid()
    score = drilled(live_day, "service_killed")

    assert score["actions"] == ["restart_service"]
    assert "service_down" in score["causes"]
    assert (score["forbidden"], score["verified"]) == ([], True)
    assert 0 < score["detect_s"] < score["act_s"] <= score["recover_s"]
    assert score["orders"]["sent_count"] > 0
    assert live_day.pid() != pid
    assert not (live_day.state_dir / "drills" / "under-way.json").exists()


def test_a_control_is_felt_and_nobody_hears_of_it(live_day: GameDay) -> None:
    """One lost probe: a second check clears it."""
    score = drilled(live_day, "control_lost_probe")

    assert score["felt"]
    assert (score["detected"], score["actions"], score["messages_count"]) == (False, [], 0)


def test_a_drill_asks_first_and_is_refused_where_nobody_can_answer(live_day: GameDay) -> None:
    """A script that lies in a cron table breaks nothing by accident."""
    pid = live_day.pid()
    asked = live_day.stack.run("drill", "run", "service_killed")

    assert asked.returncode == 2
    assert "--yes" in asked.stderr
    assert live_day.pid() == pid


def test_a_drill_is_refused_while_the_automation_may_not_act(live_day: GameDay) -> None:
    """It would score what a person has switched off."""
    assert live_day.stack.run("mode", "observe").returncode == 0
    refused = live_day.stack.run("drill", "run", "service_killed", "--yes")
    assert live_day.stack.run("mode", "act").returncode == 0

    assert refused.returncode == 1
    assert "mode is observe" in refused.stderr
