"""The fork server in use and those on their way out: started, replaced when code changes, never trusted stale."""

import asyncio
import os
import time
from collections.abc import Callable, Iterable

from deployments.warm.forking import ForkServerClient
from deployments.warm.listening import Log

# Each run looks for changed code itself; this look only spares it the wait for the import.
KEEP_EVERY_S = 5.0
# The slowest import that runs wait for; after that each gets a process of its own until one has succeeded.
PATIENCE_S = 30.0
# A fork server that died or could not import is tried again after this, doubled each time up to the longest.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
# What was loaded ahead (calendars of this year) grows old.
OLD_AFTER_S = 7 * 86_400.0
CAN_FORK = hasattr(os, "fork") and hasattr(os, "setsid")
ServerMaker = Callable[[list[str], dict[str, str]], ForkServerClient]


class ForkServers:
    """The one fork server that runs are forked from, and its succession."""

    def __init__(
        self,
        modules: Iterable[str],
        environment: Callable[[], dict[str, str]],
        log: Log,
        make: ServerMaker = ForkServerClient,
    ) -> None:
        self._modules = list(dict.fromkeys(modules))
        self._known_count = len(self._modules)
        self._excluded: set[str] = set()
        self._environment = environment
        self._log = log
        self._make = make
        self._current: ForkServerClient | None = None
        self._retired: list[ForkServerClient] = []
        self._changing = asyncio.Lock()
        self._pause_s = FIRST_PAUSE_S

    async def start(self) -> None:
        """Start the first one, where the platform can fork."""
        if CAN_FORK:
            await self._replace("the worker starts")

    async def usable(self, entrypoint: str) -> ForkServerClient | None:
        """Give a fork server whose code is what is on disk now, or None: then the run gets a process of its own.

        Steps:
            1. wait while it imports
            2. code that has changed since is never run: a new one is started, and waited for
            3. a flow that it has not imported is imported by the run itself, and known from the next one on
        """
        if self._current is None:
            return None
        await self._settle()
        await self._refresh()
        await self._revive()
        await self._settle()
        self._learn(entrypoint.rpartition(".")[0])
        return self._current if self._current.ready else None

    async def _settle(self) -> None:
        """Wait for the one in use, but for no longer than an import may take since it began."""
        if self._current is not None:
            await self._current.settle(max(0.0, self._current.started_at_s + PATIENCE_S - time.monotonic()))

    async def reload(self, reason: str) -> None:
        """Replace it now: new runs are forked from the new one, runs under way end in peace."""
        if CAN_FORK:
            async with self._changing:
                await self._replace(reason)

    async def keep(self) -> None:
        while True:
            await asyncio.sleep(KEEP_EVERY_S)
            await self._refresh()
            await self._revive()
            self._retired = [one for one in self._retired if not one.gone]

    async def close(self) -> None:
        """End all; what they have forked goes on."""
        async with self._changing:
            for one in (*self._retired, *([self._current] if self._current else [])):
                await one.close()
            self._current, self._retired = None, []

    async def _refresh(self) -> None:
        async with self._changing:
            current = self._current
            if current is None or current.ready is None:
                return
            if (path := current.stale()) is not None:
                await self._replace(f"{path} has changed")
            elif time.monotonic() - current.started_at_s > OLD_AFTER_S:
                await self._replace("what it has loaded grows old")
            elif set(self._wanted()) - set(current.modules):
                await self._replace("there is a flow that it has not imported")
            else:
                self._pause_s = FIRST_PAUSE_S

    async def _revive(self) -> None:
        """Follow one that is gone, that must not fork, or that never comes to the end of its imports."""
        async with self._changing:
            current = self._current
            if current is None or current.ready is not None:
                return
            age_s = time.monotonic() - current.started_at_s
            if not current.gone:
                if age_s < PATIENCE_S:
                    return
                await current.close()
                self._exclude(self._modules[self._known_count :], "importing one of the flows takes too long")
            elif current.unready is not None and current.unready.module in self._wanted():
                self._exclude([current.unready.module], current.unready.reason)
            elif age_s < self._pause_s:
                return
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
            await self._replace("the last one is gone")

    def _exclude(self, modules: list[str], reason: str) -> None:
        self._excluded.update(modules)
        self._log.warning("Not imported ahead any more: %s: %s", ", ".join(modules) or "nothing", reason)

    async def _replace(self, reason: str) -> None:
        if self._current is not None:
            self._current.retire()
            self._retired.append(self._current)
        self._log.info("Starting a fork server: %s", reason)
        self._current = self._make(self._wanted(), self._environment())
        await self._current.start()

    def _wanted(self) -> list[str]:
        return [name for name in self._modules if name not in self._excluded]

    def _learn(self, module: str) -> None:
        if module and module not in self._modules:
            self._modules.append(module)
