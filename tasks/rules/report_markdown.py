"""Write the triage report as markdown for the Prefect UI. Text from outside is escaped before it enters a table."""

from itertools import groupby

from tasks.model.diagnosis import Diagnosis, Finding
from tasks.model.looks import Exchange, Observation, OrderOutcome, Seen
from tasks.model.report import ReportLine, TriageStory
from tasks.rules.cells import cell
from tasks.rules.chart import chart_markdown
from tasks.rules.chart_history import chart_of
from tasks.rules.headline import finding_words, story_headline
from tasks.rules.report_follow_up import warning_lines
from tasks.rules.report_lines import report_lines
from tasks.rules.report_tables import gateways_table, orders_table
from tasks.rules.times import utc_text

SECTION_NAMES = {
    "§1.1": "Gather context",
    "§1.2": "Quick health checks",
    "§1.3": "Verify order delivery",
    "§1.4": "Recent logs and incidents",
    "§2": "Remediation",
    "§2.1": "Health endpoint errors or times out",
    "§2.2": "Orders fail to route",
    "§2.3": "High error rate after a deploy",
    "§3": "Escalation",
    "§4.1": "Short incident notice to the desk",
    "§5.1": "Postmortem",
    "§5.2": "Checks that a person switched on",
}
EXCERPT_LIMIT_COUNT = 2000


def triage_markdown(story: TriageStory) -> str:
    """Write the page: a headline to read aloud, the causes, the runbook's lines, the failing exchanges.

    Runbook: §1 to §4.
    """
    context = story.evidence.context
    head = [
        f"# {cell(story_headline(story))}",
        *warning_lines(story),
        "",
        f"Looked at {utc_text(story.evidence.latest.looked_at)}, {_rounds(len(story.evidence.observations))}.",
        "",
        chart_markdown(chart_of(story.evidence)),
    ]
    note = ["", f"Note of the person who started it: {cell(context.request.note)}"] if context.request.note else []
    return (
        "\n".join(
            [*head, *note, *_causes(story.diagnosis), *_glance(story), *_page(report_lines(story)), *_failing(story)]
        )
        + "\n"
    )


def _rounds(count: int) -> str:
    return f"{count} round{'' if count == 1 else 's'} of looks"


def _causes(diagnosis: Diagnosis) -> list[str]:
    if not diagnosis.findings:
        return []
    return ["", "## Cause", *(line for finding in diagnosis.findings for line in _cause(finding))]


def _cause(finding: Finding) -> list[str]:
    because = [f"- because {cell(reason)}" for reason in finding.because]
    ruled_out = [f"- ruled out: {cell(reason)}" for reason in finding.ruled_out]
    head = f"**{cell(finding_words(finding))}** → {finding.section}, {cell(finding.tier.value)}"
    return ["", head, "", *because, *ruled_out]


def _glance(story: TriageStory) -> list[str]:
    latest = story.evidence.latest
    return [*orders_table(latest), *gateways_table(latest)]


def _page(lines: tuple[ReportLine, ...]) -> list[str]:
    rows = ["", "## The runbook, line by line"]
    for section, group in groupby(lines, key=lambda line: line.section):
        rows += ["", f"**{section} {SECTION_NAMES.get(section, '')}**", "", *(_row(line) for line in group)]
    return rows


def _row(line: ReportLine) -> str:
    return f"- {cell(line.step)} ({line.mark.value}): {cell(line.evidence)}"


def _failing(story: TriageStory) -> list[str]:
    exchanges = _failing_exchanges(story.evidence.latest)
    blocks = [line for title, exchange in exchanges for line in _block(title, exchange)]
    return ["", "## Failing requests and responses", *blocks] if blocks else []


def _failing_exchanges(latest: Observation) -> tuple[tuple[str, Exchange], ...]:
    orders = tuple(
        (f"POST /orders, {one.asset_class}", one.exchange)
        for one in latest.orders
        if one.exchange and not one.outcome.delivered and one.outcome is not OrderOutcome.BLIND
    )
    health = latest.health
    probe = (("GET /health", health.exchange),) if health.exchange and health.seen is Seen.FAILED else ()
    return (*probe, *orders)


def _block(title: str, exchange: Exchange) -> list[str]:
    answer = exchange.body or f"(no body; {exchange.fault}: {exchange.detail})"
    text = f"{exchange.method} {exchange.url}\n{exchange.request_body}\n\nHTTP {exchange.http_status}\n{answer}"
    return ["", f"### {title}", "", "~~~~text", text[:EXCERPT_LIMIT_COUNT].replace("~~~~", "~ ~ ~ ~"), "~~~~"]
