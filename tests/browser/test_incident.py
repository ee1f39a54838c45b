"""An incident as a person lives it at the Prefect UI: it waits for them, they cancel, refuse, take and approve."""

import json
import os
import signal

from playwright.sync_api import expect

from tests.fakes.drills import GameDay, is_alive
from tests.fakes.polling import eventually
from tests.fakes.prefect_ui import PrefectUi

PAUSED = {"flow_runs": {"state": {"type": {"any_": ["PAUSED"]}}}}


def waiting(ui: PrefectUi, day: GameDay) -> str:
    """Run a triage from its form, and wait until its plan waits for a person; gives the triage's id."""
    ui.open_form("triage", "manual")
    run_id = ui.submit()
    eventually(lambda: day.ask_api("flow_runs/filter", PAUSED), within_s=90, every_s=0.5)
    return run_id


def open_plan(ui: PrefectUi, run_id: str) -> None:
    """From the run that a message leads to, to the part of it that waits."""
    ui.open_run(run_id)
    ui.page.get_by_role("tab", name="Subflow Runs").click()
    row = ui.page.get_by_role("listitem").filter(has=ui.page.get_by_text("Paused", exact=True))
    row.get_by_role("link").nth(1).click()
    expect(ui.page.get_by_text("Paused", exact=True).first).to_be_visible()


def answer(ui: PrefectUi, decision: str, picture: str) -> None:
    """Answer the form of the run that waits."""
    form = ui.menu("Resume")
    expect(form).to_contain_text("may this be done?")
    ui.choose("decision", decision)
    ui.fill({"answered by": "ada", "note": "as agreed on the call"})
    ui.picture(picture)
    form.get_by_role("button", name="Resume").click()
    expect(form).to_be_hidden()


def processes(day: GameDay, run_id: str) -> list[int]:
    """The processes of a run, by the host, pid and start time that the worker noted."""
    noted = day.ask_api(f"flow_runs/{run_id}")["infrastructure_pid"]
    return [int(str(noted).split(":")[-2])]


def test_a_dead_gateway_is_canceled_refused_and_then_acted_on(ui: PrefectUi, day: GameDay) -> None:
    """A run that waits can be canceled, and its processes are gone; a plan can be refused; then the automation may."""
    pid = day.pid()
    assert day.stack.run("mode", "propose").returncode == 0
    day.kill(day.gateway_pid("XNAS"))

    run_id = waiting(ui, day)
    at_work = processes(day, run_id)
    assert all(is_alive(one) for one in at_work)
    ui.open_run(run_id)
    ui.menu("Cancel").get_by_role("button", name="Cancel run").click()
    ui.ended("Cancelled")
    eventually(lambda: not any(is_alive(one) for one in at_work), within_s=20, every_s=0.2)

    run_id = waiting(ui, day)
    open_plan(ui, run_id)
    answer(ui, "reject", "refused")
    ui.open_run(run_id)
    assert "→ dependency_unreachable (XNAS), refused" in ui.ended()
    assert day.done() == []

    assert day.stack.run("mode", "act").returncode == 0
    ui.open_form("triage", "manual")
    ui.fill({"alert": "gateway_unreachable", "asset_class": "equity", "note": "fills stopped at XNAS"})
    ui.submit()
    expect(ui.page.get_by_text("→ dependency_unreachable (XNAS)").first).to_be_visible()
    ui.ended()
    ui.picture("incident-run")
    report = ui.open_artifact("triage-order-service")
    expect(report).to_contain_text("dependency unreachable (XNAS), confirmed")
    ui.picture("incident-report")
    assert day.pid() == pid
    day.heal()


def test_a_hung_service_is_taken_and_its_restart_approved(ui: PrefectUi, day: GameDay) -> None:
    """The person paged takes the incident, reads plan and evidence in the form, says yes, and it is restarted."""
    pid = day.pid()
    assert day.stack.run("mode", "propose").returncode == 0
    os.kill(pid, signal.SIGSTOP)
    run_id = waiting(ui, day)

    taken = ui.run_form("acknowledge", "manual", by="ada")
    incidents = json.loads(day.stack.run("incidents", "--json").stdout)
    assert "ada takes the open incident" in taken
    assert [one["acknowledged_by"] for one in incidents if one["closed_at"] is None] == ["ada"]

    open_plan(ui, run_id)
    answer(ui, "approve", "approval")
    ui.open_run(run_id)
    assert "→ service_hung, recovered" in ui.ended()
    assert day.pid() != pid
