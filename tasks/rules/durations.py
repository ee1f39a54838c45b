"""Durations as a person writes and reads them."""

import re

_WRITTEN = re.compile(r"(?P<count>[0-9]{1,6})(?P<unit>[smhd])")
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def parse_duration_s(text: str) -> int | None:
    """Read 45s, 30m, 2h or 1d as seconds; None for anything else."""
    found = _WRITTEN.fullmatch(text.strip())
    return int(found["count"]) * _UNITS_S[found["unit"]] if found else None


def duration_text(seconds_s: float) -> str:
    """Write a duration for a person: seconds below two minutes, minutes below two hours, then hours."""
    if seconds_s < 120:
        return f"{max(0.0, seconds_s):.0f} s"
    if seconds_s < 7200:
        return f"{seconds_s / 60:.0f} min"
    return f"{seconds_s / 3600:.1f} h"
