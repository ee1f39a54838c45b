"""The logs of four foreign services: traces, a line of nobody's format, and FIX messages, each with its time."""

import asyncio
import re
from pathlib import Path

import pytest

from tests.deployments.asking import Terminal
from tests.foreign.looking_after import looked_after
from tests.foreign.shops import KINDS, open_shop

pytestmark = pytest.mark.live

FOUND = {
    "oms": "com.desk.oms.venue.VenueException: XNAS: logon refused",
    "router": "System.Net.Http.HttpRequestException: Connection refused",
    "desk": "refused: no broker",
    "fix": "Session XFIX is down",
}


@pytest.mark.parametrize("service", KINDS)
def test_a_dead_gateway_shows_in_the_logs(
    service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One finding with all its times, whatever wrote it, and no line of a healthy order beside it."""
    terminal = Terminal(tmp_path, monkeypatch, capsys)
    with open_shop(KINDS[service], tmp_path) as shop:
        asyncio.run(looked_after(shop, tmp_path))
        shop.breaks("gateway-down")
        asyncio.run(looked_after(shop, tmp_path))
        ended = terminal.types("inspect", "logs")

    assert FOUND[service] in ended.out
    assert "1 findings" in ended.out
    assert re.search(r"last 20\d\d-\d\d-\d\dT[\d:.]+Z", ended.out), ended.out
