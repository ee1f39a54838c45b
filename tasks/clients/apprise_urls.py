"""The only door to Apprise: one message to one URL, be it e-mail, PagerDuty, Teams or a telephone."""

import logging
from typing import Any

from pydantic import SecretStr

from tasks.clients.deadline import within
from tasks.model.delivery import Answer, Verdict

# Mail servers are slower than Slack; PagerDuty and the like answer within a second.
DEADLINE_S = 8.0
BODY_LIMIT_COUNT = 20_000
# Its warnings may show an address, and it may hold a password.
logging.getLogger("apprise").setLevel(logging.CRITICAL)


def send_to_url(url: SecretStr, title: str, body: str, deadline_s: float = DEADLINE_S) -> Answer:
    """Send one message through one Apprise URL; text is given as text, so that no channel reads it as markup.

    Errors: none; `no_place` says that the URL is none that Apprise knows, `down` that it did not get through.
    """
    service = _service(url)
    if service is None:
        return Answer(verdict=Verdict.NO_PLACE, error="not_an_apprise_url")
    try:
        taken = within(deadline_s, lambda: _notify(service, title, body))
    except TimeoutError:
        return Answer(verdict=Verdict.DOWN, error="timeout")
    except Exception as error:  # noqa: BLE001  (a hundred plugins, each with its own library and its own errors)
        return Answer(verdict=Verdict.DOWN, error=type(error).__name__)
    return Answer(verdict=Verdict.SENT) if taken else Answer(verdict=Verdict.DOWN, error="not_taken")


def _service(url: SecretStr) -> Any:
    from apprise import Apprise  # noqa: PLC0415  (0.1 s, spent only where a fallback is set)

    return Apprise.instantiate(url.get_secret_value(), suppress_exceptions=True)


def _notify(service: Any, title: str, body: str) -> bool:
    from apprise import Apprise, NotifyFormat, NotifyType  # noqa: PLC0415

    apprise = Apprise()
    apprise.add(service)
    said = apprise.notify(
        body=body[:BODY_LIMIT_COUNT], title=title, notify_type=NotifyType.WARNING, body_format=NotifyFormat.TEXT
    )
    return bool(said)
