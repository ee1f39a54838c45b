"""Write the report of a sweep as markdown: unhealthy services first, then all others."""

from tasks.model.diagnosis.diagnosis import Finding
from tasks.model.fleet.sweep import OwnTriage, ServiceSeen, Standing, Start, SweepRecord
from tasks.rules.fleet.sweep import most_urgent_first
from tasks.rules.formats.markdown_cells import cell, table
from tasks.rules.formats.time import utc_text
from tasks.rules.reports.run_names import TAGS_COUNT, found_first

NAMED_COUNT = 5
HEAD = ("service", "standing", "seen", "error lines", "triage", "took, s")


def sweep_line(story: SweepRecord) -> str:
    """Write the one sentence that a person can read aloud on a call."""
    seen = story.observations.services
    needing = most_urgent_first(seen)
    if not needing:
        return f"All {len(seen)} services are healthy."
    return f"{len(seen) - len(needing)} of {len(seen)} services are healthy; not: {_named(needing)}."


def sweep_name(story: SweepRecord) -> str:
    """Name the run of a sweep by what is not healthy."""
    seen, needing = story.observations.services, most_urgent_first(story.observations.services)
    about = f"{len(needing)} of {len(seen)} services" if needing else f"all {len(seen)} services"
    return found_first(_named(needing) or "healthy", about, story.request.asked.alert)


def sweep_tags(story: SweepRecord) -> tuple[str, ...]:
    """Tag the run of a sweep with the services that are not healthy."""
    return tuple(one.service for one in most_urgent_first(story.observations.services))[:TAGS_COUNT]


def sweep_markdown(story: SweepRecord) -> str:
    """Write the page of a sweep: a status line, what was seen, the triages, and a row for each service.

    Runbook: §1.
    """
    seen, triages = story.observations.services, {one.service: one for one in story.triages}
    checked = f"Checked at {utc_text(min(one.looked_at for one in seen))}, one pass each."
    needing = most_urgent_first(seen)
    healthy = sorted((one for one in seen if one.standing is Standing.HEALTHY), key=lambda one: one.service)
    rows = [_row(one, triages.get(one.service)) for one in (*needing, *healthy)]
    title = f"# {cell(sweep_line(story))}"
    return "\n".join([title, "", checked, *_causes(needing), "", *table(HEAD, rows)]) + "\n"


def _causes(needing: tuple[ServiceSeen, ...]) -> list[str]:
    """Name each cause once, with the services that show it; one pass confirms none."""
    services: dict[Finding, list[str]] = {}
    first: dict[str, Finding] = {}
    for one in needing:
        for finding in one.findings:
            services.setdefault(first.setdefault(finding.cause, finding), []).append(one.service)
    lines = [_cause(finding, names) for finding, names in services.items()]
    return ["", "## Cause, as one pass shows it", "", *lines] if lines else []


def _cause(finding: Finding, names: list[str]) -> str:
    more = f" and {len(names) - NAMED_COUNT} more" if len(names) > NAMED_COUNT else ""
    where = f"{cell(', '.join(names[:NAMED_COUNT]))}{more}"
    cause = finding.cause.value.replace("_", " ")
    return f"**{cause} ({where}), {finding.confidence.value}** → {finding.section}, {cell(finding.tier.value)}\n"


def _named(needing: tuple[ServiceSeen, ...]) -> str:
    named = ", ".join(f"{one.service} ({_state(one)})" for one in needing[:NAMED_COUNT])
    return f"{named} and {len(needing) - NAMED_COUNT} more" if len(needing) > NAMED_COUNT else named


def _state(one: ServiceSeen) -> str:
    return str(one.standing if one.standing is Standing.RESTRICTED else one.status or one.standing)


def _row(one: ServiceSeen, triage: OwnTriage | None) -> tuple[str, ...]:
    said = "; ".join((one.because, *one.notes))
    errors = str(one.error_lines_count) if one.standing is Standing.HEALTHY else ""
    standing = (
        f"{one.standing}, {one.status}" if one.status and one.standing is not Standing.HEALTHY else str(one.standing)
    )
    return (cell(one.service), standing, cell(said), errors, _triage(triage), f"{one.took_s:.2f}")


def _triage(triage: OwnTriage | None) -> str:
    if triage is None:
        return ""
    said = f"{triage.start}: {cell(triage.detail)}" if triage.detail else str(triage.start)
    return f"[{said}]({triage.run_url})" if triage.run_url and triage.start is not Start.HERE else said
