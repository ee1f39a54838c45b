"""What a drill leaves behind, as its tests need it: the ledger's lines, the messages, the orders; time passed in."""

from datetime import datetime, timedelta

from tasks.model.diagnosis.diagnosis import Audience, Cause
from tasks.model.drills.drills import DrillContext, DrillName, OrderTally
from tasks.model.incidents.incident import Action, Event, LedgerRecord, Outcome
from tasks.model.messages.messages import Delivery
from tasks.rules.drills.scoring import DrillTrace
from tests.fakes.incident.observations import NOW

SERVICE = "order-service"
INCIDENT = "INC-1"
HEALED_S = 60.0


def at(after_s: float) -> datetime:
    """A time so many seconds after the injection."""
    return NOW + timedelta(seconds=after_s)


def context(drill: DrillName = DrillName.SERVICE_STOPPED) -> DrillContext:
    """A drill that was injected at `NOW` and healed a minute later."""
    return DrillContext(drill=drill, service=SERVICE, by="ada", run_id="run-1", opened_at=at(-5), injected_at=NOW)


def over(drill: DrillName = DrillName.SERVICE_STOPPED) -> DrillContext:
    """The same after it was healed."""
    return context(drill).model_copy(update={"healed_at": at(HEALED_S)})


def record(event: Event, after_s: float, incident: str = INCIDENT, **details: object) -> LedgerRecord:
    """One line of the ledger."""
    return LedgerRecord(
        timestamp=at(after_s),
        type="health_check_error",
        service=SERVICE,
        incident_id=incident,
        event=event,
        details=dict(details),
    )


def named(cause: Cause, tier: Audience, after_s: float = 5.0, incident: str = INCIDENT) -> tuple[LedgerRecord, ...]:
    """An incident that is opened with its cause."""
    said = {"cause": cause.value, "tier": tier.value}
    return (record(Event.OPENED, after_s, incident, **said), record(Event.DIAGNOSED, after_s, incident, **said))


def done(
    action: Action, after_s: float, *ends: Outcome, target: str = "", incident: str = INCIDENT
) -> tuple[LedgerRecord, ...]:
    """An action, and its ends, a second apart."""
    facts: dict[str, object] = {"action": action.value, "key": f"{incident}/{action}/{after_s:g}", "target": target}
    ended = (
        record(Event.ACTION_FINISHED, after_s + place, incident, **facts, outcome=end.value)
        for place, end in enumerate(ends, 1)
    )
    return (record(Event.ACTION_STARTED, after_s, incident, **facts), *ended)


def restarted() -> tuple[LedgerRecord, ...]:
    """A hung service that was restarted once, and proven well."""
    return (
        *named(Cause.SERVICE_HUNG, Audience.TIER_1),
        *done(Action.RESTART_SERVICE, 10, Outcome.DONE, Outcome.RECOVERED),
        record(Event.RECOVERED, 12),
        record(Event.CLOSED, 12),
    )


def told(count: int, incident: str = INCIDENT, *, delivered: bool = True) -> tuple[Delivery, ...]:
    """Messages of an incident."""
    one = Delivery(
        timestamp=NOW,
        incident_id=incident,
        audience=Audience.TIER_1,
        channel="local",
        text="a message",
        delivered=delivered,
    )
    return (one,) * count


def trace(*records: LedgerRecord, **changes: object) -> DrillTrace:
    """What a drill left behind: these lines, and all else well."""
    facts: dict[str, object] = {
        "records": records,
        "deliveries": (),
        "looks": (),
        "orders": OrderTally(sent_count=40),
        "well": True,
        **changes,
    }
    return DrillTrace.model_validate(facts)
