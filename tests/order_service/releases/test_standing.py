"""What the listing knows of each release: whether it was ever healthy, with what, and when it was current."""

import hashlib
import json

import pytest

from order_service.releases.deploy import deploy, roll_back
from order_service.releases.records import HealthyRun, Move, append_run, best_runs, read_runs
from order_service.releases.standing import listing, periods
from tests.order_service.releases.release_tree import Tree

pytestmark = [pytest.mark.live, pytest.mark.usefixtures("trusting")]
FEATURES = {"limit_price_band": True}


def _run(version: str, for_s: float = 30.0, table: str = "t1", at: str = "2026-11-22T10:00:00Z") -> HealthyRun:
    return HealthyRun(at, version, for_s, 4, table, FEATURES)


def _row(tree: Tree, version: str) -> dict[str, object]:
    rows = listing(tree.store)["releases"]
    assert isinstance(rows, list)
    return next(row for row in rows if row["version"] == version)


def test_a_release_that_never_ran_healthy_is_not_known_good(tree: Tree) -> None:
    """Nobody goes back to something that only was deployed once."""
    deploy(tree.store, "1.0.0", tree.request)

    row = _row(tree, "1.0.0")

    assert row["known_good"] is False
    assert row["known_good_because"] == "no healthy run of it is recorded"


def test_a_recorded_healthy_run_makes_a_release_known_good_and_says_with_what(tree: Tree) -> None:
    """Healthy with which table and features is what a roll-back has to weigh."""
    deploy(tree.store, "1.0.0", tree.request)
    append_run(tree.store.root, _run("1.0.0"))
    append_run(tree.store.root, _run("1.0.0", 3600.0, at="2026-11-22T11:00:00Z"))
    append_run(tree.store.root, _run("1.0.0", at="2026-11-22T11:30:00Z"))
    append_run(tree.store.root, _run("1.0.0", table="t2", at="2026-11-22T12:00:00Z"))

    row = _row(tree, "1.0.0")

    assert row["known_good"] is True
    assert "3600 s" in str(row["known_good_because"])
    runs = row["healthy_runs"]
    assert isinstance(runs, list)
    assert [(one["routing_hash"], one["for_s"], one["orders_count"]) for one in runs] == [
        ("t2", 30, 4),
        ("t1", 3600, 4),
    ]
    assert runs[0]["features"] == FEATURES


def test_a_release_that_was_rolled_away_from_is_not_known_good_until_it_is_deployed_again(tree: Tree) -> None:
    """It may have run well for an hour and be bad all the same."""
    for version in ("1.0.0", "1.1.0"):
        deploy(tree.store, version, tree.request)
        append_run(tree.store.root, _run(version))
    roll_back(tree.store, None, tree.request)
    away = _row(tree, "1.1.0")
    deploy(tree.store, "1.1.0", tree.request)

    assert away["known_good"] is False
    assert "rolled away from" in str(away["known_good_because"])
    assert _row(tree, "1.1.0")["known_good"] is True


def test_the_listing_tells_the_table_and_the_features_that_a_release_ships(tree: Tree) -> None:
    """A deploy installs that table."""
    row = _row(tree, "1.0.0")
    table = (tree.store.path("1.0.0") / "config" / "routing.toml").read_bytes()

    assert row["routing_hash"] == hashlib.sha256(table).hexdigest()
    assert row["features"] == {"limit_price_band": True, "order_throttle": True}


def test_a_damaged_release_has_no_standing(tree: Tree) -> None:
    """Its record belongs to what it was, and that is gone."""
    append_run(tree.store.root, _run("1.0.0"))
    path = tree.store.path("1.0.0") / "code/order_service/runtime/clock.py"
    path.chmod(0o644)
    path.write_text("# edited\n")

    row = _row(tree, "1.0.0")

    assert (row["state"], row["known_good"], row["healthy_runs"]) == ("corrupted", False, [])
    assert row.keys() == _row(tree, "1.1.0").keys()


def test_the_times_in_which_a_release_was_current_follow_from_the_history() -> None:
    """Which release took which orders is asked later."""
    moves = [
        Move(at, "deploy", None, to, "kim", "", "r")
        for at, to in (("t1", "1.0"), ("t2", "1.0"), ("t3", "1.1"), ("t4", "1.0"))
    ]

    assert periods(moves, "1.0") == [{"from": "t1", "until": "t3"}, {"from": "t4", "until": None}]
    assert periods(moves, "1.1") == [{"from": "t3", "until": "t4"}]
    assert periods(moves, "2.0") == []


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b'{"at": 1, "version": "1.0.0", "for_s": 30, "orders_count": 1, "routing_hash": "t", "features": {}}',
        b'{"at": "t", "version": "1.0.0", "for_s": NaN, "orders_count": 1, "routing_hash": "t", "features": {}}',
        b'{"at": "t", "version": "1.0.0", "for_s": 30, "orders_count": true, "routing_hash": "t", "features": {}}',
        b'{"at": "t", "version": "1.0.0", "for_s": 30, "orders_count": 1, "routing_hash": "t", "features": 7}',
        b"\xff\xfe" * 100,
    ],
)
def test_a_line_that_is_no_run_costs_itself_alone(tree: Tree, line: bytes) -> None:
    """The record is a file that a crash may tear."""
    append_run(tree.store.root, _run("1.0.0"))
    with (tree.store.root / "runs.jsonl").open("ab") as runs:
        runs.write(line)
    append_run(tree.store.root, _run("1.1.0"))

    assert [run.version for run in read_runs(tree.store.root)] == ["1.0.0", "1.1.0"]


def test_a_very_long_record_is_read_from_its_end(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """Listing releases takes no longer after a year."""
    for number in range(50):
        append_run(tree.store.root, _run(f"1.0.{number}"))
    monkeypatch.setattr("order_service.releases.records.READ_LIMIT_BYTES", 1000)

    versions = [run.version for run in read_runs(tree.store.root)]

    assert versions[-1] == "1.0.49"
    assert 0 < len(versions) < 10


def test_only_the_latest_configurations_are_told(tree: Tree) -> None:
    """A document that is read over a command line stays small."""
    runs = [_run("1.0.0", table=f"t{number:02}", at=f"2026-11-22T10:{number:02}:00Z") for number in range(30)]

    told = best_runs(runs, "1.0.0")

    assert [run.routing_hash for run in told] == [f"t{number:02}" for number in range(29, 19, -1)]
    assert tree.store.versions()


def test_going_back_again_leaves_what_was_changed_since(tree: Tree) -> None:
    """A remediation that is asked twice must not undo a table that was restored in between."""
    deploy(tree.store, "1.0.0", tree.request)
    deploy(tree.store, "1.1.0", tree.request)
    first = roll_back(tree.store, "1.0.0", tree.request)
    tree.live.write_text("# restored by hand\n")

    again = roll_back(tree.store, "1.0.0", tree.request)

    assert again == first
    assert tree.live.read_text() == "# restored by hand\n"
    assert json.loads(tree.store.history.read_text().splitlines()[-1])["to"] == "1.0.0"
    assert len(tree.store.history.read_text().splitlines()) == 3


def test_going_back_again_still_asks_for_a_whole_release(tree: Tree) -> None:
    """Done once is no reason to call a damaged release good."""
    deploy(tree.store, "1.0.0", tree.request)
    deploy(tree.store, "1.1.0", tree.request)
    roll_back(tree.store, "1.0.0", tree.request)
    path = tree.store.path("1.0.0") / "code/order_service/runtime/clock.py"
    path.chmod(0o644)
    path.write_text("# edited\n")

    result = tree.run("roll-back", "--to", "1.0.0")

    assert result.returncode == 1
    assert result.stderr.startswith("RELEASE_CORRUPTED: ")
