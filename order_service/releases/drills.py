"""The faults that a drill release can be built with, by name. Their code is in no other release."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from order_service.releases.errors import ReleaseCode, ReleaseError

FOLDER = "drill_faults"
FAULTS = MappingProxyType(
    {
        "order_errors": "30 % of the orders end in a 500 before they are sent",
        "slow_orders": "every order takes five times as long, 50 ms longer at least",
        "orders_hang": "POST /orders is never answered, everything else is well",
        "health_broken": "/health says error with 503, while orders fill",
        "crash_at_start": "ends with a traceback before it listens",
        "crash_loop": "ends five seconds after each start",
        "feature_breaks_crypto": "brings the feature crypto_price_guard, which breaks crypto orders while it is on",
        "memory_leak": "takes 8 MiB more each second, up to 1 GiB",
        "cpu_spin": "its event loop spins from five seconds after the start",
        "blocked_loop": "its event loop stands still for five seconds, once",
    }
)
# It cannot wait for a signal, since it never listens for one.
AT_START_ONLY = frozenset({"crash_at_start"})
_MAIN = '''"""A drill release, ill on purpose: {summary}. Never for real orders."""

import sys

from order_service.{folder}.run import main

if __name__ == "__main__":
    sys.exit(main("{name}", on_signal={on_signal}))
'''


@dataclass(frozen=True, slots=True)
class Drill:
    """Name the fault of a drill release, and whether it waits for SIGUSR2 instead of coming by itself."""

    fault: str
    on_signal: bool = False

    def document(self) -> dict[str, object]:
        """Show it as the manifest does."""
        return {"fault": self.fault, "on_signal": self.on_signal}


def make_ill(package: Path, source: Path, drill: Drill) -> None:
    """Put a fault into a copy of the package.

    Errors: ReleaseError when the source holds no faults: a release that was built holds none.
    """
    if not (source / FOLDER / f"{drill.fault}.py").is_file():
        raise ReleaseError(
            ReleaseCode.SOURCE_INVALID,
            f"expected the fault {drill.fault} in {source / FOLDER}, was none; build drill releases from a checkout",
        )
    shutil.copytree(source / FOLDER, package / FOLDER, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    main = _MAIN.format(summary=FAULTS[drill.fault], folder=FOLDER, name=drill.fault, on_signal=drill.on_signal)
    (package / "__main__.py").write_text(main, encoding="utf-8")
