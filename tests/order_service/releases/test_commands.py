"""The commands as a person or a supervisor runs them."""

import json
import os
import subprocess
import sys

import pytest

from order_service.releases.commands import parse_arguments
from order_service.releases.deploy import deploy
from order_service.releases.records import HealthyRun, append_run
from tests.order_service.releases.release_tree import Tree

pytestmark = pytest.mark.live

posix = pytest.mark.skipif(sys.platform == "win32", reason="a process cannot become another there")


@pytest.mark.usefixtures("trusting")
@posix
def test_run_keeps_the_pid_it_was_started_with(tree: Tree) -> None:
    """The supervisor watches one pid; a wrapper in between would take its signals."""
    deploy(tree.store, "1.0.0", tree.request)
    with subprocess.Popen(tree.command("run"), cwd=tree.base, stdout=subprocess.PIPE, text=True) as process:
        said = process.communicate(timeout=10)[0].split()

    assert int(said[1]) == process.pid


@pytest.mark.usefixtures("trusting")
def test_run_resolves_paths_against_where_it_was_started(tree: Tree) -> None:
    """State written into a release directory would be lost with it."""
    deploy(tree.store, "1.0.0", tree.request)

    by_default = tree.run("run").stdout.split()[3]
    env = {**os.environ, "ORDER_SERVICE_STATE_DIR": "elsewhere"}
    named = subprocess.run(
        tree.command("run"), cwd=tree.base, env=env, capture_output=True, text=True, timeout=10, check=True
    ).stdout.split()[3]

    assert by_default == str(tree.base / "var" / "order-service")
    assert named == str(tree.base / "elsewhere")


def test_run_without_a_release_is_one_clear_line(tree: Tree) -> None:
    """The first start on a new machine fails in words."""
    result = tree.run("run")

    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith("RELEASE_MISSING: expected ")


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("file", ["code/order_service/runtime/clock.py", "config/routing.toml"])
def test_run_refuses_a_release_that_was_edited(tree: Tree, file: str) -> None:
    """Code that nobody released must not send orders."""
    deploy(tree.store, "1.0.0", tree.request)
    path = tree.store.path("1.0.0") / file
    path.chmod(0o644)
    path.write_text("# edited\n")

    result = tree.run("run")

    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith("RELEASE_CORRUPTED: expected ")
    assert file in result.stderr


def test_list_is_one_json_document(tree: Tree) -> None:
    """The runbook reads from it where a roll-back would lead."""
    deploy(tree.store, "1.0.0", tree.request)
    deploy(tree.store, "1.1.0", tree.request)
    append_run(tree.store.root, HealthyRun("2026-11-22T10:00:00Z", "1.0.0", 600.0, 40, "t1", {}))

    document = json.loads(tree.run("list", "--json").stdout)

    assert (document["current"], document["previous"]) == ("1.1.0", "1.0.0")
    assert [(row["version"], row["state"]) for row in document["releases"]] == [("1.0.0", "ok"), ("1.1.0", "ok")]
    assert [move["to"] for move in document["history"]] == ["1.0.0", "1.1.0"]


@pytest.mark.usefixtures("trusting")
def test_list_for_people_marks_the_current_release(tree: Tree) -> None:
    """One glance answers what runs."""
    deploy(tree.store, "1.1.0", tree.request)

    marked = [line for line in tree.run("list").stdout.splitlines() if line.startswith("*")]

    assert [line.split()[1] for line in marked] == ["1.1.0"]


def test_two_deploys_at_once_end_in_one_story(tree: Tree) -> None:
    """Writers wait for each other; pointer and history agree afterwards."""
    words = ("--routing-file", str(tree.live))
    both = [subprocess.Popen(tree.command("deploy", each, *words)) for each in ("1.0.0", "1.1.0")]
    codes = [process.wait(timeout=30) for process in both]

    document = json.loads(tree.run("list", "--json").stdout)
    assert codes == [0, 0]
    assert document["history"][-1]["to"] == document["current"]
    assert len(document["history"]) == 2


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["fly"],
        ["deploy", "--root", "r"],
        ["deploy", "../up", "--root", "r"],
        ["deploy", "current", "--root", "r"],
        ["build", "runs.jsonl", "--root", "r"],
        ["build", "1.0", "--root", "r", "--fault", "flies"],
        ["build", "1.0", "--root", "r", "--on-signal"],
        ["build", "1.0", "--root", "r", "--on-signal", "--fault", "crash_at_start"],
        ["deploy", "1.0", "--version", "1.1", "--root", "r"],
        ["list"],
    ],
)
def test_a_bad_argument_is_one_clear_line(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    """Wrong use is told from failure by its exit code."""
    with pytest.raises(SystemExit) as ended:
        parse_arguments(words)

    line = capsys.readouterr().err
    assert ended.value.code == 2
    assert line.startswith("BAD_ARGUMENTS: ")
    assert line.count("\n") == 1


def test_a_first_deploy_must_name_the_live_table(tree: Tree) -> None:
    """A guess could overwrite the table of another stack."""
    result = tree.run("deploy", "1.0.0")

    assert result.returncode == 1
    assert result.stderr.startswith("ROUTING_FILE_UNKNOWN: ")
    assert tree.store.current() is None
