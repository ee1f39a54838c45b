"""`runbook look process`: the server's process, on any platform."""

import asyncio

from deployments.commands.looking import (
    COULD_NOT_LOOK,
    FAILED,
    FINE,
    Answer,
    JsonOutput,
    give,
    watched_service,
)
from deployments.views.look import process_lines
from tasks.clients.process_look import process_look
from tasks.model.processes import ProcessState

EXIT_CODES = {ProcessState.RUNNING: FINE, ProcessState.BLIND: COULD_NOT_LOOK}


def look_process(*, service: str | None = None, json_output: JsonOutput = False) -> None:
    """Look at the process: state, memory, CPU, open files, threads, age, and who owns the port.

    Parameters
    ----------
    service
        Which watched service; may be left out where there is one.
    json_output
        Print one JSON document.
    """
    give(lambda: process_answer(service), json_output=json_output)


def process_answer(service: str | None) -> Answer:
    """Make the look and lay it out."""
    _, name, watched = watched_service(service)
    look = asyncio.run(process_look(watched))
    document = {"service": name, **look.model_dump(mode="json")}
    return Answer(document, process_lines(look), EXIT_CODES.get(look.state, FAILED))
