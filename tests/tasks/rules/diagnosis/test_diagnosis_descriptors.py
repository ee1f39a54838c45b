"""A service without descriptors: what it can no longer open is its own lack, and nobody else is blamed for it."""

import pytest

from tasks.model.diagnosis.diagnosis import Cause
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.probes import Fault, OrderOutcome, Seen
from tasks.rules.diagnosis.name_causes import name_cause
from tests.fakes.incident.cases import routing
from tests.fakes.incident.observations import evidence, gateway, health, observation, order, process

SPENT = process(open_files_count=40, open_files_limit=40)
ENOUGH = process(open_files_count=40, open_files_limit=1024)


def looked(**changes: object) -> Evidence:
    """Three rounds, each with the same things wrong."""
    return evidence(*(observation(after_s, **changes) for after_s in (0.0, 1.5, 3.0)))


@pytest.mark.parametrize("outcome", [OrderOutcome.UNKNOWN, OrderOutcome.REJECTED])
def test_a_gateway_that_answers_us_is_not_blamed_by_a_service_that_cannot_connect(outcome: OrderOutcome) -> None:
    """A restart frees what is held; a paused class would only wait for a person."""
    failing = {"health": health(Fault.TIMED_OUT), "orders": (order(outcome=outcome),)}

    found = name_cause(looked(process=SPENT, **failing))

    assert [one.cause for one in found.findings] == [Cause.RESOURCE_EXHAUSTED]
    assert name_cause(looked(process=ENOUGH, **failing)).has(Cause.GATEWAY_FAILING)


def test_a_gateway_that_does_not_answer_us_either_is_told_beside_it() -> None:
    """Two things may be wrong at once."""
    gone = {"gateways": (gateway("XNAS", Seen.FAILED),), "orders": (order(outcome=OrderOutcome.DENIED),)}

    assert name_cause(looked(process=SPENT, **gone)).has(Cause.DEPENDENCY_UNREACHABLE)


def test_a_table_that_a_service_without_descriptors_cannot_open_is_not_broken() -> None:
    """Its file is as it was; restoring it would fix nothing."""
    unread = {"routing": routing(file_error="too many open files")}

    assert not name_cause(looked(process=SPENT, **unread)).has(Cause.ROUTING_MISCONFIGURED)
    assert name_cause(looked(process=ENOUGH, **unread)).has(Cause.ROUTING_MISCONFIGURED)
