"""Where progress is shown, for tests: kept with its times, or never taken."""

import asyncio
import time


class Kept:
    """Keep all that is shown, and when."""

    def __init__(self) -> None:
        self.shown: list[tuple[float, str]] = []
        self.times_s: list[float] = []
        self.is_closed = False

    async def show(self, ratio: float, words: str) -> None:
        """Keep it."""
        self.shown.append((ratio, words))
        self.times_s.append(time.monotonic())

    async def close(self) -> None:
        """Note that it is over."""
        self.is_closed = True


class NeverTaken(Kept):
    """A server that takes a connection and never answers."""

    async def show(self, ratio: float, words: str) -> None:
        """Wait for ever."""
        await super().show(ratio, words)
        await asyncio.Event().wait()


class Broken(Kept):
    """A way that breaks in a manner that nobody thought of."""

    async def show(self, ratio: float, words: str) -> None:
        """Break."""
        await super().show(ratio, words)
        raise RuntimeError("the client has been closed")
