"""An incident as a person lives it at the Prefect UI: it waits for them, they cancel, refuse, take and approve."""

import os
import re
import signal

from playwright.sync_api import expect

from tasks.rules.incidents.paths import artifact_key
from tests.fakes.drills.game_day import PAUSED, GameDay, is_alive
from tests.fakes.polling import eventually
from tests.fakes.prefect.prefect_ui import PrefectUi


def open_plan(ui: PrefectUi, run_id: str) -> None:
    """From the run that a message leads to, to the part of it that waits."""
    ui.open_run(run_id)
    ui.page.get_by_role("tab", name="Subflow Runs").click()
    row = ui.page.get_by_role("listitem").filter(has=ui.page.get_by_text("Paused", exact=True))
    ui.follow(row.get_by_role("link").nth(1))
    expect(ui.page.get_by_text("Paused", exact=True).first).to_be_visible()


def answer(ui: PrefectUi, decision: str, picture: str) -> None:
    """Answer the form of the run that waits."""
    form = ui.menu("Resume")
    expect(form).to_contain_text("may this be done?")
    ui.choose("decision", decision)
    ui.fill({"answered by": "ada", "note": "as agreed on the call"})
    ui.page.get_by_text("may this be done?").scroll_into_view_if_needed()
    ui.picture(picture, height=1270)
    form.get_by_role("button", name="Resume").click()
    expect(form).to_be_hidden()


def processes(day: GameDay, run_id: str) -> list[int]:
    """The processes of a run, by the host, pid and start time that the worker noted."""
    noted = day.ask_api(f"flow_runs/{run_id}")["infrastructure_pid"]
    return [int(str(noted).split(":")[-2])]


def test_a_run_that_waits_is_canceled_and_its_processes_are_gone(ui: PrefectUi, day: GameDay) -> None:
    """Cancel means cancel, also while a plan waits: no process is left that could act later, and nothing was done."""
    assert day.stack.run("mode", "propose").returncode == 0
    day.kill(day.gateway_pid("XNAS"))
    run_id = day.plan_that_waits()
    at_work = processes(day, run_id)
    assert all(is_alive(one) for one in at_work)

    ui.open_run(run_id)
    form = ui.menu("Cancel")
    form.get_by_role("checkbox", name="Also cancel 1 sub-flow run").check()
    form.get_by_role("button", name="Cancel Flow Run").click()

    ui.ended("Cancelled")
    eventually(lambda: not any(is_alive(one) for one in at_work), within_s=20, every_s=0.2)
    assert day.done() == []
    assert day.ask_api("flow_runs/filter", PAUSED) == []


def test_a_plan_that_a_person_refuses_is_not_carried_out(ui: PrefectUi, day: GameDay) -> None:
    """No means no: the run ends, says so in its name, and nothing was done."""
    assert day.stack.run("mode", "propose").returncode == 0
    day.kill(day.gateway_pid("XNAS"))
    run_id = day.plan_that_waits(alert="gateway_unreachable", asset_class="equity")

    open_plan(ui, run_id)
    answer(ui, "reject", "refused")

    ui.open_run(run_id)
    assert re.match(r"XNAS unreachable since \d\d:\d\dZ, refused", ui.ended("Degraded"))
    assert day.done() == []


def test_a_hung_service_is_taken_and_its_restart_approved(ui: PrefectUi, day: GameDay) -> None:
    """The person paged acknowledges it, reads plan and evidence in the form, says yes, and it is restarted."""
    pid = day.pid()
    assert day.stack.run("mode", "propose").returncode == 0
    os.kill(pid, signal.SIGSTOP)
    run_id = day.plan_that_waits(alert="health_check_failed", note="the desk called: no fills")

    taken = ui.run_form("acknowledge/do-acknowledge", by="ada")
    assert "the open incident: acknowledged by ada" in taken
    assert [one.acknowledged_by for one in day.new_incidents()] == ["ada"]

    open_plan(ui, run_id)
    answer(ui, "approve", "approval")
    ui.open_run(run_id)
    assert re.match(r"order-service hung since \d\d:\d\dZ, recovered", ui.ended("Recovered"))
    assert day.pid() != pid
    report = ui.open_artifact("triage-order-service")
    expect(report).to_contain_text("Recovered: order-service was hung. Restart service: recovered since ")
    ui.picture("report", height=1020)

    (over,) = day.new_incidents()
    of_incident = {"artifacts": {"key": {"any_": [artifact_key(over.incident_id)]}}, "sort": "UPDATED_DESC"}
    postmortem = ui.open_artifact_by_id(day.ask_api("artifacts/filter", of_incident)[0]["id"])
    expect(postmortem).to_contain_text("order-service hung for ")
    ui.picture("postmortem", height=1300)
