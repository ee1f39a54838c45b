"""What the words of a text say where its writer gave no level: that something failed, and what it is about."""

import re

from tasks.model.logs.findings import LogKind

# These words are looked for at each letter of a text, so that a long one is searched at its two ends.
TEXT_CHARACTERS = 16_384


def _any(*parts: str) -> re.Pattern[str]:
    return re.compile("|".join(parts), re.IGNORECASE | re.ASCII)


_TIMEOUTS = r"time[d]?[ -]?outs?"
_REJECTS = r"reject(?:ed|s|ions?)?"

_WORD = _any(
    r"\b(?:errors?|exceptions?|traceback|fatal|panic(?:ked)?|critical|fail(?:ed|ures?|s|ing)?)\b",
    rf"\b(?:{_TIMEOUTS}|deadline exceeded|refused|unreachable|unavailable|reset by peer|broken pipe)\b",
    rf"\b(?:{_REJECTS}|denied|abort(?:ed|ing)|deadlock(?:ed)?|stack overflow)\b",
    r"\b(?:segfault|segmentation fault|core dumped|out of memory|oom-kill(?:er)?)\b",
    r"\b(?:(?:msgseqnum|sequence number) too (?:low|high)|invalid message)\b",
    r"\b(?:no space left|disk full|read-only file system)\b",
    r"[a-z](?:Error|Exception)\b",
    r"\bE(?:CONNREFUSED|CONNRESET|TIMEDOUT|HOSTUNREACH|NETUNREACH|NOTFOUND|NOSPC|MFILE|PIPE)\b",
)
_BAD = (
    r"(?:errors?|err|exceptions?|fail(?:ed|ures?|s|ing)?|traceback|fatal|panic(?:ked)?|critical|"
    rf"{_TIMEOUTS}|{_REJECTS}|denied|abort(?:ed|ing)?)"
)
# A word such as "no" says that there was none where nothing follows that goes on with it: "error: no route" goes on.
_ENDED = r"(?=[\"']?\s{0,4}+(?:[,;)\]}|]|\.?$|\.\s)|[\"']?\s{1,4}+(?:[\w.-]{1,40}=|" + _BAD + r"\s{0,4}+[=:]|\())"
_NIL = r"(?:null|nil|undefined|false|no|none|ok|success|never|empty|nothing|not set|-{1,3})"
_NOTHING = (
    r"(?:[\"']?(?:0+(?:\.0+)?(?:%|ms|us|ns|s)?(?![\w.])|0x0+\b|n/a\b|<\w{0,9}>|\((?:none|null|nil)\)|"
    rf"{_NIL}(?: (?:found|seen|detected|reported|so far|yet|today))?{_ENDED})|(?<==){_NIL}(?=[\s,;]|$)|"
    r"\"\"|''|\[\s?\]|\{\s?\}|(?<==)(?=[\s,;]|$))"
)
_NONE = rf"(?:errors?|failures?|exceptions?|panics?|{_TIMEOUTS}|{_REJECTS}|fail(?:ed)?|aborted|denied|refused)\b"
# What is no report of an error: "0 errors", "no failures", "error: null", "timeout=30", an address, a handler.
_HARMLESS = _any(
    r"\b(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE) [/*]\S*+(?: [\w%.+-]{1,60}=\S*+)?+",
    r"\b[a-z][a-z0-9+.-]{1,15}://\S++|(?<![^\s\"'(=])/[^\s\"'?]*+(?:\?\S*+|(?<=\.css)|(?<=\.js)|(?<=\.html)|(?<=\.png))",
    r"(?<![\d.])(?:0+(?:%|/\d+| of \d+)?|zero)\s+(?:[\w()-]{1,20}\s+){0,2}" + _NONE,
    r"\b(?:no|none(?: of the)?|without(?: any)?)\s+(?:\w{1,20}\s+(?:(?:were|was|have|has)\s+)?(?:been\s+)?)?" + _NONE,
    r"\b(?:not|never)\s+(?:an? )?" + _NONE,
    rf"(?:\b|[a-z_])(?:last[_ .-]?)?{_BAD}(?:[_ -]?(?:count|rate|ratio|total|code|number|no))?[\"']?\s*[=:?]\s*"
    + _NOTHING,
    rf"\b{_BAD}\s+(?:(?:rate|count|ratio|total)s?:?\s+(?:is\s+)?)?0+(?:\.0+)?(?:%|/\d+| of \d+)?(?![\w.:])",
    r"\b(?:errors?|exceptions?|fail(?:ed|ure)?|panic|timeout|reject|fatal)[ _-]?(?:handl(?:er|ers)|mappers?|"
    r"listeners?|middleware|reporters?|callbacks?|policy|policies|budget|pages?|boundar(?:y|ies)|free|safe|over|fast|"
    r"loggers?|logs?|threshold)\b",
    r"\b(?:register(?:ed|ing)|mapp(?:ed|ing)|install(?:ed|ing)|bound|binding|configur(?:ed|ing)|"
    r"handl(?:er|es)|catch(?:es|ing)?)\s+(?:\w{1,20}\s+)?(?:for|on|to)\s+(?:all\s+)?[\w.$]{0,80}(?:Error|Exception)s?\b",
    r"\b(?:errors?|failures?|alarms?) (?:were |was |is |are |all )?(?:cleared|resolved|recovered)\b",
    r"\btimeout(?:_s|_ms)?[\"']?\s*(?:[=:]|of|is|set to)\s*[\"']?\d[\d.]*\s*(?:s|ms|sec|seconds|m|min)?\b",
)
# Behind `error: `: the value that says that there was none.
NOTHING_THERE = _any(r"\s*+" + _NOTHING)
# What the C library, the kernel, the shell and the runtimes say of a process at its end; they have no levels.
NATIVE_WORDS = (
    "*** stack smashing detected ***", "*** buffer overflow detected ***", "*** %n in writable segment detected",
    "free(): invalid", "free(): double free", "double free or corruption", "malloc(): ", "malloc_consolidate(): ",
    "munmap_chunk(): ", "realloc(): ", "calloc(): ", "corrupted size vs. prev_size", "corrupted double-linked list",
    "invalid fastbin entry", "aborted (core dumped)", "(core dumped)", "bus error", "illegal instruction",
    "floating point exception", "segmentation fault", "general protection fault", "pure virtual method called",
    "a fatal error has been detected by the java runtime", "terminate called ", "fatal glibc error", "segfault at ",
    "out of memory: kill", "memory cgroup out of memory", "invoked oom-killer", "oom_reaper: reaped process",
    "oom-kill:", "kernel panic - not syncing", "kernel bug at ", "bug: unable to handle", "bug: kernel ", "soft lockup",
    "symbol lookup error", "error while loading shared libraries", "libc++abi: ", "trap invalid opcode",
    "trap divide error", "blocked for more than ", "i/o error, dev ", "code=dumped, ", "status=11/segv",
    "status=6/abrt", "status=9/kill", "table full, dropping packet", "out of file descriptors", "stack level too deep",
    "hardware error", "fatal signal", "signal sigsegv", "signal sigabrt", "signal sigbus", "signal sigill",
    "sigsegv (0x",
)  # fmt: skip
_NATIVE = _any("|".join(map(re.escape, NATIVE_WORDS)), r"\bassertion (?:.{0,200}? )?failed\b")
_NATIVE_LINE = re.compile(
    r"(?:[\w./-]{1,80}: (?:line \d{1,6}: +\d{1,9} )?)?"
    r"(?:Killed|Aborted|Terminated by signal \d+|Bus error|Trace/breakpoint trap)(?: +\S.{0,200})?\s*",
    re.ASCII,
)

_STORAGE = _any(
    r"no space left|enospc|disk (?:is )?full|disk quota|read-only file system|erofs|\bi/o error|input/output error",
    r"database is locked|disk image is malformed|\bfsync\b|storage (?:is )?(?:full|failed|unavailable)",
    r"(?:write|append)\w{0,20} (?:to )?(?:the )?(?:journal|disk|wal|ledger)\w* failed",
)
_TIMEOUT = _any(
    r"time[d]?[ _-]?out|deadline[ _]exceeded|etimedout",
    r"no (?:answer|response|reply) (?:with)?in\b|did not (?:answer|respond)",
)
_DEPENDENCY = _any(
    r"connection (?:was )?(?:refused|reset|closed|aborted|failed|lost|error)",
    r"connect(?:ion)?(?:ing)? (?:to \S+ )?failed",
    r"econnre|ehostunreach|enetunreach|enotfound|epipe|unreachable|broken pipe|reset by peer|socket hang up",
    r"name or service not known|name resolution|getaddrinfo|no route to host|no such host",
    r"service unavailable|bad gateway",
    r"(?:cannot|could(?: not|n't)|failed to|unable to) connect|connect error|connect(?:ion)?error",
    r"(?:tls|ssl) (?:handshake|error)",
    r"disconnected|not connected|upstream|dependency|remote end closed|circuit (?:breaker )?(?:is )?open",
    r"(?:gateway|broker|venue|exchange|database|redis|kafka) \S*\s?(?:is )?(?:down|gone|(?:un|not )available)",
)
_REJECT = _any(r"\breject|\bdenied by\b|order \S* ?(?:was )?(?:denied|refused)")

_KINDS: tuple[tuple[LogKind, re.Pattern[str]], ...] = (
    (LogKind.STORAGE, _STORAGE),
    (LogKind.TIMEOUT, _TIMEOUT),
    (LogKind.DEPENDENCY, _DEPENDENCY),
    (LogKind.REJECT, _REJECT),
)


def sounds_like_an_error(text: str) -> bool:
    """Say whether a text without a level reports an error; "0 errors" and "timeout=30" do not."""
    text = two_ends(text)
    return bool(_WORD.search(text)) and bool(_WORD.search(_HARMLESS.sub(" ", text)))


def is_native_fault(text: str) -> bool:
    """Say whether the C library, the kernel or the shell says that a process was killed or went wrong."""
    text = two_ends(text)
    return bool(_NATIVE.search(text)) or bool(_NATIVE_LINE.fullmatch(text))


def two_ends(text: str) -> str:
    """Keep as much of a long text as is searched for words."""
    half = TEXT_CHARACTERS // 2
    return text if len(text) <= TEXT_CHARACTERS else f"{text[:half]} {text[-half:]}"


def kind_of(text: str, *, has_exception: bool) -> LogKind:
    """Say what an error is about; an exception with its trace is a stack trace, whatever its words."""
    if has_exception:
        return LogKind.STACK_TRACE
    return next((kind for kind, words in _KINDS if words.search(text)), LogKind.OTHER)
