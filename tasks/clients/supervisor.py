"""Start and stop a watched service: the one piece of code for its first start and for every restart."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tasks.clients.processes import identify, is_running, port_owner, terminate
from tasks.model.errors import CannotAct, Code
from tasks.model.processes import ProcessIdentity
from tasks.settings import ServiceSettings

POLL_S = 0.05
# Kept until they are reaped: a dead child that nobody waits for keeps its pid.
_started: "list[subprocess.Popen[bytes]]" = []


def start_service(service: ServiceSettings, is_ready: Callable[[], bool]) -> ProcessIdentity:
    """Start the service in a session of its own, so that it outlives the flow run that starts it, and wait for it.

    Runbook: §2.1 Restart if hung.
    Errors: `NO_START_COMMAND`; `PORT_TAKEN` names the owner, which is never killed; `START_FAILED` and `NOT_READY`
    carry the last lines that it wrote. A start that failed leaves no process behind.
    """
    if not service.start_command:
        raise CannotAct(Code.NO_START_COMMAND, "expected start_command was empty; set it to an argument list")
    _refuse_taken_port(service.port)
    process = _spawn(service)
    _started.append(process)
    identity = identify(process.pid)
    if identity is None:
        raise CannotAct(Code.START_FAILED, _exit_story(service, process))
    try:
        _wait_until_ready(service, process, is_ready)
    except BaseException:
        terminate(identity, grace_s=0)
        raise
    return identity


def stop_service(identity: ProcessIdentity, drain_s: float, kill_s: float) -> None:
    """Stop the service: drain, then kill. A stopped process cannot drain, so its caller passes `drain_s=0`.

    Errors: `STILL_ALIVE` when it outlives SIGKILL.
    """
    gone = terminate(identity, grace_s=drain_s, kill_wait_s=kill_s)
    reap()
    if not gone or is_running(identity):
        raise CannotAct(Code.STILL_ALIVE, f"expected the process to end was alive pid={identity.pid}; end it by hand")


def reap() -> None:
    """Collect the services that this process started and that have died since, so that none stays a zombie."""
    _started[:] = [process for process in _started if process.poll() is None]


def _refuse_taken_port(port: int) -> None:
    owner = port_owner(port)
    if owner is not None:
        raise CannotAct(
            Code.PORT_TAKEN,
            f"expected port={port} free was taken by pid={owner.pid}; stop that process or move the service",
        )


def _spawn(service: ServiceSettings) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, **service.start_environment}
    log = Path(service.start_log or os.devnull)
    if service.start_log:
        log.parent.mkdir(parents=True, exist_ok=True)
    try:
        with log.open("ab") as output:
            return subprocess.Popen(
                service.start_command,
                cwd=service.working_directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
    except OSError as error:
        raise CannotAct(
            Code.START_FAILED,
            f"expected a program was {error.strerror} command={service.start_command[0]}; correct start_command",
        ) from None


def _wait_until_ready(
    service: ServiceSettings, process: "subprocess.Popen[bytes]", is_ready: Callable[[], bool]
) -> None:
    deadline = time.monotonic() + service.restart.start_timeout_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise CannotAct(Code.START_FAILED, _exit_story(service, process))
        if is_ready():
            return
        time.sleep(POLL_S)
    story = last_lines(service.start_log)
    raise CannotAct(
        Code.NOT_READY,
        f"expected an answer in start_timeout_s={service.restart.start_timeout_s:.0f} was none; last lines: {story}",
    )


def _exit_story(service: ServiceSettings, process: "subprocess.Popen[bytes]") -> str:
    return f"expected a running service was exit_code={process.wait()}; last lines: {last_lines(service.start_log)}"


def last_lines(path: Path | None, count: int = 5) -> str:
    """Read the last lines of a log in one line, bounded to its last 4 KiB."""
    if path is None:
        return "none kept; set start_log"
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - 4096))
            text = log.read().decode("utf-8", errors="replace")
    except OSError:
        return "none"
    return " | ".join(line.strip() for line in text.splitlines()[-count:]) or "none"
