"""Run one configured command: an argument list and never a shell, bounded in time, with the last lines it wrote."""

import logging
import os
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import RawIOBase
from pathlib import Path
from typing import IO, cast

from tasks.clients.files.regular_file import NEVER_WAIT, open_regular
from tasks.clients.process.marks import in_group, marked
from tasks.clients.process.processes import identify, terminate
from tasks.model.probes.processes import ProcessIdentity
from tasks.rules.messages.redaction import without_secrets

COMMAND_MARK = "TRADING_RUNBOOK_COMMAND"
LEFT_WAIT_S = 10.0
TAIL_BYTES = 4096
LINES_COUNT = 5
LOGGER = logging.getLogger("runbook.commands")
# Kept until they are reaped: a dead child that nobody waits for keeps its pid.
_started: "list[subprocess.Popen[bytes]]" = []


@dataclass(frozen=True)
class Surroundings:
    """Where a command runs: its own variables, and the folder.

    Of our variables it sees those that any program needs; all of them where it is a command of ours (`trusted`).
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    trusted: bool = False

    @property
    def variables(self) -> dict[str, str]:
        ours = dict(os.environ) if self.trusted else clean_environment(os.environ)
        return {**ours, **self.environment}


HERE = Surroundings()


@dataclass(frozen=True)
class CommandEnd:
    """How a command ended; without an exit code `fault` says why there is none, and `ran` whether it began at all.

    `left` are the processes that it left behind and that were ended, `left_alive` those that could not be.
    """

    exit_code: int | None = None
    output: str = ""
    fault: str = ""
    ran: bool = True
    pid: int | None = None
    left: tuple[int, ...] = ()
    left_alive: tuple[int, ...] = ()

    @property
    def succeeded(self) -> bool:
        return self.exit_code == 0

    @property
    def story(self) -> str:
        """Tell in one line how it ended, and what it wrote last."""
        ended = self.fault or f"exit_code={self.exit_code}"
        return f"{ended}; last lines: {one_line(self.output)}" if self.output.strip() else ended


def run_command(arguments: Sequence[str], timeout_s: float, where: Surroundings = HERE) -> CommandEnd:
    """Run a command to its end, or end it with its children when its time is up.

    How it went is the value, with the last 4 KiB that it wrote.
    """
    # A file and no pipe: a command that leaves a process behind leaves the pipe open with it, and never seems to end.
    with tempfile.TemporaryFile() as output:
        try:
            process = spawn(arguments, where, output)
        except (OSError, ValueError) as error:
            return CommandEnd(fault=f"cannot run {arguments[0]}: {_reason(error)}", ran=False)
        try:
            return CommandEnd(exit_code=_wait(process, timeout_s), output=tail(output), pid=process.pid)
        except subprocess.TimeoutExpired:
            return CommandEnd(fault=f"did not end in timeout_s={timeout_s:g}", output=tail(output), pid=process.pid)


def run_wholly(arguments: Sequence[str], timeout_s: float, where: Surroundings = HERE) -> CommandEnd:
    """Run a command to its end, then end every process that it left behind, and wait for their end.

    For a command whose work must be over when it is: what it leaves behind could go on after the lock was given back.
    Who could not be ended is reported.
    """
    mark = uuid.uuid4().hex
    end = run_command(arguments, timeout_s, replace(where, environment={**where.environment, COMMAND_MARK: mark}))
    left: dict[int, ProcessIdentity] = {}
    deadline = time.monotonic() + LEFT_WAIT_S
    while living := _left_behind(end.pid, mark):
        left |= {one.pid: one for one in living}
        if time.monotonic() >= deadline:
            break
        for one in living:
            terminate(one, grace_s=0)
    return replace(end, left=tuple(sorted(left)), left_alive=tuple(one.pid for one in living))


def _left_behind(group: int | None, mark: str) -> tuple[ProcessIdentity, ...]:
    """Find what is left of a command: who leaves its process group still carries its environment, and the reverse."""
    found = (*marked(COMMAND_MARK, mark), *(in_group(group) if group is not None else ()))
    return tuple({one.pid: one for one in found}.values())


def spawn(arguments: Sequence[str], where: Surroundings, output: "IO[bytes]") -> "subprocess.Popen[bytes]":
    """Start a program in a session of its own, so that it outlives us.

    Errors: OSError or ValueError, when there is no such program or it may not be run.
    """
    process = subprocess.Popen(
        list(arguments),
        cwd=where.folder,
        env=where.variables,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )
    _started.append(process)
    return process


def start_output(log: Path | None, mode: str) -> "IO[bytes]":
    """Open the log that a started program writes to; one that cannot be opened keeps no service from starting.

    Errors: `OSError` where not even nothing can be written to.
    """
    try:
        if log is not None:
            log.parent.mkdir(parents=True, exist_ok=True)
            return cast("IO[bytes]", open(log, mode, opener=_without_waiting))
    except (OSError, ValueError) as error:
        LOGGER.warning("cannot open start_log=%s, starting without it: %s", log, error)
    return cast("IO[bytes]", Path(os.devnull).open(mode))


def _without_waiting(path: str, flags: int) -> int:
    # A pipe that nobody reads would hold the start up; what the program gets is an ordinary output again.
    descriptor = os.open(path, flags | NEVER_WAIT, 0o666)
    os.set_blocking(descriptor, True)
    return descriptor


def reap() -> None:
    """Collect what this process started and what has died since, so that none stays a zombie."""
    _started[:] = [process for process in _started if process.poll() is None]


def program_fault(arguments: Sequence[str], where: Surroundings = HERE) -> str | None:
    """Say why a command could not be run, before anything depends on it; None where it can be."""
    program = arguments[0] if arguments else ""
    # A bare name is looked up on PATH, and any other from the folder that the command runs in.
    place = str((where.folder or Path()) / program) if Path(program).name != program else program
    found = shutil.which(place, path=where.variables.get("PATH"))
    return None if found else f"expected a program that can be run, found {program!r}"


def last_lines(path: Path | None, count: int = LINES_COUNT) -> str:
    """Read the last lines of a log in one line, bounded to its last 4 KiB."""
    if path is None:
        return "none kept; set start_log"
    try:
        with open_regular(path) as log:
            return one_line(tail(log), count) or "none"
    except OSError:
        return "none"


def tail(log: "IO[bytes] | RawIOBase") -> str:
    """Read the last 4 KiB of an open file, without the secrets in it: it is reported, and stands in the ledger."""
    log.seek(max(0, os.fstat(log.fileno()).st_size - TAIL_BYTES))
    return without_secrets(log.read(TAIL_BYTES).decode("utf-8", errors="replace"))


def one_line(text: str, count: int = LINES_COUNT) -> str:
    return " | ".join(line.strip() for line in text.splitlines()[-count:]).strip()


def _wait(process: "subprocess.Popen[bytes]", timeout_s: float) -> int:
    identity = identify(process.pid)
    try:
        return process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        if identity is not None:
            terminate(identity, grace_s=0)
        process.wait()
        raise


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


# What any program needs: where programs, libraries and certificates are, who runs it, its language and time zone, the
# way to the user's systemd; what Windows needs; and the marks by which the processes of a stack are found.
PLAIN = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "TERM", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TMP", "TEMP"}
    | {
        "XDG_RUNTIME_DIR",
        "DBUS_SESSION_BUS_ADDRESS",
        "LD_LIBRARY_PATH",
        "DYLD_LIBRARY_PATH",
        "JAVA_HOME",
        "VIRTUAL_ENV",
    }
    | {"SSL_CERT_FILE", "SSL_CERT_DIR", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "USERPROFILE"}
    | {"APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES", "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE"}
    | {"TRADING_RUNBOOK_STACK", "TRADING_RUNBOOK_STATE_DIR"}
)
# Whole families: the language, Python's own switches, and what the bundled order service reads.
PLAIN_PREFIXES = ("LC_", "PYTHON", "ORDER_SERVICE_")


def clean_environment(ours: Mapping[str, str]) -> dict[str, str]:
    """Keep of our own variables what any program needs, and leave out all others.

    What a service needs beyond these is named in its `start_environment`. A list of what is secret would
    miss the next secret.
    """
    return {name: value for name, value in ours.items() if _is_plain(name.upper())}


def _is_plain(name: str) -> bool:
    return name in PLAIN or name.startswith(PLAIN_PREFIXES)
