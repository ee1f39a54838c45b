"""A drill begins on a stack that is well, or not at all; and ends when it is well again."""

import pytest

from tasks.model.evidence.evidence import Context, TriageRequest
from tasks.model.incidents.incident import Event, IncidentState
from tasks.model.incidents.maintenance import Maintenance
from tasks.model.incidents.modes import Mode
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import OrderOutcome, Seen
from tasks.rules.drills.readiness import not_ready, not_well
from tasks.rules.incidents.action_history import ActionHistory
from tests.fakes.incident.cases import done_before, routing
from tests.fakes.incident.cases import seen as well
from tests.fakes.incident.observations import NOW, gateway, health, observation, order

CONTEXT = Context(request=TriageRequest(service="order-service"), looked_at=NOW, mode=Mode.ACT, late_s=0.0)
OPEN = IncidentState(incident_id="INC-3", service="order-service", state=Event.OPENED, opened_at=NOW)
WINDOW = Maintenance(started_at=NOW, until=NOW, reason="a change", by="ada")


def test_a_stack_that_is_well_may_be_broken() -> None:
    """Nothing stands in the way."""
    assert not_ready(CONTEXT, ActionHistory(), well()) == ()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"mode": Mode.OBSERVE}, "mode is observe"),
        ({"mode": Mode.PROPOSE}, "mode is propose"),
        ({"maintenance": WINDOW}, "maintenance by ada"),
        ({"open_incidents": (OPEN,)}, "incident INC-3 is open"),
        ({"ledger_detail": "LEDGER_UNREADABLE: no"}, "LEDGER_UNREADABLE: no"),
    ],
    ids=lambda one: next(iter(one)) if isinstance(one, dict) else "",
)
def test_a_stack_that_somebody_works_on_is_left_alone(changes: dict[str, object], told: str) -> None:
    """A drill would measure their trouble, and heal away what they look at."""
    assert not_ready(CONTEXT.model_copy(update=changes), ActionHistory(), well()) == (told,)


def test_an_action_whose_end_is_not_known_is_settled_by_a_person_first() -> None:
    """The healing re-arms the automation, and would settle it unseen."""
    history = ActionHistory(actions=(done_before(3, outcome=None),))

    assert not_ready(CONTEXT, history, well()) == ("the end of restart_service is not known",)


@pytest.mark.parametrize(
    "changes",
    [
        {"health": health(status="degraded")},
        {"orders": (order(AssetClass.EQUITY, OrderOutcome.DENIED),)},
        {"gateways": (gateway("XNAS", Seen.FAILED),)},
        {"routing": routing(seen=Seen.FAILED)},
        {"routing": routing(routes=(routing().routes[0].model_copy(update={"trading_state": "halted"}),))},
        {"routing": routing(routes=(routing().routes[0].model_copy(update={"gateway": "XNYS"}),))},
    ],
    ids=["health", "order", "gateway", "routing", "paused", "led elsewhere"],
)
def test_what_is_not_well_is_named(changes: dict[str, object]) -> None:
    """One thing wrong, one thing named."""
    assert len(not_well(well(**changes))) == 1


def test_what_was_not_looked_at_is_not_well() -> None:
    """Missing data is not health (safety rule 2)."""
    assert not_well(observation()) == ("routing was not read",)
