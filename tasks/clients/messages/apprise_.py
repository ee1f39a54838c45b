"""The only door to Apprise: one message to one URL, be it e-mail, PagerDuty, Teams or a telephone."""

import logging

from pydantic import SecretStr

from tasks.clients.messages.deadline import within
from tasks.model.messages.delivery import Answer, DeliveryVerdict, Route
from tasks.rules.messages.slack.blocks import inert
from tasks.settings import RunbookSettings

# Mail servers are slower than Slack; PagerDuty and the like answer within a second.
DEADLINE_S = 8.0
BODY_LIMIT_COUNT = 20_000
# Its warnings may show an address, and it may hold a password.
logging.getLogger("apprise").setLevel(logging.CRITICAL)


def url_of(settings: RunbookSettings, route: Route) -> SecretStr:
    """Find the URL that a route counts: of its audience, or of one person's own."""
    urls = settings.people[route.person].call if route.person else settings.fallback.of(route.audience)
    return urls[int(route.place)]


def send_to_url(url: SecretStr, title: str, body: str, deadline_s: float = DEADLINE_S) -> Answer:
    """Send one message through one Apprise URL; text is given as text, and made inert for channels that read markup.

    Errors: none; `no_place` says that the URL is none that Apprise knows, `down` that it did not get through.
    """
    try:
        return within(deadline_s, lambda: _send(url.get_secret_value(), title, body))
    except TimeoutError:
        return Answer(verdict=DeliveryVerdict.DOWN, error="timeout")
    except Exception as error:  # noqa: BLE001  (a hundred plugins, each with its own library and its own errors)
        return Answer(verdict=DeliveryVerdict.DOWN, error=type(error).__name__)


def _send(url: str, title: str, body: str) -> Answer:
    from apprise import Apprise, NotifyFormat, NotifyType  # noqa: PLC0415  (0.3 s, spent only where a fallback is set)

    service = Apprise.instantiate(url, suppress_exceptions=True)
    if service is None:
        return Answer(verdict=DeliveryVerdict.NO_PLACE, error="not_an_apprise_url")
    apprise = Apprise()
    apprise.add(service)
    text = inert(body)[:BODY_LIMIT_COUNT]
    taken = apprise.notify(body=text, title=inert(title), notify_type=NotifyType.WARNING, body_format=NotifyFormat.TEXT)
    return Answer(verdict=DeliveryVerdict.SENT) if taken else Answer(verdict=DeliveryVerdict.DOWN, error="not_taken")
