"""What the warm worker decides by itself: what it can fork, whose a run is, when to try again."""

import asyncio
import os
import ssl
import subprocess
import sys
import uuid
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from prefect.client import orchestration
from prefect.client.schemas.objects import StateType
from prefect.workers.base import BaseWorker
from prefect.workers.process import ProcessWorker

from deployments.warm import attempts, prefect_internals
from deployments.warm.attempts import PatientProposer
from deployments.warm.configuration import WarmJobConfiguration, ignored_words
from deployments.warm.places import place_here, read_place
from deployments.warm.worker_type import WarmWorker, flow_modules
from tasks.clients.prefect.errors import is_away
from tasks.clients.process.processes import identify
from tasks.clients.process.sessions import kill_session, session_pids
from tasks.model.probes.processes import ProcessIdentity
from tasks.model.values import Value
from tests.fakes.polling import eventually
from tests.fakes.prefect.flow_runs import FakeApi, flow_run

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="sessions are POSIX")


def configured(**deployment: Any) -> WarmJobConfiguration:
    """Prepare the configuration of a run of a deployment."""
    job = WarmJobConfiguration()
    facts = {"id": uuid.uuid4(), "name": "d", "pull_steps": None, "storage_document_id": None, "updated": None}
    job.prepare_for_flow_run(flow_run(), deployment=SimpleNamespace(**{**facts, **deployment}))
    return job


def test_prefect_finds_the_worker_type_by_itself() -> None:
    """`prefect worker start --type warm-process` works wherever the project is installed."""
    assert BaseWorker.get_worker_class_from_type("warm-process") is WarmWorker


COMMAND = {"command": "touch here; python -m prefect.engine"}
BROUGHT = [
    COMMAND,
    {"env": {"RUNBOOK_CONFIG": "/srv/theirs.toml"}},
    {"env.PYTHONPATH": "/srv/theirs"},
    {"working_dir": "/srv/theirs"},
]


def of_run(values: dict[str, Any], template: dict[str, Any] | None = None) -> WarmJobConfiguration:
    """Make the configuration of a run that brings job variables, as the worker does."""
    known = template or WarmWorker.get_default_base_job_template()
    return asyncio.run(WarmJobConfiguration.from_template_and_values(known, values))


@pytest.mark.parametrize("brought", BROUGHT, ids=str)
def test_no_run_brings_a_command_of_its_own(brought: dict[str, Any]) -> None:
    """Whoever may start a triage must not thereby run a shell as the user who can halt all trading."""
    job = of_run({**brought, "stream_output": False, "run_limit_s": 7})
    facts = {"id": uuid.uuid4(), "name": "d", "updated": None, "entrypoint": "flows.triage.triage"}
    job.prepare_for_flow_run(flow_run(), SimpleNamespace(**facts))

    assert job.ignored == tuple(brought)
    assert job.entrypoint == "flows.triage.triage"
    assert job.working_dir is None
    assert job.env.get("RUNBOOK_CONFIG") == os.environ.get("RUNBOOK_CONFIG")
    assert job.env.get("PYTHONPATH") == os.environ.get("PYTHONPATH")
    assert job.command is not None
    assert job.command.endswith("-m prefect.engine")
    assert "touch" not in job.command
    assert (job.stream_output, job.run_limit_s) == (False, 7)
    assert ignored_words(job.ignored).startswith("JOB_VARIABLE_IGNORED: ")


@pytest.mark.parametrize("brought", [one for one in BROUGHT if "env.PYTHONPATH" not in one], ids=str)
def test_a_work_pool_brings_no_command_either(brought: dict[str, Any]) -> None:
    """A pool that an earlier version made still has all fields of the stock one, and is no way around."""
    template = ProcessWorker.get_default_base_job_template()
    template["job_configuration"].update(brought)

    job = of_run({}, template)

    assert job.ignored == tuple(brought)
    assert (job.command, job.env, job.working_dir) == (None, {}, None)
    own = WarmWorker.get_default_base_job_template()
    # The server refuses a template with a place for which its form has no field.
    assert set(own["job_configuration"]) == set(own["variables"]["properties"]) == {"stream_output", "run_limit_s"}


def test_every_flow_of_the_page_is_imported_ahead() -> None:
    """A flow that is added is warm without being listed."""
    assert {"flows.triage", "flows.remediation"} <= set(flow_modules())


@pytest.mark.parametrize(
    ("deployment", "forked"),
    [
        ({"entrypoint": "flows.triage.triage"}, True),
        ({"entrypoint": "flows.triage.triage", "pull_steps": []}, True),
        ({"entrypoint": "flows/triage.py:triage"}, False),
        ({"entrypoint": "flows.triage.triage", "pull_steps": [{"git_clone": {}}]}, False),
        ({"entrypoint": "flows.triage.triage", "storage_document_id": uuid.uuid4()}, False),
        ({"entrypoint": None}, False),
    ],
)
def test_what_cannot_be_forked_is_left_to_the_stock_way(deployment: dict[str, Any], forked: bool) -> None:
    """A deployment with code of its own runs as its author knows it."""
    assert (configured(**deployment).entrypoint is not None) is forked


def test_a_place_is_read_back_and_a_reused_pid_is_nobody() -> None:
    """The next worker must never watch, or end, a stranger's process."""
    own = identify(os.getpid())
    assert own is not None
    here = place_here(own)

    assert read_place(str(here)) == here
    assert here.lives
    stranger = place_here(ProcessIdentity(pid=own.pid, created_at_s=own.created_at_s - 60))
    assert not stranger.lives
    assert not here.model_copy(update={"host": "elsewhere"}).lives


@pytest.mark.parametrize("text", [None, "", "4711", "host:4711", "host:pid:1.0", "host:1:then"])
def test_what_another_kind_of_worker_wrote_is_no_place(text: str | None) -> None:
    """The stock worker writes a bare pid, which says nothing for good."""
    assert read_place(text) is None


def refused(status: int) -> httpx.HTTPStatusError:
    """Make the error of an answer."""
    asked = httpx.Request("POST", "http://prefect")
    return httpx.HTTPStatusError("no", request=asked, response=httpx.Response(status, request=asked))


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (httpx.ConnectError("refused"), True),
        (httpx.ReadTimeout("silent"), True),
        (refused(503), True),
        (refused(429), True),
        (refused(401), False),
        (refused(422), False),
        (ValueError("ours"), False),
    ],
)
def test_only_a_server_that_may_come_back_is_waited_for(error: Exception, away: bool) -> None:
    """A wrong password does not become right by waiting."""
    assert is_away(error) is away


def test_the_end_of_a_run_is_reported_until_it_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash during an outage would leave the run *Running* for ever."""
    monkeypatch.setattr(attempts, "AGAIN_S", 0)
    run = flow_run()
    api = FakeApi(run, failures=(httpx.ConnectError("refused"), refused(503), httpx.ReadTimeout("silent")))

    asyncio.run(PatientProposer(client=api).propose_crashed(run, "died"))  # type: ignore[arg-type]

    assert api.set_states == [(run.id, StateType.CRASHED)]


def test_a_report_that_is_refused_is_not_repeated_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal is an answer."""
    monkeypatch.setattr(attempts, "AGAIN_S", 0)
    run = flow_run()

    with pytest.raises(httpx.HTTPStatusError):
        asyncio.run(PatientProposer(client=FakeApi(run, failures=(refused(403),))).propose_crashed(run, "died"))  # type: ignore[arg-type]


@POSIX
def test_a_session_ends_whole_and_a_session_within_it_goes_on() -> None:
    """A cancel must reach what hides in a process group of its own, and must not reach the restarted service."""
    sleeper = "import time; time.sleep(60)"
    source = (
        "import subprocess, sys, time\n"
        f"a = subprocess.Popen([sys.executable, '-c', {sleeper!r}], process_group=0)\n"
        f"b = subprocess.Popen([sys.executable, '-c', {sleeper!r}], start_new_session=True)\n"
        "print(a.pid, b.pid, flush=True)\ntime.sleep(60)\n"
    )
    words = [sys.executable, "-c", source]
    with subprocess.Popen(words, start_new_session=True, stdout=subprocess.PIPE, text=True) as leader:
        assert leader.stdout is not None
        hidden, service = map(int, leader.stdout.readline().split())
        assert session_pids(leader.pid) == {leader.pid, hidden}

        assert kill_session(leader.pid) == 2
        eventually(lambda: not session_pids(leader.pid))
        assert session_pids(service) == {service}
        assert kill_session(service) == 1


class Look(Value):
    """A result of a step."""

    number: int


class Depth(Value):
    """A value within values."""

    within: "Depth | Look | None" = None


def test_prefect_sees_the_looks_in_our_evidence_and_walks_no_deeper() -> None:
    """The arrows of the graph stay; thousands of numbers are not looked through for each step."""
    visited: list[object] = []

    def walk(expression: Any, *, max_depth: int = -1) -> None:
        visited.append(expression)
        if max_depth and isinstance(expression, Depth) and expression.within is not None:
            walk(expression.within, max_depth=max_depth - 1)

    deep: Any = Look(number=1)
    for _ in range(10):
        deep = Depth(within=deep)
    prefect_internals.walk_no_deeper(walk, deep)
    assert len(visited) == prefect_internals.WALK_DEPTH + 1

    visited.clear()
    prefect_internals.walk_no_deeper(walk, deep, max_depth=0)
    assert len(visited) == 1


def test_prefects_clients_share_roots_of_trust_and_nobody_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """A context that a client changes, or a flow makes, must never be another's."""
    for module in prefect_internals.CLIENTS:
        monkeypatch.setitem(module.__dict__, "ssl", ssl)
    original = ssl.create_default_context
    prefect_internals.share_trust()
    theirs: Any = orchestration.__dict__["ssl"]
    roots = ssl.get_default_verify_paths().cafile or __import__("certifi").where()

    assert theirs.create_default_context(cafile=roots) is theirs.create_default_context(cafile=roots)
    assert theirs.create_default_context() is not theirs.create_default_context()
    assert theirs.SSLContext is ssl.SSLContext
    assert ssl.create_default_context is original
