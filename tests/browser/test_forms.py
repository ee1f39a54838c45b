"""Every form as a person finds it in the Prefect UI, and what pressing it does to the order service."""

import re

import pytest
from playwright.sync_api import expect

from deployments.stack.local_http import ask
from tests.fakes.drills.game_day import GameDay
from tests.fakes.prefect.prefect_ui import PrefectUi

WHO = {"reason": "the venue says so", "by": "ada"}
# What each form asks for: a field with an exclamation mark must be filled, one with a list of words is a drop-down.
CLASSES = "equity future fx crypto"
FORMS = {
    "remediation/do-restart": {"reason!": "", "by!": ""},
    "remediation/do-roll-back": {"reason!": "", "by!": "", "release": ""},
    "remediation/do-disable-feature": {"feature!": "", "reason!": "", "by!": ""},
    "remediation/do-reroute": {"asset_class!": CLASSES, "reason!": "", "by!": "", "gateway": ""},
    "remediation/do-pause": {
        "asset_class": CLASSES,
        "strategy": "",
        "everything": "",
        "state": "halted reducing",
        "reason!": "",
        "by!": "",
    },
    "remediation/do-resume": {
        "what": "trading strategy gateway_mark route",
        "asset_class": CLASSES,
        "name": "",
        "reason!": "",
        "by!": "",
    },
    "remediation/do-mark-degraded": {"gateway!": "", "reason!": "", "by!": ""},
    "acknowledge/do-acknowledge": {"by!": "", "incident_id": ""},
}


def test_a_person_runs_a_triage_from_its_form_and_reads_the_report(ui: PrefectUi, day: GameDay) -> None:
    """The way of the runbook: find it, say which alert and what was seen, run it, read what it saw."""
    assert day.is_well()
    ui.find_form("triage/do-triage")
    ui.fill({"alert": "order_delivery_failed", "asset_class": "equity", "note": "fills look late", "mode": "observe"})
    ui.picture("triage-form", height=1100)
    ui.submit()

    expect(ui.page.get_by_text("healthy: order-service, alert order_delivery_failed")).to_be_visible()
    report = ui.open_artifact("triage-order-service")
    expect(report).to_contain_text("order-service is healthy: health passed")
    expect(report).to_contain_text("Note of the person who started it: fills look late")
    expect(report).to_contain_text("§1.3 Verify order delivery")
    expect(report).to_contain_text("mode observe")
    ui.picture("triage-report", height=2500)


def test_what_a_person_starts_in_an_incident_is_on_the_first_page_of_the_list(ui: PrefectUi) -> None:
    """Nobody pages or searches at three in the morning: the forms stand together, before all that starts by itself."""
    ui.page.goto(f"{ui.address}/v2/deployments")
    names = {form.partition("/")[2] for form in FORMS} | {"do-triage", "do-postmortem"}
    for name in sorted(names):
        expect(ui.page.get_by_role("link", name=name, exact=True)).to_be_visible()
    ui.picture("deployments", height=1100)


@pytest.mark.parametrize("form", FORMS)
def test_a_form_shows_what_it_asks_for_and_says_what_it_means(ui: PrefectUi, form: str) -> None:
    """At three in the morning a form is filled without a manual: words, drop-downs, no raw JSON, no type names."""
    ui.open_form(form)

    for name, words in FORMS[form].items():
        label = name.removesuffix("!") if name.endswith("!") else f"{name} (Optional)"
        expect(ui.page.get_by_text(re.compile(f"^{re.escape(label)}$", re.IGNORECASE))).to_be_visible()
        if words:
            options = ui.page.get_by_role("option")
            ui.open_list(name.removesuffix("!"), options.filter(has_text=re.compile(rf"^{words.split()[0]}$")))
            expect(options.filter(has_text=re.compile(r"\S"))).to_have_text(words.split())
            ui.page.keyboard.press("Escape")
            # The list of the one before fades out: two lists at once are read as one.
            expect(options).to_have_count(0)
    main = ui.page.get_by_role("main")
    expect(main).not_to_contain_text("Property is type")
    expect(main.get_by_role("tab", name="None")).to_have_count(0)
    ui.picture(f"form-{form.replace('/', '-')}", height=1100)


def test_a_reason_and_a_name_must_be_given(ui: PrefectUi, quiet_day: GameDay) -> None:
    """The ledger never holds an order of nobody, for nothing: the form itself says what is missing."""
    before = quiet_day.pid()
    ui.open_form("remediation/do-restart")
    ui.submit_button.click()

    expect(ui.page.get_by_text(re.compile("required|does not match", re.IGNORECASE)).first).to_be_visible()
    assert "/run" in ui.page.url
    assert quiet_day.pid() == before


def test_a_person_pauses_a_class_and_lets_it_trade_again(ui: PrefectUi, day: GameDay) -> None:
    """The button that is always allowed: in force at the service when the run has ended, and taken back likewise."""
    paused = ui.run_form("remediation/do-pause", asset_class="crypto", **WHO)
    assert trading(day, "crypto") == ("halted", "ada")
    resumed = ui.run_form("remediation/do-resume", asset_class="crypto", **WHO)

    assert trading(day, "crypto")[0] == "active"
    assert "order-service: pause crypto by ada" in paused
    assert "order-service: resume trading crypto by ada" in resumed


def test_a_person_marks_a_gateway_and_everybody_sees_it(ui: PrefectUi, day: GameDay) -> None:
    """The mark is in force when the run has ended: whoever asks the service sees which gateway, and who said so."""
    name = ui.run_form("remediation/do-mark-degraded", gateway="XNAS", **WHO)
    health = ask(f"{day.base_url}/health", timeout_s=20)

    assert "order-service: mark XNAS degraded by ada → done" in name
    assert (health["status"], health["dependencies"]["XNAS"]["set_by"]) == ("degraded", "ada")


def test_a_person_restarts_the_service_and_reads_what_came_of_it(ui: PrefectUi, day: GameDay) -> None:
    """What was pressed is done once, and proven: another process answers, and the outcome says that it is well."""
    before = day.pid()
    name = ui.run_form("remediation/do-restart", **WHO)
    outcome = ui.open_artifact("outcome")

    assert "order-service: restart by ada → recovered" in name
    assert day.pid() != before
    expect(outcome).to_contain_text("restart service: recovered")


def trading(day: GameDay, asset_class: str) -> tuple[str, str]:
    """How a class trades, and who set it so."""
    found = ask(f"{day.base_url}/routing", timeout_s=20)["asset_classes"][asset_class]
    return str(found["trading_state"]), str(found["set_by"])
