"""Where an incident ledger lies, what is remembered of it, and what became of records that could not be appended."""

from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime

from tasks.model.incidents.incident import Fold
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


class Prefix(Value):
    """The first whole lines of a file, by their hash: over `chained_bytes` as a chain of blocks, and over all of it."""

    size_bytes: int = 0
    line_count: int = 0
    chained_bytes: int = 0
    chain: str = ""
    digest: str = ""


class Stamp(Value):
    """What the file system says of a file: as long as it says the same, nobody wrote."""

    device: int
    inode: int
    size_bytes: int
    modified_ns: int
    changed_ns: int


class Archiving(Value):
    """An archive that is being made: how long it was before, and the file that takes the ledger's place."""

    archive_bytes: int
    next: Prefix


class Memory(Value):
    """What a ledger was when it was last read: it is never shorter, and begins with the same lines."""

    version: Literal[1] = 1
    path: str
    prefix: Prefix
    stamp: Stamp | None = None
    snapshot: Prefix | None = None
    archiving: Archiving | None = None
    tidied_at: AwareDatetime | None = None


class FoldSnapshot(Value):
    """The fold of a ledger's first lines."""

    version: Literal[1] = 1
    prefix: Prefix
    fold: Fold
