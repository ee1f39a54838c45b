"""One of three instances in trouble: the service is degraded, the instance is named, and nothing else is blamed."""

from tasks.model.diagnosis.diagnosis import Cause, Confidence, Status
from tasks.model.probes.probes import Fault, HealthProbe, InstanceProbe, Observation, Seen
from tasks.model.probes.processes import ProcessCheck, ProcessState
from tasks.rules.diagnosis.name_causes import name_cause, worth_confirming
from tasks.rules.diagnosis.notes import notes
from tasks.rules.in_force.headline import headline
from tasks.rules.messages.desk import affected_classes
from tests.fakes.incident.observations import NOW, blind_health, evidence, health, metrics, observation, process

GONE = process(ProcessState.DEAD)
UNSEEN = ProcessCheck(state=ProcessState.BLIND, detail="it runs as several instances", looked_at=NOW)


def probe(
    name: str, told: HealthProbe | None = None, at: ProcessCheck | None = None, release: str | None = None
) -> InstanceProbe:
    """One instance; healthy unless said otherwise."""
    answered = (told or health()).model_copy(update={"release": release})
    return InstanceProbe(instance=name, health=answered, process=at or process(), metrics=metrics())


def seen(after_s: float, *instances: InstanceProbe, common: HealthProbe | None = None) -> Observation:
    """One pass: what the common address answers, and each instance."""
    return observation(after_s, process=UNSEEN, instances=instances, health=common or health())


def dead(name: str) -> InstanceProbe:
    """An instance that is gone."""
    return probe(name, health(Fault.REFUSED), GONE)


def test_one_dead_instance_of_three_is_degraded_and_named() -> None:
    """Two serve, so nobody reads *down*."""
    passes = [seen(after_s, probe("a"), dead("b"), probe("c")) for after_s in (0, 2, 4)]
    found = name_cause(evidence(*passes))

    assert found.status is Status.DEGRADED
    assert [(one.cause, one.instances, one.serving, one.confidence) for one in found.findings] == [
        (Cause.SERVICE_DOWN, ("b",), ("a", "c"), Confidence.CONFIRMED)
    ]
    assert "Instance b of order-service (1 of 3) has been down" in headline("order-service", found, evidence(*passes))
    assert affected_classes(found.findings[0], found, evidence(*passes)) == ()


def test_a_stopped_instance_that_shows_through_the_common_address_is_one_cause() -> None:
    """Every third request meets it: that is the instance, and no hung service."""
    hung = probe("b", health(Fault.TIMED_OUT), process(ProcessState.STOPPED))
    passes = [seen(after_s, probe("a"), hung, probe("c"), common=health(Fault.TIMED_OUT)) for after_s in (0, 2, 4)]
    found = name_cause(evidence(*passes))

    assert [(one.cause, one.instances) for one in found.findings] == [(Cause.SERVICE_HUNG, ("b",))]
    assert found.status is Status.DEGRADED


def test_all_instances_dead_is_a_service_that_is_down() -> None:
    """Then nobody serves, and it is critical."""
    passes = [seen(after_s, dead("a"), dead("b"), common=health(Fault.REFUSED)) for after_s in (0, 2, 4)]
    found = name_cause(evidence(*passes))

    assert found.status is Status.CRITICAL
    assert found.findings[0].instances == ("a", "b")
    assert not found.findings[0].is_of_some


def test_what_the_common_address_shows_stays_where_no_instance_serves() -> None:
    """Nothing is explained away then, and each cause is told once."""
    slow = probe("a", health(status="error"))
    passes = [seen(after_s, dead("b"), slow, common=health(Fault.TIMED_OUT)) for after_s in (0, 2, 4)]
    found = name_cause(evidence(*(one.model_copy(update={"orders": ()}) for one in passes)))

    assert [one.cause for one in found.findings] == [Cause.SERVICE_DOWN, Cause.SERVICE_HUNG]
    all_dead = [seen(after_s, dead("a"), dead("b"), common=health(Fault.REFUSED)) for after_s in (0, 2, 4)]
    told = name_cause(evidence(*(one.model_copy(update={"orders": ()}) for one in all_dead)))
    assert [one.cause for one in told.findings] == [Cause.SERVICE_DOWN]


def test_a_slow_answer_through_the_common_address_is_that_of_the_instance_in_trouble() -> None:
    """The long probe met another one."""
    late = health().model_copy(update={"steady_s": 9.0})
    passes = [seen(after_s, probe("a"), dead("b"), common=health(Fault.TIMED_OUT)) for after_s in (0, 2, 4)]
    passes[-1] = passes[-1].model_copy(update={"patience": late, "orders": ()})
    found = name_cause(evidence(*passes))

    assert [one.cause for one in found.findings] == [Cause.SERVICE_DOWN]


def test_an_instance_that_was_seen_once_is_not_confirmed() -> None:
    """Three checks, as for a service (safety rule 1)."""
    once = seen(0, probe("a"), dead("b"))

    assert worth_confirming(None, once)
    assert name_cause(evidence(once)).findings[0].confidence is Confidence.LIKELY


def test_an_instance_that_came_back_between_two_checks_confirms_nothing() -> None:
    """A restart under way pages nobody."""
    passes = [seen(0, probe("a"), dead("b")), seen(2, probe("a"), probe("b")), seen(4, probe("a"), probe("b"))]

    assert name_cause(evidence(*passes)).status is Status.OK


def test_an_instance_that_we_could_not_ask_is_noted_and_no_fault() -> None:
    """Blind says nothing of it (safety rule 2)."""
    unseen = seen(0, probe("a"), probe("b", blind_health(), UNSEEN))

    assert name_cause(evidence(unseen)).status is Status.OK
    assert any("instance b could not be checked" in note for note in notes(evidence(unseen)))


def test_an_instance_that_calls_itself_broken_is_for_a_person() -> None:
    """No rule names why, and nothing is restarted for it."""
    broken = seen(0, probe("a"), probe("b", health(status="error")))
    found = name_cause(evidence(broken))

    assert (found.status, found.findings[0].cause) == (Status.DEGRADED, Cause.UNKNOWN)
    assert "instance b" in found.findings[0].because[0]


def test_different_releases_are_noted() -> None:
    """A roll-out that stopped halfway is the reason of a later surprise."""
    mixed = seen(0, probe("a", release="1.2.0"), probe("b", release="1.1.0"))

    assert "instances run different releases: a 1.2.0, b 1.1.0" in notes(evidence(mixed))


def test_a_service_that_answers_degraded_has_no_instance_in_trouble() -> None:
    """A gateway is down, and every instance says so: that is the gateway's."""
    told = health(status="degraded", dependencies={"XNAS": "down"})

    assert not probe("a", told).fails
    assert probe("a", told).serves
    assert told.seen is Seen.FAILED
