"""Read the traces of PHP, Dart, Erlang and Elixir."""

import re

from tasks.model.logs.findings import ExceptionSeen, TraceCause
from tasks.rules.logs.line import MESSAGE_CHARACTERS

PHP_START = re.compile(
    r"(?:PHP )?(?:Fatal|Recoverable fatal|Parse) error:  ?(?:Uncaught |Allowed memory size )", re.ASCII | re.IGNORECASE
)
# A frame at the start of a line; what it belongs to stands above it.
NUMBERED_FRAME = re.compile(r"#(\d{1,4})[ \t]{1,8}(\S.*)", re.ASCII)
DART_START = re.compile(r"Unhandled [Ee]xception:(?: |$)", re.ASCII)
ELIXIR_START = re.compile(r"\*\* \(([A-Z][\w.]{0,200}|exit|throw|stop)\) ?(.*)", re.ASCII | re.DOTALL)
ERLANG_START = re.compile(r"=(?:ERROR|CRASH|SUPERVISOR) REPORT=+", re.ASCII)

_PHP_NAME = re.compile(r"(?:\S{0,40}Uncaught |Next |^)\\?([A-Za-z_][\w\\]{0,200})(?:: (.*)|$)", re.ASCII)
_PHP_PLACE = re.compile(r"(?:^|.* )in (\S+?)(?: on line |:)(\d+)", re.ASCII)
_PHP_OBJECT = re.compile(r"\[object\] \(([\w\\]{1,200})\(code: [^)]{0,20}\): (.*?)(?: at (\S+:\d+))?\)?$", re.ASCII)
_DART_NAME = re.compile(r"([A-Z]\w*(?:Error|Exception)?(?:<\w+>)?)(?: \([^)]{0,200}\))?: ?(.*)", re.ASCII)
_DART_SAID = {
    "Bad state": "StateError", "Invalid argument": "ArgumentError", "Unsupported operation": "UnsupportedError",
    "UnimplementedError": "UnimplementedError", "Concurrent modification": "ConcurrentModificationError",
    "type '": "TypeError", "Null check operator": "TypeError", "Stack Overflow": "StackOverflowError",
    "Out of Memory": "OutOfMemoryError", "Assertion failed": "AssertionError",
}  # fmt: skip
_ELIXIR_PLACE = re.compile(r"\s+(?:\(([\w-]+)[^)]{0,40}\) )?(\S+\.(?:exs?|erl):\d+): (.*)", re.ASCII)
_STANDARD = ("elixir", "stdlib", "kernel", "erts", "ex_unit")
_ERLANG_REASON = re.compile(
    r"(?:exception (?:error|exit|throw): |Reason for termination ==? ?(?:\n\*\* )?|Reason: +|with reason ==? ?)"
    r"\{{0,3}'?([A-Za-z_]\w{0,80})'?(.{0,300})",
    re.ASCII | re.DOTALL,
)
_ERLANG_PLACE = re.compile(r'\{file,"([^"]{1,200})"\},\s{0,40}\{line,(\d+)\}|\(([\w/.-]+\.erl), line (\d+)\)', re.ASCII)
REPORT_LINES = 60


class PhpReader:
    """Take a stack of PHP or Dart: numbered frames below what names the exception, and the exceptions after it.

    PHP prints the first exception first, and behind `Next` the one that left the program.
    """

    def __init__(self, first: str) -> None:
        self._is_dart = bool(DART_START.search(first))
        self._causes: list[TraceCause] = []
        self._frames_count = self._lines_count = 0
        self._ended = False
        self._name(DART_START.sub("", first) if self._is_dart else first)

    @property
    def finished(self) -> bool:
        return self._frames_count > 0 or self._ended

    def take(self, line: str) -> bool:
        """Take a frame, the place below them, the next exception, or a line of the message."""
        self._lines_count += 1
        frame = NUMBERED_FRAME.match(line)
        if frame:
            self._frames_count += 1
            self._is_dart = self._is_dart or ".dart:" in frame[2]
            self._place(frame[2])
            return True
        if line.startswith("Next "):
            self._name(line)
            return True
        if line.startswith(("Stack trace:", "[stacktrace]", "  thrown in ", "<asynchronous suspension>", '"}')):
            self._ended = line.startswith("  thrown in ")
            return True
        if not self._frames_count and self._lines_count < 12:
            if not self._causes:
                self._name(line)
            return True
        return not line.strip() and not self._ended

    def result(self) -> ExceptionSeen | None:
        if not self._causes or not (self._frames_count or self._ended):
            return None
        last, first = self._causes[-1], self._causes[0]
        language = "dart" if self._is_dart else "php"
        return ExceptionSeen(**last.model_dump(), language=language, root_cause=first if first is not last else None)

    def _name(self, text: str) -> None:
        head = text[:MESSAGE_CHARACTERS].strip()
        if not head:
            return
        seen = _dart_cause(head) if self._is_dart else _php_cause(head)
        if seen:
            self._causes.append(seen)

    def _place(self, frame: str) -> None:
        """PHP names the place of the exception itself; without it, and in Dart, the first frame is the place."""
        if self._causes and self._causes[-1].frame is None and "{main}" not in frame:
            self._causes[-1] = self._causes[-1].model_copy(update={"frame": frame.strip()})


def _php_cause(head: str) -> TraceCause | None:
    thing = _PHP_OBJECT.search(head)
    if thing:
        return TraceCause(type=thing[1].replace("\\\\", "\\"), message=thing[2], frame=thing[3])
    body = re.split(r"error: {1,2}", head, maxsplit=1)[-1]
    found = _PHP_NAME.search(body)
    place = _PHP_PLACE.match(body)
    where = f"{place[1]}:{place[2]}" if place else None
    if found is None or not (found[0].startswith(("Uncaught", "Next")) or found[1].endswith(("Exception", "Error"))):
        return TraceCause(type="Fatal error", message=body, frame=where) if body != head else None
    said = (found[2] or "").rpartition(" in ")
    return TraceCause(type=found[1], message=(said[0] if place and said[1] else found[2]) or "", frame=where)


def _dart_cause(head: str) -> TraceCause:
    for begun, name in _DART_SAID.items():
        if head.startswith(begun):
            return TraceCause(type=name, message=head.partition(": ")[2] or head)
    found = _DART_NAME.match(head)
    thing = re.match(r"Instance of '([\w<>]{1,100})'", head)
    name = found[1] if found else thing[1] if thing else "Exception"
    return TraceCause(type=name, message=found[2] if found else head)


class ElixirReader:
    """Take the lines below `** (SomeError) message`: places, and what the process was doing."""

    def __init__(self, first: str) -> None:
        found = ELIXIR_START.match(first)
        self._type, self._message = (found[1], found[2]) if found else ("error", first)
        self._frame: str | None = None
        self._root: TraceCause | None = None

    @property
    def finished(self) -> bool:
        return True

    def take(self, line: str) -> bool:
        """Take an indented line; the reason of an exit is the exception that led to it."""
        body = line.strip()
        if body.startswith("** (") and line[:1].isspace():
            inner = ELIXIR_START.match(body)
            if inner and self._root is None and inner[1] != "EXIT":
                self._root = TraceCause(type=inner[1], message=inner[2])
            return True
        place = _ELIXIR_PLACE.match(line)
        if place and (self._frame is None) and place[1] not in _STANDARD:
            self._frame = f"{place[2]} {place[3]}".strip()
        return bool(body) and (
            line[:1].isspace() or body.startswith(("Last message", "State:", "Client ", "Function:"))
        )

    def result(self) -> ExceptionSeen:
        return ExceptionSeen(
            type=self._type, message=self._message, frame=self._frame, language="elixir", root_cause=self._root
        )


class ErlangReader:
    """Take a report up to its blank line."""

    def __init__(self, first: str) -> None:
        self._lines = [first[:MESSAGE_CHARACTERS]]

    @property
    def finished(self) -> bool:
        return True

    def take(self, line: str) -> bool:
        if not line.strip() or line.startswith("=") or len(self._lines) > REPORT_LINES:
            return False
        self._lines.append(line[:MESSAGE_CHARACTERS])
        return True

    def result(self) -> ExceptionSeen | None:
        text = "\n".join(self._lines)
        reason, place = _ERLANG_REASON.search(text), _ERLANG_PLACE.search(text)
        if len(self._lines) < 2:
            return None
        where = (f"{place[1]}:{place[2]}" if place[1] else f"{place[3]}:{place[4]}") if place else None
        name = reason[1] if reason else self._lines[1].strip(" *").partition(" terminating")[0][:80]
        said = f"{reason[1]}{reason[2]}".split("\n", 1)[0] if reason else self._lines[1].strip()
        return ExceptionSeen(type=name, message=said, frame=where, language="erlang")
