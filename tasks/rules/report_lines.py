"""Lay a triage out as the runbook page: each line done, not needed, or could not, with the evidence."""

from pathlib import PurePath

from tasks.model.diagnosis import Audience
from tasks.model.incident import Action, Outcome
from tasks.model.log_findings import LogScan, LogsLook
from tasks.model.looks import Observation, OrderLook, Seen
from tasks.model.messages import Message
from tasks.model.processes import ProcessLook, ProcessState
from tasks.model.remediation import ActionResult
from tasks.model.report import Mark, ReportLine, TriageStory
from tasks.rules.notes import notes
from tasks.rules.report_follow_up import follow_up_report
from tasks.rules.times import utc_text

LOG_FINDINGS_COUNT = 3
LOG_TEMPLATE_COUNT = 120
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
        *_told_lines(story),
        *follow_up_report(story),
    )


def _context_line(story: TriageStory) -> ReportLine:
    context = story.evidence.context
    if context.ledger_detail:
        return _line("§1.1", "Ledger", Mark.COULD_NOT, context.ledger_detail)
    since = f", failing since {utc_text(context.began_at)}" if context.began_at else ""
    least = "at least " if context.recent_is_least else ""
    facts = [f"alert {context.alert or 'none (scheduled)'}{since}", f"{least}{context.recent_count} records in 24 h"]
    facts.append(f"mode {context.mode}")
    if window := context.maintenance:
        facts.append(f"maintenance until {utc_text(window.until)} by {window.by}, nothing is done: {window.reason}")
    return _line("§1.1", "Alert, start, mode", Mark.DONE, "; ".join(facts))


def _health_lines(latest: Observation) -> Lines:
    health, metrics = latest.health, latest.metrics
    gateways = "; ".join(f"{one.gateway} {one.seen} ({one.detail})" for one in latest.gateways)
    probed = (Mark.DONE, gateways) if gateways else (Mark.COULD_NOT, "none is configured")
    return (
        _process_line(latest.process),
        _line("§1.2", "GET /health", _mark(health.seen), f"{health.seen}: {health.detail}"),
        _line("§1.2", "GET /metrics", _mark(metrics.seen), f"{metrics.seen}: {metrics.detail}"),
        _line("§1.2", "Gateways, asked directly", *probed),
    )


def _process_line(process: ProcessLook) -> ReportLine:
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
    mark = Mark.COULD_NOT if process.state is ProcessState.BLIND else Mark.DONE
    return _line("§1.2", "Process", mark, ", ".join(facts))


def _order_lines(latest: Observation) -> Lines:
    if not latest.orders:
        return (_line("§1.3", "Synthetic order", Mark.COULD_NOT, "no synthetic order is configured"),)
    return tuple(
        _line("§1.3", one.asset_class.value.capitalize(), Mark.DONE, _order_facts(one)) for one in latest.orders
    )


def _order_facts(order: OrderLook) -> str:
    return f"{order.outcome} at {order.gateway or 'no gateway'}: {order.detail} ({order.client_order_id})"


def _log_lines(logs: LogsLook) -> Lines:
    blind = tuple(_line("§1.4", "Service logs", Mark.COULD_NOT, reason) for reason in logs.blind)
    if not logs.scans and not blind:
        return (_line("§1.4", "Service logs", Mark.COULD_NOT, "no log file is configured"),)
    return (*(_log_line(scan) for scan in logs.scans), *blind)


def _log_line(scan: LogScan) -> ReportLine:
    worst = sorted(scan.findings, key=lambda one: one.count, reverse=True)[:LOG_FINDINGS_COUNT]
    told = [f"{one.count} times {one.kind}, {one.severity}: {one.template[:LOG_TEMPLATE_COUNT]}" for one in worst]
    facts = [f"{scan.lines} new lines, {scan.error_lines} of errors", *told, *scan.notes]
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
    if result is None:
        return (_line("§2", "Remediation", Mark.NOT_NEEDED, "no cause calls for an action"),)
    if not result.actions:
        return (_line("§2", "Remediation", Mark.COULD_NOT, f"{result.code}: {result.detail}"),)
    kept = f"; evidence kept in {result.snapshot.folder.name}" if result.snapshot else ""
    return tuple(line for one in result.actions for line in _action_lines(one, kept))


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
    facts = f"{recovery.outcome.words} after {recovery.looks_count} looks: {recovery.detail}"
    return (done, _line(section, "Confirm recovery", mark, facts))


def _told_lines(story: TriageStory) -> Lines:
    if not story.told:
        nobody = "nobody had to be told anything new"
        return (_line("§3", "Tell the tier and the desk", Mark.NOT_NEEDED, nobody),)
    return tuple(_told_line(told.message, arrived=told.arrived) for told in story.told)


def _told_line(message: Message, *, arrived: bool) -> ReportLine:
    section = "§4.1" if message.audience is Audience.DESK else "§3"
    return _line(section, f"Tell {message.audience}", Mark.DONE if arrived else Mark.COULD_NOT, message.text)


def _mark(seen: Seen) -> Mark:
    return Mark.DONE if seen in {Seen.PASSED, Seen.FAILED} else Mark.COULD_NOT


def _line(section: str, step: str, mark: Mark, evidence: str) -> ReportLine:
    return ReportLine(section=section, step=step, mark=mark, evidence=evidence)
