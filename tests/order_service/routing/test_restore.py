"""Putting a good routing table back: by its hash, proven before and after, in force at once."""

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from order_service.routing.table import TableRefused, parse_table
from order_service.routing.table_store import KEPT_COUNT, RoutingStore, TableCopies
from order_service.runtime.service import release_folder, shipped_table
from tests.order_service.desk import NAMES, Desk, desk_at, eventually, order, routing_text
from tests.order_service.fake_gateway import FakeGateway

pytestmark = pytest.mark.live

WRONG = routing_text().replace('gateway = "XNAS"\nalternates = ["XNYS"]', 'gateway = "XNYS"\nalternates = ["XNAS"]')


async def _swap_in(desk: Desk, text: str) -> str:
    """Put a table in force as a careless hand would; give the hash of the one before."""
    before = str((await desk.routing())["table"]["hash"])
    (desk.state_dir / "routing.toml").write_text(text)
    assert (await desk.post_control("reload")).status_code == 200
    return before


async def test_a_wrong_rule_is_undone_by_the_hash_of_the_table_before(desk: Desk) -> None:
    """The remedy for a wrong rule is the table that was right, and no restart."""
    good = await _swap_in(desk, WRONG)
    wrongly = (await desk.send(order())).json()["gateway"]

    answer = await desk.post_control("restore", hash=good, set_by="kim")

    table = (await desk.routing())["table"]
    assert (wrongly, (await desk.send(order())).json()["gateway"]) == ("XNYS", "XNAS")
    assert (answer.status_code, answer.json()["hash"]) == (200, good)
    assert (table["hash"], table["file_hash"], table["file_error"]) == (good, good, None)
    assert (desk.state_dir / "routing.toml").read_text() == routing_text()


@pytest.mark.parametrize("damage", ["corrupt", "missing"])
async def test_a_file_that_a_restart_would_fail_on_is_healed_while_the_service_serves(desk: Desk, damage: str) -> None:
    """A restart would turn a latent fault into an outage; the copy in memory still routes."""
    table, good = desk.state_dir / "routing.toml", (await desk.routing())["table"]["hash"]
    if damage == "corrupt":
        table.write_text("[routes\n")
    else:
        table.unlink()
    latent = (await desk.routing())["table"]

    answer = await desk.post_control("restore", hash=good)

    healed = (await desk.routing())["table"]
    assert latent["file_error"]
    assert answer.status_code == 200
    assert (healed["file_hash"], healed["file_error"]) == (good, None)


async def test_what_follows_the_table_follows_the_restored_one(desk: Desk) -> None:
    """Timeouts, features and their gauges are the restored table's, not those of the one before."""
    good = await _swap_in(desk, routing_text(3.0).replace("enabled = true", "enabled = false", 1))
    assert 'feature_enabled{feature="limit_price_band"} 0.0' in (await desk.http.get("/metrics")).text

    await desk.post_control("restore", hash=good)

    assert 'feature_enabled{feature="limit_price_band"} 1.0' in (await desk.http.get("/metrics")).text
    assert desk.service.gateways["XNAS"].rules.total_timeout_s == 0.5


async def test_restoring_twice_is_restoring_once(desk: Desk) -> None:
    """A remedy that is asked for twice does one thing."""
    good = await _swap_in(desk, WRONG)

    answers = [await desk.post_control("restore", hash=good) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert (await desk.routing())["table"]["hash"] == good


async def test_the_kept_tables_are_listed_with_the_last_loaded_first(desk: Desk) -> None:
    """Whoever restores chooses by time."""
    good = await _swap_in(desk, WRONG)
    wrong = (await desk.routing())["table"]["hash"]

    table = (await desk.routing())["table"]

    assert [one["hash"] for one in table["kept"]] == [wrong, good]
    assert table["kept"][0]["loaded_at"] >= table["kept"][1]["loaded_at"]
    assert table["shipped_hash"] == hashlib.sha256(shipped_table().read_bytes()).hexdigest()


async def test_the_table_that_the_release_shipped_with_can_be_restored_without_a_copy(desk: Desk) -> None:
    """On the first day there is no other good table."""
    shipped = (await desk.routing())["table"]["shipped_hash"]
    assert not (desk.state_dir / "routing" / f"{shipped}.toml").exists()

    assert (await desk.post_control("restore", hash=shipped)).status_code == 200

    assert (desk.state_dir / "routing.toml").read_bytes() == shipped_table().read_bytes()


async def test_an_unknown_hash_names_those_there_are(desk: Desk) -> None:
    """The one who asked can ask rightly the next time, and nothing has changed."""
    before = (await desk.routing())["table"]

    answer = await desk.post_control("restore", hash="0" * 64)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["field"]) == (404, "UNKNOWN_TABLE", "hash")
    assert before["hash"] in error["message"]
    assert before["shipped_hash"] in error["message"]
    assert (await desk.routing())["table"]["hash"] == before["hash"]


async def test_a_copy_that_was_altered_is_refused_and_no_longer_listed(desk: Desk) -> None:
    """A table under a false name would route real orders by an unknown rule."""
    good = await _swap_in(desk, WRONG)
    copy = desk.state_dir / "routing" / f"{good}.toml"
    copy.write_text(copy.read_text() + "\n# altered\n")

    answer = await desk.post_control("restore", hash=good)

    table = (await desk.routing())["table"]
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "TABLE_COPY_CORRUPTED")
    assert good not in [one["hash"] for one in table["kept"]]
    assert (table["hash"], table["file_hash"]) == (hashlib.sha256(WRONG.encode()).hexdigest(),) * 2
    await eventually(lambda: [one for one in desk.incidents() if one["type"] == "routing_table_refused"])


async def test_a_copy_that_no_longer_fits_is_refused_before_the_file_is_touched(
    tmp_path: Path, gateway: FakeGateway
) -> None:
    """A gateway of last year has no address any more; a table that names it would be refused at the next start."""
    async with desk_at(tmp_path / "s", gateway) as desk:
        old = WRONG.replace("XNYS", "XOLD").encode()
        digest = hashlib.sha256(old).hexdigest()
        (desk.state_dir / "routing" / f"{digest}.toml").write_bytes(old)

        answer = await desk.post_control("restore", hash=digest)

        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "ROUTING_TABLE_REFUSED")
        assert (desk.state_dir / "routing.toml").read_text() == routing_text()


async def test_a_file_that_cannot_be_written_changes_nothing_that_serves(desk: Desk) -> None:
    """A full or read-only disk is reported as that, and the next check shows that nothing was restored."""
    good = await _swap_in(desk, WRONG)
    (desk.state_dir / "routing.toml").unlink()
    (desk.state_dir / "routing.toml").mkdir()

    answer = await desk.post_control("restore", hash=good)

    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "ROUTING_FILE_NOT_WRITTEN")
    assert (await desk.send(order())).json()["gateway"] == "XNYS"


@pytest.mark.parametrize("body", [{}, {"hash": "short"}, {"hash": "../../etc/passwd"}, {"hash": "A" * 64}, {"hash": 7}])
async def test_what_is_no_hash_is_refused(desk: Desk, body: dict[str, Any]) -> None:
    """The hash becomes a file name; nothing else may."""
    answer = await desk.post_control("restore", **body)

    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "hash")


async def test_restoring_asks_for_token_and_reason(desk: Desk) -> None:
    """It changes where real orders go."""
    good = (await desk.routing())["table"]["hash"]

    without = await desk.http.post("/control/restore", json={"hash": good, "reason": "a test"})
    unexplained = await desk.post_control("restore", hash=good, reason="  ")

    assert (without.status_code, unexplained.status_code) == (401, 422)


async def test_a_restore_is_told_with_who_and_why(desk: Desk) -> None:
    """The next shift reads what was changed, from which table to which."""
    good = await _swap_in(desk, WRONG)

    await desk.post_control("restore", hash=good, reason="wrong rule", set_by="kim", source="triage")

    told = await eventually(lambda: [one for one in desk.incidents() if one["details"].get("part") == "restore"])
    assert (told[0]["type"], told[0]["source"]) == ("control_changed", "triage")
    assert (told[0]["details"]["set_by"], told[0]["details"]["reason"]) == ("kim", "wrong rule")
    assert told[0]["details"]["now"]["hash"] == good


def test_a_table_that_another_hand_overwrote_at_once_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hash is checked after the write as well: a deploy at the same moment must not pass for the restored table."""
    live = tmp_path / "routing.toml"
    live.write_text(routing_text())
    store = _store(tmp_path)
    good = store.loaded.hash
    monkeypatch.setattr("order_service.routing.table_store.write_atomically", lambda path, *_: path.write_text(WRONG))

    with pytest.raises(TableRefused, match=good):
        store.restore(good)

    assert store.loaded.hash == good


def test_the_live_file_stays_readable_for_those_who_read_it(tmp_path: Path) -> None:
    """Deploys and looks run as other users."""
    live = tmp_path / "routing.toml"
    live.write_text(routing_text())
    live.chmod(0o640)
    store = _store(tmp_path)

    store.restore(store.loaded.hash)
    kept = live.stat().st_mode & 0o777
    live.unlink()
    store.restore(store.loaded.hash)

    assert (kept, live.stat().st_mode & 0o777) == (0o640, 0o644)


def test_old_copies_give_way_and_the_last_loaded_stay(tmp_path: Path) -> None:
    """The folder does not grow for ever."""
    copies = TableCopies(tmp_path, tmp_path / "none.toml")
    for number in range(KEPT_COUNT + 5):
        raw = f"# {number}".encode()
        digest = hashlib.sha256(raw).hexdigest()
        copies.keep(raw, digest)
        os.utime(tmp_path / f"{digest}.toml", (number, number))

    kept = copies.kept()

    assert len(kept) == KEPT_COUNT
    assert kept[0].hash == hashlib.sha256(f"# {KEPT_COUNT + 4}".encode()).hexdigest()


def test_code_in_a_release_knows_the_table_it_was_shipped_with(tmp_path: Path) -> None:
    """A release may ship another table than its package holds."""
    release = tmp_path / "1.4.0"
    package = release / "code" / "order_service"
    package.mkdir(parents=True)
    (release / "config").mkdir()
    shutil.copy(shipped_table(), release / "config" / "routing.toml")

    unreleased = release_folder(package)
    (release / "manifest.json").write_text("{}")

    assert (unreleased, release_folder(package)) == (None, release)
    assert shipped_table(package) == release / "config" / "routing.toml"
    parse_table(shipped_table().read_bytes(), frozenset(NAMES))


def _store(folder: Path) -> RoutingStore:
    copies = TableCopies(folder / "routing", shipped_table())
    return RoutingStore(folder / "routing.toml", copies, frozenset(NAMES))
