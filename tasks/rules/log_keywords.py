"""Words that make an error of a line that carries no level, and the words that tell what an error is about."""

import re

from tasks.model.log_findings import LogKind

_WORD = re.compile(
    r"\b(?:errors?|exceptions?|traceback|fatal|panic(?:ked)?|critical|fail(?:ed|ures?|s|ing)?|time[d]?[ -]?outs?|deadline exceeded|refused|"
    r"unreachable|unavailable|reset by peer|broken pipe|reject(?:ed|s|ions?)?|denied|abort(?:ed|ing)|segfault|segmentation fault|core dumped|"
    r"out of memory|oom-kill(?:er)?|no space left|disk full|read-only file system|stack overflow|deadlock(?:ed)?)\b|"
    r"\b[\w.]*[a-z](?:Error|Exception)\b|\bE(?:CONNREFUSED|CONNRESET|TIMEDOUT|HOSTUNREACH|NETUNREACH|NOTFOUND|NOSPC|MFILE|PIPE)\b",
    re.IGNORECASE | re.ASCII,
)
# "0 errors", "no failures", "errors=0", "error: null" and "timeout=30" say that all is well or set a limit.
_HARMLESS = re.compile(
    r"\b(?:0|no|zero|without(?: any)?)\s+(?:\w+\s+)?(?:errors?|failures?|exceptions?|time[d]?[ -]?outs?|reject(?:s|ions?|ed)?|failed|aborted)\b|"
    r"\b(?:errors?|fail(?:ed|ures?|s|ing)|exceptions?|traceback|fatal|panic(?:ked)?|critical|time[d]?[ -]?outs?|reject(?:ed|s|ions?)?|denied|abort(?:ed|ing))"
    r"[\"']?\s*[=:]\s*(?:[\"']?(?:0+(?:\.0+)?\b(?!\.)|none\b|null\b|nil\b|false\b)|\"\"|''|\[\]|\{\})|"
    r"\btimeout(?:_s|_ms)?[\"']?\s*(?:[=:]|of|is|set to)\s*[\"']?\d[\d.]*\s*(?:s|ms|sec|seconds|m|min)?\b",
    re.IGNORECASE | re.ASCII,
)

_KINDS: tuple[tuple[LogKind, re.Pattern[str]], ...] = (
    (LogKind.STORAGE, re.compile(
        r"no space left|enospc|disk (?:is )?full|disk quota|read-only file system|erofs|\bi/o error|input/output error|database is locked|"
        r"disk image is malformed|\bfsync\b|(?:write|append)\w* (?:to )?(?:the )?(?:journal|disk|wal|ledger)\w* failed|storage (?:is )?(?:full|failed|unavailable)", re.IGNORECASE | re.ASCII)),
    (LogKind.TIMEOUT, re.compile(r"time[d]?[ _-]?out|deadline[ _]exceeded|etimedout|no (?:answer|response|reply) (?:with)?in\b|did not (?:answer|respond)", re.IGNORECASE | re.ASCII)),
    (LogKind.DEPENDENCY, re.compile(
        r"connection (?:was )?(?:refused|reset|closed|aborted|failed|lost|error)|connect(?:ion)?(?:ing)? (?:to \S+ )?failed|econnre|ehostunreach|enetunreach|enotfound|epipe|"
        r"unreachable|broken pipe|reset by peer|name or service not known|name resolution|getaddrinfo|no route to host|no such host|service unavailable|bad gateway|"
        r"socket hang up|cannot connect|could(?: not|n't) connect|failed to connect|unable to connect|connect error|connecterror|connectionerror|"
        r"(?:tls|ssl) (?:handshake|error)|disconnected|not connected|upstream|dependency|(?:gateway|broker|venue|exchange|database|redis|kafka) \S*\s?(?:is )?(?:down|gone|unavailable|not available)|"
        r"remote end closed|circuit (?:breaker )?(?:is )?open", re.IGNORECASE | re.ASCII)),
    (LogKind.REJECT, re.compile(r"\breject|\bdenied by\b|order \S* ?(?:was )?(?:denied|refused)", re.IGNORECASE | re.ASCII)),
)  # fmt: skip


def sounds_like_an_error(text: str) -> bool:
    """Say whether a text without a level tells of an error; "0 errors" and "timeout=30" do not."""
    return bool(_WORD.search(text)) and bool(_WORD.search(_HARMLESS.sub(" ", text)))


def kind_of(text: str, *, has_exception: bool) -> LogKind:
    """Say what an error is about; an exception with its trace is a stack trace, whatever its words."""
    if has_exception:
        return LogKind.STACK_TRACE
    return next((kind for kind, words in _KINDS if words.search(text)), LogKind.OTHER)
