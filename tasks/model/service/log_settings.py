"""Where a service's logs lie, and how their times are read."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from tasks.model.setting_types import Table, TimeZone

FilePattern = Annotated[str, Field(min_length=1, pattern=r"^[^\x00]+$")]
UnitName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9:_.@*\\-]{0,254}$")]


class LogSettings(Table):
    """Logs as they lie on the host: files by patterns, and units of the journal."""

    files: tuple[FilePattern, ...] = ()
    journal_units: tuple[UnitName, ...] = ()
    time_zone: TimeZone = "UTC"
    fix_messages: tuple[FilePattern, ...] = ()

    def described(self, log_files: tuple[Path, ...]) -> bool:
        """Say whether there is any log to read."""
        return bool(log_files or self.files or self.journal_units or self.fix_messages)
