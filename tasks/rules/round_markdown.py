"""Write the report of a round as markdown: who is not well first, then everybody."""

from tasks.model.diagnosis import Finding
from tasks.model.rounds import OwnTriage, RoundStory, ServiceSeen, Standing, Start
from tasks.rules.cells import cell, table
from tasks.rules.rounds import most_urgent_first
from tasks.rules.run_names import TAGS_COUNT, run_name, triage_name
from tasks.rules.times import utc_text

NAMED_COUNT = 5
HEAD = ("service", "standing", "seen", "error lines", "triage", "look, s")


def round_line(story: RoundStory) -> str:
    """Write the one sentence that a person can read aloud on a call."""
    seen = story.looks.services
    needing = most_urgent_first(seen)
    if not needing:
        return f"All {len(seen)} services are healthy."
    return f"{len(seen) - len(needing)} of {len(seen)} services are healthy; not: {_named(needing)}."


def round_name(story: RoundStory) -> str:
    """Name the run of a round by who is not well."""
    seen, needing = story.looks.services, most_urgent_first(story.looks.services)
    found = f"{len(seen) - len(needing)} healthy" + ("; not: " + _named(needing) if needing else "")
    return run_name(f"{triage_name(f'all {len(seen)} services', story.request.asked.alert)} → {found}")


def round_tags(story: RoundStory) -> tuple[str, ...]:
    """Tag the run of a round with the services that are not well."""
    return tuple(one.service for one in most_urgent_first(story.looks.services))[:TAGS_COUNT]


def round_markdown(story: RoundStory) -> str:
    """Write the page of a round: a status line, what was seen, who sees to it, and a row for each service.

    Runbook: §1.
    """
    seen, triages = story.looks.services, {one.service: one for one in story.triages}
    looked = f"Looked at {utc_text(min(one.looked_at for one in seen))}, one look at each."
    needing = most_urgent_first(seen)
    well = sorted((one for one in seen if one.standing is Standing.WELL), key=lambda one: one.service)
    rows = [_row(one, triages.get(one.service)) for one in (*needing, *well)]
    title = f"# {cell(round_line(story))}"
    return "\n".join([title, "", looked, *_causes(needing), "", *table(HEAD, rows)]) + "\n"


def _causes(needing: tuple[ServiceSeen, ...]) -> list[str]:
    """Name each cause once, with the services that show it; one look confirms none."""
    services: dict[Finding, list[str]] = {}
    first: dict[str, Finding] = {}
    for one in needing:
        for finding in one.findings:
            services.setdefault(first.setdefault(finding.cause, finding), []).append(one.service)
    lines = [_cause(finding, names) for finding, names in services.items()]
    return ["", "## Cause, as one look shows it", "", *lines] if lines else []


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
    errors = str(one.error_lines_count) if one.standing is Standing.WELL else ""
    standing = (
        f"{one.standing}, {one.status}" if one.status and one.standing is not Standing.WELL else str(one.standing)
    )
    return (cell(one.service), standing, cell(said), errors, _triage(triage), f"{one.took_s:.2f}")


def _triage(triage: OwnTriage | None) -> str:
    if triage is None:
        return ""
    said = f"{triage.start}: {cell(triage.detail)}" if triage.detail else str(triage.start)
    return f"[{said}]({triage.run_url})" if triage.run_url and triage.start is not Start.HERE else said
