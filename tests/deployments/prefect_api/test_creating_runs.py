"""An order for a flow run over Prefect's HTTP API, while the server has a bad moment."""

import pytest

from deployments.prefect_api import create_runs
from deployments.prefect_api.client import PrefectDoor
from deployments.prefect_api.create_runs import RunOrder, create_run
from tasks.model.errors import Code, RunbookError
from tests.fakes.ports import free_port
from tests.fakes.prefect.prefect_api import serving_prefect

BUSY = "Service Unavailable"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pauses between two tries pass at once."""
    monkeypatch.setattr(create_runs, "PAUSE_S", 0.0)


def test_a_server_that_is_busy_for_a_moment_is_asked_again() -> None:
    """A person who orders a triage in an incident does not order it twice."""
    with serving_prefect() as api:
        api.failures = [BUSY, "", BUSY, BUSY]
        run_id = create_run(
            PrefectDoor(api.url), RunOrder(deployment="triage/do-triage", parameters={"note": "look", "alert": None})
        )

        assert [run["id"] for run in api.runs.values()] == [run_id]
        assert next(iter(api.runs.values()))["parameters"] == {"note": "look"}


def test_an_order_that_is_sent_twice_is_one_run() -> None:
    """An answer that was lost on its way must not start a second triage."""
    order = RunOrder(deployment="triage/do-triage")
    with serving_prefect() as api:
        assert create_run(PrefectDoor(api.url), order) == create_run(PrefectDoor(api.url), order)
        assert len(api.runs) == 1


def test_a_server_that_stays_busy_is_told_in_its_own_words() -> None:
    """Nobody waits for ever for an order that does not go through."""
    with serving_prefect() as api:
        api.failures = [BUSY] * 9
        with pytest.raises(RunbookError, match=BUSY) as error:
            create_run(PrefectDoor(api.url), RunOrder(deployment="triage/do-triage"))

    assert error.value.code is Code.PREFECT_UNREACHABLE


def test_a_deployment_that_is_not_there_is_named_at_once() -> None:
    """What another try would only repeat is said, with what to do about it."""
    with serving_prefect() as api:
        with pytest.raises(RunbookError, match=r"no deployment triage/nightly .*prefect deploy") as error:
            create_run(PrefectDoor(api.url), RunOrder(deployment="triage/nightly"))

        assert error.value.code is Code.PREFECT_UNREACHABLE
        assert len(api.authorizations) == 1


def test_a_server_that_still_has_the_former_name_of_a_form_takes_alerts_all_the_same() -> None:
    """Between an upgrade and `prefect deploy --all` no alert may be lost; the error names what was asked for."""
    with serving_prefect() as api:
        api.deployment = "triage/manual"
        assert create_run(PrefectDoor(api.url), RunOrder(deployment="triage/do-triage")) == "run-1"

        api.deployment = "triage/other"
        with pytest.raises(RunbookError, match=r"no deployment triage/do-triage "):
            create_run(PrefectDoor(api.url), RunOrder(deployment="triage/do-triage"))


def test_a_server_that_is_gone_is_one_clear_line() -> None:
    """No answer at all is neither a run nor a traceback."""
    with pytest.raises(RunbookError, match="no answer") as error:
        create_run(PrefectDoor(f"http://127.0.0.1:{free_port()}/api"), RunOrder(deployment="triage/do-triage"))

    assert error.value.code is Code.PREFECT_UNREACHABLE
