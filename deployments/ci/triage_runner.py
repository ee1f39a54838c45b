"""Run triages for tests: import the flows once, then fork a process for each, so that none knows of another.

Started as `python -m deployments.ci.triage_runner`. A line on stdin is one triage to run; the story of each is written
as JSON into the file that its line names, or a line of text beside it where there is none. It ends with its stdin.
"""

import asyncio
import os
import sys
import time
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from deployments.warm.fork_server import end
from deployments.warm.importing import import_all
from deployments.warm.prefect_internals import read_settings_again
from tasks.clients.files.atomic import write_whole
from tasks.model.reports.report import TriageStory
from tasks.model.values import Value

PAGE = "flows.triage"
MODULES = (PAGE, "deployments.warm.preloaded")


class TriageJob(Value):
    """One triage to run: of which service, in which environment, and where its story goes."""

    service: str
    environment: dict[str, str]
    story: Path

    @property
    def failed(self) -> Path:
        """Where the reason stands, if there is no story."""
        return self.story.with_suffix(".failed")


def main() -> None:
    """Import, then fork for every line; a few at once, since each takes most of a core."""
    at_once_count, running = int(sys.argv[1]), 0
    import_all(MODULES, time.time())
    for line in sys.stdin:
        if running >= at_once_count:
            os.wait()
            running -= 1
        job = TriageJob.model_validate_json(line)
        running += 1
        if os.fork() == 0:
            run(job)
    while running:
        os.wait()
        running -= 1


def run(job: TriageJob) -> NoReturn:
    """Run one triage in this process, and end it."""
    try:
        for name in [name for name in os.environ if name.startswith("RUNBOOK_")]:
            del os.environ[name]
        os.environ.update(job.environment)
        read_settings_again()
        write_whole(job.story, asyncio.run(story_of(job.service)).model_dump_json().encode())
    except BaseException:  # noqa: BLE001 - the outermost door of this process: the test reads why
        write_whole(job.failed, traceback.format_exc().encode())
    finally:
        end(0)


async def story_of(service: str) -> TriageStory:
    """Run the flow as a worker does, and keep what it hands to its report."""
    page: Any = import_module(PAGE)
    kept: list[TriageStory] = []
    write_report = page.write_report

    async def keep(story: TriageStory) -> str:
        kept.append(story)
        return str(await write_report(story))

    # In this process, which ends with its triage.
    page.write_report = keep
    await page.triage(service=service)
    return kept[-1]


if __name__ == "__main__":
    main()
