"""Lengths of time as Prometheus counts them: cumulative buckets and a sum."""

from collections.abc import Sequence

BUCKETS_S = (5, 15, 30, 60, 120, 300, 600, 1800, 3600, 14_400, 86_400)


class Durations:
    """Count lengths of time. Units: seconds."""

    def __init__(self) -> None:
        self._counts = [0] * len(BUCKETS_S)
        self.count = 0
        self.sum_s = 0.0

    def add(self, seconds_s: float) -> None:
        """Count one; clocks of two hosts may disagree, and time never runs backwards."""
        measured_s = max(0.0, seconds_s)
        self.count += 1
        self.sum_s += measured_s
        for place, bound_s in enumerate(BUCKETS_S):
            self._counts[place] += measured_s <= bound_s

    @property
    def buckets(self) -> Sequence[tuple[str, float]]:
        """The buckets as an exposition holds them."""
        bounded = zip(map(str, BUCKETS_S), self._counts, strict=True)
        return [*((bound, float(count)) for bound, count in bounded), ("+Inf", float(self.count))]
