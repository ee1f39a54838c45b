"""Read what a service says of its dependencies, in the forms that frameworks write: a list, or name → status."""

from collections.abc import Iterator
from typing import Any

from tasks.model.probes.control import printable_line
from tasks.model.probes.probes import DependencyStatus
from tasks.rules.formats.json_values import line_of, number_of, state_of
from tasks.rules.probes.status_words import BAD_WORDS, GOOD_WORDS, WEAK_WORDS

LIMIT_COUNT = 200
NAMES, STATUSES = ("name", "component", "id", "key"), ("status", "state", "health", "healthy", "up", "ok")
ERRORS = ("error", "exception", "description", "message", "output")
# Words that our own rules know; what means the same becomes one of them.
KNOWN = frozenset(
    {"ok", "degraded", "slow", "disabled", "down", "error", "unreachable", "failed", "critical", "offline"}
)
UNKNOWN = "unknown"


def read_dependencies(found: Any) -> tuple[DependencyStatus, ...]:
    """Read each dependency; one without a word that is known to be good is not called good.

    Errors: none; what has no name is left out.
    """
    read = (one for name, value in _named(found) if (one := _dependency(name, value)) is not None)
    return tuple(one for one, _ in zip(read, range(LIMIT_COUNT), strict=False))


def _named(found: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(found, dict):
        yield from found.items()
    elif isinstance(found, list):
        for one in found:
            if isinstance(one, dict):
                yield next((one[key] for key in NAMES if key in one), None), one
            elif isinstance(one, list) and len(one) == 2:
                yield one[0], one[1]


def _dependency(name: Any, value: Any) -> DependencyStatus | None:
    shown = printable_line(name[:100]) if isinstance(name, str) else ""
    if not shown:
        return None
    # Health+JSON lists the checks of one component; the worst of them decides.
    parts = [_status(one) for one in value] if isinstance(value, list) and value else [_status(value)]
    table = value if isinstance(value, dict) else {}
    return DependencyStatus(
        name=shown,
        status=next((one for one in parts if one != "ok"), "ok"),
        latency_ms=number_of(table, "latency_ms"),
        error=next((said for key in ERRORS if (said := line_of(table, key, 200))), None),
        set_to=state_of(table, "set_to"),
    )


def _status(value: Any) -> str:
    if isinstance(value, dict):
        value = next((value[key] for key in STATUSES if key in value), None)
    if not isinstance(value, str | bool):
        return UNKNOWN
    said = printable_line(str(value)[:40]).strip()
    word = said.lower().replace(" ", "_")
    if word in KNOWN:
        return word
    if word not in GOOD_WORDS | BAD_WORDS:
        return said or UNKNOWN
    if word in GOOD_WORDS:
        return "ok"
    return "degraded" if word in WEAK_WORDS else "down"
