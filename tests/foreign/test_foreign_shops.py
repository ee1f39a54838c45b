"""The foreign services themselves: each answers in its own words, and breaks at its own switch."""

from pathlib import Path

import httpx
import pytest

from tests.fakes.polling import eventually
from tests.fakes.service.monitored_service import listens
from tests.foreign.shops import KINDS, open_shop

pytestmark = pytest.mark.live

HEALTH = {"oms": "/actuator/health", "router": "/healthz", "desk": "/ping", "fix": "/status"}


@pytest.mark.parametrize("service", KINDS)
def test_each_breaks_as_it_is_set_and_is_whole_again(service: str, tmp_path: Path) -> None:
    """A fault that does not show would make every test of it pass."""
    with open_shop(KINDS[service], tmp_path) as shop:
        url = f"http://127.0.0.1:{shop.port}{HEALTH[service]}"
        well = httpx.get(url, timeout=5).text
        shop.breaks("gateway-down")
        eventually(lambda: not listens(shop.gateway_port))
        assert httpx.get(url, timeout=5).text != well
        shop.breaks("hung")
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(url, timeout=0.2)
        shop.breaks("healthy")
        eventually(lambda: httpx.get(url, timeout=5).text == well and listens(shop.gateway_port))
        shop.breaks("down")
        assert not listens(shop.port)
