"""Read traces whose frames begin with `at`: Java and its kin, .NET, Node."""

import re

from tasks.model.logs.findings import ExceptionSeen, TraceCause
from tasks.rules.logs.line import MESSAGE_CHARACTERS

FRAME = re.compile(r"(?<![ \t])(?<!#011)(?:[ \t]|#011)++at (.+)")
# A word that may name an exception: it ends the line, or a colon and its message follow.
_CANDIDATE = re.compile(
    r"(?:^|(?<=[\s:\-\]>|]))([A-Za-z_$][\w$./`+]*+)(?: \[[\w-]++\]| \(\d++\)| \(0x[0-9A-Fa-f]++\))?+(?=:|\s?$)",
    re.ASCII,
)
_PATH = re.compile(r"(?:[A-Za-z_$][\w$]*+[./])*+[A-Za-z_$]", re.ASCII)
_KIND = re.compile(r"Exception|Error|Throwable|Failure|Fault|Rejected|Death", re.ASCII)
_QUALIFIED = re.compile(r"(?:[a-z_$][\w$]*+\.){2,}+[A-Z][\w$.]*+", re.ASCII)
_CAUSE = re.compile(r"\s*(?:Caused by|Suppressed|Wrapped by|--->|\[cause\]|cause)(?:: ?| )(.*)", re.ASCII)
_LIST_ENDS = ("]", "],", "] {", "]}")
_ASIDE = re.compile(r"\(Inner Exception #\d{1,4}\) ", re.ASCII)
_BESIDE = re.compile(
    r"\s*(?:\(Coroutine boundary\)|\.\.\. \d+ |--- End of |---> |- (?:locked|waiting)|\[CIRCULAR|\[cause\]|\[errors\]|"
    r"Caused by: |Wrapped by: |Suppressed: |\^|[}\])]+,?;?$|Node\.js v)",
    re.ASCII,
)
_PROPERTY = re.compile(r"\s+(?:'[\w-]+'|\[?[A-Za-z_$][\w$]*\]?): .+|\s*[}\]],?$", re.ASCII)


def named(text: str) -> tuple[str, str] | None:
    """Find the exception that a line names, and its message, in as much of it as a name can stand in."""
    head = text[:MESSAGE_CHARACTERS]
    found = next((one for one in _CANDIDATE.finditer(head) if _names_an_exception(one[1])), None)
    return (found[1], head[found.end() :].removeprefix(":").removeprefix(" ")) if found else None


def _names_an_exception(word: str) -> bool:
    """Say whether a word is `….SomeError`, or a class with its package: `io.grpc.Status`."""
    package, slash, plain = word.rpartition("/")
    last = re.split(r"[.+]", plain)[-1]
    found = _KIND.search(last, 1 if last == plain else 0)
    is_kind = found is not None and (not slash or _PATH.fullmatch(f"{package}/{plain[:1]}") is not None)
    return is_kind or _QUALIFIED.fullmatch(word) is not None


def _plainly_named(text: str) -> tuple[str, str]:
    found = re.match(r"\s*([\w.$]+): ?(.*)", text[:MESSAGE_CHARACTERS], re.ASCII)
    return (found[1], found[2]) if found else ("", "")


class FramesReader:
    """Take the frames, causes and properties after the line that names the exception."""

    def __init__(self, first: str) -> None:
        self._causes: list[TraceCause] = []
        self._languages: list[str] = []
        self._frames_count = 0
        self._message_lines = 0
        self._in_braces = False
        self._root_first = self._blank = self._in_list = False
        self._aside_indent: int | None = None
        self._headline = first
        self._wants_frame = True
        self._name(first)

    @property
    def finished(self) -> bool:
        """Such a trace may end after any frame."""
        return self._frames_count > 0

    def take(self, line: str) -> bool:
        """Take a frame, a cause, or a line that stands among them; one blank line may part them."""
        if not line.strip() and self._frames_count and not self._blank:
            self._blank = True
            return True
        self._blank = self._blank and not line.strip()
        if self._in_list or line.strip() == "[errors]: [":
            self._in_list = line.strip() not in _LIST_ENDS
            return True
        frame = FRAME.match(line)
        if frame:
            return self._take_frame(frame[1].strip())
        if self._in_braces and _PROPERTY.match(line):
            return self._take_property(line)
        if _BESIDE.match(line):
            return self._take_cause(line)
        return self._take_message(line)

    def result(self) -> ExceptionSeen | None:
        """Name the exception that left the program, and the first one of its chain."""
        if not self._frames_count:
            return None
        causes = self._causes[::-1] if self._root_first else self._causes
        outer = causes[0] if causes else TraceCause(type="unknown", message=self._headline)
        root = causes[-1] if len(causes) > 1 else None
        return ExceptionSeen(**outer.model_dump(), language=self._language(), root_cause=root)

    def _name(self, text: str) -> None:
        head, arrow, inner = text.partition(" ---> ")
        name, message = named(head) or _plainly_named(head)
        if name:
            self._causes.append(TraceCause(type=name.replace("/", "."), message=message.removesuffix("{")))
        if arrow:
            self._name(inner)
        self._in_braces = text.rstrip().endswith("{")
        self._wants_frame = True

    def _take_frame(self, place: str) -> bool:
        self._frames_count += 1
        self._in_braces = place.endswith("{")
        self._languages.append(place)
        unplaced = [index for index, cause in enumerate(self._causes) if cause.frame is None]
        # .NET prints the frames of the innermost exception first, and those of the outer one after a rule.
        if unplaced and self._wants_frame:
            self._causes[unplaced[-1]] = self._causes[unplaced[-1]].model_copy(
                update={"frame": place.removesuffix("{").strip()}
            )
            self._wants_frame = False
        return True

    def _take_cause(self, line: str) -> bool:
        found = _CAUSE.match(line)
        self._wants_frame = self._wants_frame or "--- End of" in line
        if found and not self._is_aside(line, found[1]):
            self._root_first = self._root_first or line.lstrip().startswith("Wrapped by")
            self._name(_ASIDE.sub("", found[1], count=1))
        return True

    def _is_aside(self, line: str, named_there: str) -> bool:
        """Say whether a cause is of a suppressed exception, or of one beside the first of an aggregate."""
        indent = len(line) - len(line.lstrip())
        if line.lstrip().startswith("Suppressed") or (_ASIDE.match(named_there) and len(self._causes) > 1):
            self._aside_indent = indent
        elif self._aside_indent is not None and indent < self._aside_indent:
            self._aside_indent = None
        return self._aside_indent is not None

    def _take_property(self, line: str) -> bool:
        cause = _CAUSE.match(line)
        if cause:
            self._name(cause[1])
            self._in_braces = True
        return True

    def _take_message(self, line: str) -> bool:
        """Take the further lines of a message, before the first frame."""
        if self._frames_count or self._message_lines > 12:
            return False
        self._message_lines += 1
        if not self._causes:
            self._name(line)
        return True

    def _language(self) -> str:
        first = self._languages[0]
        if re.search(r"\((?:[\w$]++\.(?:java|kt|scala|groovy|clj)(?::\d+)?|Native Method|Unknown Source)\)", first):
            return "java"
        is_call = first.endswith(")") and re.match(r"[\w.`<>\[\],+]++\(", first) is not None
        if is_call or re.search(r":line \d", first.partition(") in ")[2]):
            return "csharp"
        return "node"
