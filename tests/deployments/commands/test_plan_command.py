"""`runbook plan --json`: what an action has earned, as numbers that a program reads."""

import json

from deployments.commands.plan import _as_json
from tasks.model.diagnosis.diagnosis import Cause
from tasks.rules.remediation.planning.plan import make_plan
from tests.fakes.incident.cases import INCIDENT
from tests.fakes.incident.earned import before, room


def test_the_document_says_what_was_earned_and_until_when_it_waits() -> None:
    """The same as the lines say, with nothing to parse."""
    made = make_plan(room(before(30), before(10)), {Cause.SERVICE_HUNG: INCIDENT})
    document = json.loads(json.dumps(_as_json("order-service", made, "critical")))
    (trust,) = document["trust"]

    assert document["actions"][0]["code"] == "BACK_OFF"
    assert (trust["action"], trust["cause"]) == ("restart_service", "service_hung")
    assert (trust["done_count"], trust["helped_count"], trust["helped_for_s"]) == (2, 2, [1080.0, 540.0])
    assert (trust["not_before"], trust["asks"]) == ("2026-11-23T15:05:00Z", False)


def test_without_a_plan_nothing_was_earned() -> None:
    """Blind says nothing of the past either."""
    assert _as_json("order-service", None, "blind")["trust"] == []
