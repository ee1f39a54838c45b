"""What is wrong and why, for a person: a first line to read aloud, then each cause, then everything that was seen."""

from collections.abc import Iterable

from rich.text import Text

from deployments.views.look import gateway_lines, health_lines, metrics_lines, order_lines, process_lines, routing_lines
from deployments.views.terminal import BAD, BOLD, DIM, GOOD, UNSURE, line
from tasks.model.diagnosis import Audience, Diagnosis, Finding, Status
from tasks.model.evidence import Evidence
from tasks.model.looks import Observation
from tasks.rules.headline import headline, held_now, overall_status
from tasks.rules.times import utc_text

STYLES = {Status.OK: GOOD, Status.DEGRADED: UNSURE, Status.CRITICAL: BAD, Status.BLIND: UNSURE}
TIERS = {
    Audience.DESK: "the trading desk",
    Audience.TIER_1: "tier 1, on-call",
    Audience.TIER_2: "tier 2, developer lead",
    Audience.TIER_3: "tier 3, SRE and platform",
}
# The page's own words; a test holds them against flows/runbook.md, which is not read while orders fail.
SECTIONS = {
    "§1": "Initial triage",
    "§1.1": "Gather context",
    "§1.2": "Quick health checks",
    "§1.3": "Verify order delivery",
    "§1.4": "Recent logs and incidents",
    "§2": "Remediation of the common cases",
    "§2.1": "Health errors or times out",
    "§2.2": "Orders fail to route",
    "§2.3": "Many errors after a deploy",
    "§3": "Escalation matrix",
    "§3.1": "Tier 1, on-call",
    "§3.2": "Tier 2, developer lead",
    "§3.3": "Tier 3, SRE and platform",
    "§4": "Communication",
    "§4.1": "Short incident notice",
    "§4.2": "Technical escalation",
    "§5": "Post-incident",
    "§5.1": "Postmortem",
    "§5.2": "A check or a dashboard",
}


def check_lines(service: str, diagnosis: Diagnosis, evidence: Evidence | None) -> list[Text]:
    """Tell the whole answer."""
    status = overall_status(diagnosis, held_now(evidence), evidence)
    head = line((headline(service, diagnosis, evidence), f"bold {STYLES[status]}"))
    causes = [one for finding in diagnosis.findings for one in _finding(finding)]
    return [head, *causes, *(_seen(evidence) if evidence else [])]


def _finding(finding: Finding) -> Iterable[Text]:
    yield line()
    yield line("  ", (finding.cause.value, BOLD), f"  {finding.confidence.value}")
    yield from _reasons("because", finding.because)
    yield from _reasons("ruled out", finding.ruled_out or ("nothing",))
    yield line("    ", ("goes to".ljust(11), DIM), TIERS[finding.tier])
    yield line("    ", ("next".ljust(11), DIM), f"{finding.section} {SECTIONS.get(finding.section, '')}".rstrip())


def _reasons(word: str, reasons: Iterable[str]) -> Iterable[Text]:
    for number, reason in enumerate(reasons):
        yield line("    ", ((word if number == 0 else "").ljust(11), DIM), reason)


def _seen(evidence: Evidence) -> Iterable[Text]:
    latest, rounds = evidence.latest, len(evidence.observations)
    looked = f"seen at {utc_text(latest.looked_at)}, in {'1 round' if rounds == 1 else f'{rounds} rounds'} of looks"
    yield line()
    yield line((looked, DIM))
    yield from (line("  ").append_text(one) for one in _first_lines(latest))


def _first_lines(seen: Observation) -> Iterable[Text]:
    yield health_lines(seen.health)[0]
    yield process_lines(seen.process)[0]
    yield metrics_lines(seen.metrics)[0]
    yield from (routing_lines(seen.routing)[:1] if seen.routing else [])
    yield from gateway_lines(seen.gateways)
    yield from (order_lines([one])[0] for one in seen.orders)
