"""Words that make an error of a line that carries no level, and the words that tell what an error is about."""

import re

from tasks.model.log_findings import LogKind

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
    r"\b(?:no space left|disk full|read-only file system)\b",
    r"[a-z](?:Error|Exception)\b",
    r"\bE(?:CONNREFUSED|CONNRESET|TIMEDOUT|HOSTUNREACH|NETUNREACH|NOTFOUND|NOSPC|MFILE|PIPE)\b",
)
# "0 errors", "no failures", "errors=0", "error: null" and "timeout=30" say that all is well or set a limit.
_HARMLESS = _any(
    r"\b(?:0|no|zero|without(?: any)?)\s+(?:\w+\s+)?"
    rf"(?:errors?|failures?|exceptions?|{_TIMEOUTS}|{_REJECTS}|failed|aborted)\b",
    r"\b(?:errors?|fail(?:ed|ures?|s|ing)|exceptions?|traceback|fatal|panic(?:ked)?|critical|"
    rf"{_TIMEOUTS}|{_REJECTS}|denied|abort(?:ed|ing))[\"']?\s*[=:]\s*"
    r"(?:[\"']?(?:0+(?:\.0+)?\b(?!\.)|none\b|null\b|nil\b|false\b)|\"\"|''|\[\]|\{\})",
    r"\btimeout(?:_s|_ms)?[\"']?\s*(?:[=:]|of|is|set to)\s*[\"']?\d[\d.]*\s*(?:s|ms|sec|seconds|m|min)?\b",
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
    """Say whether a text without a level tells of an error; "0 errors" and "timeout=30" do not."""
    text = text if len(text) <= TEXT_CHARACTERS else f"{text[: TEXT_CHARACTERS // 2]} {text[-TEXT_CHARACTERS // 2 :]}"
    return bool(_WORD.search(text)) and bool(_WORD.search(_HARMLESS.sub(" ", text)))


def kind_of(text: str, *, has_exception: bool) -> LogKind:
    """Say what an error is about; an exception with its trace is a stack trace, whatever its words."""
    if has_exception:
        return LogKind.STACK_TRACE
    return next((kind for kind, words in _KINDS if words.search(text)), LogKind.OTHER)
