"""Hear the acknowledge button of Slack: `python -m deployments.slack_buttons`. It needs `slack.app_token`."""

import logging
import signal
import sys
import threading
from datetime import UTC, datetime

from pydantic import SecretStr

from deployments.views.words import complain
from tasks.clients.acknowledge import acknowledge
from tasks.clients.sender import sender_of
from tasks.clients.slack_socket import hear_presses
from tasks.model.errors import Code, RunbookError
from tasks.rules.slack_press import Press
from tasks.rules.slack_text import escape
from tasks.rules.times import utc_text
from tasks.settings import RunbookSettings, load_settings

LOGGER = logging.getLogger("runbook.slack_buttons")


def main() -> None:
    """Hear presses until SIGTERM or Ctrl-C.

    Errors: exit 2 and one line for a wrong setting, or where no app token is set.
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        settings = load_settings().watching()
        token = app_token(settings)
    except RunbookError as error:
        complain(str(error))
        sys.exit(2)
    hear_presses(settings.slack, token, lambda press: taken(settings, press, datetime.now(UTC)), stop)


def app_token(settings: RunbookSettings) -> SecretStr:
    """Give the app-level token.

    Errors: `NOT_CONFIGURED`.
    """
    if settings.slack.app_token is None:
        detail = "expected an app-level token was none; set slack.app_token, or do without the button"
        raise RunbookError(Code.NOT_CONFIGURED, detail)
    return settings.slack.app_token


def taken(settings: RunbookSettings, press: Press, now: datetime) -> str:
    """Write that a person has the incident, bring the head of its thread up to date, and say so to the person.

    Runbook: §3 Escalation matrix.
    Errors: none; what could not be done is said to the person who pressed.
    """
    try:
        incident = acknowledge(settings, press.incident_id, press.by, now)
    except RunbookError as error:
        LOGGER.warning("not taken, by=%s incident=%s: %s", press.by, press.incident_id, error)
        return escape(f"Not taken. {error}")
    sender_of(settings).kick()
    LOGGER.warning("%s is with %s", incident.incident_id, press.by)
    until = f" until {utc_text(incident.acknowledged_until)}" if incident.acknowledged_until else ""
    return escape(f"{incident.incident_id} is with you{until}; its pages stop.")


if __name__ == "__main__":
    main()
