"""A drill's tests see no stack but their own, whatever the shell that runs them points at."""

import os

import pytest


@pytest.fixture(autouse=True)
def _no_other_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("RUNBOOK_")]:
        monkeypatch.delenv(name)
