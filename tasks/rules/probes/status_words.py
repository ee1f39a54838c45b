"""What health endpoints of the trade and of common frameworks say, in lower case; a word on no list is not known."""

GOOD_WORDS = frozenset(
    {
        "ok", "up", "pass", "passed", "passing", "healthy", "ready", "running", "alive", "live", "green", "available",
        "online", "operational", "serving", "normal", "connected", "success", "pong", "true", "yes", "1", "200",
    }
)  # fmt: skip
# It works, and not as it should.
WEAK_WORDS = frozenset({"degraded", "warn", "warning", "yellow", "slow"})
BAD_WORDS = WEAK_WORDS | {
    "down", "error", "fail", "failed", "failing", "failure", "unhealthy", "unreachable", "unavailable", "critical",
    "offline", "out_of_service", "not_serving", "dead", "red", "disconnected", "stopped", "false", "no", "0",
}  # fmt: skip
