"""What a watched service sees of the automation's environment: what any program needs, and no secret."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.clients.process.commands import clean_environment


@pytest.mark.parametrize(
    "name",
    [
        "PREFECT_API_AUTH_STRING",
        "PREFECT_API_URL",
        "RUNBOOK_ALERT_TOKEN",
        "RUNBOOK_SERVER_AUTH",
        "RUNBOOK_SLACK__BOT_TOKEN",
        "runbook_slack__bot_token",
        "SLACK_BOT_TOKEN",
        "ALERT_TOKEN",
        "DATABASE_URL",
        "PGPASSWORD",
        "AWS_SECRET_ACCESS_KEY",
        "GITHUB_TOKEN",
        "HTTPS_PROXY",
        "SSH_AUTH_SOCK",
        "TRADING_RUNBOOK_COMMAND",
        "TRADING_RUNBOOK_SERVICE",
        "PATH_TO_SECRET",
        "ORDER_SERVICE",
        "NOT_ORDER_SERVICE_PORT",
        "XLC_ALL",
        "",
    ],
)
def test_what_not_every_program_needs_is_left_out(name: str) -> None:
    """A bad release, or whoever breaks into the service, must not get the login of what watches it."""
    assert clean_environment({name: "hunter2"}) == {}


@pytest.mark.parametrize(
    "name",
    ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "Path", "SystemRoot", "PYTHONUNBUFFERED", "ORDER_SERVICE_PORT"],
)
def test_what_every_program_needs_is_kept_as_it_is(name: str) -> None:
    """A service that finds no program or no time zone fails for a reason of our own making."""
    assert clean_environment({name: "as it is"}) == {name: "as it is"}


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=5)))
def test_nothing_is_added_or_changed(ours: dict[str, str]) -> None:
    """The rule only leaves out."""
    assert clean_environment(ours).items() <= ours.items()
