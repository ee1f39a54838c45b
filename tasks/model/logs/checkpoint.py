"""Where a log stands between two scans: how far it read, by which marks it knows the file, what it saw."""

from pydantic import AwareDatetime, Field

from tasks.model.values import Value


class FileMark(Value):
    """How a file is known again: its number on its device, its first bytes, and the bytes before the place read to.

    The hashes are hexadecimal SHA-256 over `head_bytes` and `tail_bytes`; the tail ends at `read_to`.
    """

    device: int = 0
    inode: int = 0
    head_bytes: int = 0
    head_hash: str = ""
    tail_bytes: int = 0
    tail_hash: str = ""
    written_ns: int = 0
    read_to: int = 0


class KnownTemplate(Value):
    """A template that was seen before: since when, and its counts by minute of the epoch."""

    key: str
    first_at: AwareDatetime | None = None
    minutes: tuple[tuple[int, int], ...] = ()


class LogCheckpoint(Value):
    """The place from which the next scan reads, and what of the lines after it was already reported.

    `offset` and `lines` lie before the last lines read, because a trace may go on there; `reported_*` hold what was
    already reported of these last lines, so that nothing is reported twice. `cursor` is the place in a journal.
    """

    version: int = 1
    cursor: str = ""
    mark: FileMark = FileMark()
    finished: tuple[FileMark, ...] = ()
    offset: int = 0
    lines: int = 0
    taken_lines: tuple[int, ...] = ()
    reported_offset: int = 0
    reported_lines: int = 0
    reported_error_lines: int = 0
    reported_error_numbers: tuple[int, ...] = ()
    reported_counts: dict[str, int] = Field(default_factory=dict)
    known: tuple[KnownTemplate, ...] = ()
