"""The report in the middle of a run: the four questions on its first screen, at each moment of the work."""

from datetime import timedelta

import pytest

from tasks.model.incidents.incident import Action, Event, IncidentState, Outcome
from tasks.model.probes.control import TradingState
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Fault
from tasks.model.probes.processes import ProcessState
from tasks.model.remediation.plan import Due, Plan, PlannedAction, Target
from tasks.model.remediation.remediation import ActionResult, IncidentUpdate, Recovery, RemediationCase
from tasks.model.remediation.verdicts import GuardCode, Verdict
from tasks.model.reports.report import TriageStory, UnderWay
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.rules.remediation.branches import remediation_case
from tasks.rules.reports.lines import now_words
from tasks.rules.reports.report_markdown import triage_markdown
from tasks.rules.reports.run_names import NAME_LIMIT_COUNT, found_name, waiting_name
from tests.fakes.incident.cases import finding, planned
from tests.fakes.incident.observations import NOW, health, process, three

FORM = "http://ui/flow-runs/flow-run/1"
UNTIL = NOW + timedelta(minutes=5)
ASKED = Verdict.no(GuardCode.APPROVAL_NEEDED, "a person must approve")
RESTART = planned().model_copy(update={"verdict": ASKED})
PAUSE = planned(
    Action.PAUSE_STRATEGIES, target=Target(asset_class=AssetClass.EQUITY, trading_state=TradingState.HALTED)
).model_copy(update={"due": Due.IF_EXPIRED, "verdict": ASKED})
INCIDENT = IncidentState(incident_id="INC-1", service="order-service", state=Event.OPENED, opened_at=NOW, causes=())


def story(*actions: PlannedAction) -> TriageStory:
    """A hung service with a plan."""
    seen = three(health=health(Fault.TIMED_OUT), process=process(ProcessState.STOPPED), orders=())
    found = TriageStory(evidence=seen, diagnosis=name_cause(seen), incidents=IncidentUpdate(opened=(INCIDENT,)))
    return found.having(plan=Plan(written_at=NOW, actions=actions or (RESTART, PAUSE)))


def first_screen(one: TriageStory) -> list[str]:
    """What a person reads before the cause and its reasons."""
    head = triage_markdown(one).partition("## Cause")[0].replace("\\", "")
    return [line for line in head.splitlines() if line]


def restarted(outcome: Outcome = Outcome.RECOVERED) -> ActionResult:
    """A restart that ended, with its proof."""
    recovery = Recovery(outcome=outcome, detail="healthy for 10 s")
    return ActionResult(
        planned=RESTART, outcome=Outcome.DONE, detail="done", started_at=NOW, finished_at=UNTIL, recovery=recovery
    )


@pytest.mark.parametrize(
    ("under_way", "name", "screen"),
    [
        (
            UnderWay(since=NOW, words="planning, and notifying those who must know"),
            "under way",
            [
                "- **Now**: planning, and notifying those who must know, since 15:00:00Z",
                "- **To do**: acknowledge INC-1",
            ],
        ),
        (
            UnderWay(since=NOW, asked_until=UNTIL, form_url=FORM),
            "waiting for YOU until 15:05:00Z",
            [
                "- **Now**: waiting for YOU until 15:05:00Z: restart service?",
                (
                    f"- **To do**: approve or reject by 15:05:00Z: [open the form]({FORM}) and press Resume, "
                    "or `runbook approve`, `runbook reject`"
                ),
                "- **To do**: acknowledge INC-1",
            ],
        ),
        (
            UnderWay(since=NOW, words="approved by ada"),
            "under way",
            ["- **Now**: approved by ada, since 15:00:00Z", "- **To do**: acknowledge INC-1"],
        ),
        (
            UnderWay(since=NOW, action=RESTART),
            "restart service under way",
            [
                "- **Now**: restart service, and proving that it helps, since 15:00:00Z",
                "- **To do**: acknowledge INC-1",
            ],
        ),
        (
            UnderWay(since=UNTIL, results=(restarted(),), action=PAUSE),
            "pause strategies equity halted under way",
            [
                "- **Done**: Restart service: recovered since 15:05:00Z.",
                "- **Now**: pause strategies equity halted, and proving that it helps, since 15:05:00Z",
                "- **To do**: acknowledge INC-1",
            ],
        ),
        (
            UnderWay(since=UNTIL, results=(restarted(Outcome.NOT_RECOVERED),), words="proving that it helped"),
            "under way",
            [
                "- **Done**: Restart service, done: done. not recovered: healthy for 10 s",
                "- **Now**: proving that it helped, since 15:05:00Z",
                "- **To do**: acknowledge INC-1",
            ],
        ),
    ],
)
def test_the_first_screen_answers_the_four_questions_at_each_moment(
    under_way: UnderWay, name: str, screen: list[str]
) -> None:
    """What is broken, since when, what was and is being done, and what must I do: in this order, before all else."""
    now = story().doing(under_way)

    broken, since, *rest = first_screen(now)
    assert broken == "## order-service hung since 15:00Z"
    assert found_name(now) == f"order-service hung since 15:00Z, {name}"
    assert since == "- **Since**: 2026-11-23T15:00:00.000Z"
    assert rest == screen


def test_since_is_the_moment_that_the_headline_names() -> None:
    """Two times for one hang on one screen are one too many: the incident is written down seconds after it was seen."""
    late = INCIDENT.model_copy(update={"opened_at": NOW + timedelta(seconds=6)})
    now = story().having(incidents=IncidentUpdate(opened=(late,))).doing(UnderWay(since=NOW))

    assert first_screen(now)[1] == "- **Since**: 2026-11-23T15:00:00.000Z"


def test_nothing_is_called_needless_while_it_is_still_to_come() -> None:
    """*Not needed* in the middle of a run would read as: nobody was notified, and nothing is done."""
    text = triage_markdown(story().doing(UnderWay(since=NOW, words="planning"))).replace("\\", "")

    assert "- Notify the tier and the desk (under way): the messages are on their way" in text
    assert "- Remediation (under way): planning, since 15:00:00Z" in text
    assert "- Plan (done): 1. restart service: APPROVAL_NEEDED, a person must approve; If nobody answers: " in text
    assert "not needed" not in text


def test_at_the_end_nothing_is_under_way() -> None:
    """A page that still says *waiting for YOU* an hour later sends a person to a form that is gone."""
    assert now_words(story()) == ""
    assert not [line for line in first_screen(story()) if "Now" in line or "approve" in line]


def case(*incidents: IncidentState, **changes: object) -> RemediationCase:
    """What the part that waits knows."""
    found = story()
    return remediation_case(found, found.plan or Plan(written_at=NOW)).model_copy(
        update={"incidents": incidents, **changes}
    )


def test_the_run_that_waits_says_for_whom_and_until_when_and_its_cut_leaves_that() -> None:
    """In a list of runs it is the one to open; its name is all that the list shows of it."""
    many = tuple(finding(instances=(f"instance-{number}" * 9,), serving=("x",)) for number in range(9))
    diagnosis = story().diagnosis.model_copy(update={"findings": many})

    assert waiting_name(case(INCIDENT), UNTIL) == "order-service hung since 15:00Z, waiting for YOU until 15:05:00Z"
    assert waiting_name(case(), UNTIL) == "order-service hung, waiting for YOU until 15:05:00Z"
    long = waiting_name(case(INCIDENT, diagnosis=diagnosis), UNTIL)
    assert long.endswith("…, waiting for YOU until 15:05:00Z")
    assert len(long) <= NAME_LIMIT_COUNT
