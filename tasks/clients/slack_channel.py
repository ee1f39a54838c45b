"""Slack as one channel: the threads, their files, and the webhooks."""

from collections.abc import Callable
from datetime import datetime

from tasks.clients.outbox import Outbox
from tasks.clients.slack import SlackDoor, send_to_webhook
from tasks.clients.slack_files import SlackFiles
from tasks.clients.slack_thread import SlackThreads
from tasks.model.channels import SlackSettings
from tasks.model.delivery import Answer, Queued, Route, SlackWords, Thread
from tasks.rules.slack_head import Head


class SlackChannel:
    """All that is said in Slack goes through here."""

    def __init__(self, settings: SlackSettings, outbox: Outbox, clock: Callable[[], datetime]) -> None:
        door = SlackDoor(settings)
        self._settings = settings
        self._threads = SlackThreads(door, outbox, clock)
        self._files = SlackFiles(door, outbox, clock)

    def say(self, entry: Queued, route: Route, head: Head) -> Answer:
        """Say one message in the thread of its incident."""
        return self._threads.say(entry, route, head)

    def find(self, entry: Queued) -> Answer:
        """Look whether a message whose call had no certain end is there."""
        return self._threads.find(entry)

    def show_files(self, entry: Queued) -> Answer:
        """Show the files of a message that was said."""
        return self._files.show(entry)

    def refresh(self, thread: Thread, head: Head) -> Answer | None:
        """Edit a head in place where it is not true any more."""
        return self._threads.refresh(thread, head)

    def send_to_webhook(self, route: Route, words: SlackWords) -> Answer:
        """Send one message to the incoming webhook of an audience."""
        return send_to_webhook(self._settings.of(route.audience).webhook_url, words, self._settings.timeout_s)
