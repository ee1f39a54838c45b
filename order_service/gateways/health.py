"""Whether each gateway answers its health probe, probed once a second and shown from memory."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import aiohttp

from order_service.gateways.connection import why_no_connection
from order_service.routing.table import GatewayRules

DOWN_AFTER = 2
UP_AFTER = 2


@dataclass(slots=True)
class GatewayVitals:
    """What the last probes of one gateway saw.

    Units: milliseconds. While a probe is running longer than the last one took, its age is the latency.
    """

    up: bool | None = None
    latency_ms: float | None = None
    error: str | None = None
    changed: bool = False
    _streak: int = 0
    _probing_since: float | None = field(default=None, repr=False)

    def begin(self, now_s: float) -> None:
        self._probing_since = now_s

    def seen_latency_ms(self, now_s: float) -> float | None:
        if self._probing_since is None:
            return self.latency_ms
        running_ms = (now_s - self._probing_since) * 1000
        return max(running_ms, self.latency_ms or 0.0) if running_ms > 250 else self.latency_ms

    def took(self, latency_ms: float | None, error: str | None) -> bool:
        """Take one probe's result; say whether the gateway's state changed.

        One result against the state changes nothing, two in a row do; the first result of all counts at once.
        """
        self._probing_since = None
        self.latency_ms, self.error = latency_ms, error
        passed = error is None
        if passed is self.up:
            self._streak = 0
            return False
        self._streak += 1
        if self.up is not None and self._streak < (UP_AFTER if passed else DOWN_AFTER):
            return False
        changed = self.up is not None or not passed
        self.up, self._streak = passed, 0
        return changed


class GatewayHealth:
    """Probe each gateway on a connection of its own each time, since a kept one says nothing of new connects."""

    def __init__(
        self,
        addresses: Mapping[str, str],
        rules_of: Callable[[str], GatewayRules | None],
        on_change: Callable[[str, GatewayVitals], None],
        every_s: float,
    ) -> None:
        self._addresses = addresses
        self._rules_of = rules_of
        self._on_change = on_change
        self._every_s = every_s
        self._session: aiohttp.ClientSession | None = None
        self.vitals: dict[str, GatewayVitals] = {name: GatewayVitals() for name in addresses}

    async def run(self) -> None:
        """Probe all gateways until canceled, each at its own pace."""
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(force_close=True), cookie_jar=aiohttp.DummyCookieJar()
            ) as session,
            asyncio.TaskGroup() as group,
        ):
            for name in self._addresses:
                group.create_task(self._watch(session, name))

    async def first_probes(self, deadline_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(deadline_s):
                while any(vitals.up is None for vitals in self.vitals.values()):  # noqa: ASYNC110 - once, at start
                    await asyncio.sleep(0.01)

    def latency_ms(self, name: str) -> float | None:
        latency = self.vitals[name].seen_latency_ms(time.monotonic())
        return None if latency is None else round(latency, 3)

    async def _watch(self, session: aiohttp.ClientSession, name: str) -> None:
        while True:
            started = time.monotonic()
            await self._probe(session, name)
            await asyncio.sleep(max(0.0, self._every_s - (time.monotonic() - started)))

    async def _probe(self, session: aiohttp.ClientSession, name: str) -> None:
        vitals = self.vitals[name]
        rules = self._rules_of(name)
        started = time.monotonic()
        vitals.begin(started)
        error = await _ask(session, f"{self._addresses[name]}/health", rules)
        latency_ms = None if error else (time.monotonic() - started) * 1000
        if vitals.took(latency_ms, error):
            self._on_change(name, vitals)


async def _ask(session: aiohttp.ClientSession, url: str, rules: GatewayRules | None) -> str | None:
    total_s = rules.probe_timeout_s if rules is not None else 4.0
    connect_s = rules.connect_timeout_s if rules is not None else 1.0
    timeout = aiohttp.ClientTimeout(total=total_s, sock_connect=connect_s)
    try:
        async with session.get(url, timeout=timeout, allow_redirects=False) as response:
            # Who asks for a login, has no such path or is asked too often is there: orders show the rest.
            return f"health answered {response.status}" if response.status >= 500 else None
    except TimeoutError as error:
        return "no connection in time" if isinstance(error, aiohttp.ConnectionTimeoutError) else "no answer in time"
    except aiohttp.ClientConnectorError as error:
        return why_no_connection(error)
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return f"broke off; {type(error).__name__}"
