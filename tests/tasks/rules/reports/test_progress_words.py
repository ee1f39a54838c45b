"""How far a step has come, as a person reads it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model.reports.progress import LongStep, Progress, Unit
from tasks.rules.drills.game_day import PARTS, drill_part
from tasks.rules.reports.progress import ended_words, progress_words

READ = LongStep.READ_LOGS


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (Progress(step=LongStep.START, done=4.2, of=20, ticks=True), "answer: 4 of at most 20 s"),
        (Progress(step=LongStep.STAYS_HEALTHY, done=12.4, of=30), "stays so: 12 of 30 s"),
        (Progress(step=LongStep.CONFIRM_FAILURE, done=2, of=3, unit=Unit.CHECKS), "any action: 2 of 3 checks"),
        (Progress(step=READ, done=1.25e9, of=3.4e9, unit=Unit.BYTES), "reading logs: 1.2 of 3.4 GB"),
        (Progress(step=READ, done=5e5, of=3.4e9, unit=Unit.BYTES), "reading logs: 0.0 of 3.4 GB"),
        (Progress(step=READ, done=1.25e6, unit=Unit.BYTES), "reading logs: 1.2 MB"),
        (Progress(step=READ, done=12, of=40, unit=Unit.BYTES), "reading logs: 12 of 40 bytes"),
        (drill_part(LongStep.DRILL_UNDO), "broken: 2 of 5 parts done"),
    ],
)
def test_each_kind_of_progress_is_told_in_its_own_unit(progress: Progress, words: str) -> None:
    """What only the clock moves is a limit, and says so: most steps end long before it."""
    assert progress_words(progress).endswith(words)


def test_the_end_says_whether_it_is_one() -> None:
    """Cut off midway is not done."""
    progress = Progress(step=LongStep.START, done=4, of=20)

    assert ended_words(progress, 7.2, completed=True).endswith("done after 7 s")
    assert ended_words(progress, 7.2, completed=False).endswith("ended midway after 7 s")


@given(done=st.floats(0, 1e12), of=st.floats(0, 1e12), elapsed_s=st.floats(0, 1e6), ticks=st.booleans())
def test_a_ratio_is_always_one(done: float, of: float, elapsed_s: float, ticks: bool) -> None:
    """A log that grows while it is read, a clock that goes on: the bar never leaves its place."""
    ratio = Progress(step=READ, done=done, of=of, ticks=ticks).after(elapsed_s).ratio

    assert ratio is None if of == 0 else 0.0 <= (ratio or 0.0) <= 1.0


def test_time_counts_only_where_time_is_counted() -> None:
    """Looks do not happen because a second has passed."""
    looks = Progress(step=LongStep.CONFIRM_FAILURE, done=1, of=3, unit=Unit.CHECKS)

    assert looks.after(60) == looks
    assert Progress(step=LongStep.APPROVAL, of=300, ticks=True).after(60).ratio == 0.2


def test_the_parts_of_a_drill_go_up() -> None:
    """A bar that goes back tells nothing."""
    ratios = [drill_part(one).ratio or 0.0 for one in PARTS]

    assert ratios == sorted(set(ratios))
