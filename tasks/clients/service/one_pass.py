"""One pass of checks at one service: what is awaited within it shares one client and one answer of `GET /health`."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar

from tasks.clients.service.http import HttpClient, http_client
from tasks.model.probes.probes import HealthProbe, MetricsProbe
from tasks.model.service.http_settings import HttpSettings
from tasks.settings import ServiceSettings


class OnePass:
    """What the checks of one pass share; each is made when the first of them needs it."""

    def __init__(self) -> None:
        self.stack = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._clients: list[tuple[HttpSettings, HttpClient]] = []
        self._health: asyncio.Future[HealthProbe] | None = None
        self._metrics: asyncio.Future[MetricsProbe] | None = None

    async def client(self, http: HttpSettings, connect_timeout_s: float) -> HttpClient:
        """Give the client for calls that are made in the same way: no credentials go to anybody else."""
        async with self._opening:
            known = next((client for made_as, client in self._clients if made_as == http), None)
            if known is None:
                known = await self.stack.enter_async_context(http_client(http, connect_timeout_s))
                self._clients.append((http, known))
        return known

    async def health(self, ask: Callable[[], Awaitable[HealthProbe]]) -> HealthProbe:
        """Ask, or wait for the answer that another check has asked for; who is canceled takes it from nobody else."""
        if self._health is None:
            self._health = asyncio.ensure_future(ask())
            self.stack.callback(self._health.cancel)
        return await asyncio.shield(self._health)

    async def metrics(self, ask: Callable[[], Awaitable[MetricsProbe]]) -> MetricsProbe:
        """Read the metrics, or wait for whom another check has asked: they may also say how the process is."""
        if self._metrics is None:
            self._metrics = asyncio.ensure_future(ask())
            self.stack.callback(self._metrics.cancel)
        return await asyncio.shield(self._metrics)


_UNDER_WAY: ContextVar[OnePass | None] = ContextVar("one_pass", default=None)


@asynccontextmanager
async def one_pass() -> AsyncIterator[None]:
    """Let the checks that are awaited within share what they can."""
    current = OnePass()
    token = _UNDER_WAY.set(current)
    try:
        async with current.stack:
            yield
    finally:
        _UNDER_WAY.reset(token)


def pass_under_way() -> OnePass | None:
    """Give the pass that this check belongs to; None for a check alone."""
    return _UNDER_WAY.get()


@asynccontextmanager
async def service_client(service: ServiceSettings, http: HttpSettings | None = None) -> AsyncIterator[HttpClient]:
    """Give the client of the pass that is under way, or open one for a check alone.

    `http` is how a gateway of the service is asked, which is never shown the service's own credentials.
    """
    current, asked_as = pass_under_way(), service.http if http is None else http
    if current is not None:
        yield await current.client(asked_as, service.look.connect_timeout_s)
        return
    async with http_client(asked_as, service.look.connect_timeout_s) as client:
        yield client
