"""Send in the background, so that notifying never holds up recovery: a run waits a moment, and then goes on.

The bound is of this process: however many messages there are, and however dead Slack is, a run is held up by no more
than `HELD_UP_S` in any half minute. What is not through by then goes on being sent beside the recovery.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tasks.clients.messages.dispatcher import Dispatcher
from tasks.clients.messages.known_secrets import secret_values
from tasks.clients.messages.outbox import Outbox
from tasks.clients.people.on_call import routes_now, words_now
from tasks.model.messages.delivery import Queued
from tasks.model.messages.messages import Message
from tasks.rules.messages.on_call import is_page, with_on_call
from tasks.rules.messages.redaction import redacted
from tasks.settings import RunbookSettings

HELD_UP_S = 1.5
RENEWED_IN_S = 30.0
SENDING_FOR_S = 60.0
LOCK_WAIT_S = 5.0
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 5.0
LOGGER = logging.getLogger("runbook.sender")


class WaitBudget:
    """How long this process may still wait for its messages; what was spent comes back with time. Units: seconds."""

    def __init__(self) -> None:
        self._left_s = HELD_UP_S
        self._at_s = time.monotonic()

    def left_s(self) -> float:
        """Say how long may be waited now."""
        now_s = time.monotonic()
        self._left_s = min(HELD_UP_S, self._left_s + (now_s - self._at_s) * HELD_UP_S / RENEWED_IN_S)
        self._at_s = now_s
        return self._left_s

    def spend(self, waited_s: float) -> None:
        """Take off what was waited."""
        self._left_s = max(0.0, self.left_s() - waited_s)


class Sender:
    """The queue of one state directory, and the thread that empties it while this process lives."""

    def __init__(self, settings: RunbookSettings) -> None:
        self.settings = settings
        self.outbox = Outbox(settings.state_dir)
        self._budget = WaitBudget()
        self._changed = threading.Condition()
        self._tried: set[str] = set()
        self._thread: threading.Thread | None = None
        self._asked = False
        self._rests = False

    def tell(self, service: str, message: Message) -> bool:
        """Queue a message and say whether its audience has it, as far as that is known in the moment there is.

        Errors: none.
        """
        entry = self.outbox.put(service, message, datetime.now(UTC))
        if not routes_now(self.settings, message.audience, _now(), is_page=is_page(message)):
            return Dispatcher(self.settings, self.outbox, _now).deliver(entry)
        with self._changed:
            self._tried.discard(message.key)
        self.kick()
        return self._wait_for(entry)

    def kick(self) -> None:
        """Have somebody empty the queue."""
        with self._changed:
            self._asked = True
            self._changed.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="message-sender", daemon=True)
                self._thread.start()

    def wait(self, limit_s: float) -> None:
        """Wait until there is nothing to send now, or the limit is over; for a Slack that is away nobody waits."""
        with self._changed:
            self._changed.wait_for(lambda: self._thread is None or (self._rests and not self._asked), timeout=limit_s)

    def _wait_for(self, entry: Queued) -> bool:
        key, begun_s = entry.message.key, time.monotonic()
        with self._changed:
            self._changed.wait_for(lambda: key in self._tried, timeout=self._budget.left_s())
            self._budget.spend(time.monotonic() - begun_s)
        # Another process may have sent it; what is no longer queued has arrived.
        left = self.outbox.find(key)
        return left is None or bool(left.delivered_by)

    def _run(self) -> None:
        ends_at_s = time.monotonic() + SENDING_FOR_S
        while self._is_asked():
            try:
                pause_s = self._round()
            except Exception:
                # The outermost door of this thread: whatever it is, the queue is on disk and the next run sends it.
                LOGGER.exception("the sender broke off")
                pause_s = None
            if pause_s is not None and time.monotonic() + pause_s < ends_at_s:
                self._pause(pause_s)

    def _pause(self, pause_s: float) -> None:
        with self._changed:
            self._rests = pause_s >= LONGEST_PAUSE_S
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._asked, timeout=pause_s)
            self._rests, self._asked = False, True

    def _is_asked(self) -> bool:
        with self._changed:
            if not self._asked:
                self._thread = None
                self._changed.notify_all()
            asked, self._asked = self._asked, False
            return asked

    def _round(self) -> float | None:
        """Make one round; say how long to pause before the next, or None where nothing is left to do."""
        with self.outbox.only_sender(LOCK_WAIT_S) as is_us:
            until = send_all(self.settings, self.outbox, _now, self._note) if is_us else _now()
        return None if until is None else min(LONGEST_PAUSE_S, max(SHORTEST_PAUSE_S, (until - _now()).total_seconds()))

    def _note(self, entry: Queued) -> None:
        with self._changed:
            self._tried.add(entry.message.key)
            self._changed.notify_all()


def send_all(
    settings: RunbookSettings, outbox: Outbox, clock: Callable[[], datetime], note: Callable[[Queued], None]
) -> datetime | None:
    """Bring every queued message as far as it gets, what comes in during it too, and edit the heads of the threads.

    Say when something is worth trying again; None where nothing is left. The caller holds the sender's lock.
    """
    dispatcher = Dispatcher(settings, outbox, clock)
    seen: set[str] = set()
    while fresh := [one for one in outbox.waiting() if one.message.key not in seen]:
        for entry in fresh:
            seen.add(entry.message.key)
            dispatcher.deliver(entry)
            note(entry)
    dispatcher.refresh_heads()
    return dispatcher.next_free() if outbox.waiting() else None


_SENDERS: dict[Path, Sender] = {}
_SENDERS_LOCK = threading.Lock()


def sender_of(settings: RunbookSettings) -> Sender:
    """Give the one sender of a state directory in this process, with the settings of now."""
    with _SENDERS_LOCK:
        sender = _SENDERS.setdefault(settings.state_dir.absolute(), Sender(settings))
        sender.settings = settings
        return sender


def deliver(settings: RunbookSettings, service: str, message: Message) -> bool:
    """Queue and send one message, without any of our secrets in it; a page names who is on call."""
    words = words_now(settings, message.audience, _now()) if is_page(message) else ""
    return sender_of(settings).tell(service, redacted(with_on_call(message, words), secret_values(settings)))


def _now() -> datetime:
    return datetime.now(UTC)
