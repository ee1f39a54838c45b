"""A change at several instances is in force where each of them shows it."""

from contextlib import AsyncExitStack

import pytest

from tasks.model.probes.orders import AssetClass
from tasks.settings import ServiceSettings
from tasks.work.remediation.control_effect import in_force
from tests.fakes.service.scripted import Asked, Script, replied, scripted


def telling(state: str) -> Script:
    """An instance whose routing says how equity stands; without a state it has no answer."""

    def script(asked: Asked) -> bytes:
        if asked.path == "/routing" and not state:
            return replied(503)
        return replied(200, {"status": "ok", "asset_classes": {"equity": {"trading_state": state}}})

    return script


@pytest.mark.parametrize(
    ("states", "shows"),
    [(("halted", "halted"), True), (("halted", "active"), False), (("halted", ""), False), (("", ""), None)],
)
async def test_one_instance_that_does_not_show_a_halt_is_enough_to_doubt_it(
    states: tuple[str, str], shows: bool | None
) -> None:
    """Behind the common address it may have reached one; one that hangs may come back without it."""
    async with AsyncExitStack() as stack:
        urls = [(await stack.enter_async_context(scripted(telling(state))))[0] for state in states]
        service = ServiceSettings.model_validate(
            {"base_url": urls[0], "base_urls": urls, "remediation": {"effect_wait_s": 0.2}}
        )
        seen = await in_force(
            service, lambda _, table: (one := table.route(AssetClass.EQUITY)) and one.trading_state == "halted"
        )

    assert seen is shows
