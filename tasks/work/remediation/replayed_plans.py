"""Decide every stored run again, and hold it against what was decided then, or would be by the present settings."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from tasks.clients.evidence.store import load_run, runs_since
from tasks.model.errors import CannotObserve
from tasks.model.evidence.stored_run import Decided, PlanReplay, ReplaySettings, StoredRun
from tasks.model.remediation.plan import Plan
from tasks.rules.remediation.planning.planned_replay import decided_again, decided_words
from tasks.settings import RunbookSettings, ServiceSettings
from tasks.work.remediation.capabilities import settled_capabilities
from tasks.work.remediation.guard_inputs import ASKS_FOR_ORDERS

# What these set is read by a diagnosis or a plan; all else changes what a run sees, or whom it notifies.
COMPARED = frozenset({"limits", "restart", "remediation", "control", "control_token", "roll_back_command"})
NOTIFIES_ONLY = frozenset({"escalation"})
NOT_KEPT = "the plan: what it was made from was not kept with this run"
ORDERS_NOT_ASKED = "whether its orders would have stood in the way: they were not listed in this run"


def replayed_plans(
    settings: RunbookSettings, changed: RunbookSettings | None, since: datetime | None
) -> Iterable[PlanReplay]:
    """Decide the stored runs of every watched service again, oldest first.

    Runbook: §5.1.
    Errors: none; a run that cannot be read is named.
    Without `changed`, what was decided then is held against today's rules and settings; with it, the present settings
    against the changed ones.
    """
    for service in sorted(settings.services):
        for path in runs_since(settings.state_dir, service, since):
            yield _replayed(path, service, settings, changed)


def unseen_changes(settings: RunbookSettings, changed: RunbookSettings) -> tuple[str, ...]:
    """Name the settings that differ and that no stored run can show: they change what a run would have seen."""
    names = sorted(settings.services.keys() & changed.services.keys())
    return tuple(
        f"services.{name}.{key}"
        for name in names
        for key in ServiceSettings.model_fields
        if key not in COMPARED | NOTIFIES_ONLY
        and _seen_part(settings.service(name), key) != _seen_part(changed.service(name), key)
    )


def _seen_part(watched: ServiceSettings, key: str) -> Any:
    if key != "gateways":
        return getattr(watched, key)
    # How many orders a gateway takes is read by a guard, and changes nothing that is seen.
    return {name: one.model_copy(update={"order_rate_limit_per_s": None}) for name, one in watched.gateways.items()}


def _replayed(path: Path, service: str, settings: RunbookSettings, changed: RunbookSettings | None) -> PlanReplay:
    found = PlanReplay(file=str(path), service=service)
    try:
        run = load_run(path)
    except CannotObserve as error:
        return found.model_copy(update={"unreadable": error.detail})
    found = found.model_copy(update={"looked_at": run.evidence.latest.looked_at})
    if changed is not None and service not in changed.services:
        missing = f"everything: the changed settings have no [services.{service}]"
        return found.model_copy(update={"not_compared": (missing,)})
    before = _then(run) if changed is None else _decided(run, _settings_of(settings, None, service))[0]
    after, plan = _decided(run, _settings_of(changed or settings, settings, service))
    notes = (*([NOT_KEPT] if run.planning is None else []), *_orders_notes(run, plan))
    return found.model_copy(update={"before": before, "after": after, "not_compared": notes})


def _then(run: StoredRun) -> Decided:
    return run.planning.decided if run.planning else decided_words(run.diagnosis, None)


def _decided(run: StoredRun, settings: ReplaySettings) -> tuple[Decided, Plan | None]:
    diagnosis, plan = decided_again(run, settings)
    return decided_words(diagnosis, plan), plan


def _settings_of(settings: RunbookSettings, present: RunbookSettings | None, service: str) -> ReplaySettings:
    """Take what a diagnosis and a plan read; the mode of a run stays its own unless the settings differ in it."""
    is_other_mode = present is not None and settings.mode is not present.mode
    return ReplaySettings(
        limits=settings.service(service).limits,
        capabilities=settled_capabilities(settings, service),
        mode=settings.mode if is_other_mode else None,
    )


def _orders_notes(run: StoredRun, plan: Plan | None) -> tuple[str, ...]:
    if plan is None or run.planning is None or run.planning.orders is not None:
        return ()
    asking = dict.fromkeys(one.words for one in plan.actions if one.action in ASKS_FOR_ORDERS)
    return tuple(f"{words}: {ORDERS_NOT_ASKED}" for words in asking)
