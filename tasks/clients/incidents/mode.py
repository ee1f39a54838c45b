"""The one switch (safety rule 12): a file under the state directory that every run reads before each action."""

from pathlib import Path

from tasks.clients.files.atomic import write_whole
from tasks.clients.files.regular_file import read_regular
from tasks.model.incidents.modes import Mode, more_careful
from tasks.settings import RunbookSettings

FILE_NAME = "mode"
READ_LIMIT_BYTES = 4096


def current_mode(settings: RunbookSettings, wanted: Mode | None = None) -> Mode:
    """Read the switch: the file if there is one, else the setting; a run may ask for less, never for more.

    Errors: none; a switch that cannot be read says observe, the most careful mode.
    """
    switch = _read(settings.state_dir / FILE_NAME, settings.mode)
    return more_careful(switch, wanted) if wanted else switch


def set_mode(settings: RunbookSettings, mode: Mode) -> None:
    """Set the switch for every run from now on.

    Errors: `SINK_UNWRITABLE` when the state directory cannot be written.
    """
    write_whole(settings.state_dir / FILE_NAME, f"{mode}\n".encode())


def _read(path: Path, default: Mode) -> Mode:
    try:
        text = read_regular(path, READ_LIMIT_BYTES).decode("utf-8").strip()
    except FileNotFoundError:
        return default
    except (OSError, UnicodeDecodeError):
        return Mode.OBSERVE
    return Mode(text) if text in set(Mode) else Mode.OBSERVE
