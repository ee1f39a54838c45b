"""Flows of every temper, for the workers' conformance: each leaves a trace in a file of the test's own."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
from prefect import flow, get_run_logger
from prefect.client.schemas.objects import FlowRun, State
from prefect.flows import Flow


def trace(file: str, **facts: Any) -> None:
    """Append one line."""
    with Path(file).open("a", encoding="utf-8") as lines:
        lines.write(json.dumps({"pid": os.getpid(), **facts}) + "\n")


def hook(flow: Flow[Any, Any], flow_run: FlowRun, state: State[Any]) -> None:  # noqa: ARG001 - Prefect calls it by name
    """Leave a trace of being called, and of which state it was called for."""
    trace(flow_run.parameters["file"], hook=state.type.value)


@flow(on_cancellation=[hook], on_crashed=[hook])
def quick(file: str) -> None:
    """End at once."""
    get_run_logger().info("a line that must reach the server")
    seen = {name: os.environ.get(name) for name in ("PREFECT__FLOW_RUN_ID", "PREFECT__FLOW_ENTRYPOINT", "FROM_JOB")}
    trace(file, did="quick", seen=seen, cwd=str(Path.cwd()), parent=os.getppid())


@flow(on_cancellation=[hook], on_crashed=[hook])
def slow(file: str, seconds: float = 60.0) -> None:
    """Work for a while."""
    trace(file, did="began")
    time.sleep(seconds)
    trace(file, did="ended")


@flow
def deaf(file: str) -> None:
    """Hang, and ignore being asked to end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    trace(file, did="began")
    while True:
        time.sleep(1)


@flow
def family(file: str, seconds: float = 60.0) -> None:
    """Start a child, a grandchild in a process group of its own, and a service that must outlive the run."""
    sleeper = f"import time; time.sleep({seconds})"
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {sleeper!r}], process_group=0)"
    child = subprocess.Popen([sys.executable, "-c", nested])
    service = subprocess.Popen([sys.executable, "-c", sleeper], start_new_session=True)
    trace(file, did="began", child=child.pid, service=service.pid)
    time.sleep(seconds)


@flow
def orphaning(file: str) -> None:
    """End well, but leave a child behind."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    trace(file, did="ended", child=child.pid)


@flow(on_crashed=[hook])
def killed(file: str) -> None:
    """Die as by the kernel's hand, out of memory."""
    trace(file, did="began")
    os.kill(os.getpid(), signal.SIGKILL)


@flow
def failing(file: str) -> None:
    """Raise."""
    trace(file, did="began")
    raise ValueError("as it should")


@flow
def exiting(file: str) -> None:
    """Leave by another door."""
    trace(file, did="began")
    os._exit(7)


@flow
def greedy(file: str) -> None:
    """Leak descriptors, memory and a thread that never ends, and change what a process shares with its successors."""
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(200)]
    os.environ["LEAKED"] = "yes"
    os.chdir("/")
    sys.path.insert(0, "/leaked")
    trace(file, did="leaked", held=len(held))


@flow
def modest(file: str) -> None:
    """Tell what of an earlier run can still be seen."""
    descriptors = psutil.Process().num_fds()
    trace(file, did="looked", descriptors=descriptors, leaked=os.environ.get("LEAKED"), path="/leaked" in sys.path)
