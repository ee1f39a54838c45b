"""Who fills in a form: the user of the server's one login, or nobody; what tightens is taken from anybody."""

from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_AUTH_STRING, temporary_settings

from tasks.clients.incidents.ledger import append, read_ledger
from tasks.clients.prefect.form_user import form_user
from tasks.model.errors import Code, RunbookError
from tasks.model.incidents.incident import TIGHTENERS, Action
from tasks.model.people.person import Door, Identity, Person, Role
from tasks.model.remediation.operator_action import ManualAction
from tasks.model.remediation.plan import Request, Target
from tasks.notify.acknowledge_incident import incident_acknowledged
from tasks.operator.check_order import order_checked
from tasks.rules.remediation.operator_action import opening_records
from tasks.settings import RunbookSettings, ServiceSettings
from tests.fakes.incident.observations import NOW

SERVICE = "order-service"
PEOPLE = {
    "ada": Person(name="Ada", role=Role.APPROVER, logins=("ada",)),
    "desk": Person(name="the desk", role=Role.APPROVER, api_users=("desk",)),
}
DESK, NOBODY = Identity(door=Door.API, name="desk"), Identity(door=Door.API, name="")


def settings(folder: Path, *four_eyes: Action) -> RunbookSettings:
    return RunbookSettings(state_dir=folder, services={SERVICE: ServiceSettings()}, people=PEOPLE, four_eyes=four_eyes)


def order(action: Action) -> ManualAction:
    asked = Request(by="Ada", reason="the venue says so")
    return ManualAction(service=SERVICE, action=action, asked=asked, targets=(Target(asset_class="equity"),))


@pytest.mark.parametrize(("login", "user"), [("desk:pass:word", "desk"), (None, "")])
def test_all_that_a_form_proves_is_the_servers_login(login: str | None, user: str) -> None:
    """Prefect's server has one login, and a server without one lets everybody in."""
    with temporary_settings({PREFECT_API_AUTH_STRING: login}):
        assert form_user() == Identity(door=Door.API, name=user)


@pytest.mark.parametrize("action", sorted(TIGHTENERS))
def test_what_tightens_is_taken_from_anybody_as_a_claim(tmp_path: Path, action: Action) -> None:
    """Safety rule 8; the ledger says that nobody proved it."""
    found = order_checked(settings(tmp_path), NOBODY, order(action))

    assert found.order
    assert found.order.asked.by == "Ada (not proven; a form of a Prefect server without a login)"


def test_an_order_by_a_form_that_proves_nobody_is_a_refusal_and_no_failure(tmp_path: Path) -> None:
    """Our own tool is well: the run ends as *Refused*, and says whom to ask."""
    known = settings(tmp_path)
    found = order_checked(known, NOBODY, order(Action.RESUME))

    assert found.order is None
    assert found.refusal == (
        "NOT_PERMITTED: expected the role approver to order a restart, re-route, rollback or resume, found a form of a "
        "Prefect server without a login, which proves nobody; ask Ada, the desk, or correct [people]"
    )
    assert [one.type for one in read_ledger(known.ledger(SERVICE)).records] == ["not_permitted"]


def test_the_servers_login_orders_as_who_shares_it(tmp_path: Path) -> None:
    """And the typed name stays beside it."""
    found = order_checked(settings(tmp_path), DESK, order(Action.RESUME))

    assert found.order
    assert found.order.asked.by == "the desk (typed: Ada)"


def test_a_form_and_a_shell_are_two_people_only_if_they_are(tmp_path: Path) -> None:
    """The first order waits, whichever door the second one comes in by."""
    known = settings(tmp_path, Action.RESUME)
    first = order_checked(known, DESK, order(Action.RESUME))
    second = order_checked(known, Identity(door=Door.LOGIN, name="ada"), order(Action.RESUME))

    assert first.refusal.startswith("SECOND_PERSON_NEEDED: expected two people for resume equity, found the desk")
    assert second.order
    assert second.order.asked.by == "the desk (typed: Ada) and Ada"


def test_a_ledger_that_cannot_be_read_is_a_failure_and_orders_nothing(tmp_path: Path) -> None:
    """Without the ledger nobody knows who was first."""
    known = settings(tmp_path, Action.RESUME)
    known.ledger_path(SERVICE).mkdir(parents=True)

    with pytest.raises(RunbookError) as error:
        order_checked(known, DESK, order(Action.RESUME))
    assert error.value.code in {Code.LEDGER_UNREADABLE, Code.LEDGER_UNWRITABLE}


def test_an_acknowledgement_by_a_form_is_the_logins(tmp_path: Path) -> None:
    """Who has the incident is called about it."""
    known = settings(tmp_path)
    append(known.ledger(SERVICE), opening_records(order(Action.RESUME), "INC-1", NOW)[:1])

    words = incident_acknowledged(known, DESK, "INC-1", "kim", 30)
    with pytest.raises(RunbookError) as error:
        incident_acknowledged(known, NOBODY, "INC-1", "kim", 30)

    assert words.startswith("INC-1 is with the desk (typed: kim) until ")
    assert error.value.code is Code.NOT_PERMITTED
