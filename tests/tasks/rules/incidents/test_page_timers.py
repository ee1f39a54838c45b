"""Who is paged at which second, and with what in the page: by the ledger's state and the clock alone."""

from datetime import datetime, timedelta

import pytest

from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.diagnosis.limits import EscalationLimits
from tasks.model.incidents.escalation import Page, PageClock, PageReason
from tasks.model.incidents.incident import ActionRecord, IncidentState, Outcome
from tasks.rules.escalation.timers import due_pages
from tasks.rules.incidents.action_history import CLOCK_SLACK
from tests.fakes.incident.cases import done_before
from tests.fakes.incident.observations import NOW

LIMITS = EscalationLimits()
T1, T2, T3 = Audience.TIER_1, Audience.TIER_2, Audience.TIER_3
AGAIN, NEXT, LATE = PageReason.NOT_ACKNOWLEDGED, PageReason.NEXT_TIER, PageReason.UNDELIVERED
SLACK_S = CLOCK_SLACK.total_seconds()


def ago(seconds: float) -> datetime:
    """So many seconds before now."""
    return NOW - timedelta(seconds=seconds)


def incident(tier: Audience = T1, paged_s: float | None = 0.0, **changes: object) -> IncidentState:
    """An open incident whose tier in charge was paged so many seconds ago."""
    paged = {} if paged_s is None else {tier: ago(paged_s)}
    state = {"incident_id": "INC-1", "service": "s", "state": "opened", "opened_at": ago(90_000), "tier": tier}
    return IncidentState.model_validate({**state, "paged_at": paged, "escalated_at": paged, **changes})


def pages(one: IncidentState, limits: EscalationLimits = LIMITS, **clock: object) -> list[tuple[object, ...]]:
    """Who is paged now, why, about what, and for how long it says that they were waited for."""
    due = due_pages(one, PageClock.model_validate({"now": NOW, "every_s": 300.0, **clock}), limits)
    return [(page.audience, page.reason, page.about, page.waited_s) for page in due]


def whom(one: IncidentState, limits: EscalationLimits = LIMITS, **clock: object) -> list[tuple[object, object]]:
    """Who is paged now, and about what."""
    return [(audience, about) for audience, _, about, _ in pages(one, limits, **clock)]


@pytest.mark.parametrize(
    ("paged_s", "reminders", "due"),
    [
        (299.9, 0, []),
        (300.0, 0, [(T1, AGAIN, "again-1", 300.0)]),
        (599.9, 0, [(T1, AGAIN, "again-1", 599.9)]),
        (600.0, 0, [(T2, NEXT, "unacknowledged", 600.0)]),
        (299.9, 1, []),
        (300.0, 1, [(T2, NEXT, "unacknowledged", 300.0)]),
        (299.9, 5, []),
        (300.0, 5, [(T2, NEXT, "unacknowledged", 300.0)]),
    ],
)
def test_a_page_that_nobody_takes_is_repeated_once_and_then_goes_up(
    paged_s: float, reminders: int, due: list[tuple[object, ...]]
) -> None:
    """To the second; a reminder that was due without effect holds the next tier up no longer than one that was read."""
    assert pages(incident(paged_s=paged_s, reminders=reminders)) == due


def test_without_reminders_the_next_tier_is_paged_where_the_first_would_be_again() -> None:
    """A team that wants no second page of its own sets the count to none."""
    assert whom(incident(paged_s=300.0), EscalationLimits(reminders_count=0)) == [(T2, "unacknowledged")]


@pytest.mark.parametrize(
    ("paged_s", "reminders", "due"),
    [
        (299.9, 0, []),
        (300.0, 0, [(T3, AGAIN, "again-1", 300.0)]),
        (599.9, 1, []),
        (600.0, 1, [(T3, AGAIN, "again-1", 600.0)]),
        (9600.0, 5, [(T3, AGAIN, "again-1", 9600.0)]),
        (9599.9, 5, []),
        (1e6, 6, []),
        (-3600.0, 2, [(T3, AGAIN, "again-1", 1200.0)]),
        (-3600.0, 6, []),
    ],
)
def test_the_last_tier_is_called_ever_more_rarely_and_six_times_at_most(
    paged_s: float, reminders: int, due: list[tuple[object, ...]]
) -> None:
    """Nobody stands above it; a page whose time lies in the future counts as due, and never as an endless wait."""
    assert pages(incident(T3, paged_s, reminders=reminders)) == due


@pytest.mark.parametrize("future_s", [0.0, SLACK_S / 2, SLACK_S])
def test_a_time_a_little_ahead_is_a_clock_that_runs_fast_and_one_far_ahead_is_no_time(future_s: float) -> None:
    """The page of now is not repeated at once; a forged one silences nobody."""
    assert pages(incident(paged_s=-future_s)) == []
    assert pages(incident(paged_s=-SLACK_S - 0.001)) == [(T1, AGAIN, "again-1", 300.0)]


def test_a_page_names_the_number_of_its_own_tiers_reminders_alone() -> None:
    """Two pages of one key would be one: the second is never sent."""
    told = ("INC-1/tier_1/opened", "INC-1/tier_1/again-1", "INC-1/tier_1/again-2", "INC-1/tier_2/again-1")

    assert whom(incident(paged_s=300.0, told=told)) == [(T1, "again-3")]
    assert whom(incident(T2, paged_s=300.0, told=told)) == [(T2, "again-2")]
    assert whom(incident(T3, paged_s=300.0, told=told)) == [(T3, "again-1")]


@pytest.mark.parametrize(
    ("changes", "quiet_s", "waited_s"),
    [
        ({"escalated_at": {T1: ago(900)}}, None, 900.0),
        ({"escalated_at": {T1: ago(900)}, "reopened_at": ago(800)}, None, 800.0),
        ({"escalated_at": {T1: ago(900)}, "acknowledged_at": ago(900), "acknowledged_until": ago(700)}, None, 700.0),
        ({"escalated_at": {T1: ago(900)}}, 650, 650.0),
        ({"escalated_at": {T1: ago(900)}, "reopened_at": ago(-50)}, None, 900.0),
        ({"escalated_at": {T1: ago(900)}, "reopened_at": NOW}, None, 600.0),
        ({"escalated_at": {T1: ago(100)}}, None, 600.0),
        ({"escalated_at": {T2: ago(900)}}, None, 600.0),
        ({"escalated_at": {}}, None, 600.0),
        ({"escalated_at": {}, "reopened_at": NOW}, None, 600.0),
    ],
)
def test_the_next_tier_reads_for_how_long_the_one_before_was_called_in_vain(
    changes: dict[str, object], quiet_s: float | None, waited_s: float
) -> None:
    """Since its first page, or since a person had it, or the window ended; never from a time that is not yet."""
    quiet = {} if quiet_s is None else {"quiet_until": ago(quiet_s)}

    assert pages(incident(paged_s=600.0, **changes), **quiet) == [(T2, NEXT, "unacknowledged", waited_s)]


@pytest.mark.parametrize(
    ("quiet_s", "due"), [(299.9, []), (300.0, [(T1, "again-1")]), (9000.0, [(T2, "unacknowledged")])]
)
def test_a_maintenance_window_begins_the_wait_anew(quiet_s: float, due: list[tuple[object, object]]) -> None:
    """Nobody is paged in a heap at its end; one that ended before the page changes nothing."""
    assert whom(incident(paged_s=600.0), quiet_until=ago(quiet_s)) == due


@pytest.mark.parametrize(
    ("changes", "paged_s"),
    [
        ({"closed_at": ago(1)}, 600.0),
        ({"recovered_at": ago(1)}, 600.0),
        ({"acknowledged_at": ago(1)}, 600.0),
        ({"closed_at": ago(1)}, None),
        ({"recovered_at": ago(1)}, None),
        ({"acknowledged_at": ago(1)}, None),
    ],
)
def test_nobody_is_paged_for_what_is_over_or_in_a_persons_hands(
    changes: dict[str, object], paged_s: float | None
) -> None:
    """Each of the three is enough, also where nobody was paged before."""
    assert whom(incident(paged_s=paged_s, **changes)) == []


@pytest.mark.parametrize(
    ("paged_s", "until_s", "due"),
    [
        (900.0, 0.0, [(T1, PageReason.ACKNOWLEDGEMENT_OVER, "again-1", 0.0)]),
        (900.0, 20.0, [(T1, PageReason.ACKNOWLEDGEMENT_OVER, "again-1", 20.0)]),
        (21.0, 20.0, [(T1, PageReason.ACKNOWLEDGEMENT_OVER, "again-1", 20.0)]),
        (20.0, 20.0, []),
        (300.0, 600.0, [(T1, AGAIN, "again-1", 300.0)]),
    ],
)
def test_who_forgot_that_they_have_it_is_reminded_once_when_their_time_is_over(
    paged_s: float, until_s: float, due: list[tuple[object, ...]]
) -> None:
    """At once, not after one more wait; what was paged since then waits for its own answer."""
    taken = {"acknowledged_at": ago(1000), "acknowledged_until": ago(until_s)}

    assert pages(incident(paged_s=paged_s, **taken)) == due


@pytest.mark.parametrize(
    ("queued_s", "above"),
    [
        (None, []),
        (89.9, []),
        (90.0, [(T2, LATE, "undelivered", 90.0)]),
        (179.9, [(T2, LATE, "undelivered", 179.9)]),
        (180.0, [(T2, LATE, "undelivered", 180.0), (T3, LATE, "undelivered", 180.0)]),
        (9000.0, [(T2, LATE, "undelivered", 9000.0), (T3, LATE, "undelivered", 9000.0)]),
        (-600.0, []),
    ],
)
def test_a_page_that_does_not_arrive_goes_up_one_tier_for_each_time_that_it_takes_too_long(
    queued_s: float | None, above: list[tuple[object, ...]]
) -> None:
    """The tier in charge is still paged; a queue with a wrong clock pages nobody."""
    queued = {} if queued_s is None else {"queued_at": {"INC-1/tier_1/opened": ago(queued_s)}}
    first = (T1, PageReason.NOT_TOLD, "opened", 0.0)

    assert pages(incident(paged_s=None), **queued) == [first, *above]


def test_a_page_that_was_queued_just_now_has_not_taken_too_long_where_a_second_is() -> None:
    """Whoever sets the shortest patience still gives each page that second."""
    hasty = EscalationLimits(undelivered_after_s=1.0)

    assert whom(incident(paged_s=None), hasty) == [(T1, "opened")]
    assert whom(incident(paged_s=None), hasty, queued_at={"INC-1/tier_1/opened": ago(1)})[1:] == [(T2, "undelivered")]


def test_a_page_to_the_next_tier_that_does_not_arrive_goes_up_as_well() -> None:
    """SRE is paged where the developer lead cannot be reached."""
    queued = {"queued_at": {"INC-1/tier_2/unacknowledged": ago(90)}}

    assert pages(incident(paged_s=600.0), **queued) == [
        (T2, NEXT, "unacknowledged", 600.0),
        (T3, LATE, "undelivered", 90.0),
    ]


FAILED = (done_before(1, Outcome.NOT_RECOVERED),)


@pytest.mark.parametrize(
    ("one", "acting", "due"),
    [
        (incident(paged_s=10.0, actions=FAILED), False, [(T2, "exhausted")]),
        (incident(paged_s=10.0, actions=FAILED), True, []),
        (incident(paged_s=10.0), False, []),
        (incident(paged_s=300.0, actions=FAILED), False, [(T2, "exhausted"), (T1, "again-1")]),
        (incident(paged_s=600.0, actions=FAILED), False, [(T2, "exhausted")]),
        (incident(T2, paged_s=10.0, actions=FAILED), False, []),
        (incident(paged_s=None, actions=FAILED), False, [(T1, "opened")]),
    ],
)
def test_the_automation_at_its_end_pages_the_second_tier_at_once_and_once(
    one: IncidentState, acting: bool, due: list[tuple[object, object]]
) -> None:
    """Beside the first tier's own reminder; one that is paged already, or never was, is not passed over."""
    assert whom(one, acting=acting) == due


def test_a_page_says_who_was_waited_for() -> None:
    """*Tier 1 has not taken it*: not tier 2, which reads it."""
    failed: tuple[ActionRecord, ...] = FAILED
    clock = PageClock(now=NOW, every_s=300.0)

    (exhausted,) = due_pages(incident(paged_s=10.0, actions=failed), clock, LIMITS)
    (above,) = due_pages(incident(paged_s=600.0), clock, LIMITS)

    assert exhausted == Page(audience=T2, reason=PageReason.EXHAUSTED, about="exhausted", waited_s=0.0, from_tier=T1)
    assert above.from_tier is T1
