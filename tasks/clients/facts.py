"""Gather what the guards look at, as it is at this moment: the ledger, the switch, the settings, one more look."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime

from tasks.clients.context import context_at_once, context_of, ledger_at_once
from tasks.clients.http_exchange import http_client
from tasks.clients.incident_ledger import read_ledger
from tasks.clients.markets import markets_now
from tasks.clients.neighbors import sick_neighbors
from tasks.clients.observe import observe
from tasks.clients.order_states import proven_within
from tasks.clients.routing_look import routing_look
from tasks.clients.setup import setup_of
from tasks.model.control import TradingState
from tasks.model.diagnosis import Diagnosis
from tasks.model.evidence import Evidence
from tasks.model.incident import TIGHTENERS, Action, LedgerRecord
from tasks.model.looks import HealthLook, MetricsLook, Observation, Seen
from tasks.model.order_states import OrderStates
from tasks.model.plan import PlannedAction
from tasks.model.processes import ProcessLook, ProcessState
from tasks.model.remediation import RemediationCase
from tasks.rules.action_history import action_history
from tasks.rules.diagnosis import name_cause
from tasks.rules.guards.facts import Facts, hang_with_it, is_dead_end
from tasks.rules.guards.last_look import TAKES_A_CHANGE_BACK
from tasks.settings import RunbookSettings, ServiceSettings

# Before these, orders whose outcome is not proven are asked for (safety rule 5).
ASKS_FOR_ORDERS = frozenset({Action.RESTART_SERVICE, Action.REROUTE_ORDERS, Action.ROLL_BACK_RELEASE})
# Before these, what is in force is read once more, last of all (safety rule 8).
MAY_LOOSEN = frozenset({Action.RESUME, Action.REROUTE_ORDERS})
# Before these, the other services of the host are looked at (safety rule 6).
STOPS_THE_PROCESS = frozenset({Action.RESTART_SERVICE, Action.ROLL_BACK_RELEASE})


async def facts_now(settings: RunbookSettings, case: RemediationCase, planned: PlannedAction) -> Facts:
    """Look once more, and read everything anew, right before an action.

    Runbook: §2 (safety rule 1).
    Errors: `LEDGER_UNREADABLE`: without the ledger no budget is known, and nothing is done.
    Steps: a person's halt waits for no look (safety rule 8), *reducing* for the one that says whether it tightens, the
    automation's for the one that says whether a person has resumed the class; no missing answer keeps it off. Only what
    stops or moves orders asks for the unproven ones, at the same time as it looks. Errors that fail one order in three
    need two looks, and what was counted between them.
    """
    watched = settings.service(case.service)
    if planned.action is Action.PAUSE_STRATEGIES:
        # A person may have resumed the class since the automation looked; a person's own halt waits for no answer.
        asks = case.asked is None or planned.target.trading_state is TradingState.REDUCING
        seen = await standing_now(watched) if asks else unseen(datetime.now(UTC))
        return facts_of(settings, case, planned, seen)
    seen, orders, sick = await asyncio.gather(
        observe(watched), _unproven(watched, case, planned), neighbors_before(settings, case.service, (planned.action,))
    )
    if planned.action in MAY_LOOSEN:
        # The other looks take seconds, and a halt of the last one counts.
        seen = seen.model_copy(update={"routing": (await standing_now(watched)).routing})
    facts = facts_of(settings, case, planned, seen, orders).model_copy(update={"sick_neighbors": sick})
    if planned.action in TAKES_A_CHANGE_BACK:
        return await _seen_again(watched, case, planned, facts)
    if planned.action is not Action.REROUTE_ORDERS:
        return facts
    evidence = facts.evidence.model_copy(update={"markets": markets_now(watched)})
    return facts.model_copy(update={"evidence": evidence})


async def _seen_again(watched: ServiceSettings, case: RemediationCase, planned: PlannedAction, facts: Facts) -> Facts:
    """Look a second time, so that the orders between both looks count as well."""
    await asyncio.sleep(watched.look.confirm_interval_s)
    rounds = (*facts.evidence.observations, await observe(watched))
    evidence = facts.evidence.model_copy(update={"observations": rounds})
    return facts.model_copy(update={"evidence": evidence, "diagnosis": _diagnosis(case, planned, evidence)})


async def neighbors_before(settings: RunbookSettings, service: str, actions: Iterable[Action]) -> tuple[str, ...]:
    """Name the sick neighbors before a process is stopped; nobody is asked before any other action."""
    return () if STOPS_THE_PROCESS.isdisjoint(actions) else await sick_neighbors(settings, service)


async def _unproven(watched: ServiceSettings, case: RemediationCase, planned: PlannedAction) -> OrderStates | None:
    """List the orders that are not proven, before what stops or moves orders.

    Steps: a service that hangs or is gone is asked as a probe asks it, and waited for only where it answers and calls
    orders unknown; those in flight hang with it, and no wait proves them.
    """
    if planned.action not in ASKS_FOR_ORDERS:
        return None
    wait_s = watched.remediation.orders_wait_s
    if any(is_dead_end(one) for one in ((planned.finding,) if planned.finding else case.diagnosis.findings)):
        return await proven_within(watched, wait_s, watched.look.health_timeout_s, hang_with_it)
    return await proven_within(watched, wait_s)


def facts_of(
    settings: RunbookSettings,
    case: RemediationCase,
    planned: PlannedAction,
    seen: Observation,
    orders: OrderStates | None = None,
) -> Facts:
    """Put one look beside the ledger, the switch and the settings as they are now.

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
    return Facts(
        now=now,
        evidence=evidence,
        diagnosis=_diagnosis(case, planned, evidence),
        history=action_history(records, case.service, now),
        setup=setup_of(settings, case.service),
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
    """Look at nothing but how each class stands, as what is not a halt must know before it is sent."""
    async with http_client(service.look.connect_timeout_s) as client:
        routing = await routing_look(client, service)
    return unseen(datetime.now(UTC)).model_copy(update={"routing": routing})


def _diagnosis(case: RemediationCase, planned: PlannedAction, evidence: Evidence) -> Diagnosis:
    """Name the causes of this look.

    Steps: a pause does not look, and a person does not wait for one: where it saw nothing, these go by what was seen
    before. All else is for a cause that must show again.
    """
    waits_for_it = planned.finding is not None and planned.action is not Action.PAUSE_STRATEGIES
    is_blind = evidence.latest.health.seen is Seen.BLIND
    return case.diagnosis if is_blind and not waits_for_it else name_cause(evidence)


def unseen(now: datetime) -> Observation:
    """Write a round in which nothing was looked at."""
    detail = "not looked at"
    return Observation(
        looked_at=now,
        health=HealthLook(seen=Seen.BLIND, detail=detail, looked_at=now),
        process=ProcessLook(state=ProcessState.BLIND, detail=detail, looked_at=now),
        metrics=MetricsLook(seen=Seen.BLIND, detail=detail, looked_at=now),
    )
