"""What every reader of stack traces does: take the lines that belong to it, and name the exception at the end."""

from typing import Protocol

from tasks.model.log_findings import ExceptionSeen

MESSAGE_CHARACTERS = 500


class TraceReader(Protocol):
    """Take the lines of one trace, in order; the first one is given when the reader is made."""

    def take(self, line: str) -> bool:
        """Take one line, or say that it does not belong to this trace."""

    @property
    def finished(self) -> bool:
        """Say whether the trace may end here."""

    def result(self) -> ExceptionSeen | None:
        """Name the exception; None when what was taken is no trace."""


# What stands above the frames; a name, and the beginning of what it says.
HEADLINE_LIMIT_COUNT = 4000


def clip(text: str) -> str:
    """Cut a message to what a person reads."""
    return text.strip()[:MESSAGE_CHARACTERS]
