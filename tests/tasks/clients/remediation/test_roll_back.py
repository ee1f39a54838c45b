"""The rollback command: what it came to is judged by where the pointer is, once nothing of it runs any more."""

import sys
from pathlib import Path

import pytest

from tasks.clients.process.processes import identify
from tasks.model.incidents.incident import Outcome
from tasks.model.probes.control import ControlReason
from tasks.model.remediation.verdicts import GuardCode
from tasks.settings import ServiceSettings
from tasks.work.remediation.roll_back import moved_back

pytestmark = [pytest.mark.live, pytest.mark.skipif(sys.platform == "win32", reason="uses process groups")]
WHY = ControlReason(reason="bad release", set_by="triage")
MOVE = "open({pointer!r}, 'w').write(sys.argv[1])\n"
# A child of the command that moves the pointer a little later, when nobody looks any more.
LATE = "import time, sys; time.sleep(1.5); open({pointer!r}, 'w').write('9.9.9')"


class Store:
    """Releases with a pointer, and a live table that the history of moves names."""

    def __init__(self, folder: Path) -> None:
        self.root, self.live = folder / "releases", folder / "routing.toml"
        self.pointer, self.note = self.root / "current", folder / "child"
        self.root.mkdir()
        self.pointer.write_text("1.1.0")
        self.live.write_text("# live\n")
        line = f'{{"at": "2026-11-23T14:00:00Z", "action": "deploy", "to": "1.1.0", "routing_file": "{self.live}"}}\n'
        (self.root / "history.jsonl").write_text(line)

    def service(self, code: str, *, told: bool = True) -> ServiceSettings:
        """A service that is rolled back by some Python; it may run on another host, where no pointer is seen."""
        inputs = {"pointer": str(self.pointer), "live": str(self.live), "note": str(self.note)}
        text = "import os, subprocess, sys, time\n"
        for line in code.splitlines(keepends=True):
            text += line.format(**inputs)
        command = (sys.executable, "-c", text, "{release}")
        root = {"releases_root": self.root} if told else {}
        return ServiceSettings.model_validate({"base_url": "http://127.0.0.1:9", "roll_back_command": command, **root})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Releases of which 1.1.0 is current."""
    return Store(tmp_path)


def test_a_command_that_moved_the_pointer_is_done(store: Store) -> None:
    """The usual case."""
    done = moved_back(store.service(MOVE), "1.0.0", WHY)

    assert (done.outcome, done.detail) == (Outcome.DONE, "release 1.0.0 is current")


@pytest.mark.parametrize(
    ("own_session", "environment"), [("False", "os.environ"), ("True", "os.environ"), ("False", "{{}}")]
)
def test_a_child_that_is_left_behind_moves_nothing_after_the_command_was_judged(
    store: Store, own_session: str, environment: str
) -> None:
    """The lock is given back when the action is over; a late move would hit whoever acts next."""
    options = f"start_new_session={own_session}, env={environment}"
    spawn = f"child = subprocess.Popen([sys.executable, '-c', {LATE!r}], {options})\n"
    code = MOVE + spawn + "open({note!r}, 'w').write(str(child.pid))\n"

    done = moved_back(store.service(code), "1.0.0", WHY)

    assert identify(int(store.note.read_text())) is None
    assert (done.outcome, store.pointer.read_text()) == (Outcome.DONE, "1.0.0")
    assert "1 processes that it left behind were ended" in done.detail


def test_a_command_that_hangs_is_judged_by_the_pointer(store: Store) -> None:
    """It is ended; where nothing has moved, nothing was done, and where it moved a person looks."""
    still = moved_back(store.service("time.sleep(60)\n"), "1.0.0", WHY, timeout_s=1.0)
    moved = moved_back(store.service("open({pointer!r}, 'w').write('1.0.0')\ntime.sleep(60)\n"), "1.0.0", WHY, 1.0)

    assert (still.outcome, still.code) == (Outcome.REFUSED, GuardCode.NO_GOOD_RELEASE)
    assert moved.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("sys.exit(3)\n", Outcome.REFUSED),
        (MOVE + "sys.exit(3)\n", Outcome.UNKNOWN),
        ("", Outcome.REFUSED),
        ("open({pointer!r}, 'w').write('0.9.0')\n", Outcome.UNKNOWN),
    ],
)
def test_the_pointer_decides_and_not_the_exit_code(store: Store, code: str, outcome: Outcome) -> None:
    """A tool that ends with 0 and moved nothing has done nothing; one that moved elsewhere is for a person."""
    assert moved_back(store.service(code), "1.0.0", WHY).outcome is outcome


@pytest.mark.parametrize(("code", "outcome"), [("", Outcome.DONE), ("sys.exit(3)\n", Outcome.UNKNOWN)])
def test_where_no_pointer_is_seen_only_an_exit_with_zero_says_anything(
    store: Store, code: str, outcome: Outcome
) -> None:
    """A failure elsewhere may have moved something all the same."""
    assert moved_back(store.service(code, told=False), "1.0.0", WHY).outcome is outcome


def test_a_command_that_replaces_the_live_table_stops_the_rollback(store: Store) -> None:
    """The process still runs with the table of before: a start would bring the other one into force."""
    done = moved_back(store.service(MOVE + "open({live!r}, 'w').write('# shipped')\n"), "1.0.0", WHY)

    assert (done.outcome, done.code) == (Outcome.UNKNOWN, GuardCode.ROUTING_DIFFERS)
    assert "nothing was restarted" in done.detail


def test_a_command_that_cannot_run_is_refused(store: Store) -> None:
    """Nothing was begun."""
    service = store.service("").model_copy(update={"roll_back_command": ("/nowhere/tool", "{release}")})

    assert moved_back(service, "1.0.0", WHY).code is GuardCode.NOT_AVAILABLE
