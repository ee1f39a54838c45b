"""Which sick neighbor points to a shared cause, and which has a cause of its own."""

from datetime import timedelta

import pytest

from tasks.model.diagnosis.diagnosis import Cause
from tasks.model.incidents.incident import Event, LedgerRecord, Source
from tasks.model.incidents.maintenance import STARTED_TYPE
from tasks.model.probes.probes import Fault, Seen
from tasks.rules.fleet.neighbors import SHARED_WITHIN, has_trouble_of_its_own, is_unhealthy
from tests.fakes.incident.observations import NOW, health

NAME = "orders-b"


def opened(
    ago: timedelta, service: str = NAME, cause: str | None = Cause.SERVICE_DOWN, event: Event = Event.OPENED
) -> LedgerRecord:
    """An incident that is open since then, or what was said of it then."""
    details = {"cause": cause} if cause else {}
    return LedgerRecord(
        timestamp=NOW - ago, type="x", service=service, incident_id="INC-1", event=event, details=details
    )


OLD, NEW = SHARED_WITHIN + timedelta(seconds=1), timedelta(minutes=1)


@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.TIMED_OUT, Fault.CUT_OFF])
def test_who_does_not_answer_is_sick(fault: Fault) -> None:
    """A port that is closed and a service that hangs are equally gone for the desk."""
    assert is_unhealthy(health(fault))


def test_who_serves_without_one_gateway_is_not_sick_itself() -> None:
    """A dead gateway is not the trouble of the service, and must not keep its neighbor from being restarted."""
    look = health().model_copy(update={"seen": Seen.FAILED, "status": "degraded"})

    assert not is_unhealthy(look)
    assert is_unhealthy(look.model_copy(update={"status": "error"}))


def test_who_is_well_or_could_not_be_seen_proves_nothing() -> None:
    """Rule 2: blind is not sick."""
    assert not is_unhealthy(health())
    assert not is_unhealthy(health().model_copy(update={"seen": Seen.BLIND}))


def test_trouble_that_is_older_is_its_own() -> None:
    """One service that has been down since yesterday must not switch off all restarts of the host."""
    assert has_trouble_of_its_own([opened(SHARED_WITHIN + timedelta(seconds=1))], NAME, NOW)
    assert not has_trouble_of_its_own([opened(SHARED_WITHIN)], NAME, NOW)
    assert not has_trouble_of_its_own([opened(timedelta(days=1), "orders-c")], NAME, NOW)
    assert not has_trouble_of_its_own([], NAME, NOW)


def test_a_ledger_that_is_read_once_is_read_to_its_end() -> None:
    """Its incidents and its maintenance are asked for one after the other."""
    records = [opened(SHARED_WITHIN + timedelta(seconds=1))]

    assert has_trouble_of_its_own(iter(records), NAME, NOW)


@pytest.mark.parametrize("cause", [*Cause, None])
def test_an_older_incident_of_something_else_does_not_excuse_a_neighbor_that_is_down_now(cause: Cause | None) -> None:
    """A broken `/metrics` of this morning does not explain why both services of the host went down this minute."""
    same = {Cause.SERVICE_DOWN, Cause.SERVICE_HUNG, Cause.CRASH_LOOP}

    assert has_trouble_of_its_own([opened(OLD, cause=cause)], NAME, NOW) is (cause in same)


def test_an_older_incident_that_became_a_service_down_just_now_does_not_excuse_it() -> None:
    """What counts is since when it does not serve, not since when anything was wrong."""
    other, down = opened(OLD, cause=Cause.INFRASTRUCTURE), opened(NEW, event=Event.DIAGNOSED)

    assert not has_trouble_of_its_own([other, down], NAME, NOW)
    assert has_trouble_of_its_own([other, opened(OLD, event=Event.DIAGNOSED)], NAME, NOW)


def test_an_incident_that_came_back_just_now_is_not_old() -> None:
    """It was well in between."""
    closed = opened(timedelta(minutes=30), event=Event.CLOSED)

    assert not has_trouble_of_its_own([opened(timedelta(hours=1)), closed, opened(NEW)], NAME, NOW)
    assert has_trouble_of_its_own([opened(timedelta(hours=1)), closed, opened(OLD)], NAME, NOW)


def test_an_incident_that_only_a_halt_keeps_open_excuses_no_neighbor_that_is_down_now() -> None:
    """It hung this morning, recovered, and waits for a resume; now both services of the host are down at once."""
    records = [opened(OLD), opened(OLD, cause=None, event=Event.RECOVERED)]

    assert not has_trouble_of_its_own(records, NAME, NOW)


def test_who_is_worked_on_has_its_own_cause() -> None:
    """A person who has taken one service down does not want the others left hanging."""
    until = (NOW + timedelta(minutes=30)).isoformat()
    window = LedgerRecord(
        timestamp=NOW - timedelta(minutes=1),
        type=STARTED_TYPE,
        service=NAME,
        source=Source.OPERATOR,
        details={"until": until, "reason": "disk", "by": "ada"},
    )

    assert has_trouble_of_its_own([window], NAME, NOW)
