"""§1 Initial triage, the first five minutes; then §2 to §4 where they are needed."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any

from prefect import State, flow
from prefect.runtime import flow_run
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from flows.escalation import escalation
from flows.forms import Choice, ClassChoice, Empty, Help, completed_as, name_of, not_watched_here, services_asked
from flows.pings import tell_begun, tell_broken, tell_done
from flows.post_incident import post_incident
from flows.remediation import remediation
from flows.rota import report_rota_gaps
from flows.sweep import triage_sweep
from tasks.act.plan_remediation import plan_remediation
from tasks.model.evidence.evidence import Context, Evidence, TriageRequest
from tasks.model.fleet.sweep import SweepRequest
from tasks.model.incidents.incident import AlertType
from tasks.model.incidents.modes import Mode
from tasks.model.messages.messages import Message
from tasks.model.probes.orders import AssetClass
from tasks.model.probes.probes import Observation
from tasks.model.remediation.plan import Plan
from tasks.model.remediation.remediation import RemediationResult
from tasks.model.reports.report import Ended, TriageStory
from tasks.notify.attend_follow_ups import attend_follow_ups
from tasks.notify.resend import resend
from tasks.observe.check_market_hours import check_market_hours
from tasks.observe.check_process import check_process
from tasks.observe.confirm_failure import confirm_failure
from tasks.observe.gather_context import gather_context
from tasks.observe.probe_gateways import probe_gateways
from tasks.observe.probe_health import probe_health
from tasks.observe.probe_instances import probe_instances
from tasks.observe.read_metrics import read_metrics
from tasks.observe.read_routing import read_routing
from tasks.observe.scan_logs import scan_logs
from tasks.observe.send_synthetic_order import send_synthetic_order
from tasks.record.open_report import open_report
from tasks.record.record_incidents import record_incidents
from tasks.record.store_evidence import store_evidence
from tasks.record.write_report import write_report
from tasks.rules.diagnosis.causes.unexplained import symptoms
from tasks.rules.diagnosis.name_causes import name_cause, worth_confirming
from tasks.rules.incidents.alertmanager import read_alert
from tasks.rules.messages.attachments import with_evidence
from tasks.rules.messages.desk_update import update_messages
from tasks.rules.messages.ledger_unreadable import lost_ledger_messages
from tasks.rules.messages.opening import opening_messages
from tasks.rules.messages.outcome import remediation_messages
from tasks.rules.messages.resume_offer import resume_messages
from tasks.rules.probes.blind import BlindChecks, blind_logs, or_blind
from tasks.rules.remediation.branches import (
    ended_incidents,
    may_act,
    needs_runbook,
    nothing_allowed,
    recorded,
    remediation_case,
    waits_for_no_message,
)
from tasks.rules.reports.run_names import run_state, triage_name
from tasks.work.triage.growing_report import GrowingReport, growing_report
from tasks.work.triage.probe_pass import Checks, observed

Asked = Annotated[
    str | None, Field(max_length=100), Help("Which monitored service; leave empty for all that runbook.toml names.")
]
Alert = Annotated[AlertType | Empty | None, Choice("Which alert fired; leave empty for a routine check.")]
AffectedClass = Annotated[AssetClass | Empty | None, ClassChoice("Which asset class the alert is about, if one.")]
Note = Annotated[str, Field(max_length=2000), Help("What you saw; it is shown in the report.")]
# The alert as Alertmanager sends it, if it did: no field of the form, since nobody types it.
Payload = SkipJsonSchema[dict[str, Any] | None]
RunMode = Annotated[Mode | Empty | None, Choice("Go no further than this; empty follows the switch.")]


def run_name() -> str:
    parameters = flow_run.parameters or {}
    return triage_name(name_of(parameters.get("service")), parameters.get("alert"))


@flow(
    name="triage",
    flow_run_name=run_name,
    on_running=[tell_begun],
    on_completion=[tell_done, report_rota_gaps],
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
) -> State[Any]:
    """Check everything, name the cause, act where it is safe, and notify the right people.

    Runbook: §1 Initial triage.
    Errors: the run fails only when our own tool breaks; how the service is, is in the report.
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
            return await triage_sweep(SweepRequest(services=names, asked=asked, payload=payload, seen=seen), triage)


async def initial_triage(request: TriageRequest) -> State[Any]:
    """Go down the page for one service.

    Runbook: §1 Initial triage; then §2 to §5 where they are needed.
    """
    service = request.service
    context = gather_context(request)  # §1.1
    scan = asyncio.create_task(or_blind(scan_logs(service), blind_logs))  # §1.4
    first = await look_around(service, context)  # §1.2, §1.3
    passes = await confirm_failure(service, first, context) if worth_confirming(context, first) else (first,)
    logs = await scan
    markets = check_market_hours(service) if symptoms(passes[-1]) else ()  # §1.1
    evidence = Evidence(context=context, observations=passes, markets=markets)
    diagnosis = name_cause(evidence)
    store_evidence(evidence, diagnosis, logs)  # §3.1
    story = TriageStory(evidence=evidence, diagnosis=diagnosis, logs=logs)
    if needs_runbook(story):
        story = recorded(story, record_incidents(evidence, diagnosis))  # §1.4
    if needs_runbook(story):
        plan, report = await asyncio.gather(plan_remediation(story), open_report(story))  # §2, §1.4
        story = story.having(plan=plan).open_at(report)
        said = (*opening_messages(story), *resume_messages(story))
        opening = with_evidence((*said, *update_messages(story, said)), story)
        story = await notify_and_act(story, plan, opening)  # §2, §3, §4
        closing = with_evidence(remediation_messages(story), story)
        told = await escalation(service, closing, context.maintenance, story.run_url)  # §3, §4
        story = story.having(told=(*story.told, *told))
    elif lost := lost_ledger_messages(story):
        story = story.having(
            told=await escalation(service, with_evidence(lost, story), run_url=context.run_url)
        )  # §3.3
    if story.told or context.unsent_count:
        resend()  # §4.1, §4.2
    if ended := ended_incidents(story):
        written = await post_incident(service, ended, return_state=True)  # §5
        story = story.having(ended=Ended(incident_ids=ended, written=written.is_completed()))
    if context.follow_ups_due:
        attend_follow_ups(service)  # §5.2
    return completed_as(run_state(story), await write_report(story))


async def notify_and_act(story: TriageStory, plan: Plan, opening: tuple[Message, ...]) -> TriageStory:
    """Notify people of what was found and is planned, and do it; a restart waits for no message to arrive.

    Runbook: §2 Remediation, §3 Escalation matrix, §4 Communication.
    Errors: those of either, once both have ended: neither is cut off midway by the other.
    """
    with growing_report(story) as growing:
        if not waits_for_no_message(plan):
            await notify_first(growing, opening)
            return growing.story.having(remediation=await act(growing.story, plan))
        acting = asyncio.ensure_future(act(story, plan))
        telling = asyncio.ensure_future(notify_first(growing, opening))
        try:
            result = await acting
        finally:
            await telling
    return growing.story.having(remediation=result)


async def act(story: TriageStory, plan: Plan) -> RemediationResult | None:
    """Carry the plan out where anything of it may be done or asked for; else say why not."""
    return await remediation(remediation_case(story, plan)) if may_act(plan) else nothing_allowed(story, plan)


async def notify_first(growing: GrowingReport, opening: tuple[Message, ...]) -> None:
    """Notify people, and let the report show who was."""
    story, context = growing.story, growing.story.evidence.context
    told = await escalation(context.request.service, opening, context.maintenance, story.run_url)
    growing.story = story.having(told=told)


async def look_around(service: str, context: Context | None = None) -> Observation:
    """Run every check at once; by the context is known whose rows are blind where a whole step breaks."""
    checks = Checks(
        health=probe_health(service),  # §1.2
        process=check_process(service),  # §1.2
        metrics=read_metrics(service),  # §1.2
        orders=send_synthetic_order(service),  # §1.3
        gateways=probe_gateways(service),  # §1.2
        routing=read_routing(service),  # §2.2
        instances=probe_instances(service) if context and context.known_instances else None,  # §1.2
    )
    classes = context.known_classes if context else ()
    gateways = [gateway.name for gateway in context.known_gateways] if context else ()
    return await observed(checks, BlindChecks(datetime.now(UTC), classes, gateways))
