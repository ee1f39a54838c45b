"""What each supervisor needs to be reported, and the one line where it was not."""

from pathlib import Path

import pytest

from tasks.clients.process.supervisors.base import supervisor_of
from tasks.clients.process.supervisors.command import CommandSupervisor
from tasks.clients.process.supervisors.psutil_ import PsutilSupervisor
from tasks.clients.process.supervisors.systemd import SystemdSupervisor
from tasks.model.errors import Code, RunbookError
from tasks.model.remediation.supervision import NEEDED, READ_BY, SupervisorName
from tasks.settings import ServiceSettings, load_settings


def loaded(folder: Path, table: str) -> ServiceSettings:
    """Load one service's table from a file, as a desk writes it."""
    path = folder / "runbook.toml"
    path.write_text(f"[services.orders]\n{table}\n", "utf-8")
    return load_settings({"RUNBOOK_CONFIG": str(path)}).service("orders")


@pytest.mark.parametrize(
    ("table", "kind"),
    [
        ("", PsutilSupervisor),
        ('supervisor = "psutil"\nstart_command = ["orders"]', PsutilSupervisor),
        ('supervisor = "systemd"\nsystemd_unit = "orders@1.service"\nsystemd_user = true', SystemdSupervisor),
        ('supervisor = "systemd"\nsystemd_unit = "orders"\nstart_command = ["x"]', SystemdSupervisor),
        ('supervisor = "command"\nstart_command = ["up"]\nstop_command = ["down"]', CommandSupervisor),
    ],
)
def test_the_setting_names_the_supervisor(tmp_path: Path, table: str, kind: type) -> None:
    """psutil where nothing is said: it needs nothing installed."""
    assert isinstance(supervisor_of(loaded(tmp_path, table)), kind)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('supervisor = "launchd"', "'psutil', 'systemd' or 'command'"),
        ('supervisor = "systemd"', "supervisor=systemd needs systemd_unit"),
        ('supervisor = "systemd"\nsystemd_unit = ""', "systemd_unit"),
        ('supervisor = "systemd"\nsystemd_unit = "--force"', "systemd_unit"),
        ('supervisor = "systemd"\nsystemd_unit = "a b"', "systemd_unit"),
        ('supervisor = "command"\nstop_command = ["down"]', "supervisor=command needs start_command"),
        ('supervisor = "command"\nstart_command = ["up"]', "supervisor=command needs stop_command"),
        ('supervisor = "command"\nstart_command = "up"\nstop_command = ["down"]', "start_command"),
        ('systemd_unit = "orders"', "systemd_unit is read by supervisor=systemd, and here it is psutil"),
        ('stop_command = ["down"]', "stop_command is read by supervisor=command"),
        ('supervisor = "systemd"\nsystemd_unit = "orders"\nstatus_command = ["x"]', "status_command is read by"),
    ],
)
def test_a_wrong_or_missing_setting_is_one_line_that_names_it(tmp_path: Path, table: str, said: str) -> None:
    """Found when the settings are read, not when the service hangs."""
    with pytest.raises(RunbookError) as caught:
        loaded(tmp_path, table)

    assert caught.value.code is Code.BAD_SETTING
    assert said in caught.value.detail
    assert "\n" not in str(caught.value)


def test_every_supervisor_says_what_it_needs_and_names_settings_that_exist() -> None:
    """A supervisor or a setting that is added is reported here as well."""
    keys = {key for needed in NEEDED.values() for key in needed} | set(READ_BY)

    assert set(NEEDED) == set(SupervisorName)
    assert keys <= set(ServiceSettings.model_fields)
