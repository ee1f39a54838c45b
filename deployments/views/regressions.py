"""Past incidents replayed, for a person: one line each, and where the rules of now say something else."""

from collections.abc import Iterable

from rich.text import Text

from deployments.views.terminal import BAD, BOLD, DIM, GOOD, UNSURE, line
from tasks.model.regressions import RegressionReplay
from tasks.rules.regressions import cause_words


def regression_lines(replays: list[RegressionReplay]) -> list[Text]:
    """Tell each fixture, the sum last."""
    if not replays:
        return [line("No regression fixtures yet; each incident that is over leaves one.")]
    changed = sum(bool(one.differences) for one in replays)
    unreadable = sum(bool(one.unreadable) for one in replays)
    style = BAD if changed else UNSURE if unreadable else GOOD
    total = f"{len(replays)} past incidents replayed: {changed} changed, {unreadable} could not be read"
    return [*(row for one in replays for row in _rows(one)), line((total, f"bold {style}" if style == BAD else style))]


def _rows(replay: RegressionReplay) -> Iterable[Text]:
    if replay.unreadable:
        yield line((replay.incident_id, BOLD), ": ", ("could not be read", UNSURE), f", {replay.unreadable}")
        return
    if replay.same:
        yield line((replay.incident_id, BOLD), ": ", ("as expected", GOOD), f", {cause_words(replay.expected)}")
        return
    yield line(
        (replay.incident_id, BOLD), ": ", ("CAUSE CHANGED", BAD),
        f", expected {cause_words(replay.expected)}, now {cause_words(replay.named)}",
    )  # fmt: skip
    for one in replay.differences:
        yield line("  ", (one.place, BOLD), "  expected ", (one.then, DIM), "  now ", one.now)
