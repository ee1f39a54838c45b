"""What an incident cost, as far as anybody measured it. What was not measured is None, which is not zero."""

from tasks.model.values import Value


class DownTime(Value):
    """How long something failed: triages are a minute apart, so the truth lies between the two. Units: seconds."""

    at_least_s: float
    at_most_s: float
    checked_count: int
    bad_count: int


class ClassImpact(Value):
    """One asset class; `down` is None where it was not checked. `paused_s`: how long it was halted or reduced."""

    asset_class: str
    down: DownTime | None = None
    paused_s: float | None = None
    orders: dict[str, int] | None = None


class Impact(Value):
    """All of it.

    `is_whole` says that the counters were read without a gap and without a new process; else the counts are a least.
    Units: `mean_ms` the mean time of one order in the worst stretch, `usual_ms` in the hour before; `extra_s` the time
    that all orders together took longer than usual.
    """

    classes: tuple[ClassImpact, ...] = ()
    is_counted: bool = False
    is_whole: bool = False
    counted_from: str = ""
    counted_to: str = ""
    own_orders_count: int = 0
    unknown_most_count: int | None = None
    unknown_last_count: int | None = None
    mean_ms: float | None = None
    usual_ms: float | None = None
    extra_s: float | None = None
