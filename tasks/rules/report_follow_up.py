"""The last lines of the triage report: what was written down (§5.1), and what the accepted checks say (§5.2)."""

from tasks.model.checks import CheckResult
from tasks.model.report import Mark, ReportLine, TriageStory
from tasks.rules.cells import cell
from tasks.rules.checks import check_results, fired

NOTE = "a note, nothing is done because of it"


def follow_up_report(story: TriageStory) -> tuple[ReportLine, ...]:
    """Write a line for the postmortems of this run, and one for each accepted check.

    Runbook: §5.1, §5.2.
    """
    return (*_written(story), *_checks(story))


def warning_lines(story: TriageStory) -> list[str]:
    """Write what the accepted checks noted, for the head of the report; nothing where all is quiet."""
    noted = fired(check_results(story.evidence, story.logs))
    return ["", *(f"- {warning_words(one)}" for one in noted)] if noted else []


def warning_words(result: CheckResult) -> str:
    """Say one early warning, and that it is no more than that."""
    seen_in = f", drafted from {cell(result.incident_id, 200)}" if result.incident_id else ""
    return f"**Early warning** {cell(result.check_id)}: {cell(result.detail)} ({NOTE}{seen_in})"


def _written(story: TriageStory) -> tuple[ReportLine, ...]:
    ended = story.ended
    if not ended.incident_ids:
        return ()
    mark = Mark.DONE if ended.written else Mark.COULD_NOT
    evidence = ", ".join(ended.incident_ids) + ("" if ended.written else "; the next run tries again")
    return (ReportLine(section="§5.1", step="Postmortem", mark=mark, evidence=evidence),)


def _checks(story: TriageStory) -> tuple[ReportLine, ...]:
    broken = story.evidence.context.checks_detail
    unread = (ReportLine(section="§5.2", step="Checks", mark=Mark.COULD_NOT, evidence=broken),) if broken else ()
    results = check_results(story.evidence, story.logs)
    return (*unread, *map(_check_line, results))


def _check_line(result: CheckResult) -> ReportLine:
    mark = Mark.COULD_NOT if result.fired is None else Mark.DONE
    said = f"early warning: {result.detail}; {NOTE}" if result.fired else result.detail
    return ReportLine(section="§5.2", step=result.check_id, mark=mark, evidence=said)
