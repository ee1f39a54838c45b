"""Where an incident ledger lies, and what became of records that could not be appended to it."""

from pathlib import Path

from tasks.model.values import Value


class LedgerPlace(Value):
    """A ledger, and the state directory in which the automation remembers what it was.

    Without a `state_dir` the file is somebody else's: it is read as it is, and nothing is remembered of it.
    """

    path: Path
    state_dir: Path | None = None


class Recorded(Value):
    """What became of records: appended; or kept beside the state until they can be; or neither. `detail` says why."""

    appended: bool
    kept: bool = False
    detail: str = ""
