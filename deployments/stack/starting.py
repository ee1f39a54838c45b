"""Start one part: spawn it in a session of its own, record it, wait until it is ready, or say why it is not."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, NamedTuple, Protocol

from deployments.stack.parts import Part
from deployments.stack.stack_file import PartRecord, StackRecord, write_stack
from tasks.clients.files.regular_file import open_regular
from tasks.clients.process.commands import start_output, tail
from tasks.clients.process.port_holders import stranger_to
from tasks.clients.process.processes import identify, is_running
from tasks.model.errors import CannotAct, Code
from tasks.model.probes.processes import ProcessIdentity

POLL_S = 0.1
LINES_COUNT = 4
# What ends while it starts did not end well.
EXIT_CODE_UNKNOWN = 1
OF_TRACEBACKS = ("Traceback ", "During handling of", "The above exception", "(Background on this error", "│", "╭", "╰")


FORKING = (sys.executable, "-m", "order_service.gateway_simulator.forked")


class Process(Protocol):
    """What is asked of a process that was started."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...


class Forked(NamedTuple):
    """A process that is no child of ours: that it has ended is all that can be known."""

    pid: int
    identity: ProcessIdentity | None

    def poll(self) -> int | None:
        return None if self.identity is not None and is_running(self.identity) else EXIT_CODE_UNKNOWN


class StartStoppedError(Exception):
    """The start was called off while a part was coming up."""


class Starting:
    """One start of a stack: what was spawned so far, and whether it was called off."""

    def __init__(self, stack: StackRecord, stack_file: Path) -> None:
        self.stack = stack
        self.processes: list[subprocess.Popen[bytes]] = []
        self._stack_file = stack_file
        self._lock = threading.Lock()
        self._record_lock = threading.Lock()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Call the start off; once this returns, nothing more is spawned."""
        with self._lock:
            self._stopped.set()

    def check(self) -> None:
        """Raise when the start was called off."""
        if self._stopped.is_set():
            raise StartStoppedError

    def record(self, part: PartRecord) -> None:
        """Keep a part in the stack file."""
        with self._record_lock:
            self.stack = self.stack.with_part(part)
            write_stack(self._stack_file, self.stack)

    def launch(self, part: Part) -> None:
        """Start a part and wait until it is ready.

        Errors: `START_FAILED` when it ends, `NOT_READY` when it takes too long; both with its last lines. `PORT_TAKEN`
        where somebody else has its port: who answers there is not the part, however well it answers.
        """
        with self._lock:
            self.check()
            process = spawn(part)
            self.processes.append(process)
            self._record(part, identify(process.pid))
        self._wait(part, process)

    def _record(self, part: Part, identity: ProcessIdentity | None) -> None:
        if identity is not None:
            self.record(PartRecord(name=part.name, identity=identity, base_url=part.base_url, log=part.log))

    def launch_forked(self, parts: Sequence[Part], report_up: Callable[[Part], None]) -> None:
        """Start gateways from one process that has imported what all of them need, and ends; then wait for each.

        Errors: as `launch`.
        """
        with ExitStack() as outputs:
            logs = [outputs.enter_context(_output(part)) for part in parts]
            with self._lock:
                self.check()
                forking = subprocess.Popen(
                    FORKING,
                    cwd=parts[0].directory,
                    env=dict(os.environ),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=logs[0],
                    pass_fds=[log.fileno() for log in logs],
                    start_new_session=True,
                    text=True,
                )
            try:
                processes = self._fork(forking, parts, [log.fileno() for log in logs])
            finally:
                forking.kill()
                forking.communicate()
        for part, process in zip(parts, processes, strict=True):
            self._wait(part, process)
            report_up(part)

    def _fork(self, forking: "subprocess.Popen[str]", parts: Sequence[Part], outputs: list[int]) -> list["Forked"]:
        """Let it import first: under the lock, which nobody may wait for long, it only forks."""
        if forking.stdout is None or not forking.stdout.readline():
            raise _failed(parts[0], f"exit_code={forking.wait()}")
        orders = [
            {"arguments": part.command[3:], "directory": str(part.directory), "output": output}
            for part, output in zip(parts, outputs, strict=True)
        ]
        with self._lock:
            self.check()
            answer, _ = forking.communicate(json.dumps(orders))
            if forking.returncode != 0:
                raise _failed(parts[0], f"exit_code={forking.returncode}")
            processes = [Forked(pid, identify(pid)) for pid in json.loads(answer)]
            for part, process in zip(parts, processes, strict=True):
                self._record(part, process.identity)
        return processes

    def run(self, part: Part) -> None:
        """Run a part to its end.

        Errors: `START_FAILED` when it ends with anything but 0, or not in time.
        """
        with self._lock:
            self.check()
            process = spawn(part)
        deadline = time.monotonic() + part.timeout_s
        try:
            while process.poll() is None and time.monotonic() < deadline:
                self.check()
                time.sleep(POLL_S)
        finally:
            process.kill()
        if process.wait() != 0:
            raise _failed(part, f"exit_code={process.returncode}")

    def or_stop(self, is_ready: Callable[[], bool]) -> Callable[[], bool]:
        """Wrap a readiness question so that it ends the wait when the start was called off."""

        def ask() -> bool:
            self.check()
            return is_ready()

        return ask

    def _wait(self, part: Part, process: Process) -> None:
        deadline = time.monotonic() + part.timeout_s
        while not part.is_ready() or _is_mistaken(part, process):
            self.check()
            if (code := process.poll()) is not None:
                _refuse_stranger(part, process)
                raise _failed(part, f"exit_code={code}")
            if time.monotonic() > deadline:
                raise CannotAct(Code.NOT_READY, _story(part, f"no answer in {part.timeout_s:.0f} s"))
            time.sleep(POLL_S)


def spawn(part: Part) -> "subprocess.Popen[bytes]":
    """Start a process in a session of its own: a Ctrl-C in our terminal is ours to pass on, in order."""
    with _output(part) as log:
        return subprocess.Popen(
            part.command,
            cwd=part.directory,
            env={**os.environ, **part.environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )


def _output(part: Part) -> IO[bytes]:
    part.directory.mkdir(parents=True, exist_ok=True)
    return start_output(part.log, "ab")


def _is_mistaken(part: Part, process: Process) -> bool:
    """Say whether what answered is not the process that was started.

    Errors: `PORT_TAKEN` where it is known who it is.
    """
    _refuse_stranger(part, process)
    return process.poll() is not None


def _refuse_stranger(part: Part, process: Process) -> None:
    stranger = stranger_to(part.port, process.pid) if part.port else None
    if stranger is not None:
        raise CannotAct(
            Code.PORT_TAKEN,
            f"expected port={part.port} for {part.name} was held by {stranger}; "
            "stop it, or take another with `runbook down` and up again",
        )


def _failed(part: Part, found: str) -> CannotAct:
    return CannotAct(Code.START_FAILED, _story(part, found))


def _story(part: Part, found: str) -> str:
    lines = "\n    ".join(_last_words(part.log))
    return f"expected {part.name} to come up was {found} log={part.log}; its last lines say why:\n    {lines}"


def _last_words(log: Path) -> list[str]:
    """Read what a part said last; of a traceback its last line alone, which says what went wrong."""
    try:
        with open_regular(log) as file:
            lines = tail(file).splitlines()
    except OSError:
        return ["none"]
    return [line for line in lines if line[:1].strip() and not line.startswith(OF_TRACEBACKS)][-LINES_COUNT:] or [
        "none"
    ]
