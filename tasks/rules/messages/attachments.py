"""What goes along with a page: the run that says it, the request that failed with its answer, the lines of the logs."""

from collections.abc import Iterable
from datetime import datetime

from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.logs.findings import LogCheck, LogFinding
from tasks.model.messages.messages import Attachment, Message
from tasks.model.probes.probes import Exchange, Observation, Seen
from tasks.model.reports.report import TriageStory
from tasks.rules.formats.time import utc_text
from tasks.rules.incidents.message_keys import AGAIN, PAGES, about_of
from tasks.rules.messages.slack.blocks import clean

EXCHANGE_FILE, LOG_FILE = "failing-request-and-response.txt", "log-excerpts.txt"
# Messages are parameters of a flow run, which Prefect's server takes up to 512 kB: three tiers, two files each.
FILE_LIMIT_BYTES = 24_000
BODY_LIMIT_COUNT = 6_000
FINDINGS_COUNT = 20
SAMPLE_LIMIT_COUNT = 2_000
# What a header of these names holds opens a door.
_HELD_BACK = frozenset({"authorization", "cookie", "set-cookie", "proxy-authorization", "x-api-key"})


def with_evidence(messages: tuple[Message, ...], story: TriageStory) -> tuple[Message, ...]:
    """Give each message its moment, the run that says it, and each page to a tier the artifacts that §4.2 names.

    Runbook: §3.1 Collect artifacts; §4.2.
    """
    files = evidence_files(story.evidence.latest, story.logs)
    as_of = spoken_of(story)
    return tuple(
        one.model_copy(update={"files": one.files or (files if _pages(one) else ()), "as_of": one.as_of or as_of})
        for one in linked(messages, story.run_url)
    )


def spoken_of(story: TriageStory) -> datetime:
    """Say which moment the messages of a run speak of: its last check, or the last proof of what it did."""
    latest = story.evidence.latest
    ends = [one.ended_at for one in story.remediation.actions if one.ended_at] if story.remediation else []
    return max((latest.ended_at or latest.looked_at, *ends))


def linked(messages: tuple[Message, ...], run_url: str | None) -> tuple[Message, ...]:
    """Let each message lead to a run; one that leads somewhere already stays as it is."""
    return tuple(one if one.run_url else one.model_copy(update={"run_url": run_url}) for one in messages)


def evidence_files(latest: Observation, logs: LogCheck) -> tuple[Attachment, ...]:
    """Write the files: none where nothing failed and no log says anything."""
    texts = {EXCHANGE_FILE: exchanges_text(failing_exchanges(latest)), LOG_FILE: log_text(logs)}
    return tuple(Attachment(name=name, text=_within_limit(text)) for name, text in texts.items() if text)


def failing_exchanges(latest: Observation) -> tuple[Exchange, ...]:
    """Find the requests of the last round whose answers were not what they should be."""
    health = latest.health.exchange if latest.health.seen is Seen.FAILED else None
    orders = (one.exchange for one in latest.orders if not one.outcome.delivered)
    return tuple(one for one in (health, *orders) if one is not None)


def exchanges_text(exchanges: Iterable[Exchange]) -> str:
    """Write requests with their answers, as they went over the wire."""
    return "\n\n".join(_exchange_text(one) for one in exchanges)


def log_text(logs: LogCheck) -> str:
    """Write the findings of the logs, the worst first, each with its place and its lines."""
    found = [(scan.file, finding) for scan in logs.scans for finding in scan.findings]
    worst = sorted(found, key=lambda one: (-one[1].severity, -one[1].count))[:FINDINGS_COUNT]
    return "\n\n".join(_finding_text(file, finding) for file, finding in worst)


def _within_limit(text: str) -> str:
    return clean(text).encode("utf-8", errors="replace")[:FILE_LIMIT_BYTES].decode("utf-8", errors="ignore")


def _pages(message: Message) -> bool:
    about = about_of(message.key, message.incident_id)
    return message.audience is not Audience.DESK and about in PAGES and about != AGAIN


def _exchange_text(one: Exchange) -> str:
    ending = f"HTTP {one.http_status}" if one.http_status else f"no answer: {one.fault}"
    headers = [f"{name}: {'(held back)' if name.lower() in _HELD_BACK else value}" for name, value in one.headers]
    said = f" ({one.detail})" if one.detail else ""
    lines = [
        f"{one.method} {one.url}",
        one.request_body[:BODY_LIMIT_COUNT],
        "",
        f"{ending} in {one.seconds_s:g} s{said}",
    ]
    return "\n".join([*lines, *headers, "", one.body[:BODY_LIMIT_COUNT]]).rstrip()


def _finding_text(file: str, finding: LogFinding) -> str:
    when = f", last {utc_text(finding.last_at)}" if finding.last_at else ""
    new = ", new" if finding.is_new else ""
    place = f"{file}:{finding.first_line}-{finding.last_line}"
    head = f"{place}  {finding.severity.label} {finding.kind}, {finding.count} times{when}{new}"
    return f"{head}\n{finding.sample[:SAMPLE_LIMIT_COUNT] or finding.template}"
