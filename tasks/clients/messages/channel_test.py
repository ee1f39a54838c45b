"""Try a set-up out: one test message through each way to an audience, and what else Slack must let us do."""

from datetime import datetime

from tasks.clients.messages.apprise_ import send_to_url, url_of
from tasks.clients.messages.local_file import LOCAL, LocalSink
from tasks.clients.messages.slack.api import SlackDoor, send_to_webhook
from tasks.clients.messages.slack.files import upload
from tasks.clients.people.on_call import routes_now
from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.errors import RunbookError
from tasks.model.messages.delivery import Answer, Queued, Route, RouteKind, SlackWords, Trial, TrialStep
from tasks.model.messages.messages import Message
from tasks.rules.formats.time import utc_text
from tasks.rules.messages.slack.blocks import message_blocks, notification_text, plain_words, webhook_words
from tasks.rules.messages.slack.errors import advice
from tasks.settings import RunbookSettings

FILE_NAME, FILE_TEXT = "notify-test.txt", "A file of a page arrives like this.\n"


def try_audience(settings: RunbookSettings, audience: Audience, now: datetime) -> tuple[Trial, ...]:
    """Try every way to an audience; where none is set, the local file.

    Errors: none; each step says what failed and what to do about it.
    """
    routes = routes_now(settings, audience, now, is_page=True)
    message = _message(audience, now)
    trials = tuple(_try(settings, route, message, now) for route in routes)
    return trials or (_local(settings, message, now),)


def _try(settings: RunbookSettings, route: Route, message: Message, now: datetime) -> Trial:
    name = f"{route.name} {route.place}" if route.kind is RouteKind.SLACK else route.name
    return Trial(audience=route.audience, channel=name, steps=_steps(settings, route, message, now))


def _steps(settings: RunbookSettings, route: Route, message: Message, now: datetime) -> tuple[TrialStep, ...]:
    match route.kind:
        case RouteKind.SLACK:
            return _slack(settings, route, message, now)
        case RouteKind.WEBHOOK:
            url = settings.slack.of(route.audience).webhook_url
            entry = Queued(service="notify-test", message=message, queued_at=now)
            words = webhook_words(entry, route.called, now)
            return (_step("sent", send_to_webhook(url, words, settings.slack.timeout_s)),)
        case RouteKind.APPRISE:
            return (_step("sent", send_to_url(url_of(settings, route), "notify-test", plain_words(message))),)


def _slack(settings: RunbookSettings, route: Route, message: Message, now: datetime) -> tuple[TrialStep, ...]:
    door = SlackDoor(settings.slack)
    head = _words(message, route, now, "head")
    posted = door.post(route.place, head)
    steps = [_step("posted", posted)]
    if not posted.sent:
        return tuple(steps)
    place = posted.place or route.place
    edited = head.model_copy(update={"text": f"{head.text} Edited.", "blocks": ()})
    steps += [
        _step("answered in the thread", door.post(place, _words(message, route, now, "reply"), posted.ts)),
        _step("edited", door.update(place, posted.ts, edited)),
        _step("found again", door.find(place, head.key, now), needed=False),
        _step("file shown", _shown(door, place, posted.ts), needed=False),
    ]
    if settings.slack.app_token:
        steps.append(_step("button heard", door.open_socket(settings.slack.app_token), needed=False))
    return tuple(steps)


def _shown(door: SlackDoor, place: str, thread_ts: str) -> Answer:
    uploaded = upload(door, FILE_NAME, FILE_TEXT.encode())
    return door.show_file(place, thread_ts, uploaded.ts, FILE_NAME) if uploaded.sent else uploaded


def _local(settings: RunbookSettings, message: Message, now: datetime) -> Trial:
    path = settings.notifications_path
    try:
        LocalSink(path).keep(message, LOCAL, now, delivered=True)
    except RunbookError as error:
        step = TrialStep(name="written", passed=False, detail=str(error))
    else:
        step = TrialStep(name="written", passed=True, detail=f"no channel is set; it stands in {path}")
    return Trial(audience=message.audience, channel=LOCAL, steps=(step,))


def _message(audience: Audience, now: datetime) -> Message:
    trial = f"notify-test-{now:%Y%m%dT%H%M%SZ}"
    text = (
        f"This is a test of the channels of {audience.value.replace('_', ' ')}, sent {utc_text(now)}. Nothing is wrong."
    )
    return Message(key=f"{trial}/{audience}/test", incident_id=trial, audience=audience, text=text)


def _words(message: Message, route: Route, now: datetime, part: str) -> SlackWords:
    blocks = message_blocks(message, route.called if part == "reply" else (), now, now)
    return SlackWords(key=f"{message.key}/{part}", text=notification_text(message.text), blocks=blocks)


def _step(name: str, answer: Answer, *, needed: bool = True) -> TrialStep:
    lost = Answer(verdict=answer.verdict, error=answer.error or "not_found")
    return TrialStep(name=name, passed=answer.sent, detail="" if answer.sent else advice(lost), needed=needed)
