"""The acknowledge button: one press in Slack stops the pages, and the thread says who has it."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.slack_buttons import pressed
from tasks.clients.incidents.ledger import read_ledger
from tasks.clients.messages.slack.socket_mode import listen_for_presses
from tasks.model.incidents.incident import Event
from tasks.model.messages.slack_press import Press
from tasks.rules.messages.slack.buttons import read_press
from tests.fakes.polling import eventually
from tests.fakes.slack.slack_api import FakeSlack
from tests.fakes.slack.slack_server import slack
from tests.fakes.slack.slack_socket_server import FakeSocket, socket_mode
from tests.tasks.delivery.telling import Telling, message, slack_settings

pytestmark = pytest.mark.live

VALUE = json.dumps({"service": "order-service", "incident_id": "INC-1"})
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=10,
)


@pytest.fixture
def fake() -> Iterator[FakeSlack]:
    """A Slack of this test alone."""
    with slack() as one:
        yield one


@pytest.fixture
def socket(fake: FakeSlack) -> Iterator[FakeSocket]:
    """Its Socket Mode."""
    with socket_mode() as one:
        fake.socket_url = one.url
        yield one


def told(tmp_path: Path, fake: FakeSlack) -> Telling:
    """An open incident whose head has a button."""
    telling = Telling(tmp_path, slack_settings(fake, app_token="xapp-1")).opened()
    telling.queue(message())
    telling.round()
    return telling


def payload(**changes: Any) -> dict[str, Any]:
    """A press as Slack sends it."""
    actions = [{"action_id": "acknowledge", "value": VALUE}]
    return {"type": "block_actions", "user": {"id": "U01", "username": "kim"}, "actions": actions, **changes}


def test_a_press_is_read() -> None:
    """Who, and which incident."""
    assert read_press(payload(response_url="https://hooks.slack.com/x")) == Press(
        incident_id="INC-1",
        by="kim",
        answer_url="https://hooks.slack.com/x",
        service="order-service",
        user_id="U01",
    )


@given(ANY_JSON, ANY_JSON, ANY_JSON, st.text(max_size=30))
def test_no_payload_breaks_the_reader(actions: Any, user: Any, url: Any, value: str) -> None:
    """Other buttons of the workspace come by, too."""
    read_press(payload(actions=actions))
    read_press(payload(user=user))
    read_press(payload(response_url=url))
    read_press(payload(actions=[{"action_id": "acknowledge", "value": value}]))


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "view_submission"},
        {"actions": [{"action_id": "other", "value": VALUE}]},
        {"actions": [{"action_id": "acknowledge", "value": "no json"}]},
        {"actions": "none"},
        {"user": {}},
    ],
)
def test_what_is_no_press_of_ours_is_left_alone(changed: dict[str, Any]) -> None:
    """Nothing is acknowledged by accident."""
    assert read_press(payload(**changed)) is None


def test_a_press_stops_the_pages_and_the_head_says_who_has_it(
    tmp_path: Path, fake: FakeSlack, socket: FakeSocket
) -> None:
    """§3: acknowledging stops the timer, from wherever it is done."""
    telling = told(tmp_path, fake)
    stop = threading.Event()
    hearing = listening(telling, stop)
    try:
        assert socket.connected.wait(20)
        socket.received(socket.press(VALUE, answer_url=fake.webhook_url))
        eventually(lambda: telling.incident.acknowledged_by == "kim")
        eventually(lambda: "acknowledged by kim" in fake.heads()[0].text)
        eventually(lambda: any("INC-1 is with you until" in one["text"] for one in fake.hooked))
    finally:
        stop.set()
        hearing.join(20)

    assert "button" not in str(fake.heads()[0].blocks)
    assert not hearing.is_alive()


def test_a_connection_that_slack_breaks_off_is_made_again(tmp_path: Path, fake: FakeSlack, socket: FakeSocket) -> None:
    """Slack changes its servers every few hours."""
    telling = told(tmp_path, fake)
    stop = threading.Event()
    hearing = listening(telling, stop)
    try:
        assert socket.connected.wait(20)
        socket.hang_up()
        eventually(lambda: socket.connected.is_set() and socket.connections_count == 2, within_s=40)
        socket.press(VALUE, by="lee")
        eventually(lambda: telling.incident.acknowledged_by == "lee", within_s=20)
    finally:
        stop.set()
        hearing.join(20)


def test_a_press_for_an_incident_that_is_over_is_answered_and_changes_nothing(tmp_path: Path) -> None:
    """The button stands in yesterday's thread."""
    telling = Telling(tmp_path).opened()
    telling.happens(Event.CLOSED)
    before = read_ledger(telling.ledger).read_count

    words = pressed(lambda: telling.settings, Press(incident_id="INC-1", by="kim"), datetime.now(UTC))

    assert words.startswith("Not taken. UNKNOWN_INCIDENT")
    assert read_ledger(telling.ledger).read_count == before


def test_a_hostile_name_is_a_name_and_nothing_more(tmp_path: Path) -> None:
    """Names are chosen by people."""
    telling = Telling(tmp_path).opened()
    press = read_press(payload(user={"id": "U01", "username": "<!channel>\nkim\u202e"}))
    assert press

    words = pressed(lambda: telling.settings, press, datetime.now(UTC))

    assert telling.incident.acknowledged_by == "<!channel> kim"
    assert "<" not in words


def test_without_an_app_token_the_process_says_so_and_ends(tmp_path: Path) -> None:
    """It is started by a unit file that everybody has."""
    ended = subprocess.run(
        [sys.executable, "-m", "deployments.slack_buttons"],
        env=environment(Telling(tmp_path)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 2
    assert ended.stderr.startswith("NOT_CONFIGURED: expected an app-level token was none")
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM is POSIX")
def test_the_process_hears_presses_until_it_is_ended(tmp_path: Path, fake: FakeSlack, socket: FakeSocket) -> None:
    """As systemd runs it."""
    telling = told(tmp_path, fake)
    process = subprocess.Popen([sys.executable, "-m", "deployments.slack_buttons"], env=environment(telling))
    try:
        assert socket.connected.wait(40)
        socket.press(VALUE)
        eventually(lambda: telling.incident.acknowledged_by == "kim", within_s=20)
    finally:
        os.kill(process.pid, signal.SIGTERM)
        ended = process.wait(30)

    assert ended == 0


def listening(telling: Telling, stop: threading.Event) -> threading.Thread:
    """Hear presses in a thread."""
    settings = telling.settings
    assert settings.slack.app_token
    words = (
        settings.slack,
        settings.slack.app_token,
        lambda press: pressed(lambda: settings, press, datetime.now(UTC)),
        stop,
    )
    thread = threading.Thread(target=listen_for_presses, args=words, daemon=True)
    thread.start()
    return thread


def environment(telling: Telling) -> dict[str, str]:
    """The environment of a process that watches it."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("RUNBOOK_")}
    wanted = ("token", "app_token", "base_url", "channel")
    slack = {f"RUNBOOK_SLACK__{name.upper()}": str(telling.slack[name]) for name in wanted if name in telling.slack}
    services = '{"order-service": {}}'
    return {**known, **slack, "RUNBOOK_STATE_DIR": str(telling.state_dir), "RUNBOOK_SERVICES": services}
