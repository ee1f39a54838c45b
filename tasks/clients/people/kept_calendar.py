"""What was read of a calendar, kept on disk: pages and triages read this, and never wait for the calendar itself."""

from pathlib import Path

from pydantic import ValidationError

from tasks.clients.files.atomic import one_writer, read_whole, write_whole
from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.errors import RunbookError
from tasks.model.people.rota import KeptCalendar
from tasks.settings import RunbookSettings

FOLDER = "on-call"


def read_kept(settings: RunbookSettings, tier: Audience) -> KeptCalendar | None:
    """Read what is kept of a tier's calendar; None where nothing is, or what is there cannot be read."""
    try:
        content = read_whole(_path(settings, tier))
        return KeptCalendar.model_validate_json(content) if content else None
    except (RunbookError, ValidationError):
        return None


def keep(settings: RunbookSettings, tier: Audience, kept: KeptCalendar) -> None:
    """Keep what was read.

    Errors: `SINK_UNWRITABLE`.
    """
    with one_writer(settings.state_dir, FOLDER):
        write_whole(_path(settings, tier), kept.model_dump_json().encode(), durable=False)


def _path(settings: RunbookSettings, tier: Audience) -> Path:
    return settings.state_dir / FOLDER / f"{tier}.json"
