"""The settings that `up` writes are the ones that the flows read."""

import sys
import tomllib
from pathlib import Path

import pytest

from deployments.stack.ports import DEFAULTS, ORDER_SERVICE
from deployments.stack.stack_settings import settings_text, write_settings
from deployments.stack.state_dir import StateDir
from tasks.model.incidents.modes import Mode
from tasks.model.probes.orders import WELL_KNOWN
from tasks.settings import load_settings


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    """Give a state directory whose name needs quoting."""
    return StateDir(tmp_path / 'a "quoted" nämé')


def test_the_flows_read_what_up_writes(state: StateDir) -> None:
    """A key that one side misspells is found here, not at three in the morning."""
    write_settings(state, DEFAULTS)
    settings = load_settings({"RUNBOOK_CONFIG": str(state.settings_file), "RUNBOOK_STATE_DIR": str(state.root)})
    service = settings.service(ORDER_SERVICE)

    assert settings.mode is Mode.ACT
    assert service.port == DEFAULTS[ORDER_SERVICE]
    assert set(service.synthetic_orders) == set(WELL_KNOWN)
    assert set(service.gateways) == {"XNAS", "XNYS", "XCME", "FXALL", "CRYP"}
    assert service.pid_file == state.pid_file
    assert service.start_command[0] == sys.executable


@pytest.mark.skipif(sys.platform == "win32", reason="file modes are POSIX")
def test_the_token_is_readable_by_its_owner_alone(state: StateDir) -> None:
    """The token can halt trading."""
    write_settings(state, DEFAULTS)

    assert {path.stat().st_mode & 0o777 for path in (state.settings_file, state.token_file)} == {0o600}


def test_every_start_has_a_token_of_its_own(state: StateDir) -> None:
    """A token that leaked with one stack's files opens no other stack."""
    write_settings(state, DEFAULTS)
    first = state.token_file.read_text("utf-8")
    write_settings(state, DEFAULTS)

    assert state.token_file.read_text("utf-8") != first


def test_the_token_is_passed_to_the_service_by_file_and_never_by_environment(state: StateDir) -> None:
    """An environment is shown by `ps e` to whoever asks."""
    table = tomllib.loads(settings_text(state, DEFAULTS, "secret-token", "alert-token-of-this-test"))["services"][
        ORDER_SERVICE
    ]

    assert "secret-token" not in str(table["start_environment"])
