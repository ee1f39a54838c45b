"""How stored runs that were decided again are laid out: a row for each run that differs, then the sums."""

from collections.abc import Iterable, Iterator

from rich.text import Text

from deployments.views.terminal import BAD, BOLD, DIM, GOOD, UNSURE, line
from tasks.model.evidence.stored_run import PlanReplay
from tasks.rules.formats.time import utc_text

PARTS = ("causes", "plan", "actions")
NOTHING = "nothing"


def replay_lines(replays: Iterable[PlanReplay], unseen: tuple[str, ...]) -> list[Text]:
    """Lay all out; what is the same in both is counted, and not shown."""
    found = tuple(replays)
    rows = [row for one in found for row in (_run_lines(one) if not one.same or one.unreadable else ())]
    notes: dict[str, int] = {}
    for one in found:
        notes |= {note: notes.get(note, 0) + 1 for note in one.not_compared}
    left_out = [line((f"not compared in {count} runs, {note}", UNSURE)) for note, count in notes.items()]
    left_out += [line((f"not compared: {name} differs, and no stored run shows what that changes", UNSURE))
             for name in unseen]  # fmt: skip
    return [*rows, *left_out, _total(found)]


def _run_lines(one: PlanReplay) -> Iterator[Text]:
    at = utc_text(one.looked_at)[:19] + "Z" if one.looked_at else one.file
    if one.unreadable:
        yield line((f"{at}  {one.service}  ", BOLD), ("could not be read", UNSURE), f": {one.unreadable}")
        return
    yield line((f"{at}  {one.service}", BOLD))
    for part in PARTS:
        before, after = getattr(one.before, part), getattr(one.after, part)
        if before != after:
            yield line((f"  {part:8}", DIM), f"{_words(before)}  ->  {_words(after)}")


def _words(words: tuple[str, ...]) -> str:
    return "; ".join(words) or NOTHING


def _total(found: tuple[PlanReplay, ...]) -> Text:
    if not found:
        return line("No stored runs: each unhealthy run leaves one, for 14 days.")
    changed = sum(not one.same for one in found)
    unreadable = sum(bool(one.unreadable) for one in found)
    style = BAD if changed else UNSURE if unreadable else GOOD
    return line((f"{len(found)} stored runs replayed: {changed} differ, {unreadable} could not be read", style))
