"""Report whatever a check raises in the check's own row, as blind, so that the others go on."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from functools import partial
from typing import TypeVar

from tasks.model.errors import RunbookError
from tasks.model.logs.findings import LogCheck
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import (
    GatewayProbe,
    HealthProbe,
    MetricsProbe,
    OrderOutcome,
    OrderProbe,
    RoutingProbe,
    Seen,
)
from tasks.model.probes.processes import ProcessCheck, ProcessState
from tasks.rules.messages.redaction import without_secrets

WHY_CHARACTERS = 300

Look = TypeVar("Look")


async def or_blind(check: Awaitable[Look], blind: Callable[[str], Look]) -> Look:
    """Wait for one check; whatever it raises becomes its blind check.

    Errors: none. What broke is our own tool, which says nothing of the service, and nothing of the other checks.
    """
    try:
        return await check
    except Exception as error:  # noqa: BLE001 - the door of one check: it reports, and the others go on
        return blind(why(error))


def why(error: BaseException) -> str:
    """Say in one line why a check could not be made."""
    if isinstance(error, RunbookError):
        return without_secrets(str(error))[:WHY_CHARACTERS]
    if isinstance(error, TimeoutError):
        return "our own check did not end in its time"
    said = " ".join(without_secrets(str(error)).split())[:WHY_CHARACTERS]
    return f"our own check broke ({type(error).__name__}: {said})"


class BlindChecks:
    """The looks of an observation, each for the case that its check broke."""

    def __init__(
        self, looked_at: datetime, asset_classes: Iterable[AssetClass] = (), gateways: Iterable[str] = ()
    ) -> None:
        seen = {"seen": Seen.BLIND, "looked_at": looked_at}
        self._at, self._asset_classes, self._gateways = looked_at, tuple(asset_classes), tuple(gateways)
        self.health = partial(_made, HealthProbe, seen)
        self.metrics = partial(_made, MetricsProbe, seen)
        self.routing = partial(_made, RoutingProbe, seen)
        self.process = partial(_made, ProcessCheck, {"state": ProcessState.BLIND, "looked_at": looked_at})

    def order(self, asset_class: AssetClass, reason: str) -> OrderProbe:
        """A test order that could not be sent by us."""
        return OrderProbe(
            asset_class=asset_class,
            client_order_id="",
            outcome=OrderOutcome.BLIND,
            detail=f"could not check: {reason}",
            looked_at=self._at,
        )

    def orders(self, reason: str) -> tuple[OrderProbe, ...]:
        """No test order could be sent by us."""
        return tuple(self.order(name, reason) for name in self._asset_classes)

    def gateway(self, name: str, reason: str) -> GatewayProbe:
        """A gateway that could not be probed by us."""
        detail = f"could not check: {reason}"
        return GatewayProbe(gateway=name, seen=Seen.BLIND, detail=detail, looked_at=self._at)

    def gateways(self, reason: str) -> tuple[GatewayProbe, ...]:
        """No gateway could be probed by us."""
        return tuple(self.gateway(name, reason) for name in self._gateways)


def blind_logs(reason: str) -> LogCheck:
    """Logs that could not be read by us."""
    return LogCheck(blind=(reason,))


def _made(kind: Callable[..., Look], fields: dict[str, object], reason: str) -> Look:
    return kind(**fields, detail=f"could not check: {reason}")
