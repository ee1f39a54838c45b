"""The part that hears Slack's button is there where a press would be heard, and nowhere else."""

import pytest

from deployments.stack.local_stack import PART_NAMES, expected_parts
from deployments.stack.parts import BUTTONS


@pytest.fixture(autouse=True)
def no_slack(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine's own is set."""
    for name in ("TOKEN", "APP_TOKEN", "CHANNEL"):
        monkeypatch.delenv(f"RUNBOOK_SLACK__{name}", raising=False)


def test_without_an_app_token_there_is_no_such_part() -> None:
    """A stack without Slack has no part that can only fail."""
    assert expected_parts() == frozenset(PART_NAMES)


def test_with_an_app_token_the_part_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """The head of a thread has a button then, and somebody must hear it."""
    monkeypatch.setenv("RUNBOOK_SLACK__TOKEN", "xoxb-1")
    monkeypatch.setenv("RUNBOOK_SLACK__APP_TOKEN", "xapp-1")
    monkeypatch.setenv("RUNBOOK_SLACK__CHANNEL", "C0ALL")

    assert expected_parts() == frozenset({*PART_NAMES, BUTTONS})


def test_a_wrong_token_is_left_to_the_one_line_that_the_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """`runbook up` names it; a traceback would not."""
    monkeypatch.setenv("RUNBOOK_SLACK__APP_TOKEN", "nonsense")

    assert expected_parts() == frozenset(PART_NAMES)
