"""The note of the drill that is under way, on disk before anything is broken, and the scores of those that are over."""

from pathlib import Path

from pydantic import ValidationError

from tasks.clients.files.atomic import one_writer, read_whole, unreadable, write_whole
from tasks.model.drills.drills import DrillContext, DrillScore
from tasks.model.errors import Code, RunbookError
from tasks.settings import RunbookSettings

FOLDER = "drills"
UNDER_WAY = "under-way.json"


def begin(settings: RunbookSettings, context: DrillContext) -> None:
    """Note a drill before it breaks anything.

    Errors: `DRILL_UNDER_WAY` where one is, or one was cut off before it was undone; `SINK_UNWRITABLE`.
    """
    with one_writer(settings.state_dir, FOLDER):
        other = under_way(settings)
        if other is not None:
            detail = (
                f"expected no drill under way, found {other.drill} of {other.opened_at:%H:%M:%S}Z; wait, or "
                "`runbook drill heal`"
            )
            raise RunbookError(Code.DRILL_UNDER_WAY, detail)
        _keep(settings, context)


def note(settings: RunbookSettings, context: DrillContext) -> DrillContext:
    """Note how far a drill has come.

    Errors: `SINK_UNWRITABLE`.
    """
    with one_writer(settings.state_dir, FOLDER):
        _keep(settings, context)
    return context


def end(settings: RunbookSettings, context: DrillContext) -> None:
    """Forget a drill that is undone; the note of another one stays."""
    with one_writer(settings.state_dir, FOLDER):
        found = under_way(settings)
        if found is not None and found.run_id == context.run_id:
            _path(settings, UNDER_WAY).unlink(missing_ok=True)


def under_way(settings: RunbookSettings) -> DrillContext | None:
    """Read the drill that is under way, or was cut off.

    Errors: `FILE_UNREADABLE`.
    """
    path = _path(settings, UNDER_WAY)
    content = read_whole(path)
    try:
        return DrillContext.model_validate_json(content) if content is not None else None
    except ValidationError:
        raise unreadable(path, "no note of a drill") from None


def keep_score(settings: RunbookSettings, score: DrillScore) -> None:
    """Keep the score of a drill.

    Errors: `SINK_UNWRITABLE`.
    """
    content = score.model_dump_json(indent=2).encode() + b"\n"
    write_whole(_path(settings, f"{score.run_id}.json"), content)


def score_of_run(settings: RunbookSettings, run_id: str) -> DrillScore | None:
    """Read the score of one run; None where it came to none.

    Errors: `FILE_UNREADABLE`.
    """
    path = _path(settings, f"{run_id}.json")
    content = read_whole(path)
    try:
        return DrillScore.model_validate_json(content) if content is not None else None
    except ValidationError:
        raise unreadable(path, "no score of a drill") from None


def _keep(settings: RunbookSettings, context: DrillContext) -> None:
    write_whole(_path(settings, UNDER_WAY), context.model_dump_json(indent=2).encode() + b"\n")


def _path(settings: RunbookSettings, name: str) -> Path:
    return settings.state_dir / FOLDER / name
