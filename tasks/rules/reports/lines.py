"""Lay a triage out as the runbook page: each line done, not needed, or could not, with the evidence."""

from pathlib import PurePath

from tasks.model.checks.checks import CheckResult
from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.incidents.incident import Action, Outcome
from tasks.model.logs.findings import LogCheck, LogScan
from tasks.model.messages.messages import Message
from tasks.model.probes.probes import InstanceProbe, Observation, OrderProbe, Seen
from tasks.model.probes.processes import UNSEEN, ProcessCheck
from tasks.model.remediation.plan import Due
from tasks.model.remediation.remediation import ActionResult
from tasks.model.remediation.verdicts import GuardCode
from tasks.model.reports.report import Mark, ReportLine, TriageStory
from tasks.rules.checks.checks import check_results, fired
from tasks.rules.diagnosis.notes import notes
from tasks.rules.formats.markdown_cells import cell
from tasks.rules.formats.time import utc_text
from tasks.rules.incidents.tiers import TIER_NAMES
from tasks.rules.messages.desk import desk_clock
from tasks.rules.probes.http_status import asked_words
from tasks.rules.remediation.planning.plan_markdown import plan_lines

LOG_FINDINGS_COUNT = 3
LOG_TEMPLATE_COUNT = 120
NOTE = "a note, nothing is done because of it"
SECTION_OF = {
    Action.RESTART_SERVICE: "§2.1",
    Action.MARK_DEGRADED: "§2.1",
    Action.REROUTE_ORDERS: "§2.2",
    Action.PAUSE_STRATEGIES: "§2.2",
    Action.RESTORE_ROUTING: "§2.2",
    Action.RESUME: "§2.2",
    Action.ROLL_BACK_RELEASE: "§2.3",
    Action.DISABLE_FEATURE: "§2.3",
}
Lines = tuple[ReportLine, ...]


def report_lines(story: TriageStory) -> Lines:
    """Write every line of the page, in the page's order.

    Runbook: §1 to §5.
    """
    latest = story.evidence.latest
    return (
        _context_line(story),
        *_health_lines(latest),
        *(_line("§1.2", "Worth knowing", Mark.DONE, note) for note in notes(story.evidence)),
        *_order_lines(latest),
        *_log_lines(story.logs),
        _incidents_line(story),
        *_remediation_lines(story),
        *_notified_lines(story),
        *_postmortem_lines(story),
        *_check_lines(story),
    )


def _context_line(story: TriageStory) -> ReportLine:
    context = story.evidence.context
    if context.ledger_detail:
        return _line("§1.1", "Ledger", Mark.COULD_NOT, context.ledger_detail)
    since = f", failing since {utc_text(context.began_at)}" if context.began_at else ""
    least = "at least " if context.recent_is_least else ""
    facts = [f"alert {context.alert or 'none (scheduled)'}{since}", f"{least}{context.recent_count} records in 24 h"]
    facts.append(f"mode {context.mode}")
    facts += [
        f"{', '.join(one.concerns)}: {one.reason}, until {utc_text(one.until)}"
        for one in context.planned
        if one.concerns
    ]
    if window := context.maintenance:
        facts.append(f"maintenance until {utc_text(window.until)} by {window.by}, nothing is done: {window.reason}")
    return _line("§1.1", "Alert, start, mode", Mark.DONE, "; ".join(facts))


def _health_lines(latest: Observation) -> Lines:
    health, metrics = latest.health, latest.metrics
    gateways = "; ".join(f"{one.gateway} {one.seen} ({one.detail})" for one in latest.gateways)
    probed = (Mark.DONE, gateways) if gateways else (Mark.COULD_NOT, "none is configured")
    return (
        _process_line(latest.process),
        _line("§1.2", asked_words(health.exchange), _mark(health.seen), f"{health.seen}: {health.detail}"),
        _line("§1.2", metrics.asked, _mark(metrics.seen), f"{metrics.seen}: {metrics.detail}"),
        _line("§1.2", "Gateways, asked directly", *probed),
        *(_instance_line(one) for one in latest.instances),
    )


def _instance_line(probe: InstanceProbe) -> ReportLine:
    release = f", release {probe.health.release}" if probe.health.release else ""
    told = f"{probe.health.seen}: {probe.health.detail}{release}; process {probe.process.state}: {probe.process.detail}"
    return _line("§1.2", f"Instance {probe.instance}", _mark(probe.health.seen), told)


def _process_line(process: ProcessCheck) -> ReportLine:
    facts = [f"{process.state}: {process.detail}"]
    if process.memory_bytes is not None:
        processes = f" in {process.processes_count} processes" if (process.processes_count or 1) > 1 else ""
        facts.append(f"memory {process.memory_bytes / 1_048_576:.0f} MiB{processes}")
    if process.cpu_ratio is not None:
        facts.append(f"CPU {process.cpu_ratio:.0%} of a core")
    if process.open_files_count is not None:
        facts.append(f"{process.open_files_count} of {process.open_files_limit or 'unknown'} descriptors")
    if process.threads_count is not None:
        facts.append(f"{process.threads_count} threads")
    if process.started_at is not None:
        facts.append(f"age {(process.looked_at - process.started_at).total_seconds():.0f} s")
    mark = Mark.COULD_NOT if process.state in UNSEEN else Mark.DONE
    return _line("§1.2", "Process", mark, ", ".join(facts))


def _order_lines(latest: Observation) -> Lines:
    if not latest.orders:
        return (_line("§1.3", "Synthetic order", Mark.COULD_NOT, "no synthetic order is configured"),)
    return tuple(
        _line("§1.3", f"{one.asset_class.capitalize()} ({one.client_order_id})", Mark.DONE, _order_facts(one))
        for one in latest.orders
    )


def _order_facts(order: OrderProbe) -> str:
    return f"{order.outcome} at {order.gateway or 'no gateway'}: {order.detail}"


def _log_lines(logs: LogCheck) -> Lines:
    blind = tuple(_line("§1.4", "Service logs", Mark.COULD_NOT, reason) for reason in logs.blind)
    if not logs.scans and not blind:
        return (_line("§1.4", "Service logs", Mark.COULD_NOT, "no log file is configured"),)
    return (*(_log_line(scan) for scan in logs.scans), *blind)


def _log_line(scan: LogScan) -> ReportLine:
    worst = sorted(scan.findings, key=lambda one: one.count, reverse=True)[:LOG_FINDINGS_COUNT]
    found = [f"{one.count} times {one.kind}, {one.severity}: {one.template[:LOG_TEMPLATE_COUNT]}" for one in worst]
    facts = [f"{scan.lines} new lines, {scan.error_lines} of errors", *found, *scan.notes]
    return _line("§1.4", PurePath(scan.file).name, Mark.DONE if scan.complete else Mark.COULD_NOT, "; ".join(facts))


def _incidents_line(story: TriageStory) -> ReportLine:
    context, update = story.evidence.context, story.incidents
    facts = [f"{len(context.open_incidents)} open before this run"]
    facts += [f"opened {one.incident_id}" for one in update.opened]
    facts += [f"still open {one.incident_id}" for one in update.observed]
    facts += [f"closed {one.incident_id}" for one in update.closed]
    if context.ledger_skipped_count:
        facts.append(f"{context.ledger_skipped_count} lines could not be read")
    mark = Mark.COULD_NOT if context.ledger_detail else Mark.DONE
    return _line("§1.4", "Incidents", mark, "; ".join(facts))


def _remediation_lines(story: TriageStory) -> Lines:
    result = story.remediation
    if story.under_way is not None:
        planned = "; ".join(plan_lines(story.plan.actions, brief=True)) if story.plan else ""
        plan = (_line("§2", "Plan", Mark.DONE, planned),) if planned else ()
        now = _line("§2", "Remediation", Mark.UNDER_WAY, now_words(story))
        return (*plan, *_ended_lines(story.under_way.results), now)
    if result is None:
        return (_line("§2", "Remediation", Mark.NOT_NEEDED, "no cause calls for an action"),)
    if not result.actions:
        return (_line("§2", "Remediation", Mark.COULD_NOT, f"{result.code}: {result.detail}"),)
    kept = f"; evidence kept in {result.snapshot.folder.name}" if result.snapshot else ""
    return _ended_lines(result.actions, kept)


def now_words(story: TriageStory) -> str:
    """Say what the run does now: whom it waits for and until when, or which action it takes since when."""
    doing = story.under_way
    if doing is None:
        return ""
    since = f"since {desk_clock(doing.since)}"
    if doing.asked_until is not None:
        asked = (one for one in story.plan.actions if one.due is not Due.IF_EXPIRED) if story.plan else ()
        what = ", ".join(one.words for one in asked if one.verdict.code is GuardCode.APPROVAL_NEEDED)
        return f"waiting for YOU until {desk_clock(doing.asked_until)}: {what or 'the plan'}?"
    if doing.action is not None:
        return f"{doing.action.words}, and proving that it helps, {since}"
    return f"{doing.words or 'under way'}, {since}"


def _ended_lines(results: tuple[ActionResult, ...], kept: str = "") -> Lines:
    return tuple(line for one in results for line in _action_lines(one, kept))


def _action_lines(result: ActionResult, kept: str) -> Lines:
    section = SECTION_OF[result.action]
    mark = Mark.DONE if result.outcome is Outcome.DONE else Mark.COULD_NOT
    code = f" {result.code}" if result.code else ""
    done = _line(
        section, result.planned.words.capitalize(), mark, f"{result.outcome.words}{code}: {result.detail}{kept}"
    )
    if result.recovery is None:
        return (done,)
    recovery = result.recovery
    mark = Mark.DONE if recovery.outcome is Outcome.RECOVERED else Mark.COULD_NOT
    facts = f"{recovery.outcome.words} after {recovery.looks_count} checks: {recovery.detail}"
    return (done, _line(section, "Confirm recovery", mark, facts))


def _notified_lines(story: TriageStory) -> Lines:
    if not story.told and story.under_way is not None:
        return (_line("§3", "Notify the tier and the desk", Mark.UNDER_WAY, "the messages are on their way"),)
    if not story.told:
        return (_line("§3", "Notify the tier and the desk", Mark.NOT_NEEDED, "nothing new to report"),)
    return tuple(_notified_line(told.message, arrived=told.arrived) for told in story.told)


def _notified_line(message: Message, *, arrived: bool) -> ReportLine:
    section = "§4.1" if message.audience is Audience.DESK else "§3"
    mark = Mark.DONE if arrived else Mark.COULD_NOT
    return _line(section, f"Notify {TIER_NAMES[message.audience]}", mark, message.text)


def _postmortem_lines(story: TriageStory) -> Lines:
    ended = story.ended
    if not ended.incident_ids:
        return ()
    mark = Mark.DONE if ended.written else Mark.COULD_NOT
    evidence = ", ".join(ended.incident_ids) + ("" if ended.written else "; the next run tries again")
    return (_line("§5.1", "Postmortem", mark, evidence),)


def _check_lines(story: TriageStory) -> Lines:
    broken = story.evidence.context.checks_detail
    unread = (_line("§5.2", "Checks", Mark.COULD_NOT, broken),) if broken else ()
    return (*unread, *map(_check_line, check_results(story.evidence, story.logs)))


def _check_line(result: CheckResult) -> ReportLine:
    mark = Mark.COULD_NOT if result.fired is None else Mark.DONE
    evidence = f"early warning: {result.detail}; {NOTE}" if result.fired else result.detail
    return _line("§5.2", result.check_id, mark, evidence)


def warning_lines(story: TriageStory) -> list[str]:
    """Write what the accepted checks noted, for the head of the report; nothing where none fired."""
    noted = fired(check_results(story.evidence, story.logs))
    return ["", *(f"- {_warning(one)}" for one in noted)] if noted else []


def _warning(result: CheckResult) -> str:
    seen_in = f", drafted from {cell(result.incident_id, 200)}" if result.incident_id else ""
    return f"**Early warning** {cell(result.check_id)}: {cell(result.detail)} ({NOTE}{seen_in})"


def _mark(seen: Seen) -> Mark:
    return Mark.DONE if seen in {Seen.PASSED, Seen.FAILED} else Mark.COULD_NOT


def _line(section: str, step: str, mark: Mark, evidence: str) -> ReportLine:
    return ReportLine(section=section, step=step, mark=mark, evidence=evidence)
