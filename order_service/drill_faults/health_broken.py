"""`/health` says error with 503, while orders fill."""

from collections.abc import Callable
from typing import Any

from order_service.drill_faults.switch import Switch, wrap
from order_service.health_report import HealthReport

Verdict = Callable[[HealthReport, Any], tuple[str, str | None]]


def install(switch: Switch) -> None:
    """Break the verdict of the health report."""

    def around(verdict: Verdict) -> Verdict:
        def gives(report: HealthReport, dependencies: Any) -> tuple[str, str | None]:
            return ("error", "the health check itself failed") if switch.on else verdict(report, dependencies)

        return gives

    wrap(HealthReport, "_verdict", around)
