"""What is promised is on disk, and what cannot be written down is not sent."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from order_service.journal.rows import JournalUnavailable, open_for_writing
from tests.order_service.desk import Desk, desk_at, eventually, order
from tests.order_service.fake_gateway import FakeGateway

pytestmark = pytest.mark.live


def _fill_disk(desk: Desk) -> None:
    connection = desk.service.journal._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages}")


async def test_a_full_journal_refuses_orders_and_sends_none(desk: Desk) -> None:
    """An order that cannot be written down cannot be reconciled, so it must stay home."""
    _fill_disk(desk)

    answers = [await desk.send(order(strategy="s" * 60)) for _ in range(60)]

    refused = [answer for answer in answers if answer.status_code == 503]
    assert refused
    assert {answer.json()["error"]["code"] for answer in refused} == {"JOURNAL_UNAVAILABLE"}
    rows = (await desk.http.get("/orders?limit=1000")).json()["orders"]
    assert len(desk.gateway.posts) == len(rows) == len(answers) - len(refused)


async def test_a_journal_that_fails_makes_health_an_error_and_recovers(desk: Desk) -> None:
    """The probe must fail while no order can be taken, and pass when the disk is back."""
    connection = desk.service.journal._connection
    connection.execute("PRAGMA query_only=1")
    answer = await desk.send(order())
    health = await desk.http.get("/health")
    connection.execute("PRAGMA query_only=0")

    assert answer.json()["error"]["code"] == "JOURNAL_UNAVAILABLE"
    assert (health.status_code, health.json()["status"]) == (503, "error")
    assert desk.gateway.posts == []
    await eventually(lambda: _health_is(desk, "ok"))


async def test_an_outcome_the_disk_refuses_is_told_now_and_written_later(desk: Desk) -> None:
    """The order is out; the client gets the truth, and the journal catches up."""
    desk.gateway.mode = "slow"
    connection = desk.service.journal._connection
    body = order()
    sending = asyncio.create_task(desk.send(body))
    await eventually(lambda: desk.gateway.posts)
    connection.execute("PRAGMA query_only=1")
    desk.gateway.release.set()
    answer = await sending
    replay = await desk.send(body)
    connection.execute("PRAGMA query_only=0")

    assert answer.json()["status"] == "filled"
    assert replay.status_code in {201, 503}
    await eventually(lambda: _on_disk(desk.state_dir, body["client_order_id"]) == "filled")
    assert desk.gateway.posts == [body["client_order_id"]]


async def test_an_interrupted_order_becomes_unknown_and_is_resolved_by_asking(
    tmp_path: Path, gateway: FakeGateway
) -> None:
    """After a crash the gateway knows what the journal does not."""
    async with desk_at(tmp_path / "s", gateway) as desk:
        body = order()
        await desk.send(body)
    with sqlite3.connect(tmp_path / "s" / "journal.db") as connection:
        connection.execute("UPDATE orders SET status = 'in_flight', execution = NULL")
        connection.execute("DELETE FROM positions")
    connection.close()

    async with desk_at(tmp_path / "s", gateway) as desk:
        await eventually(lambda: _on_disk(desk.state_dir, body["client_order_id"]) == "filled")
        (position,) = desk.service.journal.positions()

    assert position.net_quantity == "10"
    assert gateway.posts == [body["client_order_id"]]


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    """Overwriting somebody's file is worse than not starting."""
    (tmp_path / "journal.db").write_bytes(b"not a database, but long enough to be read as one" * 100)

    with pytest.raises(JournalUnavailable):
        open_for_writing(tmp_path / "journal.db", "full")


def _on_disk(state_dir: Path, client_order_id: str) -> str | None:
    connection = sqlite3.connect(state_dir / "journal.db")
    try:
        row = connection.execute("SELECT status FROM orders WHERE client_order_id = ?", (client_order_id,)).fetchone()
        return None if row is None else str(row[0])
    finally:
        connection.close()


async def _health_is(desk: Desk, status: str) -> bool:
    return bool((await desk.http.get("/health")).json()["status"] == status)
