"""Gather what the guards look at, as it is at this moment: the ledger, the switch, the settings, one more check."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime

from tasks.clients.incidents.ledger import read_ledger
from tasks.clients.market.hours import markets_now
from tasks.clients.service.http import http_client
from tasks.clients.service.instances import instance_of, instances_of
from tasks.clients.service.order_states import proven_within
from tasks.clients.service.probes import health_probe
from tasks.clients.service.routing import routing_probe
from tasks.model.diagnosis.diagnosis import Diagnosis
from tasks.model.evidence.evidence import Evidence
from tasks.model.incidents.incident import TIGHTENERS, Action, LedgerRecord
from tasks.model.probes.control import TradingState
from tasks.model.probes.order_states import OrderStates
from tasks.model.probes.probes import HealthProbe, MetricsProbe, Observation, Seen
from tasks.model.probes.processes import ProcessCheck, ProcessState
from tasks.model.remediation.plan import PlannedAction
from tasks.model.remediation.remediation import RemediationCase
from tasks.rules.diagnosis.name_causes import name_cause
from tasks.rules.fleet.neighbors import has_trouble_of_its_own, is_unhealthy
from tasks.rules.incidents.action_history import action_history
from tasks.rules.probes.order_states import worst_of
from tasks.rules.remediation.guards.guard_inputs import GuardInputs, hang_with_it, is_dead_end
from tasks.rules.remediation.guards.recheck import TAKES_A_CHANGE_BACK
from tasks.settings import RunbookSettings, ServiceSettings
from tasks.work.remediation.capabilities import capabilities_of
from tasks.work.triage.context import context_at_once, context_of, ledger_at_once, ledger_or_fault
from tasks.work.triage.probe_pass import observe

# Before these, orders whose outcome is not proven are asked for (safety rule 5).
ASKS_FOR_ORDERS = frozenset({Action.RESTART_SERVICE, Action.REROUTE_ORDERS, Action.ROLL_BACK_RELEASE})
# Before these, what is in force is read once more, last of all (safety rule 8).
MAY_LOOSEN = frozenset({Action.RESUME, Action.REROUTE_ORDERS})
# Before these, the other services of the host are checked (safety rule 6).
STOPS_THE_PROCESS = frozenset({Action.RESTART_SERVICE, Action.ROLL_BACK_RELEASE})


async def guard_inputs_now(settings: RunbookSettings, case: RemediationCase, planned: PlannedAction) -> GuardInputs:
    """Check once more, and read everything again, right before an action.

    Runbook: §2 (safety rule 1).
    Errors: `LEDGER_UNREADABLE`: without the ledger no budget is known, and nothing is done.
    Steps: a person's halt waits for no check (safety rule 8), *reducing* for the one that says whether it tightens, the
    automation's for the one that says whether a person has resumed the class; no missing answer keeps it off. Only what
    stops or moves orders asks for the unproven ones, at the same time as it checks. Errors that fail one order in three
    need two checks, and what was counted between them.
    """
    watched = settings.service(case.service)
    if planned.action is Action.PAUSE_STRATEGIES:
        # A person may have resumed the class since the automation checked; a person's own halt waits for no answer.
        asks = case.asked is None or planned.target.trading_state is TradingState.REDUCING
        seen = await standing_now(watched) if asks else unseen(datetime.now(UTC))
        return guard_inputs_of(settings, case, planned, seen)
    seen, orders, sick = await asyncio.gather(
        observe(watched), _unproven(watched, case, planned), neighbors_before(settings, case.service, (planned.action,))
    )
    if planned.action in MAY_LOOSEN:
        # The other checks take seconds, and a halt of the last one counts.
        seen = seen.model_copy(update={"routing": (await standing_now(watched)).routing})
    inputs = guard_inputs_of(settings, case, planned, seen, orders).model_copy(update={"unhealthy_neighbors": sick})
    if planned.action in TAKES_A_CHANGE_BACK:
        return await _seen_again(watched, case, planned, inputs)
    if planned.action is not Action.REROUTE_ORDERS:
        return inputs
    evidence = inputs.evidence.model_copy(update={"markets": markets_now(watched)})
    return inputs.model_copy(update={"evidence": evidence})


async def _seen_again(
    watched: ServiceSettings, case: RemediationCase, planned: PlannedAction, inputs: GuardInputs
) -> GuardInputs:
    """Check a second time, so that the orders between both checks count, too."""
    await asyncio.sleep(watched.look.confirm_interval_s)
    passes = (*inputs.evidence.observations, await observe(watched))
    evidence = inputs.evidence.model_copy(update={"observations": passes})
    return inputs.model_copy(update={"evidence": evidence, "diagnosis": _diagnosis(case, planned, evidence)})


async def neighbors_before(settings: RunbookSettings, service: str, actions: Iterable[Action]) -> tuple[str, ...]:
    """Name the unhealthy neighbors before a process is stopped; nobody is asked before any other action."""
    return () if STOPS_THE_PROCESS.isdisjoint(actions) else await unhealthy_neighbors(settings, service)


async def _unproven(watched: ServiceSettings, case: RemediationCase, planned: PlannedAction) -> OrderStates | None:
    """List the orders that are not proven, before what stops or moves orders.

    Steps: a service that hangs or is gone is asked as a probe asks it, and waited for only where it answers and calls
    orders unknown; those in flight hang with it, and no wait proves them.
    """
    if planned.action not in ASKS_FOR_ORDERS:
        return None
    name, wait_s = planned.target.instance, watched.remediation.orders_wait_s
    findings = (planned.finding,) if planned.finding else case.diagnosis.findings
    is_dead = any(is_dead_end(one) for one in findings)
    # An instance may hold orders of which the one behind the common address knows nothing.
    asked = (watched, instance_of(watched, name)) if name in instances_of(watched) else (watched,)
    if is_dead:
        asks = [proven_within(one, wait_s, watched.look.health_timeout_s, hang_with_it) for one in asked]
    else:
        asks = [proven_within(one, wait_s) for one in asked]
    return worst_of(await asyncio.gather(*asks))


def guard_inputs_of(
    settings: RunbookSettings,
    case: RemediationCase,
    planned: PlannedAction,
    seen: Observation,
    orders: OrderStates | None = None,
) -> GuardInputs:
    """Put one observation beside the ledger, the switch and the settings as they are now.

    Errors: `LEDGER_UNREADABLE`, but for what tightens: that needs no budget. A feature that is switched off by itself
    is proven afterwards, and does.
    """
    now = datetime.now(UTC)
    gather = context_at_once if planned.action in TIGHTENERS else context_of
    context = gather(settings, case.request, now, case.late_s)
    by_itself = planned.action is Action.DISABLE_FEATURE and case.asked is None
    place = settings.ledger(case.service)
    records = read_ledger(place).records if by_itself else known_records(settings, case.service, planned.action)
    evidence = Evidence(context=context, observations=(seen,))
    return GuardInputs(
        now=now,
        evidence=evidence,
        diagnosis=_diagnosis(case, planned, evidence),
        history=action_history(records, case.service, now),
        capabilities=capabilities_of(settings, case.service),
        orders=orders,
        asked=case.asked,
        approval=case.approval,
        planned_at=case.plan.written_at,
    )


def known_records(settings: RunbookSettings, service: str, action: Action) -> tuple[LedgerRecord, ...]:
    """Read what was done before; what tightens goes on without it.

    Errors: `LEDGER_UNREADABLE` for all else.
    """
    place = settings.ledger(service)
    return ledger_at_once(place)[0].records if action in TIGHTENERS else read_ledger(place).records


async def standing_now(service: ServiceSettings) -> Observation:
    """Read nothing but how each class stands, as what is not a halt must know before it is sent."""
    async with http_client(service.http, service.look.connect_timeout_s) as client:
        routing = await routing_probe(client, service)
    return unseen(datetime.now(UTC)).model_copy(update={"routing": routing})


def _diagnosis(case: RemediationCase, planned: PlannedAction, evidence: Evidence) -> Diagnosis:
    """Name the causes of this check.

    Steps: a pause does not check, and a person does not wait for one: where it saw nothing, these go by what was seen
    before. All else is for a cause that must show again.
    """
    waits_for_it = planned.finding is not None and planned.action is not Action.PAUSE_STRATEGIES
    is_blind = evidence.latest.health.seen is Seen.BLIND
    return case.diagnosis if is_blind and not waits_for_it else name_cause(evidence)


def unseen(now: datetime) -> Observation:
    detail = "not checked"
    return Observation(
        looked_at=now,
        health=HealthProbe(seen=Seen.BLIND, detail=detail, looked_at=now),
        process=ProcessCheck(state=ProcessState.BLIND, detail=detail, looked_at=now),
        metrics=MetricsProbe(seen=Seen.BLIND, detail=detail, looked_at=now),
    )


AT_ONCE_COUNT = 20
# However many there are and however slowly they answer, the action is not held up for longer.
CHECKS_S = 10.0


async def unhealthy_neighbors(settings: RunbookSettings, service: str) -> tuple[str, ...]:
    """Name the other watched services that are unhealthy at this moment, and were not for long (safety rule 6).

    Runbook: §2.1, before a restart.
    One that could not be checked proves nothing. One that is worked on, or whose own incident is older,
    has its own cause.
    """
    others = [name for name in settings.services if name != service]
    places = asyncio.Semaphore(AT_ONCE_COUNT)
    looks = [asyncio.ensure_future(_seen(settings, name, places)) for name in others]
    done, late = await asyncio.wait(looks, timeout=CHECKS_S) if looks else (set(), set())
    for one in late:
        one.cancel()
    seen = dict(one.result() for one in done)
    return tuple(name for name in others if name in seen and is_unhealthy(seen[name]) and not _is_old(settings, name))


async def _seen(settings: RunbookSettings, name: str, places: asyncio.Semaphore) -> tuple[str, HealthProbe]:
    watched = settings.service(name)
    async with places, http_client(watched.http, watched.look.connect_timeout_s) as client:
        return name, await health_probe(client, watched)


def _is_old(settings: RunbookSettings, name: str) -> bool:
    """Say whether a neighbor's trouble is its own; a ledger that cannot be read does not say so."""
    ledger, _ = ledger_or_fault(settings.ledger(name))
    return has_trouble_of_its_own(ledger, name, datetime.now(UTC), settings.service(name).planned)
