"""Write the triage report as markdown for the Prefect UI. Text from outside is escaped before it enters a table.

The first screen answers what is broken, since when, what was or is being done and what a person must do. Evidence
follows, and below the line the runbook page, line by line.
"""

from collections.abc import Iterable, Mapping
from itertools import groupby
from types import MappingProxyType

from tasks.model.diagnosis.diagnosis import Finding, Status
from tasks.model.incidents.incident import Outcome
from tasks.model.probes.probes import Exchange, GatewayProbe, Observation, OrderOutcome, OrderProbe, Seen
from tasks.model.remediation.remediation import ActionResult
from tasks.model.reports.report import Mark, ReportLine, TriageStory, UnderWay
from tasks.rules.formats.markdown_cells import cell, table
from tasks.rules.formats.time import utc_text
from tasks.rules.in_force.headline import action_words, broken_since, finding_words, held_now, questions, story_headline
from tasks.rules.incidents.tiers import TIER_NAMES
from tasks.rules.messages.desk import desk_clock
from tasks.rules.probes.http_status import asked_words
from tasks.rules.reports.chart import chart_markdown, chart_of
from tasks.rules.reports.lines import now_words, report_lines, warning_lines
from tasks.rules.reports.run_names import found_words

EXCERPT_LIMIT_COUNT = 2000
Titles = Mapping[str, str]
UNTITLED: Titles = MappingProxyType({})


def triage_markdown(story: TriageStory, titles: Titles = UNTITLED) -> str:
    """Write the page; `titles` are those of the runbook's sections.

    Runbook: §1 to §4.
    """
    latest, note = story.evidence.latest, story.evidence.context.request.note
    parts = (
        _heading(story),
        *warning_lines(story),
        "",
        *_first_screen(story),
        *_causes(story.diagnosis.findings, titles),
        *_orders(latest),
        *_gateways(latest),
        "",
        chart_markdown(chart_of(story.evidence)),
        "",
        "---",
        "",
        f"Checked at {utc_text(latest.looked_at)}, {_passes(len(story.evidence.observations))}.",
        *(("", f"Note of the person who started it: {cell(note)}") if note else ()),
        *_ruled_out(story.diagnosis.findings),
        *_page(report_lines(story), titles),
        *_failing(latest),
    )
    return "\n".join(parts) + "\n"


def _heading(story: TriageStory) -> str:
    """Say what is broken in few words where something is: the whole headline stands above, as Prefect shows it.

    On a phone a headline in large letters would leave no room for what a person must do.
    """
    if story.diagnosis.status is Status.OK:
        return f"# {cell(story_headline(story))}"
    under_way = story.under_way is not None
    found = story.model_copy(update={"under_way": None, "remediation": None}) if under_way else story
    return f"## {cell(found_words(found))}"


def _first_screen(story: TriageStory) -> Iterable[str]:
    """Say since when it is broken, what was and is being done, and what a person must do; the heading says what is."""
    if story.diagnosis.status is not Status.OK:
        yield f"- **Since**: {_since(story)}"
        yield from (f"- **Done**: {_action(one)}" for one in (story.remediation.actions if story.remediation else ()))
        yield from (f"- **Now**: {cell(words)}" for words in (now_words(story),) if words)
    yield from (f"- **To do**: {one}" for one in _answer_asked(story.under_way))
    yield from (f"- **To do**: {cell(one)}" for one in to_do(story))


def _answer_asked(doing: UnderWay | None) -> Iterable[str]:
    """Ask for the answer that a run waits for, with the way to give it."""
    if doing is None or doing.asked_until is None:
        return
    form = f"[open the form]({doing.form_url}) and press Resume, or " if doing.form_url else ""
    yield f"approve or reject by {desk_clock(doing.asked_until)}: {form}`runbook approve`, `runbook reject`"


def _since(story: TriageStory) -> str:
    context = story.evidence.context
    opened = [one.opened_at for one in story.incidents.open]
    found = [broken_since(finding, story.evidence) for finding in story.diagnosis.findings]
    first = min(filter(None, (context.began_at, *opened, *found)), default=story.evidence.checked_since)
    return utc_text(first)


def _action(one: ActionResult) -> str:
    if one.proven in {Outcome.RECOVERED, Outcome.DONE}:
        return cell(action_words(one))
    code = f" ({one.code})" if one.code else ""
    proof = f" {one.recovery.outcome.words}: {one.recovery.detail}" if one.recovery else ""
    words = f"{one.planned.words.capitalize()}, {one.outcome.words}{code}: {one.detail.rstrip('.')}.{proof}"
    return cell(words)


def to_do(story: TriageStory) -> tuple[str, ...]:
    """List what a person must do, the most urgent first; a healthy service without restrictions asks for nothing."""
    result, evidence = story.remediation, story.evidence
    held = held_now(evidence, result)
    asked = questions(story.diagnosis, evidence, held)
    names = ", ".join(one.name for one in held.restrictions)
    recovered = result is not None and result.outcome is Outcome.RECOVERED
    steps = [
        *(["repair the incident ledger; nothing is done automatically until then"] if _no_ledger(story) else []),
        *(
            f"verify by hand whether {one.planned.words} took effect"
            for one in (result.actions if result else ())
            if one.proven is Outcome.UNKNOWN
        ),
        *(f"finish what was left half done in {one.incident_id}" for one in story.incidents.half_done),
        *([] if recovered else _open_steps(story)),
        *(f"decide: {question}" for question in asked),
        *([f"resume when the reason is gone: {names}"] if names and not asked else []),
    ]
    asked_now = story.under_way is not None and story.under_way.asked_until is not None
    return tuple(steps) or (() if asked_now else ("nothing",))


def _no_ledger(story: TriageStory) -> bool:
    return bool(story.evidence.context.ledger_detail or story.incidents.fault)


def _open_steps(story: TriageStory) -> Iterable[str]:
    for incident in story.incidents.open:
        if incident.acknowledged_by is None:
            yield f"acknowledge {incident.incident_id}"
    if story.under_way is not None:
        return
    for finding in story.diagnosis.findings:
        yield f"follow {finding.section}, with {TIER_NAMES[finding.tier]}"


def _passes(count: int) -> str:
    return f"{count} pass{'' if count == 1 else 'es'} of checks"


def _causes(findings: tuple[Finding, ...], titles: Titles) -> Iterable[str]:
    """Write each cause with its reasons; a reason that several causes share stands once."""
    if findings:
        yield from ("", "## Cause")
    given: set[str] = set()
    for finding in findings:
        where = f"{finding.section} {titles.get(finding.section, '')}".rstrip()
        yield from ("", f"**{cell(finding_words(finding))}** → {where}, {TIER_NAMES[finding.tier]}", "")
        new = [reason for reason in finding.because if reason not in given]
        yield from (f"- because {cell(reason)}" for reason in new)
        given.update(new)


def _ruled_out(findings: tuple[Finding, ...]) -> Iterable[str]:
    reasons = dict.fromkeys(reason for finding in findings for reason in finding.ruled_out)
    if reasons:
        yield from ("", "## Ruled out", "")
    yield from (f"- {cell(reason)}" for reason in reasons)


def _orders(latest: Observation) -> list[str]:
    """Write one row for each synthetic order of the last pass (§1.3)."""
    rows = [_order_row(order) for order in latest.orders]
    return ["", *table(("asset class", "outcome", "gateway", "code", "ms"), rows)] if rows else []


def _order_row(order: OrderProbe) -> tuple[str, ...]:
    took_ms = f"{order.exchange.seconds_s * 1000:.0f}" if order.exchange else ""
    names = (order.asset_class, order.outcome.value, order.gateway or "none", order.code or "")
    return (*map(cell, names), took_ms)


def _gateways(latest: Observation) -> list[str]:
    """Write one row for each gateway that was probed directly (§1.2)."""
    rows = [_gateway_row(probe) for probe in latest.gateways]
    return ["", *table(("gateway", "probe", "ms"), rows)] if rows else []


def _gateway_row(probe: GatewayProbe) -> tuple[str, ...]:
    return cell(probe.gateway), probe.seen.value, f"{probe.latency_ms:.0f}" if probe.latency_ms is not None else ""


def _page(lines: tuple[ReportLine, ...], titles: Titles) -> Iterable[str]:
    yield from ("", "## The runbook, line by line")
    for section, group in groupby(lines, key=lambda line: line.section):
        heading = f"{section} {titles.get(section, '')}".rstrip()
        yield from ("", f"**{heading}**", "")
        yield from rows_of(group)


def rows_of(lines: Iterable[ReportLine]) -> Iterable[str]:
    """Write a row for each line; lines with the same evidence share one."""
    steps: dict[tuple[Mark, str], list[str]] = {}
    for line in lines:
        steps.setdefault((line.mark, line.evidence), []).append(line.step)
    for (mark, evidence), names in steps.items():
        yield f"- {cell(', '.join(names))} ({mark.value}): {cell(evidence)}"


def _failing(latest: Observation) -> Iterable[str]:
    blocks = [line for title, exchange in _failing_exchanges(latest) for line in _block(title, exchange)]
    return ["", "## Failing requests and responses", *blocks] if blocks else []


def _failing_exchanges(latest: Observation) -> tuple[tuple[str, Exchange], ...]:
    orders = tuple(
        (f"{asked_words(one.exchange)}, {one.asset_class}", one.exchange)
        for one in latest.orders
        if one.exchange and not one.outcome.delivered and one.outcome is not OrderOutcome.BLIND
    )
    health = latest.health
    probe = ((asked_words(health.exchange), health.exchange),) if health.exchange and health.seen is Seen.FAILED else ()
    return (*probe, *orders)


def _block(title: str, exchange: Exchange) -> list[str]:
    answer = exchange.body or f"(no body; {exchange.fault}: {exchange.detail})"
    text = f"{exchange.method} {exchange.url}\n{exchange.request_body}\n\nHTTP {exchange.http_status}\n{answer}"
    return ["", f"### {title}", "", "~~~~text", text[:EXCERPT_LIMIT_COUNT].replace("~~~~", "~ ~ ~ ~"), "~~~~"]
