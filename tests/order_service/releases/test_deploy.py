"""Making a release current, and going back."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from order_service.releases.build import build
from order_service.releases.deploy import MoveRequest, deploy, roll_back
from order_service.releases.records import RUNS_FILE, HealthyRun, append_run, read_moves
from order_service.releases.standing import previous_release
from order_service.releases.store import ReleaseCode, ReleaseError, ReleaseStore
from tests.order_service.releases.release_tree import Tree

pytestmark = pytest.mark.live


@pytest.fixture(autouse=True)
def ran_well(tree: Tree) -> None:
    """Let every release of these tests have a healthy run on record."""
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        append_run(tree.store.root, HealthyRun("2026-11-22T10:00:00Z", version, 600.0, 40, "t1", {}))


def test_deploying_moves_pointer_table_and_history(tree: Tree) -> None:
    """All three tell the same story."""
    deploy(tree.store, "1.0.0", tree.request)
    deploy(tree.store, "1.1.0", tree.request)

    last = json.loads(tree.store.history.read_text().splitlines()[-1])
    assert tree.store.current() == "1.1.0"
    assert tree.live.read_text().startswith("# new")
    assert (last["action"], last["from"], last["to"]) == ("deploy", "1.0.0", "1.1.0")
    assert (last["by"], last["reason"]) == ("desk", "drill")


def test_rolling_back_changes_the_code_that_runs(tree: Tree) -> None:
    """A rollback that changes a label only would leave the fault in place."""
    deploy(tree.store, "1.0.0", tree.request)
    deploy(tree.store, "1.1.0", tree.request)
    new = tree.run("run").stdout.split()

    rolled = tree.run("roll-back", "--reason", "errors after deploy")

    old = tree.run("run").stdout.split()
    assert rolled.returncode == 0
    assert (new[0], new[2]) == ("new", "1.1.0")
    assert (old[0], old[2]) == ("old", "1.0.0")
    assert Path(old[4]).is_relative_to(tree.store.path("1.0.0"))


def test_rolling_back_keeps_the_live_table_with_its_caps_and_switches(tree: Tree) -> None:
    """A cap that risk lowered to 100 must not jump back to a million because code was rolled back."""
    deploy(tree.store, "1.0.0", tree.request)
    deploy(tree.store, "1.1.0", tree.request)
    edited = tree.live.read_text().replace('max_quantity = "1000000"', 'max_quantity = "100"', 1)
    edited = edited.replace(
        "[features.limit_price_band]\nenabled = true", "[features.limit_price_band]\nenabled = false"
    )
    tree.live.write_text(edited)

    roll_back(tree.store, "1.0.0", tree.request)

    assert 'max_quantity = "100"' in edited
    assert tree.live.read_text() == edited
    assert tree.store.current() == "1.0.0"


@pytest.mark.usefixtures("trusting")
def test_a_roll_back_with_the_shipped_table_must_be_asked_for_by_name(tree: Tree) -> None:
    """It is possible, and nobody gets it without having asked for it."""
    deploy(tree.store, "1.0.0", tree.request)
    deploy(tree.store, "1.1.0", tree.request)

    roll_back(tree.store, "1.0.0", MoveRequest("desk", "drill", None, with_shipped_table=True))

    assert tree.live.read_text().startswith("# old")


@pytest.mark.parametrize("damage", [lambda live: live.unlink(), lambda live: live.write_text("[routes.equity]\n")])
def test_a_release_that_does_not_take_the_live_table_is_not_gone_back_to(
    tree: Tree, damage: Callable[[Path], object]
) -> None:
    """A rollback that cannot start with the table in force would trade errors for an outage."""
    deploy(tree.store, "1.0.0", tree.request)
    deploy(tree.store, "1.1.0", tree.request)
    damage(tree.live)

    with pytest.raises(ReleaseError) as refused:
        roll_back(tree.store, "1.0.0", tree.request)

    assert refused.value.code is ReleaseCode.LIVE_TABLE_REFUSED
    assert tree.store.current() == "1.1.0"
    assert len(read_moves(tree.store.history)) == 2


def test_a_release_whose_code_lies_elsewhere_is_gone_back_to(tree: Tree) -> None:
    """A release of last year must read the live table too, and its routing was one module."""
    source = tree.source("flat")
    (source / "routing" / "table.py").rename(source / "table_before.py")
    shutil.rmtree(source / "routing")
    (source / "routing.py").write_text("from order_service.table_before import parse_table as parse_table\n")
    own_check = source / "releases" / "run.py"
    own_check.write_text(own_check.read_text().replace("order_service.routing.table", "order_service.routing"))
    build(tree.store, "0.9.0", source, None)
    deploy(tree.store, "1.0.0", tree.request)

    assert roll_back(tree.store, "0.9.0", tree.request).to_version == "0.9.0"


@pytest.mark.usefixtures("trusting")
def test_a_release_without_a_healthy_run_on_record_is_passed_over(tree: Tree) -> None:
    """That it was once current does not make it good."""
    build(tree.store, "1.2.0", tree.base / "source-old", None)
    (tree.store.root / RUNS_FILE).unlink()
    append_run(tree.store.root, HealthyRun("2026-11-22T10:00:00Z", "1.0.0", 30.0, 4, "t1", {}))
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        deploy(tree.store, version, tree.request)

    assert previous_release(tree.store) == "1.0.0"
    assert roll_back(tree.store, None, tree.request).to_version == "1.0.0"


@pytest.mark.usefixtures("trusting")
def test_what_was_rolled_away_from_is_never_gone_back_to(tree: Tree) -> None:
    """The bad release must not return by a second roll-back."""
    deploy(tree.store, "1.0.0", tree.request)
    deploy(tree.store, "1.1.0", tree.request)
    roll_back(tree.store, None, tree.request)

    with pytest.raises(ReleaseError) as refused:
        roll_back(tree.store, None, tree.request)

    assert refused.value.code is ReleaseCode.NO_PREVIOUS_RELEASE
    assert tree.store.current() == "1.0.0"


@pytest.mark.usefixtures("trusting")
def test_a_bad_release_deployed_again_counts_as_good(tree: Tree) -> None:
    """A person who deploys it again vouches for it."""
    for version in ("1.0.0", "1.1.0"):
        deploy(tree.store, version, tree.request)
    roll_back(tree.store, None, tree.request)
    deploy(tree.store, "1.1.0", tree.request)
    build(tree.store, "1.2.0", tree.base / "source-old", None)
    deploy(tree.store, "1.2.0", tree.request)

    assert previous_release(tree.store) == "1.1.0"


@pytest.mark.usefixtures("trusting")
def test_a_corrupted_previous_release_is_passed_over(tree: Tree) -> None:
    """Rolling back to a damaged release would trade one outage for another."""
    build(tree.store, "1.2.0", tree.base / "source-old", None)
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        deploy(tree.store, version, tree.request)
    _damage(tree.store.path("1.1.0") / "code/order_service/runtime/clock.py")

    assert roll_back(tree.store, None, tree.request).to_version == "1.0.0"


@pytest.mark.usefixtures("trusting")
def test_a_named_release_can_be_gone_back_to_twice(tree: Tree) -> None:
    """A remediation that is asked twice for one target does one thing."""
    deploy(tree.store, "1.0.0", tree.request)
    deploy(tree.store, "1.1.0", tree.request)

    for _ in range(2):
        roll_back(tree.store, "1.0.0", tree.request)

    assert tree.store.current() == "1.0.0"
    assert len(read_moves(tree.store.history)) == 3


@pytest.mark.usefixtures("trusting")
def test_roll_back_uses_the_table_file_of_the_last_move(tree: Tree) -> None:
    """The engineer at night need not know where the live table lies."""
    deploy(tree.store, "1.0.0", tree.request)
    deploy(tree.store, "1.1.0", tree.request)

    move = roll_back(tree.store, None, MoveRequest("desk", "drill", None))

    assert move.routing_file == str(tree.live)


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("step", ["point_to", "install"])
def test_a_deploy_killed_halfway_is_finished_by_asking_again(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Between two steps lies no state that needs a person."""
    deploy(tree.store, "1.0.0", tree.request)
    _killed_at(monkeypatch, step, lambda: deploy(tree.store, "1.1.0", tree.request))

    deploy(tree.store, "1.1.0", tree.request)

    moves = read_moves(tree.store.history)
    assert [move.to_version for move in moves] == ["1.0.0", "1.1.0"]
    assert (tree.store.current(), tree.live.read_text()[:5]) == ("1.1.0", "# new")


@pytest.mark.usefixtures("trusting")
def test_a_roll_back_killed_halfway_goes_one_release_back(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking again finishes the first, it does not go deeper."""
    build(tree.store, "1.2.0", tree.base / "source-old", None)
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        deploy(tree.store, version, tree.request)
    _killed_at(monkeypatch, "point_to", lambda: roll_back(tree.store, None, tree.request))

    assert roll_back(tree.store, None, tree.request).to_version == "1.1.0"
    assert tree.store.current() == "1.1.0"


@pytest.mark.usefixtures("trusting")
def test_a_roll_back_of_a_deploy_that_never_took_effect_stays(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """The release before the killed deploy is the one to run."""
    deploy(tree.store, "1.0.0", tree.request)
    _killed_at(monkeypatch, "point_to", lambda: deploy(tree.store, "1.1.0", tree.request))

    assert roll_back(tree.store, None, tree.request).to_version == "1.0.0"


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda release: _damage(release / "code/order_service/runtime/clock.py"), ReleaseCode.RELEASE_CORRUPTED),
        (lambda release: (release / "code/order_service/more.py").write_text(""), ReleaseCode.RELEASE_CORRUPTED),
        (lambda release: (release / "config/routing.toml").unlink(), ReleaseCode.RELEASE_CORRUPTED),
        (lambda release: (release / "manifest.json").unlink(), ReleaseCode.RELEASE_CORRUPTED),
        (lambda release: _damage(release / "manifest.json"), ReleaseCode.RELEASE_CORRUPTED),
        (shutil.rmtree, ReleaseCode.RELEASE_MISSING),
    ],
)
def test_a_damaged_release_is_not_deployed(tree: Tree, damage: Callable[[Path], object], code: ReleaseCode) -> None:
    """Nothing is changed when the target cannot be proven."""
    deploy(tree.store, "1.0.0", tree.request)
    damage(tree.store.path("1.1.0"))

    with pytest.raises(ReleaseError) as refused:
        deploy(tree.store, "1.1.0", tree.request)

    assert refused.value.code is code
    assert (tree.store.current(), tree.live.read_text()[:5]) == ("1.0.0", "# old")


@pytest.mark.parametrize(
    ("file", "content"),
    [("runtime/clock.py", "def broken(:"), ("config/routing.toml", "[routes.equity]\ngateway = 7\n")],
)
def test_a_release_that_does_not_take_its_own_table_is_not_deployed(tree: Tree, file: str, content: str) -> None:
    """The release's own code is asked, since that is the code that will read the table."""
    deploy(tree.store, "1.0.0", tree.request)
    source = tree.source("broken")
    (source / file).write_text(content)
    build(tree.store, "1.2.0", source, None)

    with pytest.raises(ReleaseError) as refused:
        deploy(tree.store, "1.2.0", tree.request)

    assert refused.value.code is ReleaseCode.RELEASE_BROKEN
    assert tree.store.current() == "1.0.0"
    assert len(read_moves(tree.store.history)) == 1


@pytest.mark.usefixtures("trusting")
def test_a_torn_history_line_costs_itself_alone(tree: Tree) -> None:
    """The way back must survive a crash in the middle of a write."""
    deploy(tree.store, "1.0.0", tree.request)
    with tree.store.history.open("ab") as history:
        history.write(b'{"at": "2026-')
    deploy(tree.store, "1.1.0", tree.request)

    assert roll_back(tree.store, None, tree.request).to_version == "1.0.0"


def _damage(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b"\n# edited in place\n")


def _killed_at(monkeypatch: pytest.MonkeyPatch, step: str, move: Callable[[], object]) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        if step == "install":
            patch.setattr("order_service.releases.deploy._install", killed)
        else:
            patch.setattr(ReleaseStore, "point_to", killed)
        with pytest.raises(Killed):
            move()
