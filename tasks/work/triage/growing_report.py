"""Let the report of a triage grow while the run waits for a person, or acts."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from tasks.clients.files.runbook_page import section_titles
from tasks.clients.prefect.growing_artifact import GrowingArtifact, ReportPage
from tasks.model.reports.report import TriageStory, UnderWay
from tasks.rules.in_force.headline import story_headline
from tasks.rules.reports.report_markdown import triage_markdown
from tasks.rules.reports.run_names import found_name

# The report of the run that we are in, as Prefect keeps the run itself: the parts of a run need not hand it on.
_OPEN: ContextVar["GrowingReport | None"] = ContextVar("open_report", default=None)


@dataclass
class GrowingReport:
    """The story so far, and the page that shows it; without a page nothing is shown."""

    story: TriageStory
    artifact: GrowingArtifact | None

    def show(self, under_way: UnderWay) -> None:
        if self.artifact is not None:
            self.artifact.show(partial(page_of, self.story.doing(under_way)))


def report_key(service: str) -> str:
    """Name the report of a service for Prefect, which takes small letters, digits and dashes."""
    return "triage-" + "".join(letter if letter.isalnum() else "-" for letter in service.lower())


def page_of(story: TriageStory) -> ReportPage:
    """Write the report as it stands, and what its run is called with it."""
    return ReportPage(triage_markdown(story, section_titles()), story_headline(story), found_name(story))


@contextmanager
def growing_report(story: TriageStory) -> Iterator[GrowingReport]:
    """Show the plan in the report, and what comes of it, until the block ends; one that is not open shows nothing.

    Errors: none. All is written beside the work: a server that is away or slow costs the page, and no time.
    """
    artifact = None if story.report is None else GrowingArtifact(story.report.artifact_id)
    growing = GrowingReport(story, artifact)
    token = _OPEN.set(growing)
    growing.show(UnderWay(since=datetime.now(UTC), words="carrying out the plan"))
    try:
        yield growing
    finally:
        _OPEN.reset(token)
        if artifact is not None:
            artifact.stop()


def show_now(under_way: UnderWay) -> None:
    """Show what the run does now, in the report of the triage that it is a part of; without one nothing is shown."""
    if (growing := _OPEN.get()) is not None:
        growing.show(under_way)
