"""How order services in use answer health: recognize one, so that a person need not write its expressions."""

from typing import Any, NamedTuple

from tasks.model.probes.probes import Exchange, Fault
from tasks.rules.probes.status_words import GOOD_WORDS
from tasks.rules.service.expression import NOT_JSON, document_of

# What frameworks answer at, the most telling first; each is asked once.
HEALTH_PATHS = (
    "/health", "/actuator/health", "/healthz", "/health/ready", "/q/health", "/readyz", "/livez", "/ping", "/status",
    "/alive", "/api/health",
)  # fmt: skip
# Where frameworks list what they depend on.
DEPENDENCY_KEYS = ("components", "details", "entries", "results", "dependencies", "checks", "services", "sessions")
NAME_KEYS, STATUS_KEYS = ("name", "id", "component", "componentId", "comp"), ("status", "state", "health")
# Parts of the service itself, which no probe of a gateway reaches.
OWN_PARTS = frozenset(
    {
        "self", "ping", "db", "database", "journal", "storage", "diskspace", "livenessstate", "readinessstate", "redis",
        "refreshscope", "discoverycomposite", "configserver", "ssl", "kafka", "rabbit", "memory", "mail",
    }
)  # fmt: skip
LONGEST_WORD = 40


class HealthDialect(NamedTuple):
    """How one kind of service says that it is healthy, in the keys of `[services.NAME.health]`."""

    name: str
    healthy_when: str | None = None
    degraded_when: str | None = None
    body_matches: str | None = None
    dependencies: str | None = None
    dependency_names: tuple[str, ...] = ()


# By the words of `status`: the framework, the healthy word, the degraded one.
FAMILIES = (
    ({"ok", "degraded", "error"}, "the bundled order service's", "ok", "degraded"),
    ({"UP", "DOWN", "OUT_OF_SERVICE", "UNKNOWN"}, "Spring Boot Actuator", "UP", None),
    ({"Healthy", "Degraded", "Unhealthy"}, "ASP.NET health checks", "Healthy", "Degraded"),
    ({"pass", "warn", "fail"}, "health+json (RFC draft)", "pass", "warn"),
)
# By the plain word that is answered now: the one that a healthy service answers.
PLAIN_WORDS = {word: word for word in ("ok", "healthy", "up", "pong", "alive", "ready", "running", "pass")} | {
    "degraded": "healthy", "unhealthy": "healthy", "down": "up", "fail": "pass",
}  # fmt: skip


def health_dialect(exchange: Exchange) -> HealthDialect | None:
    """Recognize how a service answers health; None where it does not say so in any dialect that we know.

    Steps: 1. a family of words is recognized also by the word that says *unhealthy*. 2. any other word counts only
    where it is a good one now: of a bad one nobody knows what its good one is.
    """
    if exchange.fault is not Fault.NONE or exchange.http_status not in {200, 503}:
        return None
    document = document_of(exchange.body)
    if document is NOT_JSON:
        return _plain(exchange.body)
    if isinstance(document, str) and document.lower() in GOOD_WORDS and document.isalnum():
        return HealthDialect("a JSON text", f"@ == '{document}'")
    if not isinstance(document, dict):
        return None
    found = _of_a_family(document) or _of_one_key(document)
    return found and _with_dependencies(found, document)


def own_part(name: str) -> bool:
    """Say whether a dependency is a part of the service itself, and no gateway."""
    return "".join(letter for letter in name.lower() if letter.isalnum()) in OWN_PARTS


def _plain(body: str) -> HealthDialect | None:
    healthy = PLAIN_WORDS.get(body.removeprefix("\ufeff").strip().lower())
    return HealthDialect("plain text", body_matches=rf"^(?i:{healthy})\s*$") if healthy else None


def _of_a_family(document: dict[str, Any]) -> HealthDialect | None:
    status = document.get("status")
    for words, name, healthy, degraded in FAMILIES:
        if isinstance(status, str) and status in words:
            worse = f"status == '{degraded}'" if degraded else None
            return HealthDialect(name, f"status == '{healthy}'", worse)
    return None


def _of_one_key(document: dict[str, Any]) -> HealthDialect | None:
    for key in ("status", "state", "health", "healthy", "ok", "alive", "up", "ready"):
        value = document.get(key)
        if value is True:
            return HealthDialect(f"`{key}` is true", f"{key} == `true`")
        if isinstance(value, str) and value.lower() in GOOD_WORDS and value.isalnum():
            return HealthDialect(f"`{key}` is a word", f"{key} == '{value}'")
    return None


def _with_dependencies(found: HealthDialect, document: dict[str, Any]) -> HealthDialect:
    for key in DEPENDENCY_KEYS:
        expression, names = _dependencies(key, document.get(key))
        if expression:
            return found._replace(dependencies=expression, dependency_names=names)
    return found


def _dependencies(key: str, listed: Any) -> tuple[str | None, tuple[str, ...]]:
    if isinstance(listed, dict) and listed:
        if all(isinstance(one, dict) and isinstance(one.get("status"), str) for one in listed.values()):
            return key, tuple(listed)
        parts = [part for one in listed.values() if isinstance(one, list) for part in one]
        return _of_a_list(f"{key}.*[]", parts)
    return _of_a_list(f"{key}[]", listed if isinstance(listed, list) else [])


def _of_a_list(lead: str, listed: list[Any]) -> tuple[str | None, tuple[str, ...]]:
    if not listed or not all(isinstance(one, dict) for one in listed):
        return None, ()
    name = next((key for key in NAME_KEYS if all(isinstance(one.get(key), str) for one in listed)), None)
    status = next((key for key in STATUS_KEYS if all(isinstance(one.get(key), str) for one in listed)), None)
    if name is None or status is None:
        return None, ()
    return f"{lead}.{{name: {name}, status: {status}}}", tuple(one[name] for one in listed)
