"""Who may reach the Prefect server: on this machine anybody, from elsewhere only with a password."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from deployments.prefect_api.client import PrefectDoor, authorization, open_door
from deployments.prefect_server.serve import may_listen
from deployments.prefect_server.server_settings import ServerSettings, guarded, keep, kept, own_login
from deployments.prefect_server.sign_in import sign_in_link
from deployments.stack.environment import server_environment, worker_environment
from deployments.stack.local_http import basic
from deployments.stack.ports import DEFAULTS
from deployments.stack.stack_settings import service_environment, write_settings
from deployments.stack.state_dir import StateDir
from tasks.model.errors import Code, RunbookError
from tests.fakes.prefect.prefect_api import serving_prefect

pytestmark = pytest.mark.live

LOGIN = "desk:opensesame"
ASKED = ServerSettings.asked(server_auth=LOGIN)


@pytest.mark.parametrize(
    ("host", "login", "allowed"),
    [
        ("127.0.0.1", "", True),
        ("localhost", "", True),
        ("::1", "", True),
        ("0.0.0.0", "", False),  # noqa: S104 - the very thing that is refused
        ("::", "", False),
        ("10.0.0.5", "", False),
        ("prefect.example.com", "", False),
        ("0.0.0.0", LOGIN, True),  # noqa: S104
    ],
)
def test_an_address_that_others_reach_needs_a_login(host: str, login: str, allowed: bool) -> None:
    """Whoever reaches Prefect can pause trading; forgetting the password must not open it to the whole floor."""
    assert may_listen(host, {"PREFECT_SERVER_API_AUTH_STRING": login}) is allowed


def test_an_open_server_without_a_login_does_not_start() -> None:
    """One line and exit 2, before a port is opened."""
    refused = subprocess.run(
        [sys.executable, "-m", "deployments.prefect_server", "0.0.0.0", "0"],  # noqa: S104
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert refused.returncode == 2
    assert refused.stderr.startswith("BAD_SETTING: expected PREFECT_SERVER_API_AUTH_STRING")
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize("login", ["opensesame", ":opensesame", "desk:", "desk:öffne", "desk:open\nsesame"])
def test_a_login_that_prefect_could_not_compare_is_refused_at_the_start(login: str) -> None:
    """It would answer 500 to whoever has the right password; and the line does not show it."""
    with pytest.raises(RunbookError) as caught:
        ServerSettings.asked(server_auth=login)

    assert caught.value.code is Code.BAD_SETTING
    assert "RUNBOOK_SERVER_AUTH" in caught.value.detail
    assert not any(word in caught.value.detail for word in ("sesame", "öffne"))


def test_the_server_and_all_of_ours_get_the_same_login(tmp_path: Path) -> None:
    """A worker that is not let in looks like a service that nobody watches."""
    server = server_environment(StateDir(tmp_path), DEFAULTS, ASKED)
    worker = worker_environment(StateDir(tmp_path), DEFAULTS, ASKED)

    assert server["PREFECT_SERVER_API_AUTH_STRING"] == LOGIN
    assert worker["PREFECT_API_AUTH_STRING"] == LOGIN
    assert "PREFECT_SERVER_API_AUTH_STRING" not in worker
    assert "AUTH" not in str(worker_environment(StateDir(tmp_path), DEFAULTS))


def test_the_order_service_reads_the_login_from_a_file_of_its_own(tmp_path: Path) -> None:
    """Its environment is shown by `ps e`; and a stack without a login leaves none behind."""
    state = StateDir(tmp_path)
    write_settings(state, DEFAULTS, ASKED.server_auth)
    environment = service_environment(state, DEFAULTS)
    kept = Path(environment["ORDER_SERVICE_EVENTS_CREDENTIALS_FILE"])

    assert kept.read_text("utf-8").strip() == LOGIN
    assert "opensesame" not in str(environment)
    if sys.platform != "win32":
        assert kept.stat().st_mode & 0o777 == 0o600
    write_settings(state, DEFAULTS)
    assert not kept.exists()
    assert "ORDER_SERVICE_EVENTS_CREDENTIALS_FILE" not in service_environment(state, DEFAULTS)


def test_a_door_never_shows_what_opens_it() -> None:
    """It stands in messages and tracebacks."""
    assert "Basic" not in repr(PrefectDoor("http://127.0.0.1:1/api", authorization({"PREFECT_API_AUTH_STRING": LOGIN})))


def test_a_command_that_is_not_let_in_says_which_variable_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On a host without the password, `runbook approve` must not say that there is no server."""
    with serving_prefect() as prefect:
        prefect.login = LOGIN
        monkeypatch.setenv("RUNBOOK_STATE_DIR", str(tmp_path))
        monkeypatch.setenv("PREFECT_API_URL", prefect.url)
        with pytest.raises(RunbookError) as caught:
            open_door()
        monkeypatch.setenv("PREFECT_API_AUTH_STRING", LOGIN)
        let_in = open_door()

    assert "PREFECT_API_AUTH_STRING" in caught.value.detail
    assert let_in.url == prefect.url


def test_a_stack_without_a_chosen_login_has_one_of_its_own(tmp_path: Path) -> None:
    """Open, any user of the machine and any web page could start a run that halts all trading."""
    state = StateDir(tmp_path / "state")
    first = guarded(state, ServerSettings())
    keep(state, first)

    assert first.server_auth == guarded(state, ServerSettings()).server_auth == own_login(state)
    assert first.server_auth is not None
    assert len(first.server_auth.get_secret_value()) >= 32
    assert server_environment(state, DEFAULTS, kept(state))["PREFECT_SERVER_API_AUTH_STRING"]
    if sys.platform != "win32":
        assert state.login_file.stat().st_mode & 0o777 == 0o600
        assert state.root.stat().st_mode & 0o777 == 0o700


def test_a_login_that_a_person_chose_stays_theirs_and_is_never_printed(tmp_path: Path) -> None:
    """What `RUNBOOK_SERVER_AUTH` says wins; the terminal shows only what we made up ourselves."""
    state = StateDir(tmp_path)
    keep(state, guarded(state, ASKED))

    assert kept(state).server_auth == ASKED.server_auth
    assert own_login(state) is None
    assert not state.login_file.exists()


def test_a_garbled_login_is_made_again(tmp_path: Path) -> None:
    """A half-written file must not keep the stack from starting, nor leave it open."""
    state = StateDir(tmp_path)
    state.login_file.write_text("no colon in it", "utf-8")
    made = guarded(state, ServerSettings()).server_auth

    assert made is not None
    assert state.login_file.read_text("utf-8").strip() == made.get_secret_value()


def test_the_link_that_opens_the_ui_keeps_the_login_behind_the_hash() -> None:
    """What stands behind the `#` a browser sends to no server, and so into no log."""
    address, _, secret = sign_in_link("http://127.0.0.1:4200", SecretStr(LOGIN)).partition("#")

    assert address == "http://127.0.0.1:4200/sign-in"
    assert basic(LOGIN) == {"Authorization": f"Basic {secret}"}
