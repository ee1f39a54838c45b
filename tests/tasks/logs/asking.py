"""What these tests ask of a scan."""

import os
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tasks.clients.logs.engine import HYPERSCAN_ERRORS, HyperscanEngine
from tasks.model.logs.findings import ScanQuestion

needs_hyperscan = pytest.mark.skipif(not HYPERSCAN_ERRORS, reason="hyperscan has no wheel for this platform")
NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)


@cache
def hyperscan_engine() -> HyperscanEngine:
    """Compile its patterns once for all tests of a process: each time takes a seventh of a second."""
    return HyperscanEngine()


def question(**changes: Any) -> ScanQuestion:
    """Ask with the clock at 17:00 UTC on 22 November 2026."""
    return ScanQuestion(**{"now": NOW, **changes})


def written(folder: Path, content: bytes) -> Path:
    """Write a file of its own."""
    path = folder / os.urandom(8).hex()
    path.write_bytes(content)
    return path
