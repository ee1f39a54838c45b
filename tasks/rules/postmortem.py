"""Write the postmortem of one incident from what was kept of it (§5.1), part by part as it is read."""

from tasks.model.postmortem import Block, PostmortemCase
from tasks.rules.cells import cell
from tasks.rules.follow_up import follow_up_lines
from tasks.rules.postmortem_actions import action_lines
from tasks.rules.postmortem_cause import asset_classes, cause_lines, cause_words
from tasks.rules.postmortem_impact import impact_lines
from tasks.rules.postmortem_picture import picture_lines
from tasks.rules.postmortem_timeline import timeline_lines
from tasks.rules.postmortem_times import (
    acknowledged,
    detection_s,
    last_good_at,
    lasted,
    recovery_s,
    slow_lines,
    time_lines,
)
from tasks.rules.times import utc_text


def postmortem_title(case: PostmortemCase) -> str:
    """Write the heading, which is the person's to change."""
    return f"# Postmortem of {cell(case.incident.incident_id, 200)}"


def postmortem_blocks(case: PostmortemCase) -> tuple[Block, ...]:
    """Write every generated part: summary, picture, impact, cause, actions, times, what was slow, follow-ups, timeline.

    Runbook: §5.1 Timelines, root cause and remediation in a short postmortem.
    Errors: none; what was not kept is told as not known, and text from outside is escaped.
    """
    parts = {
        "summary": _summary_lines(case),
        "picture": picture_lines(case),
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
        f"- Service: {cell(incident.service)}",
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
