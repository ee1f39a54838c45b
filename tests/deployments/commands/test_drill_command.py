"""`runbook drill` as a person types it: what it lists, what it refuses, and how a day is laid out and ends."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.commands.answer import FAILED, OK
from deployments.commands.drill import finish
from deployments.views.drills import day_lines
from tasks.clients.drills.notes import begin
from tasks.clients.process.probe import service_identity
from tasks.model.drills.drills import DrillName, DrillScore
from tasks.rules.drills.catalogue import DRILLS
from tasks.rules.drills.game_day import game_day
from tasks.settings import RunbookSettings
from tests.deployments.asking import Terminal
from tests.fakes.incident.observations import NOW
from tests.fakes.service.monitored_service import running
from tests.fakes.stack.broken_stack import SERVICE, DrillStack, drill_stack
from tests.tasks.drills.trace import context

pytestmark = pytest.mark.live


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """A folder without settings."""
    return Terminal(tmp_path, monkeypatch, capsys)


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[DrillStack]:
    """A stack whose parts are down."""
    with drill_stack(tmp_path, up=False) as one:
        yield one


def settings_of(ours: DrillStack) -> str:
    """Write the settings of a stack as `runbook up` does."""
    return (
        f"state_dir = '{ours.folder}'\nmode = 'act'\n"
        f"[drill]\nstack_file = '{ours.folder}/stack.json'\nmend_command = ['true']\n"
        f"[services.{SERVICE}]\nbase_url = '{ours.url(SERVICE)}'\n"
        f"[services.{SERVICE}.start_environment]\nORDER_SERVICE_STATE_DIR = '{ours.table.parent}'\n"
    )


def scored(**changes: object) -> DrillScore:
    """A good score, with changes."""
    facts = {"drill": DrillName.SERVICE_KILLED, "run_id": "r", "injected_at": NOW, "felt": True, "detected": True}
    exact = {"cause_exact": True, "actions_exact": True, "tier_exact": True, "verified": True}
    return DrillScore.model_validate({**facts, **exact, "detect_s": 3.0, **changes})


def test_the_list_names_every_drill_with_what_is_expected(terminal: Terminal) -> None:
    """Whoever runs a game day knows beforehand what is right; no settings are needed to read it."""
    ended = terminal.types("drill", "list", "--json")

    assert ended.code == 0
    drills = {one["name"]: one for one in ended.document["drills"]}
    assert set(drills) == {name.value for name in DrillName}
    killed = drills["gateway_killed"]
    assert (killed["row"], killed["cause"], killed["tier"]) == (10, "dependency_unreachable", "tier_3")
    assert killed["actions"] == [["mark_degraded", "pause_strategies"]]
    assert "restart_service" in killed["forbidden"]


def test_the_list_for_people_has_a_line_of_each_drill(terminal: Terminal) -> None:
    """Name, fault, cause and what is forbidden, in words."""
    ended = terminal.types("drill", "list")

    assert all(f"{name}  " in ended.out for name in DRILLS)
    assert "roll back release" in ended.out


def test_a_service_that_no_up_started_is_refused_and_lives(terminal: Terminal, tmp_path: Path) -> None:
    """The settings of production name a service that answers; it is not ours to break."""
    with running(tmp_path / "patient") as patient:
        terminal.watches(patient)
        ended = terminal.types("drill", "run", "service_killed", "--yes")
        alive = service_identity(patient.service)

    assert ended.code == 2
    assert ended.one_line.startswith("NOT_OUR_STACK: ")
    assert alive is not None
    assert alive.pid == patient.pid


def test_a_stack_that_is_down_is_not_broken_further(terminal: Terminal, ours: DrillStack) -> None:
    """All that stands in the way is named in one line."""
    terminal.settings(settings_of(ours))
    ended = terminal.types("drill", "run", "all", "--yes")

    assert ended.code == 1
    assert ended.one_line.startswith("NOT_WELL: ")


def test_a_drill_that_was_cut_off_is_healed_before_the_next_one(terminal: Terminal, ours: DrillStack) -> None:
    """Its note says how."""
    begin(RunbookSettings(state_dir=ours.folder), context())
    terminal.settings(settings_of(ours))
    ended = terminal.types("drill", "run", "service_killed", "--yes")

    assert ended.code == 2
    assert ended.one_line.startswith("DRILL_UNDER_WAY: ")
    assert "runbook drill heal" in ended.one_line


def test_there_is_nothing_to_heal_where_no_drill_was(terminal: Terminal, ours: DrillStack) -> None:
    """The command may be typed at any time."""
    terminal.settings(settings_of(ours))
    ended = terminal.types("drill", "heal")

    assert (ended.code, ended.out) == (0, "No drill is under way; nothing to heal.\n")


@pytest.mark.parametrize(
    ("changes", "code"),
    [({}, OK), ({"actions_exact": False}, OK), ({"forbidden": ("resume",)}, FAILED)],
    ids=["good", "inexact", "forbidden"],
)
def test_the_exit_code_says_whether_the_day_was_safe(
    changes: dict[str, object], code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pipeline stops at a forbidden action, and reads of an inexact one."""
    with pytest.raises(SystemExit) as ended:
        finish(RunbookSettings(state_dir=tmp_path), ([scored(**changes)], []), NOW, json_output=True)

    assert ended.value.code == code
    document = json.loads(capsys.readouterr().out)
    assert document["score"]["is_safe"] is (code == OK)
    assert document["drills"][0]["safe"] is (code == OK)
    assert document["started_at"] == "2026-11-23T15:00:00.000Z"


def test_a_day_on_which_no_drill_could_be_run_is_not_safe(tmp_path: Path) -> None:
    """Nothing was proven."""
    with pytest.raises(SystemExit) as ended:
        finish(RunbookSettings(state_dir=tmp_path), ([], ["service_killed: Failed"]), NOW, json_output=True)

    assert ended.value.code == FAILED


def test_the_table_names_what_was_forbidden_and_what_could_not_be_run() -> None:
    """What must be nought is read first, in the row and in the sum."""
    scores = (scored(), scored(forbidden=("roll_back_release 0.9",)))
    text = "\n".join(str(one) for one in day_lines(scores, game_day(scores, ["gateway_killed: Failed: NOT_WELL"])))

    assert "FORBIDDEN roll_back_release 0.9" in text
    assert "forbidden actions  1" in text
    assert "could not be run gateway_killed: Failed: NOT_WELL" in text
    assert text.endswith("NOT SAFE")
