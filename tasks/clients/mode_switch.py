"""The one switch (safety rule 12): a file under the state directory that every run reads before each action."""

from pathlib import Path

from tasks.clients.regular_file import read_regular
from tasks.clients.state_files import private_folder
from tasks.model.errors import CannotAct, Code
from tasks.model.modes import Mode, more_careful
from tasks.settings import RunbookSettings

FILE_NAME = "mode"


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
    path = settings.state_dir / FILE_NAME
    try:
        private_folder(path.parent)
        staged = path.with_name(f"{FILE_NAME}.new")
        staged.write_text(f"{mode}\n", "utf-8")
        staged.replace(path)
    except OSError as error:
        raise CannotAct(Code.SINK_UNWRITABLE, f"expected to write was {error.strerror} path={path}") from None


def _read(path: Path, default: Mode) -> Mode:
    try:
        text = read_regular(path, 100).decode("utf-8").strip()
    except FileNotFoundError:
        return default
    except (OSError, UnicodeDecodeError):
        return Mode.OBSERVE
    return Mode(text) if text in set(Mode) else Mode.OBSERVE
