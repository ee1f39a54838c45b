"""Fixtures of the order service's own tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.order_service.desk import Desk, desk_at
from tests.order_service.fake_gateway import FakeGateway


@pytest.fixture
async def gateway() -> AsyncIterator[FakeGateway]:
    """A fake gateway on a free port."""
    async with FakeGateway() as fake:
        yield fake


@pytest.fixture
async def desk(tmp_path: Path, gateway: FakeGateway) -> AsyncIterator[Desk]:
    """A running service whose gateways are all the fake one."""
    async with desk_at(tmp_path / "state", gateway) as running:
        yield running
