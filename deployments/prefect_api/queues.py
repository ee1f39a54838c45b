"""One work queue for each trading host: the deployments of prefect.yaml under its own names, queue and triggers."""

from collections.abc import Iterable, Mapping
from typing import Any

from tasks.model.fleet.queues import deployment_name

DEFAULT_QUEUE = "default"
# What the order service says of itself, and what the host's own watch says of it.
RESOURCES = ("order-service.{service}", "order-service.watch.{service}")
SERVICE_EVENTS = "order-service."


def in_queue(document: Mapping[str, Any], queue: str, services: Iterable[str]) -> dict[str, Any]:
    """Write prefect.yaml for one host: its schedule, its forms, its events, all on its own worker.

    Steps:
        1. every deployment gets the queue's name behind its own, its work queue and a tag
        2. events start a triage where they come from a service that this host watches
        3. the watchdog misses this host's triages, whoever else's go on
    """
    known = sorted(services)
    return {**document, "deployments": [_deployment(one, queue, known) for one in document["deployments"]]}


def _deployment(one: Mapping[str, Any], queue: str, services: list[str]) -> dict[str, Any]:
    return {
        **one,
        "name": deployment_name(one["name"], queue),
        "tags": [*one["tags"], queue],
        "work_pool": {**one["work_pool"], "work_queue_name": queue},
        **({"triggers": [_trigger(each, queue, services) for each in one["triggers"]]} if "triggers" in one else {}),
    }


def _trigger(one: Mapping[str, Any], queue: str, services: list[str]) -> dict[str, Any]:
    own = {**one, "name": f"{one['name']} ({queue})"}
    if str(one["match"]["prefect.resource.id"]).startswith(SERVICE_EVENTS):
        own["match"] = {"prefect.resource.id": [each.format(service=name) for name in services for each in RESOURCES]}
    elif "match_related" in one:
        related = one["match_related"] if isinstance(one["match_related"], list) else [one["match_related"]]
        own["match_related"] = [*related, {"prefect.resource.role": "work-queue", "prefect.resource.name": queue}]
    return own
