"""What the stack's server stands on: asked for in two ways, kept for its owner alone, and never shown."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from prefect.settings.models.root import Settings

from deployments.commands.up import unchanged
from deployments.prefect_server.serve import UNHURRIED
from deployments.prefect_server.server_settings import ServerSettings, keep, kept
from deployments.stack.environment import adopt_mark, server_environment
from deployments.stack.ports import DEFAULTS
from deployments.stack.secret_options import without_options
from deployments.stack.state_dir import StateDir
from tasks.model.errors import Code, RunbookError
from tasks.settings import load_settings

URL = "postgresql+asyncpg://runbook:hunter2@db.example.com/prefect"
OTHER = "postgresql+asyncpg://runbook:hunter2@db.example.com/other"


def test_the_command_line_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a person just typed is what they mean."""
    monkeypatch.setenv("RUNBOOK_DATABASE_URL", OTHER)

    assert ServerSettings.asked(database_url=None).database_url == ServerSettings.asked(database_url=OTHER).database_url
    assert ServerSettings.asked(database_url=URL).differing(ServerSettings.asked()) == ["database_url"]


def test_without_a_database_the_stack_has_its_own_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing need be installed to try it."""
    monkeypatch.delenv("RUNBOOK_DATABASE_URL", raising=False)
    settings = ServerSettings.asked(database_url=None)
    environment = server_environment(StateDir(tmp_path), DEFAULTS, settings)

    assert settings.database == "sqlite"
    assert environment["PREFECT_SERVER_DATABASE_CONNECTION_URL"].startswith(
        f"sqlite+aiosqlite:///{tmp_path.as_posix()}"
    )


@pytest.mark.parametrize("url", [URL, URL.replace("+asyncpg", ""), URL.replace("postgresql+asyncpg", "postgres")])
def test_any_usual_spelling_of_the_same_address_is_taken(url: str, tmp_path: Path) -> None:
    """Every hosting hands out its own."""
    settings = ServerSettings.asked(database_url=url)

    assert settings.database == "postgresql"
    environment = server_environment(StateDir(tmp_path), DEFAULTS, settings)
    assert environment["PREFECT_SERVER_DATABASE_CONNECTION_URL"] == URL


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("hunter2", "no address"),
        ("mysql://u:hunter2@h/d", "scheme=mysql"),
        ("postgresql+psycopg2://u:hunter2@h/d", "scheme=postgresql+psycopg2"),
        ("postgresql+asyncpg://u:hunter2@h", "without a database"),
        ("postgresql+asyncpg://u:hunter2@h:port/d", "no address"),
        ("sqlite+aiosqlite://", "without a database"),
        ("sqlite+aiosqlite:///hunter2.db", "relative"),
    ],
)
def test_a_wrong_address_is_one_line_without_its_password(url: str, found: str) -> None:
    """The line is pasted into a chat; who reads it must not be able to log in."""
    with pytest.raises(RunbookError) as caught:
        ServerSettings.asked(database_url=url)

    assert caught.value.code is Code.BAD_SETTING
    assert found in caught.value.detail
    assert "--database-url or RUNBOOK_DATABASE_URL" in caught.value.detail
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_wrong_address_in_the_settings_of_any_command_does_not_show_its_password(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The variable may stand in the shell from which everything is called."""
    monkeypatch.setenv("RUNBOOK_DATABASE_URL", "mysql://u:hunter2@h/d")

    with pytest.raises(RunbookError) as caught:
        load_settings({"RUNBOOK_STATE_DIR": str(tmp_path)})
    assert caught.value.code is Code.BAD_SETTING
    assert "hunter2" not in str(caught.value)


@pytest.mark.skipif(sys.platform == "win32", reason="file modes are POSIX")
def test_what_a_stack_was_started_with_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    """A drill fixes a server without anybody typing the password again."""
    state = StateDir(tmp_path / "deep")
    keep(state, ServerSettings.asked(database_url=URL))

    assert state.server_file.stat().st_mode & 0o777 == 0o600
    assert kept(state) == ServerSettings.asked(database_url=URL)
    assert "hunter2" not in repr(kept(state))


def test_a_broken_file_is_never_taken_for_sqlite(tmp_path: Path) -> None:
    """A server that comes back on another database has forgotten every run."""
    StateDir(tmp_path).server_file.write_text("{", "utf-8")

    with pytest.raises(RunbookError) as caught:
        kept(StateDir(tmp_path))
    assert caught.value.code is Code.FILE_UNREADABLE


def test_a_running_stack_keeps_its_database_and_says_so() -> None:
    """Two people with two databases must not both believe that theirs is the one."""
    running = ServerSettings.asked(database_url=URL)

    assert unchanged(ServerSettings(), running) == running
    assert unchanged(ServerSettings.asked(database_url=URL), running) == running
    for settings in (running, ServerSettings()):
        with pytest.raises(RunbookError) as caught:
            unchanged(ServerSettings.asked(database_url=OTHER), settings)
        assert caught.value.code is Code.RUNS_OTHERWISE
        assert f"database={settings.database}" in caught.value.detail
        assert "hunter2" not in str(caught.value)


def test_no_part_but_the_server_gets_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """The order service and its gateways have nothing to do with Prefect's database."""
    monkeypatch.setenv("RUNBOOK_DATABASE_URL", URL)
    monkeypatch.setenv("TRADING_RUNBOOK_STACK", "")
    monkeypatch.setenv("TRADING_RUNBOOK_STATE_DIR", "")
    adopt_mark("ours", StateDir(Path("here")))

    assert "hunter2" not in str(dict(os.environ))


@pytest.mark.parametrize(
    "words",
    [
        ["up", "--database-url", URL, "--detach"],
        ["up", f"--database-url={URL}", "--detach"],
        ["up", "--database_url", URL, "--detach"],
        ["up", f"--database_url={URL}", "--detach"],
    ],
)
def test_the_option_is_told_from_what_may_be_seen(words: list[str]) -> None:
    """Every spelling that the command takes hides the password."""
    assert without_options(words, {"--database-url": "X"}) == (["up", "--detach"], {"X": URL})
    assert without_options(["up", "--database-url"], {"--database-url": "X"}) == (["up", "--database-url"], {})


@pytest.mark.skipif(os.name != "posix", reason="POSIX alone can exchange a process's command line")
def test_the_password_leaves_the_command_line_that_ps_shows() -> None:
    """A foreground `up` runs for days, and everybody on the machine may read its command line."""
    program = (
        "import os, sys, psutil; from deployments.stack.secret_options import hide_secret_options;"
        "hide_secret_options({'--database-url': 'HIDDEN_HERE'});"
        "print(psutil.Process().cmdline()[3:], os.environ['HIDDEN_HERE'])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program, "up", "--database-url", URL], capture_output=True, text=True, check=True
    )

    assert shown.stdout.strip() == f"['up'] {URL}"


def test_what_the_server_does_by_the_clock_has_whole_seconds() -> None:
    """Prefect rounds half a second down to none, and then works without a pause: a core is gone."""
    paces = {name: value for name, value in UNHURRIED.items() if name.endswith(("_SECONDS", "_INTERVAL"))}

    assert {name for name, value in paces.items() if int(value) < 1} == set()


def test_prefect_knows_each_pace_that_the_server_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that it renames would have no effect, and cost half a core-second a minute."""
    for name, value in UNHURRIED.items():
        monkeypatch.setenv(name, value)

    known = Settings().to_environment_variables(exclude_unset=True)
    assert {name: float(known.get(name, 0)) for name in UNHURRIED} == {
        name: float(one) for name, one in UNHURRIED.items()
    }
