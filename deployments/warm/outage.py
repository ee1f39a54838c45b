"""Prefect away and back again: said once each, and no reason to stop."""

import logging
import time

Log = logging.Logger | logging.LoggerAdapter[logging.Logger]


class Outage:
    """Whether Prefect answers, as far as the worker knows."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._since_s: float | None = None

    def away(self, error: Exception) -> None:
        """Note that it did not answer."""
        if self._since_s is None:
            self._since_s = time.monotonic()
            self._log.warning(
                "Prefect does not answer; the worker goes on and asks again: %s", str(error) or type(error).__name__
            )

    def back(self) -> None:
        """Note that it answered."""
        if self._since_s is not None:
            self._log.warning("Prefect answers again, after %.0f s.", time.monotonic() - self._since_s)
            self._since_s = None
