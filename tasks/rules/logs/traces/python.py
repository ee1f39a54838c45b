"""Read Python tracebacks: chained ones and exception groups too."""

import re

from tasks.model.logs.findings import ExceptionSeen, TraceCause
from tasks.rules.logs.line import MESSAGE_CHARACTERS

START = re.compile(
    r"(?<![ \t])(?P<indent>[ \t]*+)(?:\+ )?(?:Exception Group )?Traceback \(most recent call last\):?", re.ASCII
)
_CHAIN = ("During handling of the above exception", "The above exception was the direct cause")
_FRAME = re.compile(r'\s*File "([^"]+)", line (\d+)(?:, in (.+))?')
_FINAL = re.compile(r"([A-Za-z_][\w.]*)(?:: ?(.*))?$", re.ASCII)
_MARGIN = re.compile(r"\A[ \t]*+(?:\| ?|\+-[-+ \d.]*$)", re.ASCII)


class PythonReader:
    """Take a traceback up to its last exception; what follows a blank line belongs to it only if it is chained."""

    def __init__(self, first: str, headline: str = "") -> None:
        found = START.match(first)
        self._headline = headline
        self._group = "+ Exception Group" in first
        self._indent = len(found["indent"]) if found else 0
        self._frame: str | None = None
        self._causes: list[TraceCause] = []
        self._between = False
        self._ended = False
        self._blank_count = 0

    @property
    def finished(self) -> bool:
        """A traceback may end after the line that names its exception, and a group anywhere after that."""
        return self._ended

    def take(self, line: str) -> bool:
        """Take a frame, source, exception, chain or group line."""
        if self._group and line.lstrip()[:1] in ("|", "+"):
            return self._inside(_MARGIN.sub("", line, count=1)) or True
        if self._group and not self._causes:
            return False
        body = line[self._indent :] if not line[: self._indent].strip() else line
        return self._after_end(body) if self._ended else self._inside(body)

    def result(self) -> ExceptionSeen | None:
        """Name the last exception that left the group or the chain."""
        if not self._causes:
            return self._unnamed()
        last = self._causes[0] if self._group else self._causes[-1]
        root = self._causes[min(1, len(self._causes) - 1)] if self._group else self._causes[0]
        return ExceptionSeen(**last.model_dump(), language="python", root_cause=root if root is not last else None)

    def _unnamed(self) -> ExceptionSeen | None:
        """A fuzzer prints the exception above its traceback, and a log may end within one."""
        if self._frame is None:
            return None
        found = _FINAL.match(self._headline.strip()[:MESSAGE_CHARACTERS])
        is_name = found is not None and found[1].endswith(("Error", "Exception", "Interrupt", "Exit", "Warning"))
        name, said = (found[1], found[2] or "") if found and is_name else ("Traceback", "")
        return ExceptionSeen(type=name, message=said, frame=self._frame, language="python")

    def _inside(self, body: str) -> bool:
        frame = _FRAME.match(body)
        if frame:
            self._frame = f"{frame[1]}:{frame[2]}" + (f" in {frame[3].strip()}" if frame[3] else "")
            return True
        if body[:1] in (" ", "\t"):
            return bool(body.strip())
        return not _opens(body) and self._final(body)

    def _final(self, body: str) -> bool:
        found = _FINAL.match(body.rstrip())
        if found is None:
            return False
        self._causes.append(TraceCause(type=found[1], message=found[2] or "", frame=self._frame))
        self._ended = True
        return True

    def _after_end(self, body: str) -> bool:
        """Take blank lines and further lines of the message; a marker opens the next traceback of the chain."""
        if body.startswith(_CHAIN):
            self._between, self._blank_count = True, 0
            return True
        if _opens(body):
            opened, self._between = self._between, False
            self._ended = self._group = self._group and not opened
            return opened
        self._blank_count += not body.strip()
        return self._blank_count < 3 if not body.strip() else body[:1] in (" ", "\t") and not self._blank_count


def _opens(body: str) -> bool:
    return "Traceback (most recent call last)" in body
