"""What others write into names, hands and reasons is shown in one short line, and does nothing where it is shown."""

import shlex
from datetime import timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as some

from tasks.model.diagnosis.diagnosis import Diagnosis, Status
from tasks.model.probes.probes import Exchange, RoutingProbe
from tasks.model.remediation.in_force import AUTOMATION
from tasks.model.reports.report import TriageStory
from tasks.rules.in_force.class_standing import class_standings
from tasks.rules.in_force.headline import headline
from tasks.rules.messages.resume_offer import resume_messages
from tasks.rules.messages.slack.blocks import escape
from tasks.rules.messages.templates import command_line
from tasks.rules.probes.routing import judge_routing
from tasks.rules.reports.report_markdown import triage_markdown
from tasks.rules.reports.run_names import NAME_LIMIT_COUNT, found_name, run_name, triage_name
from tests.fakes.incident.observations import NOW, evidence, observation
from tests.tasks.rules.messages.test_resume_messages import ID, over, story

OK = Diagnosis(status=Status.OK)
WORST = (
    "kim\r\nEQUITY IS ACTIVE\x1b[2J\x1b]0;x\x07 \u202egnidart\u202c \u200b<!channel> <@U1> <https://evil|XNAS> "
    "@channel `x`; $(reboot) [a](javascript:b) | # \x00 \ud800".encode("utf-8", "replace").decode()
)
TEXTS = some.just(WORST) | some.text(max_size=3000) | some.sampled_from(["\n" * 50, "\u202e" * 9, "\u3164", "a" * 9000])


def routing(set_by: str, reason: str, name: str) -> RoutingProbe:
    """A routing in which one hand holds a class, a gateway, a strategy and a feature."""
    hand = {"set_by": set_by, "reason": reason, "set_at": "2026-11-23T14:59:00Z"}
    held = {**hand, "state": "halted"}
    document = {
        "asset_classes": {"equity": {"gateway": name, "trading_state": "halted", "trading_set": held}},
        "gateways": {name: {"set": {**hand, "state": name}}},
        "strategies": {name: held},
        "features": {name: {"enabled": False, "set": hand}},
    }
    exchange = Exchange(method="GET", url="http://h/", http_status=200, body=orjson.dumps(document).decode())
    return judge_routing(exchange, {}, NOW)


@given(TEXTS, TEXTS, TEXTS)
def test_what_is_in_force_is_told_in_one_line_that_acts_on_nothing(set_by: str, reason: str, name: str) -> None:
    """The hand that holds trading back is a stranger's text, and stands in the first line that people read."""
    seen = evidence(observation(routing=routing(set_by, reason, name)))
    told = TriageStory(evidence=seen, diagnosis=OK)
    texts = [headline("order-service", OK, seen), found_name(told)]
    texts += [one.words for one in class_standings(seen.latest)]

    assert all(text.isprintable() for text in texts)
    assert len(found_name(told)) <= NAME_LIMIT_COUNT
    assert max(map(len, texts)) <= 3000
    assert triage_markdown(told).splitlines()[0].startswith("# order-service is up. EQUITY IS HALTED (by ")


def test_nobody_is_called_and_nothing_is_linked_by_a_name() -> None:
    """A service that writes `<!channel>` as its gateway's name would wake everybody."""
    line = headline("order-service", OK, evidence(observation(routing=routing(WORST, WORST, WORST))))

    assert not any(mark in escape(line) for mark in ("<!", "<@", "<http", "@channel"))


def test_hundreds_of_restrictions_are_a_line_that_can_be_read() -> None:
    """The first line said all of them, and the run's name nothing but the first."""
    gateways = {f"G{number}": {"set": {"state": "disabled", "set_by": f"hand {number}"}} for number in range(180)}
    body = orjson.dumps({"asset_classes": {}, "gateways": gateways}).decode()
    look = judge_routing(Exchange(method="GET", url="http://h/", http_status=200, body=body), {}, NOW)
    line = headline("order-service", OK, evidence(observation(routing=look)))

    assert "And 168 more restrictions" in line
    assert len(line) < 1500


@given(TEXTS)
def test_a_command_to_copy_holds_a_name_as_one_word(name: str) -> None:
    """A person pastes it into a shell at night; `$(…)` in a gateway's name must not run there."""
    words = shlex.split(command_line("runbook", "ack", name))

    assert words[:2] == ["runbook", "ack"]
    assert len(words) == 3
    assert command_line("runbook", "ack", "INC-20261123-1") == "runbook ack INC-20261123-1"


def test_the_question_whether_to_resume_holds_a_name_as_one_word() -> None:
    """The way to resume is a command, and the names in it are the service's."""
    look = routing(AUTOMATION, f"gateway failing, {ID}", "$(reboot); X")
    asked = resume_messages(story(over(), *look.restrictions))

    assert "--strategy '$(reboot); X' --reason" in asked[0].text


@pytest.mark.parametrize("alert", [WORST, "a" * 5000, "\n", "→"])
def test_the_name_of_a_run_says_what_was_found_whatever_the_alert_is_called(alert: str) -> None:
    """An alert's name of thousands of letters left no room for what the triage found."""
    name = run_name(f"{triage_name('order-service', alert)} → service_hung, refused (MODE_FORBIDS)")

    assert name.endswith("→ service_hung, refused (MODE_FORBIDS)")
    assert len(name) <= NAME_LIMIT_COUNT
    assert name.isprintable()


@pytest.mark.parametrize("step", [timedelta(hours=1), timedelta(days=366)])
def test_a_clock_that_was_ahead_stops_no_reminder(step: timedelta) -> None:
    """The trouble ended while the clock was a year ahead: nobody would be reminded of the halt for a year."""
    look = routing(AUTOMATION, f"gateway failing, {ID}", "XNAS")
    ahead = {"recovered_at": NOW + step, "opened_at": NOW + step}
    told: list[str] = []
    for _ in range(3):
        asked = resume_messages(story(over(**ahead, told=tuple(told)), *look.restrictions))
        told += [one.key for one in asked]
        assert all(str((NOW + step).year) not in one.text or step.days < 300 for one in asked)

    assert len(told) == 2
    later = over(told=("x",), recovered_at=NOW + step, opened_at=NOW - timedelta(minutes=95))
    assert {one.key for one in resume_messages(story(later, *look.restrictions))}.isdisjoint(told)
