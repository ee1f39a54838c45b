"""The real simulator tells a fill twice: one answer too many on a kept connection."""

from pathlib import Path

import httpx

from tests.order_service.desk import Desk, desk_at, eventually, lay_out, order
from tests.order_service.fake_gateway import FakeGateway
from tests.order_service.simulator import simulator


async def test_a_fill_told_twice_is_counted_once(tmp_path: Path) -> None:
    """An answer too many must neither double a position nor be taken for the next order's.

    The order that met the poisoned connection may end as not received; every order agrees with the venue's own book.
    """
    async with simulator(tmp_path / "XNAS") as (base_url, admin_url):
        lay_out(tmp_path / "s", base_url)
        async with desk_at(tmp_path / "s", FakeGateway()) as desk, httpx.AsyncClient() as venue:
            desk.service.reconciler.proof_gap_s = 0.1
            await venue.put(f"{admin_url}/faults", json={"fault": "duplicate_fill"})
            for number in range(1, 21):
                await desk.send(order(quantity=str(number)))
            await eventually(lambda: len(desk.service.reconciler) == 0)
            booked = (await venue.get(f"{base_url}/orders")).json()["orders"]
            filled = await _filled(desk)
            (position,) = desk.service.journal.positions()

    assert filled == {entry["client_order_id"]: entry["cum_qty"] for entry in booked}
    assert {entry["received_count"] for entry in booked} == {1}
    assert len(filled) >= 18
    assert int(position.net_quantity) == sum(int(quantity) for quantity in filled.values())


async def _filled(desk: Desk) -> dict[str, str]:
    rows = (await desk.http.get("/orders")).json()["orders"]
    assert len(rows) == 20
    assert {row["status"] for row in rows} <= {"filled", "not_received"}
    return {row["client_order_id"]: row["execution"]["cum_qty"] for row in rows if row["status"] == "filled"}
