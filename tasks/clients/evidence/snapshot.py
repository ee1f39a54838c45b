"""Keep the evidence before an action (safety rule 9): process, stacks, logs, ledger, bounded in time and size."""

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psutil

from tasks.clients.files.atomic import open_private, private_folder
from tasks.clients.files.regular_file import open_regular
from tasks.clients.logs.log_sources import log_sources
from tasks.clients.messages.known_secrets import secret_values
from tasks.clients.process.probe import find_process
from tasks.clients.process.py_spy import read_stacks
from tasks.model.probes.processes import ProcessCheck
from tasks.model.remediation.remediation import EvidenceSnapshot
from tasks.rules.incidents.paths import file_stem
from tasks.rules.messages.redaction import without_secrets
from tasks.settings import ServiceSettings

TAIL_BYTES = 256 * 1024
STACKS_TIMEOUT_S = 3.0


def take_snapshot(service: ServiceSettings, folder: Path, deadline_s: float) -> EvidenceSnapshot:
    """Keep what a person will ask for afterwards; a part that could not be kept is named, and delays nothing.

    Runbook: §3.1 collect artifacts.
    Errors: none; the action that waits for it matters more than a missing part.
    """
    ends_at = time.monotonic() + deadline_s
    kept: list[str] = []
    missing: list[str] = []
    for name, read in _parts(service).items():
        content = _content(read) if time.monotonic() < ends_at else None
        if content and _write(folder / name, _clean(content, service)):
            kept.append(name)
        else:
            missing.append(name)
    return EvidenceSnapshot(folder=folder, parts=tuple(kept), missing=tuple(missing))


def snapshot_folder(state_dir: Path, incident_id: str, now: datetime) -> Path:
    """Name the folder of one snapshot; an incident's id is a foreign word, and never a path."""
    return state_dir / "evidence" / file_stem(incident_id) / now.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")


def _clean(content: bytes, service: ServiceSettings) -> bytes:
    """Take the secrets out: a command line, a log and a stack may each hold one."""
    return without_secrets(content.decode("utf-8", "replace"), secret_values(service)).encode()


def _content(read: Callable[[], bytes | None]) -> bytes | None:
    # A process that ends under our eyes, or a command line that is no text, is a missing part and no reason to wait.
    try:
        return read()
    except (OSError, ValueError, TypeError, psutil.Error):
        return None


def _parts(service: ServiceSettings) -> dict[str, Callable[[], bytes | None]]:
    files = {f"log-{index}-{path.name}": path for index, path in enumerate(log_sources(service).files)}
    if service.start_log:
        files["output-of-the-service.log"] = service.start_log
    if service.incidents_file:
        files["incidents.jsonl"] = service.incidents_file
    tails: dict[str, Callable[[], bytes | None]] = {name: _tail_of(path) for name, path in files.items()}
    return {"process.json": lambda: _process(service), "stacks.txt": lambda: _stacks(service), **tails}


def _process(service: ServiceSettings) -> bytes | None:
    found = find_process(service)
    if isinstance(found, ProcessCheck):
        return json.dumps(found.model_dump(mode="json"), indent=2).encode()
    names = [
        "pid",
        "status",
        "create_time",
        "memory_info",
        "cpu_times",
        "num_threads",
        "threads",
        "open_files",
        "cmdline",
    ]
    facts = found.as_dict(attrs=names, ad_value=None)
    return json.dumps(facts, indent=2, default=str).encode()


def _stacks(service: ServiceSettings) -> bytes | None:
    found = find_process(service)
    if isinstance(found, ProcessCheck):
        return None
    text = read_stacks(found.pid, STACKS_TIMEOUT_S)
    return text.encode() if text else None


def _tail_of(path: Path) -> Callable[[], bytes | None]:
    def read() -> bytes | None:
        try:
            with open_regular(path) as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL_BYTES))
                return file.read(TAIL_BYTES)
        except OSError:
            return None

    return read


def _write(path: Path, content: bytes) -> bool:
    try:
        private_folder(path.parent)
        with open_private(path, "wb") as file:
            file.write(content)
    except (OSError, ValueError):
        return False
    return True
