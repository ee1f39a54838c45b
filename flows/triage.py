"""§1 Initial triage, the first five minutes; then §2 to §4 where they are needed."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Annotated, Any

from prefect import State, flow
from prefect.runtime import flow_run
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from flows.asked import name_of, not_watched_here, services_asked
from flows.escalation import escalation
from flows.forms import Choice, Empty, Help
from flows.pings import tell_begun, tell_broken, tell_done
from flows.post_incident import post_incident
from flows.remediation import remediation
from flows.rounds import triage_round
from tasks.check_process import check_process
from tasks.confirm_failure import confirm_failure
from tasks.gather_context import gather_context
from tasks.look_at_markets import look_at_markets
from tasks.model.evidence import Evidence, KnownGateway, TriageRequest
from tasks.model.incident import AlertType
from tasks.model.looks import Observation
from tasks.model.modes import Mode
from tasks.model.orders import AssetClass
from tasks.model.report import Ended, TriageStory
from tasks.model.rounds import RoundRequest
from tasks.name_run import name_run
from tasks.plan_remediation import plan_remediation
from tasks.probe_gateways import probe_gateways
from tasks.probe_health import probe_health
from tasks.read_metrics import read_metrics
from tasks.read_routing import read_routing
from tasks.record_incidents import record_incidents
from tasks.resend import resend
from tasks.rules.alert_payload import read_alert
from tasks.rules.blind_looks import BlindLooks, blind_logs, or_blind
from tasks.rules.causes.unexplained import symptoms
from tasks.rules.course import ended_incidents, may_act, needs_runbook, nothing_allowed, recorded, remediation_case
from tasks.rules.diagnosis import name_cause, worth_confirming
from tasks.rules.fitting import fitting
from tasks.rules.lost_ledger import lost_ledger_messages
from tasks.rules.message_evidence import with_evidence
from tasks.rules.messages import opening_messages
from tasks.rules.remediation_messages import remediation_messages
from tasks.rules.resume_messages import resume_messages
from tasks.rules.run_names import triage_name
from tasks.scan_logs import scan_logs
from tasks.send_synthetic_order import send_synthetic_order
from tasks.store_evidence import store_evidence
from tasks.write_report import write_report

Asked = Annotated[
    str | None, Field(max_length=100), Help("Which watched service; leave empty for all that runbook.toml names.")
]
Alert = Annotated[AlertType | Empty | None, Choice("Which alert fired; leave empty for a routine look.")]
AffectedClass = Annotated[AssetClass | Empty | None, Choice("Which asset class the alert is about, if one.")]
Note = Annotated[str, Field(max_length=2000), Help("What you saw; it is shown in the report.")]
# The alert as Alertmanager sends it, if it did: no field of the form, since nobody types it.
Payload = SkipJsonSchema[dict[str, Any] | None]
RunMode = Annotated[Mode | Empty | None, Choice("Go no further than this; empty follows the switch.")]


def run_name() -> str:
    """Name the run so that a list of runs can be read: the service, and what it was started for."""
    parameters = flow_run.parameters or {}
    return triage_name(name_of(parameters.get("service")), parameters.get("alert"))


@flow(
    name="triage",
    flow_run_name=run_name,
    on_running=[tell_begun],
    on_completion=[tell_done],
    on_failure=[tell_broken],
    on_crashed=[tell_broken],
)
async def triage(
    service: Asked = "",
    alert: Alert = "",
    asset_class: AffectedClass = "",
    note: Note = "",
    mode: RunMode = "",
    payload: Payload = None,
) -> str | State[Any]:
    """Look at everything, name the cause, act where it is safe, and tell the right people.

    Runbook: §1 Initial triage.
    Errors: the run fails only when our own tool breaks; how the patient is, is in the report.
    """
    asked = TriageRequest(
        service="", alert=alert or None, asset_class=asset_class or None, note=note, mode=mode or None
    )
    match services_asked(service):
        case ():
            return not_watched_here(service)
        case (name,):
            return await initial_triage(asked.model_copy(update={"service": name, "seen": read_alert(payload, name)}))
        case names:
            seen = {name: read_alert(payload, name) for name in names}
            return await triage_round(RoundRequest(services=names, asked=asked, payload=payload, seen=seen), triage)


async def initial_triage(request: TriageRequest) -> str:
    """Go down the page for one service.

    Runbook: §1 Initial triage; then §2 to §5 where they are needed.
    """
    service = request.service
    context = gather_context(request)  # §1.1
    scan = asyncio.create_task(or_blind(scan_logs(service), blind_logs))  # §1.4
    first = await look_around(service, context.known_gateways)  # §1.2, §1.3
    rounds = await confirm_failure(service, first, context) if worth_confirming(context, first) else (first,)
    logs = await scan
    markets = look_at_markets(service) if symptoms(rounds[-1]) else ()  # §1.1
    evidence = Evidence(context=context, observations=rounds, markets=markets)
    diagnosis = name_cause(evidence)
    store_evidence(evidence, diagnosis, logs)  # §3.1
    story = TriageStory(evidence=evidence, diagnosis=diagnosis, logs=logs)
    if needs_runbook(story):
        story = recorded(story, record_incidents(evidence, diagnosis))  # §1.4
    if needs_runbook(story):
        plan, _ = await asyncio.gather(plan_remediation(story), name_run(story))  # §2, §1.4
        story = story.having(plan=plan)
        opening = with_evidence((*opening_messages(story), *resume_messages(story)), story)
        told = await escalation(service, opening, context.maintenance, context.run_url)  # §3, §4
        allowed = may_act(plan)
        result = await remediation(remediation_case(story, plan)) if allowed else nothing_allowed(story, plan)  # §2
        story = story.having(remediation=result)
        closing = with_evidence(remediation_messages(story), story)
        told += await escalation(service, closing, context.maintenance, context.run_url)  # §3, §4
        story = story.having(told=told)
    elif lost := lost_ledger_messages(story):
        story = story.having(
            told=await escalation(service, with_evidence(lost, story), run_url=context.run_url)
        )  # §3.3
    if story.told or context.unsent_count:
        resend()  # §4.1, §4.2
    if ended := ended_incidents(story):
        written = await post_incident(service, ended, return_state=True)  # §5
        story = story.having(ended=Ended(incident_ids=ended, written=written.is_completed()))
    return await write_report(story)


async def look_around(service: str, known: tuple[KnownGateway, ...] = ()) -> Observation:
    """Make every look at once."""
    looked_at, steady_s = datetime.now(UTC), time.monotonic()
    blind = BlindLooks(looked_at, gateways=[gateway.name for gateway in known])
    health, process, metrics, orders, gateways, routing = await asyncio.gather(
        or_blind(probe_health(service), blind.health),  # §1.2
        or_blind(check_process(service), blind.process),  # §1.2
        or_blind(read_metrics(service), blind.metrics),  # §1.2
        or_blind(send_synthetic_order(service), blind.orders),  # §1.3
        or_blind(probe_gateways(service), blind.gateways),  # §1.2
        or_blind(read_routing(service), blind.routing),  # §2.2
    )
    return fitting(
        Observation(
            looked_at=looked_at,
            ended_at=datetime.now(UTC),
            steady_s=steady_s,
            health=health,
            process=process,
            metrics=metrics,
            orders=orders,
            gateways=gateways,
            routing=routing,
        )
    )
