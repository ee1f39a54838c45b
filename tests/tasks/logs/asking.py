"""What these tests ask of a scan."""

from datetime import UTC, datetime
from typing import Any

from tasks.model.log_findings import ScanQuestion

NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)


def question(**changes: Any) -> ScanQuestion:
    """Ask with the clock at 17:00 UTC on 22 November 2026."""
    return ScanQuestion(**{"now": NOW, **changes})
