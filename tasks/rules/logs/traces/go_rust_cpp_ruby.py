"""Read Go panics, Ruby backtraces, sanitizer reports, Rust panics and C++ terminations."""

import re

from tasks.model.logs.findings import ExceptionSeen
from tasks.rules.logs.line import MESSAGE_CHARACTERS

GO_START = re.compile(r"(?:panic: |fatal error: |goroutine \d+ \[)", re.ASCII)
_GO_CALL = re.compile(r"[\w./*()\-\[\]{}·,~@$%][\w./*)\-\[\]{}·,~@$%]*+\(", re.ASCII)
_GO_BESIDE = re.compile(
    r"\s*(?:goroutine \d+ \[|\[signal |exit status \d|\[recovered|\tpanic: |panic: |"
    r"\.\.\.additional frames|r[a-z0-9]{1,3}\s+0x|runtime stack:)",
    re.ASCII,
)

RUBY_START = re.compile(r"(?<!\S)(\S+\.rb:\d+:in [`'][^']{0,500}+')(?:: (.*?)(?: \(([A-Z][\w:]*+)\))?)?$", re.ASCII)
_RUBY_CONSTANT = re.compile(r"[A-Z]\w*+(?:::\w++)*+", re.ASCII)
_RUBY_KIND = re.compile(r"Error|Exception|Interrupt|NotFound|Timeout|Refused|ECONN\w", re.ASCII)
_RUBY_IN_PARENTHESES = re.compile(r"[A-Z][\w:]*+", re.ASCII)

SANITIZER_START = re.compile(
    r"(?:(?<!=)=++\d*+=*+\s*+)?+(?:ERROR|WARNING|FATAL): (\w+Sanitizer): ([\w-]++(?: [\w-]++)*?)((?: on | \().*|)$",
    re.ASCII,
)
UNDEFINED_START = re.compile(r"(?<!\S)(\S+:\d+:\d+): runtime error: (.*)", re.ASCII)
_NATIVE_FRAME = re.compile(r"\s*#\d+ (?:0x[0-9a-f]+ )?(?:in )?(.+)", re.ASCII)

RUST_START = re.compile(r"thread '([^']*)'(?: \(\d+\))? panicked at (?:'(.*)', )?(\S+:\d+:\d+):?$", re.ASCII)
TERMINATE_START = re.compile(r"terminate called after throwing an instance of '([^']+)'", re.ASCII)


class GoReader:
    """Take a panic with the goroutines after it; the first frame outside the runtime is the innermost."""

    def __init__(self, first: str) -> None:
        kind, _, message = first.partition(": ")
        self._type, self._message = (kind, message) if message else ("goroutine", first)
        self._frame: str | None = None
        self._function = ""
        self._goroutines = int(first.startswith("goroutine "))
        self._lines = 0

    @property
    def finished(self) -> bool:
        """A panic may end after any frame."""
        return self._frame is not None

    def take(self, line: str) -> bool:
        """Take a goroutine, a function, or the place below it."""
        self._lines += 1
        if self._frame is not None and line.startswith(("panic: ", "fatal error: ")):
            return False
        if line.startswith("goroutine "):
            self._goroutines += 1
            return True
        if line.startswith("\t") and self._function:
            return self._take_place(line.strip())
        if line.startswith("created by ") or (line.endswith(")") and _GO_CALL.match(line)):
            self._function = line.strip()
            return True
        return not line.strip() or bool(_GO_BESIDE.match(line)) or (not self._goroutines and self._lines < 12)

    def result(self) -> ExceptionSeen | None:
        """Name the panic; None when no goroutine followed."""
        if not self._goroutines or self._frame is None:
            return None
        return ExceptionSeen(type=self._type, message=self._message, frame=self._frame, language="go")

    def _take_place(self, place: str) -> bool:
        runtime = self._function.startswith(("panic(", "runtime.", "created by ", "testing."))
        if self._frame is None and not runtime:
            name = re.split(r"\((?=0x|\{|\.\.\.|\))", self._function, maxsplit=1)[0]
            self._frame = f"{name} {place.split(' +0x', maxsplit=1)[0]}"
        return True


class RubyReader:
    """Take a backtrace; `headline` is the line above, which names the exception when the first line does not."""

    def __init__(self, first: str, headline: str = "") -> None:
        found = RUBY_START.search(first)
        self._frame = found[1] if found else None
        self._named = (found[3], found[2]) if found and found[3] else _ruby_name(headline)
        self._frames_count = 1

    @property
    def finished(self) -> bool:
        """A backtrace may end after any frame."""
        return True

    def take(self, line: str) -> bool:
        """Take one more frame."""
        taken = bool(re.match(r"\s*(?:\d+: )?(?:from )?\S+:\d+:in [`']", line, re.ASCII))
        self._frames_count += taken
        return taken

    def result(self) -> ExceptionSeen | None:
        """Name the exception; None when a single place was seen and no name."""
        if self._named is None:
            return None
        return ExceptionSeen(type=self._named[0], message=self._named[1] or "", frame=self._frame, language="ruby")


class SanitizerReader:
    """Take a report of ASan, TSan, MSan or LSan up to its summary, or the few lines of UBSan."""

    def __init__(self, first: str) -> None:
        found, undefined = SANITIZER_START.search(first), UNDEFINED_START.search(first)
        self._type, self._message, self._frame = "Sanitizer", first, None
        if found:
            self._type, self._message = f"{found[1]}: {found[2]}", f"{found[2]}{found[3]}"
        elif undefined:
            self._type, self._message, self._frame = "UndefinedBehaviorSanitizer", undefined[2], undefined[1]
        self._short = not found
        self._ended = False

    _frame: str | None

    @property
    def finished(self) -> bool:
        """A report ends with its summary."""
        return self._ended or self._short

    def take(self, line: str) -> bool:
        if self._ended:
            return bool(re.match(r"==\d+==ABORTING|={10,}$", line.strip(), re.ASCII))
        frame = _NATIVE_FRAME.match(line)
        if frame and self._frame is None:
            self._frame = re.split(r"(?<!\s)\s++\((?=BuildId|[^()]*\+0x)", frame[1], maxsplit=1)[0].strip()
        if line.lstrip().startswith("SUMMARY: "):
            self._ended = True
            return True
        return bool(frame) or not self._short or bool((line[:1].isspace() and line.strip()) or ": note: " in line)

    def result(self) -> ExceptionSeen | None:
        """Name the defect."""
        return ExceptionSeen(type=self._type, message=self._message, frame=self._frame, language="c++")


class AbortReader:
    """Take a Rust panic or a C++ termination: the message stands on the next line."""

    def __init__(self, first: str) -> None:
        rust, terminate = RUST_START.search(first), TERMINATE_START.search(first)
        self._language = "rust" if rust else "c++"
        self._message = (rust[2] if rust else None) or ""
        self._type = terminate[1] if terminate else "panic"
        self._frame = rust[3] if rust else None

    @property
    def finished(self) -> bool:
        """Nothing more is needed."""
        return bool(self._message)

    def take(self, line: str) -> bool:
        """Take the message, then notes and the backtrace."""
        if not self._message and line.strip():
            self._message = line.strip().removeprefix("what():").strip()
            return True
        return bool(re.match(r"note: |stack backtrace:|\s+\d+: |\s+at ", line, re.ASCII))

    def result(self) -> ExceptionSeen | None:
        """Name the panic."""
        return ExceptionSeen(type=self._type, message=self._message, frame=self._frame, language=self._language)


def _ruby_name(headline: str) -> tuple[str, str] | None:
    """Read `SomeError: message`, `SomeError (message):` and `message (SomeError)`."""
    text = headline[:MESSAGE_CHARACTERS].rstrip()
    message, opened, inner = text.removesuffix(")").rpartition(" (")
    in_parentheses = bool(opened) and text.endswith(")") and _RUBY_IN_PARENTHESES.fullmatch(inner) is not None
    for found in _RUBY_CONSTANT.finditer(text):
        if in_parentheses and found.start():
            break
        last = found[0].rpartition("::")[2]
        said = _ruby_message(text[found.end() :]) if _RUBY_KIND.search(last, int(last == found[0])) else None
        if said is not None:
            return found[0], said
    return (inner, message) if in_parentheses else None


def _ruby_message(rest: str) -> str | None:
    """Read what stands after the name; None where it is no message."""
    if rest in ("", ":"):
        return ""
    bare = rest.removesuffix(":").rstrip()
    if rest.startswith(" (") and bare.endswith(")"):
        return bare[2:-1]
    return rest[2:] if rest.startswith(": ") else None
