"""`runbook postmortem`, `runbook checks`, and `runbook replay` of all past incidents, as a person types them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deployments.prefect_api import client
from tasks.model.evidence.evidence import Evidence, TriageRequest
from tasks.model.probes.probes import Seen
from tasks.rules.checks.checks import check_results
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.work.postmortem.accepted_checks import accepted_checks
from tasks.work.triage.context import context_of
from tests.deployments.asking import Ended, Terminal, settings_of
from tests.fakes.incident import observations
from tests.fakes.incident.observations import NOW
from tests.fakes.incident.story import INCIDENT, SERVICE, Story, gateway_story
from tests.fakes.service.monitored_service import running

pytestmark = pytest.mark.live

CHECK = "order-service-gateway-failed-count-xnas"


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """A folder with the settings of one service, and no Prefect server."""
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    one = Terminal(tmp_path, monkeypatch, capsys)
    one.settings("[services.order-service]\n")
    return one


@pytest.fixture
def story(terminal: Terminal) -> Story:
    """An incident that is over, in the state directory that the commands use."""
    return gateway_story(terminal.folder / "var")


def told(terminal: Terminal) -> Ended:
    """Write everything that the incident leaves behind."""
    return terminal.types("postmortem", INCIDENT, "--json")


def test_the_postmortem_is_written_by_hand_without_prefect(terminal: Terminal, story: Story) -> None:
    """The server may be what is down; the file is what counts."""
    ended = told(terminal)

    assert (ended.code, ended.err) == (0, "")
    assert Path(ended.document["path"]).read_text("utf-8").startswith("# order-service ")
    assert ended.document["checks"] == [CHECK]
    assert (ended.document["changed"], ended.document["published"]) == (True, False)
    assert "## Root cause" in ended.document["markdown"]
    assert "<!-- runbook" not in ended.document["markdown"]
    assert story.incident.incident_id == INCIDENT


def test_the_newest_incident_is_meant_where_none_is_named(terminal: Terminal, story: Story) -> None:
    """At the end of a night nobody types an id of fifty letters."""
    assert terminal.types("postmortem", "--json").document["incident_id"] == story.incident_id


def test_a_second_time_it_says_what_was_left_as_edited(terminal: Terminal, story: Story) -> None:
    """Whoever edited sees that it was kept, and can read what would be generated beside it."""
    path = Path(told(terminal).document["path"])
    path.write_text(path.read_text("utf-8").replace("gateway XNAS does not answer a direct", "a cable, says"), "utf-8")
    ended, lines = told(terminal), terminal.types("postmortem", INCIDENT)

    assert ended.document["edited"] == ["cause", "timeline"]
    assert "left as edited" in lines.out
    assert "a cable, says" not in terminal.types("postmortem", INCIDENT, "--fresh").out
    assert "a cable, says" in path.read_text("utf-8")
    assert not story.incident.is_open


def test_it_is_published_where_a_server_answers_and_only_once(
    terminal: Terminal, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Prefect UI shows what the file says; the same text twice is noise."""
    sent: list[object] = []

    def answer(url: str, body: object, *_: object) -> dict[str, str]:
        sent.append((url, body))
        return {"id": "1"}

    monkeypatch.setattr(client, "ask", answer)
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:4200/api/")

    assert [told(terminal).document["published"] for _ in range(2)] == [True, True]
    ((url, body),) = sent  # type: ignore[misc]
    assert url == "http://127.0.0.1:4200/api/artifacts/"
    assert body["key"] == "postmortem-inc-20261123t150004z-gateway-failing-ab12"
    assert story.ledger.exists()


@pytest.mark.parametrize("words", [("postmortem", "INC-2"), ("checks", "show", "nosuch"), ("checks", "accept", "../x")])
def test_what_nobody_knows_is_one_line_and_exit_2(terminal: Terminal, story: Story, words: tuple[str, ...]) -> None:
    """A typing error changes nothing."""
    ended = terminal.types(*words)

    assert ended.code == 2
    assert ended.one_line.startswith("BAD_ARGUMENT: expected")
    assert not story.incident.is_open


def test_a_document_that_cannot_be_read_ends_with_1(terminal: Terminal, story: Story) -> None:
    """It could not be done, and nothing was written over."""
    path = Path(told(terminal).document["path"])
    path.write_bytes(b"\xff\xfe")

    assert terminal.types("postmortem", INCIDENT).code == 1
    assert path.read_bytes() == b"\xff\xfe"
    assert not story.incident.is_open


def test_past_incidents_replay_as_expected(terminal: Terminal, story: Story) -> None:
    """Exit 0: whoever changed a rule broke no past incident."""
    told(terminal)
    ended = terminal.types("replay", "--json")

    assert ended.code == 0
    (one,) = ended.document["regressions"]
    assert (one["incident_id"], one["same"]) == (story.incident_id, True)
    assert one["expected"][0]["cause"] == "dependency_unreachable"
    assert "as expected" in terminal.types("replay").out


def test_a_changed_rule_turns_the_replay_red(terminal: Terminal, story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 1 and a line that names the incident, what was expected and what it would be called now."""
    told(terminal)
    monkeypatch.setattr("tasks.rules.diagnosis.name_causes.RULES", ())
    ended = terminal.types("replay")

    assert ended.code == 1
    assert f"{story.incident_id}: CAUSE CHANGED, expected dependency_unreachable (confirmed, tier_3), now unknown" in (
        ended.out
    )
    assert ended.out.splitlines()[-1] == "1 past incidents replayed: 1 changed, 0 could not be read"


def test_other_words_of_the_same_cause_are_no_change(
    terminal: Terminal, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reason that is told better must not turn a hundred fixtures red."""
    told(terminal)

    def reworded(evidence: Evidence) -> object:
        diagnosis = name_cause(evidence)
        findings = tuple(one.model_copy(update={"because": ("said better",)}) for one in diagnosis.findings)
        return diagnosis.model_copy(update={"findings": findings})

    monkeypatch.setattr("tasks.rules.diagnosis.replay.name_cause", reworded)
    assert terminal.types("replay").code == 0
    assert not story.incident.is_open


def test_a_corrected_expectation_is_what_counts(terminal: Terminal, story: Story) -> None:
    """The automation was wrong; the person's cause is the test from now on, and no later run takes it back."""
    told(terminal)
    path = next((terminal.folder / "var" / "regressions").glob("*.expected.json"))
    fixture = json.loads(path.read_text("utf-8"))
    fixture["expected"][0]["cause"] = "infrastructure"
    path.write_text(json.dumps(fixture), "utf-8")
    told(terminal)
    ended = terminal.types("replay", "--json")

    assert ended.code == 1
    assert ended.document["regressions"][0]["differences"] == [
        {"place": "causes[0].cause", "then": "infrastructure", "now": "dependency_unreachable"}
    ]
    assert not story.incident.is_open


@pytest.mark.parametrize("damage", ["{", '{"version": 2}', '{"evidence": "../../x.json.gz"}', ""])
def test_a_fixture_that_cannot_be_read_hides_no_other(terminal: Terminal, story: Story, damage: str) -> None:
    """Exit 3: nothing is said of the rules, and the others were replayed."""
    told(terminal)
    (terminal.folder / "var" / "regressions" / "a.expected.json").write_text(damage, "utf-8")
    ended = terminal.types("replay", "--json")

    assert ended.code == 3
    assert (ended.document["count"], ended.document["unreadable_count"]) == (2, 1)
    assert {one["incident_id"]: one["same"] for one in ended.document["regressions"]} == {
        story.incident_id: True,
        "a": False,
    }


def test_no_fixture_yet_is_no_failure(terminal: Terminal) -> None:
    """A new installation has no past."""
    ended = terminal.types("replay")

    assert ended.code == 0
    assert "No regression fixtures yet" in ended.out


def test_an_accepted_check_is_given_to_the_next_run_and_fires(terminal: Terminal, story: Story) -> None:
    """From draft to early warning: one failed probe of XNAS is noted, and nothing is diagnosed."""
    told(terminal)
    assert accepted_checks(story.settings.state_dir, SERVICE) == ((), "")
    ended = terminal.types("checks", "accept", CHECK, "--by", "Ada", "--reason", "cheap", "--json")
    assert (ended.code, ended.document["status"], ended.document["decided_by"]) == (0, "accepted", "Ada")

    context = context_of(story.settings, TriageRequest(service=SERVICE), NOW)
    seen = observations.observation(gateways=(observations.gateway("XNAS", Seen.FAILED), observations.gateway("FXALL")))
    (result,) = check_results(Evidence(context=context, observations=(seen,)), None)
    assert (result.check_id, result.fired, result.incident_id) == (CHECK, True, INCIDENT)

    terminal.types("checks", "reject", CHECK)
    assert context_of(story.settings, TriageRequest(service=SERVICE), NOW).checks == ()


def test_checks_are_listed_and_shown_with_their_reasons(terminal: Terminal, story: Story) -> None:
    """Who decides reads what it watches, and how often it would have cried."""
    told(terminal)

    assert f"{CHECK}  draft  gateway_failed_count of XNAS at least 1" in terminal.types("checks").out
    assert terminal.types("checks", "list", "--json").document["checks"][0]["check_id"] == CHECK
    shown = terminal.types("checks", "show", CHECK).out
    assert "in the incident it was 3" in shown
    assert "accept or reject it" in shown
    assert not story.incident.is_open


def test_a_rejected_draft_is_not_drafted_again(terminal: Terminal, story: Story) -> None:
    """A no holds, also when the same incident comes again."""
    told(terminal)
    terminal.types("checks", "reject", CHECK, "--reason", "noise")
    told(terminal)

    assert terminal.types("checks", "show", CHECK, "--json").document["status"] == "rejected"
    assert not story.incident.is_open


def test_an_edited_limit_is_what_runs(terminal: Terminal, story: Story) -> None:
    """The file of a check is a person's to edit; accepting it keeps the edit."""
    told(terminal)
    path = terminal.folder / "var" / "checks" / f"{CHECK}.json"
    check = json.loads(path.read_text("utf-8"))
    check["rule"]["limit"] = 7
    path.write_text(json.dumps(check), "utf-8")
    terminal.types("checks", "accept", CHECK)
    (accepted,), _ = accepted_checks(story.settings.state_dir, SERVICE)

    assert accepted.rule.limit == 7  # type: ignore[union-attr]


@pytest.mark.parametrize("damage", ["{", '{"check_id": "other"}', '{"rule": {"kind": "shell", "run": "reboot"}}'])
def test_a_broken_check_is_told_and_stops_nothing(terminal: Terminal, story: Story, damage: str) -> None:
    """A typing error in one file must not switch off the others, nor the triage."""
    told(terminal)
    terminal.types("checks", "accept", CHECK)
    (terminal.folder / "var" / "checks" / "broken.json").write_text(damage, "utf-8")
    ended = terminal.types("checks", "--json")
    context = context_of(story.settings, TriageRequest(service=SERVICE), NOW)

    assert ended.code == 3
    assert [one["check_id"] for one in ended.document["checks"]] == [CHECK]
    assert [one.check_id for one in context.checks] == [CHECK]
    assert "broken.json" in context.checks_detail


def test_check_tells_an_early_warning_and_keeps_its_exit_code(terminal: Terminal, tmp_path: Path) -> None:
    """A monitoring plugin that turned red for a note would page somebody for nothing."""
    log = tmp_path / "x.log"
    log.write_text("2020-11-23T15:00:00Z ERROR session 12 lost\n", "utf-8")
    folder = tmp_path / "var" / "checks"
    folder.mkdir(parents=True)
    facts = {"service": SERVICE, "status": "accepted", "drafted_at": "2026-11-23T15:00:00Z"}
    rules = {
        "orders": {"kind": "threshold", "signal": "orders_failed_count", "side": "at_most", "limit": 0},
        "log": {"kind": "log_template", "template": "session <n> lost"},
        "rate": {"kind": "metric", "counter": "orders_total", "at_least_per_minute": 1},
    }
    for name, rule in rules.items():
        (folder / f"{name}.json").write_text(json.dumps({"check_id": name, "rule": rule, **facts}), "utf-8")
    with running(tmp_path) as patient:
        terminal.settings(settings_of(patient, log_files=f'["{log}"]'))
        ended, lines = terminal.types("check", "--json"), terminal.types("check")
        log.write_text(f"{datetime.now(UTC).isoformat()} ERROR session 13 lost\n", "utf-8")
        later = terminal.types("check", "--json")

    assert (ended.code, ended.document["status"], ended.document["causes"]) == (0, "ok", [])
    results = {one["check_id"]: one["fired"] for one in ended.document["checks"]}
    assert results == {"log": False, "orders": True, "rate": None}
    assert [one["check_id"] for one in ended.document["warnings"]] == ["orders"]
    assert "early warning" in lines.out
    assert [one["check_id"] for one in later.document["warnings"]] == ["log", "orders"]
