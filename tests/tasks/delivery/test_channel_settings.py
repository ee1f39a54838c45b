"""A wrong channel is one clear line, and no line shows a secret."""

import pytest

from tasks.model.errors import Code, RunbookError
from tasks.settings import load_settings

SECRET = "hunter2hunter2"
GOOD = {"RUNBOOK_SLACK__TOKEN": f"xoxb-{SECRET}", "RUNBOOK_SLACK__CHANNEL": "C0123456789"}


@pytest.fixture(autouse=True)
def nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Only what a test sets is set."""
    monkeypatch.chdir(tmp_path_factory.mktemp("nowhere"))


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"RUNBOOK_SLACK__TOKEN": SECRET, "RUNBOOK_SLACK__CHANNEL": "C012"}, "slack.token"),
        ({"RUNBOOK_SLACK__TOKEN": f"xoxb-{SECRET}"}, "channel is expected"),
        ({"RUNBOOK_SLACK__CHANNEL": "C012"}, "token is expected"),
        ({**GOOD, "RUNBOOK_SLACK__CHANNEL": "#alerts"}, "slack.channel"),
        ({**GOOD, "RUNBOOK_SLACK__TIER_2__USER_GROUP": "@leads"}, "slack.tier_2.user_group"),
        ({**GOOD, "RUNBOOK_SLACK__APP_TOKEN": f"xoxb-{SECRET}"}, "slack.app_token"),
        ({"RUNBOOK_SLACK__APP_TOKEN": f"xapp-{SECRET}"}, "token is expected"),
        ({**GOOD, "RUNBOOK_SLACK__BASE_URL": f"ftp://{SECRET}"}, "slack.base_url"),
        ({**GOOD, "RUNBOOK_SLACK__TIMEOUT_S": "60"}, "slack.timeout_s"),
        ({"RUNBOOK_SLACK__WEBHOOK_URL": f"hooks {SECRET}"}, "slack.webhook_url"),
        ({"RUNBOOK_SLACK__NONSENSE": SECRET}, "slack.nonsense"),
        ({"RUNBOOK_SLACK": f"xoxb-{SECRET}"}, "slack"),
        ({"RUNBOOK_SLACK": f'"xoxb-{SECRET}"'}, "slack"),
        ({"RUNBOOK_FALLBACK__TIER_1": f'["{SECRET}"]'}, "fallback.tier_1"),
        ({"RUNBOOK_FALLBACK": f'{{"tier_4": ["mailto://{SECRET}"]}}'}, "fallback.tier_4"),
        ({"RUNBOOK_FALLBACK__DESK": f"mailto://u:{SECRET}@h"}, "fallback"),
    ],
)
def test_a_wrong_channel_is_one_line_that_names_it_and_hides_it(
    variables: dict[str, str], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line goes into logs that many read."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(RunbookError) as caught:
        load_settings()

    assert caught.value.code is Code.BAD_SETTING
    assert named in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_right_is_taken_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash report prints the settings."""
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("RUNBOOK_FALLBACK__TIER_1", f'["mailto://u:{SECRET}@h"]')
    monkeypatch.setenv("RUNBOOK_SLACK__TIER_2__USER_GROUP", "S0123")

    found = load_settings()

    assert found.slack.tier_2.user_group == "S0123"
    assert found.fallback.tier_1[0].get_secret_value() == f"mailto://u:{SECRET}@h"
    assert SECRET not in repr(found)
    assert SECRET not in found.model_dump_json()
