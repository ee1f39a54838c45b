"""Starting a worker: what a person did wrong is one line, and no reason for a unit to try again for ever."""

import signal
import subprocess
import sys

import pytest

from deployments.commands.worker import worker
from deployments.worker import make_pool, new_pool
from tasks.model.errors import Code, RunbookError
from tests.fakes.process.without_interrupts import DEAF
from tests.fakes.service.scripted import Asked, replied, scripted

pytestmark = pytest.mark.live

HEARS = """
import signal
from deployments.stack.interrupts import hear_interrupts
print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)
hear_interrupts()
print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""


def closed(asked: Asked) -> bytes:
    """Answer as a server with a login does: health is open to all."""
    return replied(200, True) if asked.path == "/api/health" else replied(401, {"exception_message": "Unauthorized"})


async def test_a_worker_without_the_login_is_one_line() -> None:
    """Exit 2, which the unit does not restart: else it would import Prefect every few seconds on a trading host."""
    from prefect.settings import PREFECT_API_URL, temporary_settings  # noqa: PLC0415

    async with scripted(closed) as (url, _):
        with temporary_settings({PREFECT_API_URL: f"{url}/api"}), pytest.raises(RunbookError) as refused:
            await make_pool()

    assert refused.value.code is Code.NOT_CONFIGURED
    assert "PREFECT_API_AUTH_STRING" in refused.value.detail


@pytest.mark.parametrize("kind", ["warm-process", "process"])
def test_the_pool_has_no_place_for_a_command_whichever_worker_serves_it(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way back to the stock worker must not be a way for a run to bring a shell command."""
    monkeypatch.setenv("RUNBOOK_WORKER_TYPE", kind)
    pool = new_pool()

    assert pool.type == kind
    assert set(pool.base_job_template["job_configuration"]) == {"stream_output", "run_limit_s"}


@pytest.mark.parametrize("name", ["ldn/1", "50%"])
def test_a_name_that_prefect_could_not_take_is_one_line(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before three seconds of import."""
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    monkeypatch.setenv("RUNBOOK_SERVICES", '{"order-service": {"base_url": "http://127.0.0.1:1"}}')

    with pytest.raises(RunbookError) as refused:
        worker(name)

    assert refused.value.code is Code.BAD_ARGUMENT


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="a shell script's background is POSIX")
def test_what_a_script_started_in_the_background_hears_ctrl_c_again() -> None:
    """Prefect makes SIGTERM one, and the worker would never stop."""
    told = subprocess.run([*DEAF, sys.executable, "-c", HEARS], capture_output=True, text=True, check=True)

    assert told.stdout.split() == ["True", "True"]
