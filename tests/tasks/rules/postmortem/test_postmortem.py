"""The postmortem of a whole incident, made from the files that it leaves; with what is known and what is not."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tasks.model.diagnosis.diagnosis import Audience, Cause
from tasks.model.incidents.incident import Action, Event, Outcome
from tasks.model.postmortem.postmortem import PostmortemCase
from tasks.rules.postmortem.actions import actions_taken, refusals
from tasks.rules.postmortem.durations import began_at, stages
from tasks.rules.postmortem.follow_ups import REMEDIES, follow_ups
from tasks.rules.postmortem.picture import picture_svg
from tasks.rules.postmortem.template import VERBS, postmortem_title
from tasks.work.postmortem.case import known_case
from tests.fakes.incident import observations
from tests.fakes.incident.past import counted, past
from tests.fakes.incident.story import INCIDENT, SERVICE, Story, at, counting, gateway_story, part


@pytest.fixture
def case(tmp_path: Path) -> PostmortemCase:
    """Everything that is known of the incident above."""
    return known_case(gateway_story(tmp_path).settings, SERVICE, INCIDENT)


def test_the_timeline_names_the_line_of_each_record(case: PostmortemCase) -> None:
    """Whoever doubts a row opens the ledger at that line."""
    rows = [row for row in part(case, "timeline").splitlines() if row.startswith("- 2026")]
    lines = [int(re.findall(r", line (\d+), ", row)[0]) for row in rows]

    assert sorted(lines) == list(range(1, len(case.records) + len(case.around) + 1))
    assert [row[:26] for row in rows] == sorted(row[:26] for row in rows)
    assert rows[0] == "- 2026-11-23T14:59:40.000Z, line 1, **gateway unreachable**: gateway XNAS does not answer"


def test_the_impact_is_measured_and_bounded_by_the_looks(case: PostmortemCase) -> None:
    """Looks are a minute apart: a single number of minutes would be made up."""
    (row,) = [row for row in part(case, "impact").splitlines() if row.startswith("| equity")]

    assert row == "| equity | 0.9 to 3.0 min | 0.5 min | 100 | 40 | 0 | 0 | 0 |"
    assert "| fx" not in part(case, "impact")
    assert "689 ms on average, 10 ms in the hour before" in part(case, "impact")
    assert "3 at most, 0 in the last run" in part(case, "impact")


def test_what_nobody_measured_is_not_known(tmp_path: Path) -> None:
    """Zero orders lost and nobody counted are not the same sentence."""
    story = Story(tmp_path)
    story.fails(observations.three(gateways=(observations.slow_gateway("XNAS"),)))
    story.ends(100)
    impact = part(known_case(story.settings, SERVICE, INCIDENT), "impact")

    assert "not known" in impact
    assert "Orders were not counted" in impact
    assert not re.search(r"\| 0 \|", impact)


def test_a_restart_within_the_incident_makes_the_counts_a_least(tmp_path: Path) -> None:
    """What the old process counted after the last check is gone with it."""
    story = Story(tmp_path)
    story.looked(past(1, counters=counting(100)))
    story.fails(observations.three(gateways=(observations.slow_gateway("XNAS"),), metrics=counted(counting(110))))
    anew = {**counting(7), "process_start_time_seconds": 2_000_000.0}
    story.looked(past(-1, counters=anew))
    story.ends(100)

    assert "| at least 17 |" in part(known_case(story.settings, SERVICE, INCIDENT), "impact")


def test_actions_that_did_not_help_or_have_no_end_or_were_refused_are_told(case: PostmortemCase) -> None:
    """The next shift must not try again what failed today."""
    actions = part(case, "actions")

    assert re.search(r"\*\*mark degraded\*\*.*: helped\. XNAS is marked \(lines ", actions)
    assert re.search(r"\*\*reroute orders\*\*.*\*\*did not help\*\*\. no alternate took orders", actions)
    assert re.search(r"\*\*pause strategies\*\*.*never seen: \*\*its end is not known\*\*", actions)
    assert re.search(r"- NO\\_ALTERNATE, 2026-.*: No action was taken", actions)
    assert "Manual actions:" in actions


def test_an_action_of_any_name_is_told(tmp_path: Path) -> None:
    """The remediation learns new actions; the postmortem must not lose one."""
    story = Story(tmp_path)
    story.fails(observations.three(gateways=(observations.slow_gateway("XNAS"),)))
    story.acts("call_the_venue", "half_way", 10)
    case = known_case(story.settings, SERVICE, INCIDENT)

    assert [(one.action, one.outcome) for one in actions_taken(case)] == [("call_the_venue", "half_way")]
    assert "**call the venue**" in part(case, "actions")


def test_a_refusal_beside_what_was_done_is_told(tmp_path: Path) -> None:
    """A plan that was half refused is reported in one message; its refused half must not be lost."""
    story = Story(tmp_path)
    story.fails(observations.three(gateways=(observations.slow_gateway("XNAS"),)))
    half = "Not done, NO_ALTERNATE: reroute orders equity: XNYS is down. Not done, X_Y: z."
    story.says(Audience.TIER_3, "done-mark", f"Done: mark degraded XNAS: marked. {half}", 9)
    found = refusals(known_case(story.settings, SERVICE, INCIDENT))

    assert [(one.code, one.detail) for one in found] == [
        ("NO_ALTERNATE", "reroute orders equity: XNYS is down"),
        ("X_Y", "z"),
    ]


def test_a_refusal_is_read_in_the_words_of_today(tmp_path: Path) -> None:
    """The code stands behind the reason now; what was written before still reads."""
    story = Story(tmp_path)
    story.fails(observations.three(gateways=(observations.slow_gateway("XNAS"),)))
    half = "Not done: reroute orders equity: XNYS is down (NO_ALTERNATE). Not done: z (X_Y). [INC-1] mode=act."
    story.says(Audience.TIER_3, "done-mark", f"XNAS is marked degraded. {half}", 9)
    found = refusals(known_case(story.settings, SERVICE, INCIDENT))

    assert [(one.code, one.detail) for one in found] == [
        ("NO_ALTERNATE", "reroute orders equity: XNYS is down"),
        ("X_Y", "z"),
    ]


def test_an_action_is_told_with_what_it_touched_and_why(tmp_path: Path) -> None:
    """Pausing one class and pausing all of them are two stories."""
    story = Story(tmp_path)
    story.fails(observations.three(gateways=(observations.slow_gateway("XNAS"),)))
    facts = {"target": "equity halted", "why": "XNAS is gone", "answered_by": "Ada"}
    story.acts(Action.PAUSE_STRATEGIES, Outcome.DONE, 10, detail="in force", **facts)
    told = part(known_case(story.settings, SERVICE, INCIDENT), "actions")

    assert "**pause strategies equity halted**" in told
    assert "XNAS is gone; answered by Ada; in force" in told


def test_the_times_begin_with_the_first_sign_and_not_with_our_alert(case: PostmortemCase) -> None:
    """A time to detect that begins at the detection is always zero."""
    took = {stage.name: stage.seconds_s for stage in stages(case)}

    assert began_at(case) == (at(-20), "reported by the service, line 1")
    assert took["to detect"] == 24
    assert took["to acknowledge"] == 36
    assert took["to act"] == 2
    assert took["to recover, in all"] == 170
    assert "at most 64.0 s after the last good run" in part(case, "times")


def test_another_gateways_trouble_is_no_first_sign(tmp_path: Path) -> None:
    """A venue that was down and came back this morning does not make our detection late."""
    story = Story(tmp_path)
    story.told("gateway_unreachable", -600, gateway="FXALL")
    story.told("gateway_unreachable", -500, gateway="XNAS")
    story.told("gateway_recovered", -400, gateway="XNAS")
    story.fails(observations.three(gateways=(observations.slow_gateway("XNAS"),)))

    assert began_at(known_case(story.settings, SERVICE, INCIDENT)) == (at(0), "the first check that failed")


def test_what_was_ruled_out_is_told_beside_the_cause(case: PostmortemCase) -> None:
    """The first question of the meeting is what else it could have been."""
    cause = part(case, "cause")

    assert "**dependency unreachable** (unreachable), confirmed" in cause
    assert "gateway XNAS does not answer a direct probe" in cause
    assert "service down or hung: health answers" in cause
    assert "evidence/runs/order-service/" in cause


def test_slow_answers_are_held_against_the_hour_before(tmp_path: Path) -> None:
    """3 s are slow for a gateway that usually takes 3 ms."""
    story = Story(tmp_path)
    story.healthy_hour()
    slow = observations.gateway("XNAS").model_copy(update={"latency_ms": 3000.0})
    story.fails(observations.three(gateways=(slow, observations.gateway("FXALL"))))

    assert "gateway XNAS: 3000 ms in the first run; in the hour before 3 ms" in part(
        known_case(story.settings, SERVICE, INCIDENT), "slow"
    )


def test_follow_ups_have_owners_and_their_facts(case: PostmortemCase) -> None:
    """A follow-up of nobody is done by nobody."""
    found = {(one.owner, one.why) for one in follow_ups(case)}

    assert (Audience.TIER_3, "cause dependency unreachable") in found
    assert any("did not help" in one.what for one in follow_ups(case))
    assert any("pause strategies" in one.what for one in follow_ups(case))
    assert set(REMEDIES) == set(Cause)


def test_the_title_is_a_sentence_that_says_what_happened(case: PostmortemCase) -> None:
    """In a list of postmortems an id says nothing."""
    assert postmortem_title(case) == "# order-service could not reach XNAS for 2.8 min, equity"
    assert set(VERBS) == set(Cause)


def test_the_picture_shows_the_incident_and_its_actions(case: PostmortemCase) -> None:
    """One look tells how long it was and when who did what; it is a file beside the text."""
    picture = picture_svg(case)
    drawing = ET.fromstring(picture)  # noqa: S314 - our own drawing
    words = {each.text for each in drawing.iter("{http://www.w3.org/2000/svg}text")}

    assert {"opened", "notified", "acknowledged", "closed", "mark degraded"} <= words
    assert len(picture.encode()) < 20 * 1024
    assert part(case, "picture").endswith(f"]({INCIDENT}.svg)")


def test_an_incident_of_a_whole_day_stays_readable(tmp_path: Path) -> None:
    """A thousand looks that saw the same are one row with its first and last line."""
    story = Story(tmp_path)
    evidence = observations.three(gateways=(observations.slow_gateway("XNAS"),))
    diagnosis = story.fails(evidence)
    story.write(*(story.record(Event.OBSERVED, 60.0 * minutes, "XNAS is still gone") for minutes in range(1, 300)))
    story.ends(18_001)
    timeline = part(known_case(story.settings, SERVICE, INCIDENT), "timeline")

    assert diagnosis.findings
    assert "299 times until" in timeline
    assert ", lines 3 to 301, " in timeline
    assert len(timeline.splitlines()) < 20


def test_a_flood_of_different_records_is_cut_in_the_middle_and_says_so(tmp_path: Path) -> None:
    """Ten thousand rows are read by nobody; the beginning and the end are what people ask for."""
    story = Story(tmp_path)
    story.fails(observations.three(gateways=(observations.slow_gateway("XNAS"),)))
    story.write(*(story.record(Event.NOTIFIED, 10.0 + n, f"told {n}") for n in range(1000)))
    timeline = part(known_case(story.settings, SERVICE, INCIDENT), "timeline")

    assert len(timeline.splitlines()) == 205
    assert "802 rows, lines 81 to 882, are left out here" in timeline
    assert "told 999" in timeline
