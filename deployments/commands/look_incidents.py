"""`runbook look incidents`: an incident ledger, read leniently; every line is read, or named with its reason."""

from pathlib import Path

from deployments.commands.looking import Answer, JsonOutput, give, watched_service
from deployments.views.look_incidents import incident_lines, incident_rows
from deployments.views.terminal import UNSURE, line
from tasks.clients.incident_ledger import READ_LIMIT_BYTES, read_ledger
from tasks.model.errors import CannotLook, Code, RunbookError
from tasks.model.incident import Ledger


def look_incidents(*, file: Path | None = None, service: str | None = None, json_output: JsonOutput = False) -> None:
    """Read the incidents of a file; a line needs a time and a type, anything else is counted and named.

    Parameters
    ----------
    file
        Read this file, without any settings; default the watched service's ledger.
    service
        Which watched service; may be left out where there is one.
    json_output
        Print one JSON document.
    """
    give(lambda: incidents_answer(file, service), json_output=json_output)


def incidents_answer(file: Path | None, service: str | None) -> Answer:
    """Read the ledger and lay it out. A service without a ledger has had no incident; a file that was named exists.

    Errors: `BAD_ARGUMENT`, `FILE_UNREADABLE`, `LEDGER_UNREADABLE`.
    """
    path, ledger = _asked_file(file, service) if file else _ledger_of(service)
    rows, notes = incident_rows(ledger), bounds(path)
    document = {
        "file": str(path),
        "read": len(ledger.records),
        "skipped": [one.model_dump() for one in ledger.skipped],
        "incidents": rows,
        "notes": notes,
    }
    return Answer(document, [*incident_lines(str(path), ledger, rows), *(line("  ", (note, UNSURE)) for note in notes)])


def bounds(path: Path) -> list[str]:
    """Say what was left out of a file that is too long to be read whole."""
    size_bytes = path.stat().st_size if path.exists() else 0
    if size_bytes <= READ_LIMIT_BYTES:
        return []
    return [f"BOUNDED: only the last {READ_LIMIT_BYTES} of {size_bytes} bytes were read; lines are counted from there"]


def _asked_file(file: Path, service: str | None) -> tuple[Path, Ledger]:
    if service is not None:
        raise RunbookError(Code.BAD_ARGUMENT, "expected --file or --service was both; leave one out")
    if not file.exists():
        raise CannotLook(Code.FILE_UNREADABLE, f"expected a file was nothing path={file}; correct --file")
    return file, read_ledger(file)


def _ledger_of(service: str | None) -> tuple[Path, Ledger]:
    settings, name, _ = watched_service(service)
    path = settings.ledger_path(name)
    ledger = read_ledger(path)
    ours = tuple(record for record in ledger.records if record.service in {name, None})
    return path, ledger.model_copy(update={"records": ours})
