"""Carry what is queued to people: each message by the first way that takes it, and to the next tier where none does."""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from tasks.clients.messages.apprise_ import send_to_url, url_of
from tasks.clients.messages.local_file import LOCAL
from tasks.clients.messages.outbox import Outbox
from tasks.clients.messages.records import MessageRecords
from tasks.clients.people.on_call import routes_now
from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.errors import RunbookError
from tasks.model.messages.delivery import UNCERTAIN, Answer, Queued, Route, RouteKind, SlackWords
from tasks.rules.messages.on_call import is_page
from tasks.rules.messages.retry import blocked_key, blocked_until, worth_waiting
from tasks.rules.messages.routes import (
    error_words,
    instead_key,
    instead_message,
    next_audiences,
)
from tasks.rules.messages.slack.blocks import FILES_WITHIN, plain_words, webhook_words
from tasks.rules.messages.slack.thread_head import begun_at, is_final
from tasks.rules.messages.superseded import Superseded
from tasks.settings import RunbookSettings

if TYPE_CHECKING:
    from tasks.clients.messages.slack.thread import SlackThreads

SLACK = "slack"
THREADS_KEPT_FOR = timedelta(days=7)
LOGGER = logging.getLogger("runbook.dispatcher")


class Dispatcher:
    """One pass over the queue. Whoever makes it holds the sender's lock."""

    def __init__(self, settings: RunbookSettings, outbox: Outbox, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._outbox = outbox
        self._clock = clock
        self._records = MessageRecords(settings, clock)
        self._blocked = outbox.blocked()

    def deliver(self, entry: Queued) -> bool:
        """Bring one message as far as it gets now; say whether its audience has it.

        Steps:
            1. what was delivered before a crash is only recorded; what was told already is let go, and so is what is no
               longer true, unless it may have arrived
            2. the ways to its audience, in their order, but for those that failed a moment ago
            3. where none takes it: the next audience instead, and a line that says that nobody took it
        """
        if entry.delivered_by:
            return self._finish(entry)
        if self._records.is_told(entry):
            self._outbox.remove(entry)
            return True
        why = self._records.why_superseded(entry, self._queued())
        if why is not None:
            return self._drop(entry, why)
        routes = self._routes(entry.message.audience, is_page=is_page(entry.message))
        if not routes:
            return self._finish(entry.model_copy(update={"delivered_by": LOCAL}))
        for route in routes:
            taken = self._offer(entry, route)
            if taken is not False:
                return bool(taken)
        self._not_delivered(entry, routes[0])
        return False

    def _queued(self) -> Iterator[Queued]:
        # Read only where it is asked for: a folder of a thousand messages is read for each of them else.
        yield from self._outbox.waiting()

    def _drop(self, entry: Queued, why: Superseded) -> bool:
        """Drop a message that is no longer true; one whose call never came to a certain end is looked for first."""
        found = self._slack.find(entry) if entry.post.begun_at and not self._is_blocked(SLACK) else None
        if found is not None and found.sent:
            arrived = self._latest(entry).model_copy(update={"delivered_by": SLACK})
            self._outbox.save(arrived)
            return self._finish(arrived)
        if entry.post.begun_at and (found is None or found.verdict in UNCERTAIN):
            return False
        LOGGER.info("no longer true, and not sent: %s: %s", entry.message.key, why.because)
        try:
            self._records.supersede(entry, why)
        except RunbookError as error:
            LOGGER.warning("dropped and not recorded, %s: %s", entry.message.key, error)
            return False
        self._outbox.remove(entry)
        return True

    def refresh_heads(self) -> None:
        """Edit the head of each thread that says something else than the ledger does now."""
        for thread in self._outbox.threads() if self._settings.slack.token else ():
            if self._is_blocked(SLACK):
                return
            head = self._records.head(thread.service, thread.incident_id, thread.place)
            answer = self._slack.refresh(thread, head)
            if answer is not None and not answer.sent:
                self._block(SLACK if answer.verdict in UNCERTAIN else f"head:{thread.place}", answer)
            if is_final(head) and self._clock() - begun_at(thread) > THREADS_KEPT_FOR:
                self._outbox.remove_thread(thread)

    def next_free(self) -> datetime | None:
        """Say when the first route that is left alone is free again."""
        return min((until for until in self._blocked.values() if until > self._clock()), default=None)

    def _offer(self, entry: Queued, route: Route) -> bool | None:
        """Offer a message to one route; None says that the route is free in a moment, and worth that moment."""
        if not self._is_blocked(route.family, route.key):
            answer = self._send(self._latest(entry), route)
            if answer.sent:
                arrived = self._latest(entry).model_copy(update={"delivered_by": route.name})
                self._outbox.save(arrived)
                return self._finish(arrived)
            LOGGER.warning("%s does not take %s: %s", route.name, entry.message.key, error_words(answer))
            self._block(blocked_key(route, answer), answer)
        until = max(self._blocked[key] for key in (route.family, route.key) if key in self._blocked)
        return None if worth_waiting(until, entry.queued_at, self._clock()) else False

    @cached_property
    def _slack(self) -> "SlackThreads":
        from tasks.clients.messages.slack.thread import SlackThreads  # noqa: PLC0415  (0.1 s, spent only where Slack is set)

        return SlackThreads(self._settings.slack, self._outbox, self._clock)

    def _send(self, entry: Queued, route: Route) -> Answer:
        match route.kind:
            case RouteKind.SLACK:
                head = self._records.head(entry.service, entry.message.incident_id, route.place)
                return self._slack.say(entry, route, head)
            case RouteKind.WEBHOOK:
                return self._to_webhook(route, webhook_words(entry, route.called, self._clock()))
            case RouteKind.APPRISE:
                url = url_of(self._settings, route)
                return send_to_url(url, f"{entry.service}: {entry.message.audience}", plain_words(entry.message))

    def _to_webhook(self, route: Route, words: SlackWords) -> Answer:
        from tasks.clients.messages.slack.api import send_to_webhook  # noqa: PLC0415  (0.1 s, spent only where Slack is set)

        slack = self._settings.slack
        return send_to_webhook(slack.of(route.audience).webhook_url, words, slack.timeout_s)

    def _finish(self, entry: Queued) -> bool:
        try:
            self._records.record(entry)
        except RunbookError as error:
            LOGGER.warning("delivered and not recorded, %s: %s", entry.message.key, error)
            return entry.delivered_by != LOCAL
        if entry.delivered_by == SLACK and self._clock() - entry.said_at < FILES_WITHIN:
            shown = self._slack.files.show(entry)
            if shown.verdict in UNCERTAIN:
                self._block(SLACK, shown)
                return True
        self._outbox.remove(entry)
        return True

    def _not_delivered(self, entry: Queued, route: Route) -> None:
        for audience in () if entry.instead_of else next_audiences(entry.message.audience):
            free = any(not self._is_blocked(one.family, one.key) for one in self._routes(audience, is_page=True))
            if free and self._pass_on(entry, audience):
                break
        latest = self._latest(entry)
        if latest.shown:
            return
        try:
            self._records.show_undelivered(latest, route.name)
            self._outbox.save(latest.model_copy(update={"shown": True}))
        except RunbookError as error:
            LOGGER.warning("not delivered and not recorded, %s: %s", entry.message.key, error)

    def _pass_on(self, entry: Queued, audience: Audience) -> bool:
        latest = self._latest(entry)
        if audience in latest.passed_to:
            return not self._waits(entry, audience)
        message = instead_message(entry.message, audience, self._instead_key(entry, audience))
        instead = self._outbox.put(entry.service, message, self._clock(), instead_of=entry.message.key)
        self._outbox.save(latest.model_copy(update={"passed_to": (*latest.passed_to, audience)}))
        return self.deliver(instead)

    def _waits(self, entry: Queued, audience: Audience) -> bool:
        """Say whether what was passed on has not arrived yet: only then does the next audience hear of it, too."""
        passed_on = (one for one in self._outbox.waiting() if one.instead_of == entry.message.key)
        return any(one.message.audience is audience and not one.delivered_by for one in passed_on)

    def _instead_key(self, entry: Queued, audience: Audience) -> str:
        incident = self._records.incident(entry.service, entry.message.incident_id)
        first = instead_key(entry.message, audience, incident)
        there = self._outbox.find(first)
        used = first in incident.told if incident else False
        if not used and (there is None or there.instead_of == entry.message.key):
            return first
        return instead_key(entry.message, audience, incident, is_first=False)

    def _routes(self, audience: Audience, *, is_page: bool) -> tuple[Route, ...]:
        return routes_now(self._settings, audience, self._clock(), is_page=is_page)

    def _latest(self, entry: Queued) -> Queued:
        return self._outbox.find(entry.message.key) or entry

    def _is_blocked(self, *keys: str) -> bool:
        now = self._clock()
        return any(self._blocked.get(key, now) > now for key in keys)

    def _block(self, key: str, answer: Answer) -> None:
        now = self._clock()
        still = {one: until for one, until in self._blocked.items() if until > now}
        self._blocked = {**still, key: blocked_until(answer, now)}
        self._outbox.save_blocked(self._blocked)
