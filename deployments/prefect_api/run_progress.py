"""Show how far a flow run has come, on a terminal: what its progress artifacts say, else how long it has been going."""

import time
from typing import Any

from deployments.prefect_api.client import PrefectDoor
from deployments.views.bars import Bar

ASK_EVERY_S = 1.0
NEWEST_COUNT = 10
DONE_PERCENT = 100


class RunProgress:
    """One run that is followed. Units: the server is asked once a second, and only where somebody looks."""

    def __init__(self, door: PrefectDoor, run_id: str, bar: Bar, about: str = "") -> None:
        self._door = door
        self._run_id = run_id
        self._bar = bar
        self._about = about
        self._began_s = time.monotonic()
        self._asked_s = self._began_s
        self._found: tuple[str, float] | None = None

    def show(self, state: str) -> None:
        """Show the step that is under way, or the state of the run where no step takes long."""
        if not self._bar.is_shown:
            return
        now_s = time.monotonic()
        if now_s - self._asked_s >= ASK_EVERY_S:
            self._asked_s = now_s
            self._found = latest_progress(self._door, self._run_id)
        words, ratio = self._found or (f"{state}, {now_s - self._began_s:.0f} s", None)
        self._bar.show(f"{self._about}{words}", ratio)


def latest_progress(door: PrefectDoor, run_id: str) -> tuple[str, float] | None:
    """Find what the step under way says of itself, in a run or in those that it has begun; None where none is long.

    Units: from 0 to 1.
    """
    question = {
        "flow_runs": {"operator": "or_", "id": {"any_": [run_id]}, "parent_flow_run_id": {"any_": [run_id]}},
        "artifacts": {"type": {"any_": ["progress"]}},
        "sort": "UPDATED_DESC",
        "limit": NEWEST_COUNT,
    }
    found: Any = door.ask("/artifacts/filter", question)
    under_way = [one for one in found if one["data"] < DONE_PERCENT] if isinstance(found, list) else []
    return (str(under_way[0]["description"]), under_way[0]["data"] / DONE_PERCENT) if under_way else None
