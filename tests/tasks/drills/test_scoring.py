"""The score of one drill: exact only where it is, and never safe where something forbidden was done."""

import pytest

from tasks.model.diagnosis.diagnosis import Audience, Cause
from tasks.model.drills.drills import DrillName, DrillScore, OrderTally
from tasks.model.incidents.incident import Action, Event, LedgerRecord, Outcome
from tasks.rules.drills.catalogue import drill_of
from tasks.rules.drills.scoring import DrillTrace, score_of
from tests.fakes.incident.past import past
from tests.tasks.drills.trace import HEALED_S, INCIDENT, done, named, over, record, restarted, told, trace

UNREACHABLE = named(Cause.DEPENDENCY_UNREACHABLE, Audience.TIER_3)
MARKED = done(Action.MARK_DEGRADED, 10, Outcome.DONE, target="CRYP")
PAUSED = done(Action.PAUSE_STRATEGIES, 12, Outcome.DONE, target="crypto halted")
AFTER = HEALED_S + 5


def score(left: DrillTrace, drill: DrillName = DrillName.SERVICE_STOPPED) -> DrillScore:
    """Score what a drill left behind."""
    return score_of(drill_of(drill), over(drill), left)


def of_gateway(*records: LedgerRecord) -> DrillScore:
    """Score a dead gateway."""
    return score(trace(*UNREACHABLE, *records), DrillName.GATEWAY_KILLED)


def test_a_hang_that_is_restarted_once_and_proven_scores_in_full() -> None:
    """Every figure is read from the ledger, in seconds since the injection."""
    found = score(trace(*restarted(), deliveries=told(4)))

    assert (found.detected, found.cause_exact, found.actions_exact, found.tier_exact) == (True, True, True, True)
    assert (found.detect_s, found.act_s, found.recover_s) == (5.0, 11.0, 12.0)
    assert found.verified
    assert found.is_safe
    assert (found.incidents, found.messages_count) == ((INCIDENT,), 4)


def test_what_was_not_found_is_not_detected_and_has_no_times() -> None:
    """Nothing happened is not nought seconds."""
    found = score(trace())

    assert not found.detected
    assert not found.felt
    assert (found.cause_exact, found.actions_exact, found.tier_exact, found.verified) == (False, False, False, False)
    assert (found.detect_s, found.act_s, found.recover_s) == (None, None, None)


def test_a_second_cause_is_not_exact() -> None:
    """One fault that is reported as two sends two people."""
    found = score(trace(*restarted(), *named(Cause.UNKNOWN, Audience.TIER_2, 8, "INC-2")))

    assert found.causes == ("service_hung", "unknown")
    assert not found.cause_exact
    assert not found.tier_exact


def test_another_word_for_the_same_trouble_is_exact_and_not_as_the_first_one() -> None:
    """A stopped gateway leaves orders without an answer, and is found unreachable a minute later."""
    failing = named(Cause.GATEWAY_FAILING, Audience.TIER_3)
    later = named(Cause.DEPENDENCY_UNREACHABLE, Audience.TIER_3, 30)

    assert score(trace(*failing, *later), DrillName.GATEWAY_STOPPED).cause_exact
    assert not score(trace(*later, *failing), DrillName.GATEWAY_STOPPED).cause_exact


def test_a_restart_for_a_dead_gateway_is_forbidden() -> None:
    """Safety rule 6, and the first number of a game day."""
    found = of_gateway(*MARKED, *PAUSED, *done(Action.RESTART_SERVICE, 14, Outcome.DONE))

    assert found.forbidden == ("restart_service",)
    assert not found.is_safe
    assert not found.actions_exact


def test_an_action_on_another_class_is_forbidden() -> None:
    """The desk's equities trade on while crypto is down."""
    found = of_gateway(*MARKED, *PAUSED, *done(Action.PAUSE_STRATEGIES, 13, Outcome.DONE, target="equity halted"))

    assert found.forbidden == ("pause_strategies equity halted",)
    assert not found.is_safe


def test_a_second_restart_in_one_drill_is_forbidden() -> None:
    """Once or not at all; a third would follow."""
    found = score(trace(*restarted(), *done(Action.RESTART_SERVICE, 20, Outcome.DONE, Outcome.RECOVERED)))

    assert found.forbidden == ("restart_service 2 times",)
    assert not found.is_safe


def test_a_pause_that_nobody_expected_is_inexact_and_not_forbidden() -> None:
    """Safety rule 8: pausing is always allowed."""
    found = score(trace(*restarted(), *done(Action.PAUSE_STRATEGIES, 14, Outcome.DONE, target="crypto halted")))

    assert not found.forbidden
    assert not found.actions_exact
    assert found.is_safe


def test_an_action_that_was_begun_counts_though_its_end_is_not_known() -> None:
    """What was killed in its middle may have been done."""
    assert of_gateway(*done(Action.ROLL_BACK_RELEASE, 14)).forbidden == ("roll_back_release",)


def test_what_the_healing_sets_off_is_no_cause_and_no_action_of_the_drill() -> None:
    """The person who ends the drill is not the fault; what it said still counts as told."""
    late = (
        *named(Cause.SERVICE_DOWN, Audience.TIER_1, AFTER, "INC-2"),
        *done(Action.RESTART_SERVICE, AFTER + 1, Outcome.DONE, incident="INC-2"),
    )
    found = score(trace(*restarted(), *late, deliveries=(*told(2), *told(3, "INC-2"))))

    assert found.causes == ("service_hung",)
    assert found.actions_exact
    assert found.incidents == (INCIDENT, "INC-2")
    assert found.messages_count == 5


def test_what_lies_before_the_injection_is_another_story() -> None:
    """An incident of an hour ago was not found by this drill."""
    early = named(Cause.CRASH_LOOP, Audience.TIER_2, -3, "INC-0")

    assert score(trace(*early, *restarted())).causes == ("service_hung",)


def test_a_message_that_nobody_took_is_none() -> None:
    """Messages an incident are those that somebody had to read."""
    assert score(trace(*restarted(), deliveries=told(3, delivered=False))).messages_count == 0


def test_a_recovery_is_verified_only_where_the_ledger_proved_it_and_all_is_well_afterwards() -> None:
    """A restart that returned 0 is not a recovery, and neither is a health that went bad again."""
    unproven = [one for one in restarted() if one.event != Event.RECOVERED]

    assert not score(trace(*unproven)).verified
    assert not score(trace(*restarted(), well=False)).verified


def test_a_gateway_that_a_person_brings_back_is_verified_by_all_being_well() -> None:
    """The automation cannot start a venue: it holds the trouble off."""
    found = of_gateway(*MARKED, *PAUSED)

    assert found.verified
    assert found.recover_s is None
    assert found.act_s == 13.0


@pytest.mark.parametrize(
    "orders",
    [{"lost": ("a",)}, {"doubled": ("a",)}, {"unproven": ("a",)}, {"blind": "a gateway does not tell"}],
    ids=lambda one: next(iter(one)),
)
def test_an_order_that_is_not_accounted_for_is_not_safe(orders: dict[str, object]) -> None:
    """Nobody could say is not none."""
    assert not score(trace(*restarted(), orders=OrderTally.model_validate(orders))).is_safe


def test_a_quiet_control_is_exact_where_it_was_felt() -> None:
    """Nothing found, nothing done, nobody notified; and a check did lose its probe."""
    found = score(trace(looks=(past(-1, rounds_count=2),)), DrillName.CONTROL_LOST_PROBE)

    assert (found.cause_exact, found.actions_exact, found.tier_exact, found.verified) == (True, True, True, True)
    assert found.felt
    assert not found.detected


def test_a_control_that_no_look_met_was_not_felt() -> None:
    """It proves nothing, and says so."""
    assert not score(trace(looks=(past(-1),)), DrillName.CONTROL_LOST_PROBE).felt


@pytest.mark.parametrize(("latency_ms", "is_felt"), [(130.0, True), (2.0, False)])
def test_a_slower_gateway_is_felt_where_a_probe_of_it_was_as_slow(latency_ms: float, *, is_felt: bool) -> None:
    """Another gateway's slowness is not this control's."""
    seen = past(-1)
    gateways = tuple(
        one.model_copy(update={"latency_ms": latency_ms if one.gateway == "XNAS" else 500.0}) for one in seen.gateways
    )
    look = seen.model_copy(update={"gateways": gateways})

    assert score(trace(looks=(look,)), DrillName.CONTROL_LATENCY).felt is is_felt


def test_a_pause_in_a_control_is_forbidden() -> None:
    """Where nothing is wrong nothing may be done, not even what is always allowed."""
    paused = done(Action.PAUSE_STRATEGIES, 13, Outcome.DONE, target="crypto halted")
    found = score(trace(record(Event.OPENED, 5, cause="unknown"), *paused), DrillName.CONTROL_LATENCY)

    assert found.forbidden == ("pause_strategies crypto halted",)
    assert not found.is_safe
