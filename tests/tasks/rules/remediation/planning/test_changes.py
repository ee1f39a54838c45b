"""What a bad change is taken back to: the table, or the release, that is known to have served well."""

import pytest

from tasks.model.diagnosis.diagnosis import Cause, Finding, Kind, Status
from tasks.model.evidence.evidence import Evidence
from tasks.model.probes.orders import AssetClass
from tasks.model.remediation.capabilities import Capabilities
from tasks.model.remediation.plan import Plan
from tasks.rules.remediation.guards.guard_inputs import GuardInputs
from tasks.rules.remediation.planning.plan import make_plan
from tests.fakes.incident.cases import INCIDENT, finding, inputs, past, routing, seen
from tests.fakes.incident.observations import health


def plan_of(given: GuardInputs) -> Plan:
    """Plan with one incident for all causes."""
    return make_plan(given, dict.fromkeys(Cause, INCIDENT))


def misrouted(*kinds: Kind, classes: tuple[AssetClass, ...] = (AssetClass.EQUITY,)) -> Finding:
    """A routing table that leads wrong."""
    return finding(Cause.ROUTING_MISCONFIGURED, kinds=kinds, asset_classes=classes)


@pytest.mark.parametrize(
    ("then", "shipped", "wanted"),
    [
        ({"routes": {AssetClass.EQUITY: "XNAS"}}, "5" * 64, "5" * 64),
        ({"routes": {AssetClass.EQUITY: "XNAS"}}, None, None),
        ({"routes": {AssetClass.EQUITY: "XNAS", AssetClass.FX: "FXALL"}}, "5" * 64, "a" * 64),
        ({"status": Status.DEGRADED}, "5" * 64, "5" * 64),
        ({"table_hash": "b" * 64}, "5" * 64, "5" * 64),
    ],
)
def test_the_table_to_go_back_to_served_every_class_that_is_hit_or_came_with_the_release(
    then: dict[str, object], shipped: str | None, wanted: str | None
) -> None:
    """One that led equities well says nothing of FX; without any the release's own is the last resort."""
    both = misrouted(Kind.WRONG_RULE, classes=(AssetClass.EQUITY, AssetClass.FX))
    now = seen(routing=routing(table_hash="b" * 64, file_hash="b" * 64, shipped_hash=shipped))
    plan = plan_of(inputs(found=(both,), seen=now, history=(past(2, **then),)))

    assert plan.actions[0].target.table_hash == wanted


def test_a_table_of_a_service_that_tells_nothing_is_the_last_one_that_served() -> None:
    """Nobody knows which one is in force, nor which one came with the release."""
    silent = inputs(found=(misrouted(Kind.WRONG_RULE),), seen=seen(routing=None))

    assert plan_of(silent).actions[0].target.table_hash == "a" * 64
    assert plan_of(silent.model_copy(update={"evidence": unknown_past(silent)})).actions[0].target.table_hash is None


def unknown_past(given: GuardInputs) -> Evidence:
    """The same evidence without any run before."""
    context = given.evidence.context.model_copy(update={"history": ()})
    return given.evidence.model_copy(update={"context": context})


def test_the_way_back_leads_neither_to_the_release_that_is_blamed_nor_to_the_one_that_runs() -> None:
    """Somebody may have started a third one."""
    bad = finding(Cause.BAD_RELEASE, release="1.1.0", kinds=(Kind.ERRORS,))
    runs = seen(health=health().model_copy(update={"release": "1.2.0"}))
    ran = tuple(past(minutes, release=one) for minutes, one in ((9, "1.0.0"), (6, "1.1.0"), (3, "1.2.0")))
    setup = Capabilities(releases=("1.0.0", "1.1.0", "1.2.0"))

    assert (
        plan_of(inputs(found=(bad,), seen=runs, history=ran, capabilities=setup)).actions[0].target.release == "1.0.0"
    )
    assert (
        plan_of(inputs(found=(bad,), seen=runs, history=ran[:2], capabilities=setup)).actions[0].target.release
        == "1.0.0"
    )
    blamed = bad.model_copy(update={"release": "1.2.0"})
    assert (
        plan_of(inputs(found=(blamed,), seen=seen(), history=ran, capabilities=setup)).actions[0].target.release
        == "1.1.0"
    )
