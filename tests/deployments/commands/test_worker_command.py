"""`runbook worker`: its runs read the settings of the folder that it was started in."""

import os
from pathlib import Path

import pytest

from deployments.commands.worker import _choose
from tests.deployments.asking import Terminal


def test_runs_read_the_settings_and_the_state_of_the_worker_s_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run begins in a folder of its own; there it would watch nothing, and fail each minute."""
    Terminal(tmp_path, monkeypatch, capsys).settings('queue = "lon-1"\n[services.oms]\nbase_url = "http://s:1"\n')
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RUNBOOK_")}
    monkeypatch.setattr(os, "environ", {**kept, "PREFECT_API_URL": "http://127.0.0.1:9/api"})

    assert _choose(None) == "lon-1"
    assert os.environ["RUNBOOK_CONFIG"] == str(tmp_path / "runbook.toml")
    assert os.environ["RUNBOOK_STATE_DIR"] == str(tmp_path / "var")
