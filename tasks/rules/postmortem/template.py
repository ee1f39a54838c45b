"""Write the postmortem of one incident from what was kept of it (§5.1), part by part as it is read."""

from tasks.model.diagnosis.diagnosis import Cause
from tasks.model.postmortem.postmortem import Block, Postmortem, PostmortemCase
from tasks.rules.formats.markdown_cells import cell
from tasks.rules.formats.time import utc_text
from tasks.rules.postmortem.actions import action_lines
from tasks.rules.postmortem.cause import WHOLE_SERVICE, asset_classes, cause_lines, cause_words, named
from tasks.rules.postmortem.durations import (
    acknowledged,
    detection_s,
    last_good_at,
    lasted,
    recovery_s,
    slow_lines,
    time_lines,
)
from tasks.rules.postmortem.follow_up_lines import follow_up_lines
from tasks.rules.postmortem.impact import impact_lines
from tasks.rules.postmortem.picture import picture_lines, picture_name
from tasks.rules.postmortem.timeline import timeline_lines
from tasks.rules.reports.drawing import as_data_uri

# What a service did, by cause; a test holds that none is missing. `{}` is the gateways, or what else is named.
VERBS: dict[Cause, str] = {
    Cause.SERVICE_HUNG: "hung",
    Cause.SERVICE_DOWN: "was down",
    Cause.CRASH_LOOP: "crashed again and again",
    Cause.DEPENDENCY_UNREACHABLE: "could not reach {}",
    Cause.GATEWAY_FAILING: "lost orders at {}",
    Cause.ROUTING_MISCONFIGURED: "routed orders wrongly",
    Cause.BAD_RELEASE: "failed after a release",
    Cause.BAD_FEATURE: "failed with a new feature",
    Cause.RESOURCE_EXHAUSTED: "ran out of resources",
    Cause.INFRASTRUCTURE: "failed with the machine or network under it",
    Cause.OBSERVABILITY_FAULT: "could not be measured",
    Cause.CLIENT_MISBEHAVIOUR: "was flooded by a client",
    Cause.MONITOR_BLIND: "could not be seen",
    Cause.UNKNOWN: "failed for an unknown cause",
}


def postmortem_title(case: PostmortemCase) -> str:
    """Write the heading as a sentence: what happened, for how long, to which classes; it is the person's to change."""
    incident = case.incident
    gateways = ", ".join(named(case, "gateways")) or "a gateway"
    verbs = " and ".join(dict.fromkeys(VERBS[cause].format(gateways) for cause in incident.causes)) or "had an incident"
    recovery = recovery_s(case)
    took = f"for {lasted(recovery)}" if recovery is not None else f"since {utc_text(incident.opened_at)}"
    whole = bool(WHOLE_SERVICE.intersection(incident.causes))
    classes = "all classes" if whole else ", ".join(asset_classes(case))
    return f"# {cell(', '.join(filter(None, (f'{incident.service} {verbs} {took}', classes))), 200)}"


def postmortem_blocks(case: PostmortemCase) -> tuple[Block, ...]:
    """Write every generated part: summary, picture, impact, cause, actions, times, what was slow, follow-ups, timeline.

    Runbook: §5.1 Timelines, root cause and remediation in a short postmortem.
    Errors: none; what was not kept is reported as not known, and text from outside is escaped.
    """
    parts = {
        "summary": _summary_lines(case),
        "picture": picture_lines(case, picture_name(case.incident.incident_id)),
        "impact": impact_lines(case),
        "cause": cause_lines(case),
        "actions": action_lines(case),
        "times": time_lines(case),
        "slow": slow_lines(case),
        "follow-ups": follow_up_lines(case),
        "timeline": timeline_lines(case),
    }
    return tuple(Block(name=name, text="\n".join(lines)) for name, lines in parts.items())


def _summary_lines(case: PostmortemCase) -> list[str]:
    incident = case.incident
    end = utc_text(incident.closed_at) if incident.closed_at else "still open"
    recovery = recovery_s(case)
    took = lasted(recovery) if recovery is not None else "not over"
    people = f"{incident.messages} messages; {_acknowledged(case)}"
    gaps = [f"- Not known: {cell(gap)}" for gap in case.gaps]
    return [
        f"- Incident: {cell(incident.incident_id, 200)}, service: {cell(incident.service)}",
        f"- Opened: {utc_text(incident.opened_at)}; closed: {end}",
        f"- Cause: {cell(cause_words(case))}; asset classes: {cell(', '.join(asset_classes(case)) or 'none named')}",
        f"- Time to detect: {lasted(detection_s(case))}{_at_most(case)}; to recover, from the first sign: {took}",
        f"- Tier: {cell((incident.tier or 'none').replace('_', ' '))}; {people}",
        *gaps,
    ]


def _at_most(case: PostmortemCase) -> str:
    good = last_good_at(case)
    return f" (at most {lasted((case.incident.opened_at - good).total_seconds())})" if good else ""


def _acknowledged(case: PostmortemCase) -> str:
    who = acknowledged(case)
    return f"acknowledged by {cell(who[1], 100)}" if who else "not acknowledged"


def page_markdown(postmortem: Postmortem) -> str:
    """Write the document for a page that has no file beside it: the picture is inside."""
    name = picture_name(postmortem.incident_id)
    return postmortem.text.replace(f"]({name})", f"]({as_data_uri(postmortem.picture)})", 1)


def written_line(postmortem: Postmortem) -> str:
    """Say where it lies, what of it was left as a person wrote it, and what was saved with it.

    Runbook: §5.1.
    """
    kept = (
        ("left as edited", postmortem.edited),
        ("left out as taken out", postmortem.removed),
        ("fixture", (postmortem.regression,) if postmortem.regression else ()),
        ("checks", postmortem.checks),
        ("could not be saved, tried again later", postmortem.faults),
    )
    rest = "".join(f"; {words}: {', '.join(names)}" for words, names in kept if names)
    state = "written" if postmortem.changed else "unchanged"
    return f"{postmortem.incident_id}: {state}, {postmortem.path}{rest}"
