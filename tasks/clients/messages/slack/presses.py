"""The presses that were taken, in a file: what Slack sends again, and what is pressed twice, is done once."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from tasks.clients.files.atomic import write_whole
from tasks.clients.files.file_lock import file_locked
from tasks.clients.files.regular_file import read_regular
from tasks.model.errors import RunbookError
from tasks.model.messages.slack_press import Press
from tasks.rules.formats.time import parse_time

FILE_NAME = "slack-presses.json"
READ_LIMIT_BYTES = 1_000_000
LOCK_TIMEOUT_S = 2.0
# Slack sends what it got no receipt for again for some minutes.
KEPT_FOR = timedelta(hours=1)
TWICE_WITHIN = timedelta(seconds=30)


def is_first(state_dir: Path, press: Press, now: datetime) -> bool:
    """Say whether a press is new, and remember it before anything follows from it.

    Errors: none; where nothing can be remembered a press counts, since every answer is bound to its plan, and a pause
    that is done twice changes nothing.
    """
    try:
        with _remembered(state_dir, now) as known:
            again = press.press_id in known or now - known.get(press.what, now - KEPT_FOR) < TWICE_WITHIN
            if not again:
                known |= {press.press_id: now, press.what: now}
    except (OSError, RunbookError):
        return True
    return not again


def forget(state_dir: Path, press: Press, now: datetime) -> None:
    """Let a press that was refused be pressed again at once; sent again by Slack it still counts as taken."""
    with suppress(OSError, RunbookError), _remembered(state_dir, now) as known:
        known.pop(press.what, None)


@contextmanager
def _remembered(state_dir: Path, now: datetime) -> Iterator[dict[str, datetime]]:
    state_dir.mkdir(parents=True, exist_ok=True)
    path = state_dir / FILE_NAME
    with file_locked(path, LOCK_TIMEOUT_S):
        known = {name: at for name, at in _known(path).items() if now - KEPT_FOR < at <= now}
        yield known
        write_whole(path, orjson.dumps({name: at.isoformat() for name, at in known.items() if name}))


def _known(path: Path) -> dict[str, datetime]:
    try:
        found = orjson.loads(read_regular(path, READ_LIMIT_BYTES))
    except (OSError, ValueError):
        return {}
    times = {name: parse_time(at) for name, at in found.items()} if isinstance(found, dict) else {}
    return {name: at.astimezone(UTC) for name, at in times.items() if at is not None}
