"""An incident as a person lives it at the Prefect UI: it waits for them, they cancel, refuse, take and approve."""

import os
import signal

from playwright.sync_api import expect

from deployments.commands.triage import start
from deployments.prefect_door import PrefectDoor
from tests.fakes.drill_story import NAME
from tests.fakes.drills import GameDay, is_alive
from tests.fakes.polling import eventually
from tests.fakes.prefect_ui import PrefectUi

PAUSED = {"flow_runs": {"state": {"type": {"any_": ["PAUSED"]}}}}


def waiting(day: GameDay, **asked: str) -> str:
    """Start a triage, and wait until its plan waits for a person; gives the triage's id."""
    run_id = start(PrefectDoor(day.api), {"service": NAME, **asked})
    eventually(lambda: day.ask_api("flow_runs/filter", PAUSED), within_s=120, every_s=0.5)
    return run_id


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
    run_id = waiting(day)
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
    run_id = waiting(day, alert="gateway_unreachable", asset_class="equity")

    open_plan(ui, run_id)
    answer(ui, "reject", "refused")

    ui.open_run(run_id)
    assert "→ dependency_unreachable (XNAS), refused" in ui.ended()
    assert day.done() == []


def test_a_hung_service_is_taken_and_its_restart_approved(ui: PrefectUi, day: GameDay) -> None:
    """The person paged takes the incident, reads plan and evidence in the form, says yes, and it is restarted."""
    pid = day.pid()
    assert day.stack.run("mode", "propose").returncode == 0
    os.kill(pid, signal.SIGSTOP)
    run_id = waiting(day, alert="health_check_failed", note="the desk called: no fills")

    taken = ui.run_form("acknowledge/manual", by="ada")
    assert "ada takes the open incident" in taken
    assert [one.acknowledged_by for one in day.new_incidents()] == ["ada"]

    open_plan(ui, run_id)
    answer(ui, "approve", "approval")
    ui.open_run(run_id)
    assert "→ service_hung, recovered" in ui.ended()
    assert day.pid() != pid
    report = ui.open_artifact("triage-order-service")
    expect(report).to_contain_text("service hung, confirmed. Restart service: recovered since ")
    ui.picture("report", height=1020)
