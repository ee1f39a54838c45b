"""The one sentence about a service that a person reads first: from what was seen, and from what is in force."""

from collections.abc import Iterable
from datetime import datetime

from tasks.model.diagnosis.diagnosis import Cause, Confidence, Diagnosis, Finding, Status
from tasks.model.evidence.evidence import Evidence
from tasks.model.incidents.incident import Action, Outcome
from tasks.model.probes.probes import Observation, OrderOutcome, Seen
from tasks.model.probes.processes import ProcessState
from tasks.model.remediation.in_force import Held, InForce, Restriction
from tasks.model.remediation.remediation import ActionResult, RemediationResult
from tasks.model.reports.report import TriageStory
from tasks.rules.in_force.class_standing import left_words
from tasks.rules.in_force.restrictions import in_force, in_force_after, in_force_words
from tasks.rules.incidents.planned_windows import is_planned, planned_words
from tasks.rules.messages.desk import TROUBLED_ALL
from tasks.rules.messages.templates import capitalized, failing, failing_since, one_line, was_failing
from tasks.rules.remediation.planning.due import ends_incident

LEDGER_LOST = "NOTHING CAN BE DONE, the incident ledger cannot be used."
# What these set is in force, and is said with who set it and when.
HELD_ACTIONS = frozenset({Action.PAUSE_STRATEGIES, Action.REROUTE_ORDERS, Action.MARK_DEGRADED, Action.DISABLE_FEATURE})


def story_headline(story: TriageStory) -> str:
    """Write the sentence of a triage, with what it has done so far.

    Runbook: §1 Initial triage.
    """
    context = story.evidence.context
    line = headline(context.request.service, story.diagnosis, story.evidence, story.remediation)
    return f"{LEDGER_LOST} {line}" if context.ledger_detail else line


def headline(
    service: str, diagnosis: Diagnosis, evidence: Evidence | None, result: RemediationResult | None = None
) -> str:
    """Write what is broken, what was done, and what holds trading back; *healthy* only where nothing does.

    Errors: none; what could not be read is said to be not known.
    """
    held = held_now(evidence, result)
    over, left = over_and_left(diagnosis, result)
    was = "; ".join(was_failing(one, service) for one in over)
    state = f"Recovered: {was}." if was else _state(service, diagnosis, evidence, held)
    still = _broken(service, left, evidence) if over and left else ""
    planned = planned_words(evidence.context.planned, service) if evidence else ""
    parts = (state, *_done(result), still, planned, _held_words(diagnosis, held), *left_words(evidence))
    asked = questions(diagnosis, evidence, held) if evidence else ()
    return " ".join(part for part in (*parts, *asked) if part)


def held_now(evidence: Evidence | None, result: RemediationResult | None = None) -> InForce:
    """Say what is in force after a run: as the last observation saw it, and as the run has changed it since."""
    found = in_force(evidence.latest) if evidence else InForce(unknown="nothing was seen")
    proven = result.recovery.held if result and result.recovery else None
    return in_force_after(proven or found, result)


def overall_status(diagnosis: Diagnosis, held: InForce, evidence: Evidence | None) -> Status:
    """Say the service in one word: what holds trading back is not *ok*, whoever set it, though it is no cause.

    Errors: none. A person's re-route or switched-off feature lets everything trade, and is said without an alarm.
    """
    if diagnosis.status is not Status.OK:
        return diagnosis.status
    if any(one.stops_orders or one.kind is Held.GATEWAY or one.by_automation for one in held.restrictions):
        return Status.DEGRADED
    if left_words(evidence):
        return Status.DEGRADED
    return Status.OK if held.is_known or _all_filled(evidence) else Status.DEGRADED


def questions(diagnosis: Diagnosis, evidence: Evidence, held: InForce) -> tuple[str, ...]:
    """Ask whether what the automation holds back should go on, where the reason for it is gone; once a reason."""
    asked: dict[str, list[str]] = {}
    for one in held.own:
        if why := liftable(one, diagnosis, evidence.latest):
            asked.setdefault(why, []).append(one.name)
    return tuple(f"{why}: resume {' and '.join(names)}?" for why, names in asked.items())


def liftable(one: Restriction, diagnosis: Diagnosis, seen: Observation) -> str:
    """Say why a restriction could be lifted, as far as one observation shows; empty while its reason is still there.

    Errors: none; a gateway that nobody probed is no reason to lift anything.
    """
    if diagnosis.status is Status.BLIND or any(_speaks_of(finding, one) for finding in diagnosis.findings):
        return ""
    match one.kind:
        case Held.TRADING | Held.ROUTE | Held.GATEWAY:
            gateway = _gateway_of(one, seen)
            probe = next((probe for probe in seen.gateways if probe.gateway == gateway), None)
            return f"{gateway} answers again" if probe is not None and probe.seen is Seen.PASSED else ""
        case Held.STRATEGY:
            return f"Strategy {one.name} is within its rate"
        case Held.FEATURE:
            return ""


def _speaks_of(finding: Finding, one: Restriction) -> bool:
    """Say whether a finding is a reason to keep a restriction; what takes down everything is one for each."""
    if (finding.cause in TROUBLED_ALL and not finding.is_of_some) or finding.cause is Cause.UNKNOWN:
        return True
    return one.name in (*finding.asset_classes, *finding.gateways, *finding.strategies)


def _gateway_of(one: Restriction, seen: Observation) -> str | None:
    if one.kind is Held.GATEWAY:
        return one.name
    route = seen.routing.route(one.name) if seen.routing else None
    if route is None:
        return None
    return route.table_gateway if one.kind is Held.ROUTE else route.gateway


def _state(service: str, diagnosis: Diagnosis, evidence: Evidence | None, held: InForce) -> str:
    match diagnosis.status:
        case Status.BLIND:
            reasons = "; ".join(reason for finding in diagnosis.findings for reason in finding.because)
            return f"We cannot see {service}: {one_line(reasons).rstrip('.')}."
        case Status.OK:
            if held.restrictions:
                return f"{service} is up."
            return _good(service, evidence.latest, held) if evidence else f"{service}: nothing seen."
        case Status.DEGRADED | Status.CRITICAL:
            return _broken(service, diagnosis.findings, evidence) or f"{service} is {diagnosis.status.value}."


def _good(service: str, seen: Observation, held: InForce) -> str:
    """Say that everything is healthy as far as it was checked: without a test order nobody knows whether orders fill.

    Nothing is healthy of which nobody knows what holds it back, or whose test order ended otherwise than it should.
    """
    good = {OrderOutcome.EXECUTED, OrderOutcome.REJECTED_AS_EXPECTED}
    is_healthy = held.is_known and all(order.outcome in good for order in seen.orders)
    how = ("healthy" if is_healthy else "up") if seen.orders else "up, orders not checked"
    return f"{service} is {how}: {seen_words(seen)}."


def _broken(service: str, findings: Iterable[Finding], evidence: Evidence | None) -> str:
    """Say of each cause what is broken and since when: as its open incident says, else since this run saw it first."""
    sentences = (_failing(service, finding, evidence) for finding in findings)
    return " ".join(f"{one}." for one in dict.fromkeys(sentences))


def _failing(service: str, finding: Finding, evidence: Evidence | None) -> str:
    unsure = "" if finding.confidence is Confidence.CONFIRMED else f" ({finding.confidence})"
    unsure += " (planned)" if evidence and is_planned(finding, evidence.context.planned) else ""
    if evidence is None:
        return f"{failing(finding, service)}{unsure}"
    return f"{failing_since(finding, service, broken_since(finding, evidence))}{unsure}"


def broken_since(finding: Finding, evidence: Evidence) -> datetime:
    """Say since when something is broken: as its open incident says, else since this run saw it first."""
    known = (
        one.reopened_at or one.opened_at
        for one in evidence.context.open_incidents
        if finding.cause in one.causes and one.recovered_at is None
    )
    return next(known, evidence.observations[0].looked_at)


def over_and_left(
    diagnosis: Diagnosis, result: RemediationResult | None
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Part the findings: those that a proven action ended, and those that are left."""
    actions = result.actions if result else ()
    ended = [one.planned.finding for one in actions if one.proven is Outcome.RECOVERED and ends_incident(one.planned)]
    over = tuple(finding for finding in diagnosis.findings if finding in ended)
    return over, tuple(finding for finding in diagnosis.findings if finding not in ended)


def finding_words(finding: Finding) -> str:
    """Name a cause with where it is and how sure it is."""
    where = ", ".join(finding.gateways) or ", ".join(finding.asset_classes)
    return f"{finding.cause.value.replace('_', ' ')}{f' ({where})' if where else ''}, {finding.confidence.value}"


def seen_words(seen: Observation) -> str:
    """Name what passed, and nothing that was not looked at; orders by what became of them."""
    parts = ["health passed"] if seen.health.seen is Seen.PASSED else []
    parts += ["its process runs"] if seen.process.state is ProcessState.RUNNING else []
    parts += [_orders_words(seen)] if seen.orders else []
    asked = [one for one in seen.gateways if one.is_asked]
    parts += [f"{sum(one.answers for one in asked)} of {len(asked)} gateways answer"] if asked else []
    return ", ".join(parts)


def _orders_words(seen: Observation) -> str:
    counts: dict[OrderOutcome, int] = {}
    for order in seen.orders:
        counts[order.outcome] = counts.get(order.outcome, 0) + 1
    rested = sum(one.outcome is OrderOutcome.EXECUTED and one.ord_status == "canceled" for one in seen.orders)
    filled = counts.pop(OrderOutcome.EXECUTED, 0) - rested
    told = [f"{filled} of {len(seen.orders)} test orders filled"] if filled or not rested else []
    told += [f"{rested} of {len(seen.orders)} test orders taken and canceled"] if rested else []
    told += [f"{count} {_outcome_words(outcome)}" for outcome, count in counts.items()]
    return ", ".join(told)


def _outcome_words(outcome: OrderOutcome) -> str:
    if outcome is OrderOutcome.REJECTED_AS_EXPECTED:
        return "came back as expected, the market is closed"
    return f"ended as {outcome.value.replace('_', ' ')}"


def _done(result: RemediationResult | None) -> Iterable[str]:
    """Say what was done, and what it came to."""
    if result is None:
        return
    tried = [one for one in result.actions if one.outcome is not Outcome.REFUSED]
    yield from (action_words(one) for one in tried if one.action not in HELD_ACTIONS or one.proven is not Outcome.DONE)
    if not tried:
        why = f" ({result.code})" if result.code else ""
        yield f"No action taken: {one_line(result.detail).rstrip('.')}{why}."


def action_words(one: ActionResult) -> str:
    what = capitalized(one.planned.words)
    at = f" since {one.finished_at:%H:%M:%S}Z" if one.finished_at else ""
    match one.proven:
        case Outcome.RECOVERED:
            return f"{what}: recovered{at}."
        case Outcome.DONE:
            return f"{what}: done{at}."
        case Outcome.NOT_RECOVERED:
            return f"{what}: did not help."
        case _:
            return f"{what}: outcome unknown, verify by hand."


def _held_words(diagnosis: Diagnosis, held: InForce) -> str:
    """Say what is in force; that nobody could read it goes without saying where the service has other trouble."""
    words = in_force_words(held.restrictions)
    if not held.unknown or diagnosis.status is not Status.OK:
        return words
    return f"{words} What is in force is not known: {one_line(held.unknown).rstrip('.')}.".strip()


def _all_filled(evidence: Evidence | None) -> bool:
    orders = evidence.latest.orders if evidence else ()
    return bool(orders) and all(order.outcome is OrderOutcome.EXECUTED for order in orders)
