"""Post in an incident's thread so that a crash, or an answer that never came, neither loses nor doubles a message.

Before each call it is written down that it begins, and after it how it ended. What began and never ended is looked
for in Slack first, by the key that every message of ours carries unseen.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from tasks.clients.messages.outbox import Outbox
from tasks.clients.messages.slack.api import MAY_BE_SENT_AGAIN, SlackDoor
from tasks.clients.messages.slack.files import SlackFiles
from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.messages.channels import SlackSettings
from tasks.model.messages.delivery import Answer, DeliveryVerdict, Post, Queued, Route, SlackWords, Thread
from tasks.rules.messages.slack.blocks import message_blocks, notification_text, plain_message
from tasks.rules.messages.slack.thread_head import Head, fingerprint, head_blocks, head_text, is_final

LEFT_AS_IT_IS = frozenset({DeliveryVerdict.GONE, DeliveryVerdict.BAD_CONTENT})
# What cannot be kept on disk may have been sent by a run before this one.
LOOK_BACK = timedelta(days=1)
Clock = Callable[[], datetime]
Keep = Callable[[Post], bool]


class SlackThreads:
    """The threads of all incidents, one for each incident and channel."""

    def __init__(self, settings: SlackSettings, outbox: Outbox, clock: Clock) -> None:
        self._door = SlackDoor(settings)
        self.files = SlackFiles(self._door, outbox, clock)
        self._outbox = outbox
        self._clock = clock

    def say(self, entry: Queued, route: Route, head: Head) -> Answer:
        """Say one message in its thread.

        Steps:
            1. the head, where this channel has none of the incident yet
            2. the message below it; a notice to the desk also in the channel itself
            3. both once more where somebody deleted the head
        """
        answer = self._say(entry, route, head)
        if answer.verdict is not DeliveryVerdict.GONE:
            return answer
        thread = self._outbox.thread(entry.service, entry.message.incident_id, route.place)
        self._outbox.save_thread(thread.model_copy(update={"head": Post(), "shown": ""}))
        return self._say(entry, route, head)

    def find(self, entry: Queued) -> Answer:
        """Look whether a message whose call had no certain end is there; `gone` says that Slack does not know it."""
        post = entry.post
        if post.ts:
            return Answer(verdict=DeliveryVerdict.SENT, ts=post.ts, place=post.place)
        thread = self._outbox.thread(entry.service, entry.message.incident_id, post.place)
        return self._door.find(post.place, entry.message.key, post.begun_at or entry.queued_at, thread.head.ts)

    def refresh(self, thread: Thread, head: Head) -> Answer | None:
        """Edit a head in place where it says something else than is true now; None when there is nothing to edit."""
        said = fingerprint(head)
        if not thread.head.ts or (thread.shown == said and thread.final == is_final(head)):
            return None
        answer = self._door.update(thread.head.place, thread.head.ts, _head_words(head))
        if not answer.sent and answer.verdict not in LEFT_AS_IT_IS:
            return answer
        # A head that Slack lets nobody edit any more stays as it is; its thread goes on.
        self._outbox.save_thread(thread.model_copy(update={"shown": said, "final": is_final(head)}))
        return answer

    def _say(self, entry: Queued, route: Route, head: Head) -> Answer:
        thread = self._outbox.thread(entry.service, entry.message.incident_id, route.place)
        above = self._head(thread, head)
        if not above.sent:
            return above
        words = _words(entry, route, head, self._clock())
        kept = entry.post if entry.post.place in {"", route.place} else Post()
        return self._once(
            words,
            kept.model_copy(update={"place": route.place}),
            lambda post: self._outbox.save(entry.model_copy(update={"post": post})),
            thread_ts=above.ts,
        )

    def _head(self, thread: Thread, head: Head) -> Answer:
        begun = thread.head.model_copy(update={"place": thread.head.place or thread.place})
        shown = {"shown": fingerprint(head), "final": is_final(head)}

        def keep(post: Post) -> bool:
            # Of a head that was found nobody knows what it says; it is edited at the end of the round.
            said = shown if post.ts and post.is_fresh else {"shown": "", "final": False}
            return self._outbox.save_thread(thread.model_copy(update={"head": post, **said}))

        return self._once(_head_words(head), begun, keep)

    def _once(self, words: SlackWords, post: Post, keep: Keep, thread_ts: str = "") -> Answer:
        if post.ts:
            return Answer(verdict=DeliveryVerdict.SENT, ts=post.ts, place=post.place)
        is_kept = keep(post.model_copy(update={"begun_at": post.begun_at or self._clock()}))
        if post.begun_at or not is_kept:
            found = self._door.find(post.place, words.key, post.begun_at or self._clock() - LOOK_BACK, thread_ts)
            if found.sent:
                keep(Post(place=post.place, ts=found.ts))
            if found.verdict not in MAY_BE_SENT_AGAIN:
                return found
        answer = self._door.post(post.place, words, thread_ts)
        if answer.sent:
            keep(Post(place=answer.place or post.place, ts=answer.ts, is_fresh=True))
        elif answer.verdict is not DeliveryVerdict.DOWN:
            keep(post)
        return answer


def _words(entry: Queued, route: Route, head: Head, now: datetime) -> SlackWords:
    # Nobody is called to what is over.
    over = head.incident is not None and not head.incident.is_open
    called = () if over else route.called
    blocks = message_blocks(entry.message, called, entry.said_at, now)
    return SlackWords(
        key=entry.message.key,
        text=notification_text(entry.message.text),
        blocks=blocks,
        plain=plain_message(entry.message, called),
        broadcast=entry.message.audience is Audience.DESK,
    )


def _head_words(head: Head) -> SlackWords:
    return SlackWords(key=f"head/{head.service}/{head.incident_id}", text=head_text(head), blocks=head_blocks(head))
