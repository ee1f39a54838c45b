"""What was found in an envelope."""

from typing import NamedTuple

from tasks.model.logs.findings import Severity


class Opened(NamedTuple):
    """What a carrier held: the text, and what the carrier says of it.

    `at` is the carrier's time as it wrote it, `severity` its own level: a program that has none is put at a default.
    `start` is where the text stands in the line, -1 where it does not stand there as it is.
    `in_letters` says that it is there letter by letter, escaped at most, and not made of numbers.
    `unfinished` says that the next record of the same `stream` goes on with the text.
    """

    text: str
    at: object = None
    severity: Severity | None = None
    start: int = 0
    unfinished: bool = False
    stream: str = ""
    in_letters: bool = True

    def with_inner(self, inner: "Opened") -> "Opened":
        """Go one layer down."""
        return Opened(
            inner.text,
            self.at or inner.at,
            inner.severity or self.severity,
            self.start + inner.start if self.start >= 0 and inner.start >= 0 else -1,
            self.unfinished or inner.unfinished,
            self.stream or inner.stream,
            self.in_letters and inner.in_letters,
        )
