"""A run must live until it has proven what it did: settings that do not let it are refused, in one line."""

import pytest

from tasks.model.errors import Code, RunbookError
from tasks.settings import RunbookSettings, load_settings


def loaded(monkeypatch: pytest.MonkeyPatch, **variables: str) -> RunbookSettings:
    """Load the settings from variables alone."""
    services = '{"orders": {}}'
    for name, value in {"RUNBOOK_SERVICES": services, **variables}.items():
        monkeypatch.setenv(name, value)
    return load_settings()


def test_the_defaults_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five minutes for an answer, and five for the proof."""
    assert loaded(monkeypatch).approval_timeout_s == 300


@pytest.mark.parametrize(
    "variables",
    [
        {"RUNBOOK_APPROVAL_TIMEOUT_S": "1200"},
        {"RUNBOOK_APPROVAL_TIMEOUT_S": "560"},
        {"RUNBOOK_RUN_LIMIT_S": "600"},
        {"RUNBOOK_SERVICES": '{"orders": {"restart": {"confirm_timeout_s": 900}}}'},
    ],
)
def test_a_wait_that_would_be_cut_off_midway_is_refused(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    """Approved in the ninth minute, killed in the restart: that must not be found out in an incident."""
    with pytest.raises(RunbookError) as refusal:
        loaded(monkeypatch, **variables)

    assert refusal.value.code is Code.BAD_SETTING
    assert "run_limit_s" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_longer_life_allows_a_longer_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A desk that wants twenty minutes to think gets them."""
    longer = {"RUNBOOK_APPROVAL_TIMEOUT_S": "1200", "RUNBOOK_RUN_LIMIT_S": "1800"}

    assert loaded(monkeypatch, **longer).approval_timeout_s == 1200
