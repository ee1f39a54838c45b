"""How far a step has come, in words for a person."""

from tasks.model.reports.progress import Progress, Unit

SIZES = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def progress_words(progress: Progress) -> str:
    """Write one line: what goes on, how much of it is done, of how much."""
    return f"{progress.step}: {_counted(progress)}"


def ended_words(progress: Progress, took_s: float, *, completed: bool) -> str:
    """Write the last line of a step that is over."""
    return f"{progress.step}: {'done' if completed else 'ended midway'} after {took_s:.0f} s"


def _counted(progress: Progress) -> str:
    match progress.unit:
        case Unit.BYTES:
            return _bytes_of(progress)
        case Unit.SECONDS:
            return f"{_whole_numbers(progress)} s"
        case Unit.CHECKS:
            return f"{_whole_numbers(progress)} checks"
        case Unit.PARTS:
            return f"{_whole_numbers(progress)} parts done"


def _whole_numbers(progress: Progress) -> str:
    if progress.of <= 0:
        return f"{progress.done:.0f}"
    # What the clock alone moves is a limit, and most steps end long before it.
    return f"{progress.done:.0f} of {'at most ' if progress.ticks else ''}{progress.of:.0f}"


def _bytes_of(progress: Progress) -> str:
    whole = max(progress.done, progress.of)
    unit, size = next(((unit, size) for unit, size in SIZES if whole >= size), ("bytes", 1.0))
    places = 0 if size == 1.0 else 1
    of = f" of {progress.of / size:.{places}f}" if progress.of > 0 else ""
    return f"{progress.done / size:.{places}f}{of} {unit}"
