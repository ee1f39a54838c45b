"""The look right before an action: what was found must show again, at the same place, to eyes that see."""

import pytest

from tasks.model.diagnosis.diagnosis import Cause, Diagnosis, Finding, Kind, Status
from tasks.model.incidents.incident import Action
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import OrderOutcome
from tasks.model.probes.processes import ProcessIdentity
from tasks.model.remediation.plan import PlannedAction, Target
from tasks.model.remediation.verdicts import GuardCode
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.rules.remediation.guards.recheck import recheck
from tests.fakes.incident.cases import finding, inputs, planned, seen, unreachable
from tests.fakes.incident.observations import NOW, blind_health, evidence, order, process

BOTH = unreachable("FXALL", "XNAS", classes=(AssetClass.EQUITY, AssetClass.FX))
FX_ALONE = unreachable("FXALL", classes=(AssetClass.FX,))
WRONG_FX = finding(Cause.ROUTING_MISCONFIGURED, asset_classes=(AssetClass.FX,), kinds=(Kind.WRONG_RULE,))
WRONG_EQUITY = finding(Cause.ROUTING_MISCONFIGURED, asset_classes=(AssetClass.EQUITY,), kinds=(Kind.WRONG_RULE,))
NETTING = finding(Cause.BAD_FEATURE, feature="netting")
SMART = finding(Cause.BAD_FEATURE, feature="smart_router")
NEW, NEWER = (finding(Cause.BAD_RELEASE, release=one) for one in ("1.1.0", "1.2.0"))


def action(kind: Action, was: Finding, **target: object) -> PlannedAction:
    """One action for what was found."""
    return planned(kind, was, Target.model_validate(target))


@pytest.mark.parametrize(
    ("wanted", "now"),
    [
        (action(Action.MARK_DEGRADED, BOTH, gateway="XNAS"), FX_ALONE),
        (action(Action.REROUTE_ORDERS, BOTH, asset_class="equity", gateway="XNYS"), FX_ALONE),
        (action(Action.RESTORE_ROUTING, WRONG_EQUITY, table_hash="a" * 64), WRONG_FX),
        (action(Action.DISABLE_FEATURE, NETTING, feature="netting"), SMART),
        (action(Action.ROLL_BACK_RELEASE, NEW, release="1.0.0"), NEWER),
    ],
    ids=lambda one: one.action if isinstance(one, PlannedAction) else "",
)
def test_the_trouble_of_another_target_allows_nothing(wanted: PlannedAction, now: Finding) -> None:
    """Orders are led away from a gateway that is well again, because a second one still is not."""
    assert wanted.finding
    assert recheck(wanted, inputs(found=(wanted.finding,)), None).allowed
    assert recheck(wanted, inputs(found=(now,)), None).code is GuardCode.CLEARED


def test_a_service_that_runs_out_of_something_else_is_not_restarted_for_the_first() -> None:
    """A restart frees descriptors; it does not empty a disk."""
    spent, storage = (finding(Cause.RESOURCE_EXHAUSTED, kinds=(one,)) for one in (Kind.DESCRIPTORS, Kind.STORAGE))

    assert recheck(planned(found=spent), inputs(found=(spent,)), None).allowed
    assert recheck(planned(found=spent), inputs(found=(storage,)), None).code is GuardCode.CLEARED


def test_a_service_that_is_well_again_is_left_alone() -> None:
    """Rule 1: act only if it still fails."""
    well = inputs().model_copy(update={"diagnosis": Diagnosis(status=Status.OK)})

    assert recheck(planned(), well, None).code is GuardCode.CLEARED


def test_a_process_that_somebody_started_meanwhile_is_left_alone() -> None:
    """Confirmed was the death of another one."""
    found = ProcessIdentity(pid=4321, created_at_s=100.0)
    other = inputs(seen=seen(process=process(started_at=NOW)))

    assert other.latest.process.identity
    assert recheck(planned(), other, found).code is GuardCode.CLEARED
    assert recheck(planned(), other, other.latest.process.identity).allowed


def test_a_blind_last_look_allows_nothing_but_a_pause() -> None:
    """Rule 2: what was seen before says nothing of now, and a pause needs no diagnosis."""
    blind = inputs().model_copy(update={"diagnosis": name_cause(evidence(seen(health=blind_health())))})
    pause = action(Action.PAUSE_STRATEGIES, BOTH, asset_class="equity")

    assert recheck(planned(), blind, None).code is GuardCode.BLIND
    assert recheck(pause, blind, None).allowed
    assert recheck(planned().model_copy(update={"finding": None}), blind, None).allowed


@pytest.mark.parametrize(
    ("was", "now", "allowed"),
    [
        ((), (AssetClass.FX,), True),
        ((AssetClass.FX,), (), True),
        ((AssetClass.EQUITY, AssetClass.FX), (AssetClass.FX,), True),
        ((AssetClass.EQUITY,), (AssetClass.FX,), False),
    ],
)
def test_a_look_that_names_no_class_contradicts_none(
    was: tuple[AssetClass, ...], now: tuple[AssetClass, ...], allowed: bool
) -> None:
    """A wrong table that says no more which class it hits is the same wrong table; another class's is not."""
    before, after = (finding(Cause.ROUTING_MISCONFIGURED, asset_classes=names) for names in (was, now))

    assert recheck(planned(Action.RESTORE_ROUTING, before), inputs(found=(after,)), None).allowed is allowed


FAILING = seen(orders=(order(outcome=OrderOutcome.ERROR), order(AssetClass.FX)))


@pytest.mark.parametrize(
    ("wanted", "in_numbers"),
    [
        (action(Action.ROLL_BACK_RELEASE, NEW, release="1.0.0"), True),
        (action(Action.DISABLE_FEATURE, NETTING, feature="netting"), True),
        (action(Action.RESTORE_ROUTING, WRONG_EQUITY, table_hash="a" * 64), False),
    ],
    ids=lambda one: one.action if isinstance(one, PlannedAction) else "",
)
def test_what_was_found_in_the_numbers_of_minutes_must_show_at_this_moment(
    wanted: PlannedAction, in_numbers: bool
) -> None:
    """They hold for a while after it has ended: nobody rolls back a release that fills every order again."""
    assert wanted.finding
    errors = wanted.finding.model_copy(update={"kinds": (Kind.ERRORS,)})
    wanted = wanted.model_copy(update={"finding": errors})

    assert recheck(wanted, inputs(found=(errors,), seen=FAILING), None).allowed
    assert recheck(wanted, inputs(found=(errors,), seen=seen()), None).allowed is not in_numbers
