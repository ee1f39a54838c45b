"""A real process is killed while it tells, at each of its calls; the next one loses nothing and doubles nothing."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tasks.model.incidents.incident import Event
from tests.fakes.slack.slack_api import CHANNEL
from tests.fakes.slack.slack_server import slack
from tests.tasks.delivery.telling import Telling, slack_settings, with_file

CALLS_COUNT = 5
TELL = """
import sys
from pathlib import Path
from tasks.clients.messages.outbox import Outbox
from tasks.clients.messages.delivery_thread import Sender
from tasks.settings import load_settings
sender = Sender(load_settings())
sender.kick()
sender.wait(30)
"""

pytestmark = [pytest.mark.live, pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX")]


@pytest.mark.parametrize("call", range(1, CALLS_COUNT + 1))
def test_a_process_killed_after_slack_took_a_call_and_before_it_answered(tmp_path: Path, call: int) -> None:
    """The worst moment: it was said, and nobody wrote down that it was."""
    with slack() as fake:
        telling = Telling(tmp_path, slack_settings(fake)).opened()
        telling.queue(with_file("exhausted"))
        reached, seen = threading.Event(), [0]

        def hold(_: str) -> None:
            seen[0] += 1
            if seen[0] == call:
                reached.set()
                gone.wait(20)

        gone = threading.Event()
        fake.before_answer = hold
        process = subprocess.Popen([sys.executable, "-c", TELL], env=environment(telling))
        assert reached.wait(30)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        gone.set()
        telling.happens(Event.CLOSED)
        telling.settle()

        assert len(fake.heads(CHANNEL)) == 1
        assert fake.texts(CHANNEL) == ["about exhausted"]
        assert len([one for one in fake.replies(CHANNEL) if one.files]) == 1
        assert telling.told() == telling.arrived() == [with_file("exhausted").key]


def environment(telling: Telling) -> dict[str, str]:
    """What a run of its own would be given."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("RUNBOOK_")}
    slack = {f"RUNBOOK_SLACK__{name.upper()}": str(telling.slack[name]) for name in ("token", "base_url", "channel")}
    services = '{"order-service": {}}'
    return {**known, **slack, "RUNBOOK_STATE_DIR": str(telling.state_dir), "RUNBOOK_SERVICES": services}
