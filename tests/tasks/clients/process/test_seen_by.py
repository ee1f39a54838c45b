"""A process that is not seen on this machine: by its metrics, or not at all; and never signalled."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from tasks.clients.process.probe import find_process, service_identity
from tasks.clients.process.supervisors.base import supervisor_of
from tasks.clients.process.supervisors.supervised import process_to_stop
from tasks.model.errors import Code, NothingDone
from tasks.model.probes.processes import ProcessCheck, ProcessState
from tasks.settings import ServiceSettings
from tasks.work.triage.probe_pass import observe
from tests.fakes.service.scripted import Asked, replied, scripted

PAGE = (
    b"process_resident_memory_bytes 8.8e7\nprocess_open_fds 40\nprocess_max_fds 1024\n"
    b"process_cpu_seconds_total 2.5\nprocess_start_time_seconds 1764500000\n"
)


def answered(asked: Asked) -> bytes:
    """Answer as a service with health and the standard metrics alone."""
    if asked.path == "/metrics":
        return replied(200, raw=PAGE)
    return replied(200, {"status": "ok"}) if asked.path == "/health" else replied(404)


async def seen(url: str, seen_by: str, **more: object) -> tuple[ServiceSettings, ProcessCheck]:
    """Make one pass at a service, and give what it saw of the process."""
    service = ServiceSettings.model_validate({"base_url": url, "process": {"seen_by": seen_by}, **more})
    return service, (await observe(service)).process


async def test_the_metrics_say_how_the_process_is_and_are_read_once_a_pass() -> None:
    """Memory, descriptors, CPU and start, of a process in a container or on another host."""
    async with scripted(answered) as (url, kept):
        _, process = await seen(url, "metrics")

    assert (process.state, process.pid, process.memory_bytes) == (ProcessState.RUNNING, None, 88_000_000)
    assert (process.open_files_count, process.open_files_limit, process.cpu_time_s) == (40, 1024, 2.5)
    assert process.started_at == datetime(2025, 11, 30, 10, 53, 20, tzinfo=UTC)
    assert [one.path for one in kept].count("/metrics") == 1


@pytest.mark.parametrize(
    ("seen_by", "more", "said"),
    [
        ("none", {}, 'process.seen_by = "none"'),
        ("metrics", {"metrics": {"path": ""}}, "metrics.path is empty"),
        ("metrics", {"metrics": {"path": "/nothing"}}, "http_status=404"),
    ],
)
async def test_a_process_that_nobody_sees_is_not_available_neither_down_nor_blind(
    seen_by: str, more: dict[str, object], said: str
) -> None:
    """It is what the firm described, and no fault."""
    async with scripted(answered) as (url, _):
        _, process = await seen(url, seen_by, **more)

    assert process.state is ProcessState.NOT_AVAILABLE
    assert process.detail.startswith("not available")
    assert said in process.detail


@pytest.mark.parametrize("seen_by", ["none", "metrics"])
def test_nothing_on_this_machine_is_ever_signalled(seen_by: str, tmp_path: Path) -> None:
    """A pid file or a pattern that happens to fit names somebody else's process."""
    (tmp_path / "pid").write_text(f"{os.getppid()}\n")
    service = ServiceSettings.model_validate(
        {"process": {"seen_by": seen_by}, "pid_file": tmp_path / "pid", "start_command": ["true"]}
    )
    found = find_process(service)

    assert isinstance(found, ProcessCheck)
    assert (found.state, service_identity(service)) == (ProcessState.NOT_AVAILABLE, None)
    assert f'process.seen_by = "{seen_by}"' in supervisor_of(service).available().detail
    for state in (ProcessState.NOT_AVAILABLE, ProcessState.RUNNING):
        with pytest.raises(NothingDone) as refused:
            process_to_stop(service, found.model_copy(update={"state": state}))
        assert refused.value.code is Code.PROCESS_UNREADABLE


def test_the_keys_of_a_process_may_stand_in_its_own_table() -> None:
    """`[services.oms.process] supervisor` reads well; it is the same key as the older one a table up."""
    commands = {"start_command": ["svc", "start"], "stop_command": ["svc", "stop"], "supervisor": "command"}
    nested = ServiceSettings.model_validate({"process": {"seen_by": "none", **commands}})

    assert nested == ServiceSettings.model_validate({**commands, "process": {"seen_by": "none"}})
    with pytest.raises(ValidationError, match=r"pid_file stands in \[services.NAME\] and in its process table"):
        ServiceSettings.model_validate({"pid_file": "/run/a", "process": {"pid_file": "/run/b"}})
