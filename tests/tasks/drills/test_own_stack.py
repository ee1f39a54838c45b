"""Only the stack that `runbook up` started here may be broken: every other one is refused, and nothing is touched."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.clients.drills.own_stack import own_stack
from tasks.model.drills.drills import DrillSettings
from tasks.model.errors import Code, RunbookError
from tasks.settings import RunbookSettings
from tests.fakes.stack.broken_stack import GATEWAY, MARK, SERVICE, DrillStack, drill_stack


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[DrillStack]:
    """A stack whose parts are down; a test starts what it needs."""
    with drill_stack(tmp_path, up=False) as one:
        yield one


def refusal(settings: RunbookSettings) -> str:
    """Ask, and give why it was refused."""
    with pytest.raises(RunbookError) as refused:
        own_stack(settings, SERVICE)
    assert refused.value.code is Code.NOT_OUR_STACK
    return refused.value.detail


def test_a_stack_whose_processes_carry_its_mark_is_our_own(ours: DrillStack) -> None:
    """Each that listens is known by what `runbook up` gave it."""
    ours.listen(SERVICE)
    ours.listen("admin")

    found = own_stack(ours.settings(), SERVICE)

    assert (found.mark, found.table) == (MARK, ours.table)


def test_a_part_that_is_down_is_nobody_elses(ours: DrillStack) -> None:
    """A drill that killed it must still be able to heal it."""
    assert own_stack(ours.settings(), SERVICE).mark == MARK


@pytest.mark.parametrize("part", [SERVICE, GATEWAY, "admin"])
def test_a_process_without_the_mark_is_refused(ours: DrillStack, part: str) -> None:
    """The order service of the desk may listen where ours once did."""
    with socket.create_server(("127.0.0.1", ours.ports[part])):
        assert "carries no mark" in refusal(ours.settings())


def test_the_mark_of_another_stack_is_refused(ours: DrillStack) -> None:
    """Two people practise on one machine, each on their own."""
    ours.listen(SERVICE, mark="fedcba9876543210")

    assert "carries no mark" in refusal(ours.settings())


@pytest.mark.parametrize("host", ["10.0.0.5", "orders.example.com", "localhost", "0.0.0.0"])  # noqa: S104 - refused
def test_an_address_that_is_not_surely_this_machine_is_refused(ours: DrillStack, host: str) -> None:
    """A name can be given to any machine."""
    port = ours.ports[SERVICE]

    assert "not on this machine" in refusal(ours.settings(base_url=f"http://{host}:{port}"))
    gateways = {GATEWAY: {"base_url": ours.url(GATEWAY), "admin_url": f"http://{host}:{port}"}}
    assert "not on this machine" in refusal(ours.settings(gateways=gateways))


@pytest.mark.parametrize("missing", ["stack_file", "mend_command"])
def test_settings_that_no_up_wrote_are_refused(ours: DrillStack, missing: str) -> None:
    """The settings of production have no table `drill`."""
    settings = ours.settings()
    drill = DrillSettings.model_validate(
        {**settings.drill.model_dump(), missing: None if missing == "stack_file" else ()}
    )

    assert "[drill]" in refusal(settings.model_copy(update={"drill": drill}))


@pytest.mark.parametrize("text", [None, "{", "[]", "{}", '{"mark": 5}', json.dumps({"mark": ""}), '{"mark": "short"}'])
def test_a_stack_file_without_a_mark_is_refused(ours: DrillStack, text: str | None) -> None:
    """An empty mark would be carried by every process there is."""
    path = ours.folder / "stack.json"
    path.unlink() if text is None else path.write_text(text, "utf-8")

    assert "stack_file" in refusal(ours.settings())


def test_a_routing_table_outside_of_the_stack_is_refused(
    ours: DrillStack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A drill writes one file, and it is the stack's."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")

    assert "routing table" in refusal(ours.settings(start_environment={"ORDER_SERVICE_STATE_DIR": str(elsewhere)}))
