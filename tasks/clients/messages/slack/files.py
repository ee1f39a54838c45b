"""Show the files of a message in its thread: uploaded first, then shown, and what was shown is not shown again."""

import re
from collections.abc import Callable
from datetime import datetime

import httpx

from tasks.clients.messages.deadline import within
from tasks.clients.messages.outbox import Outbox
from tasks.clients.messages.slack.api import MAY_BE_SENT_AGAIN, SlackDoor
from tasks.clients.service.access import trusted_roots
from tasks.clients.service.http import USER_AGENT
from tasks.model.messages.delivery import Answer, DeliveryVerdict, Queued, Thread, Upload
from tasks.model.messages.messages import Attachment
from tasks.rules.messages.slack.blocks import shown_files

NAME_LIMIT_COUNT = 100
_UNUSUAL = re.compile(r"[^A-Za-z0-9._-]+")


class SlackFiles:
    def __init__(self, door: SlackDoor, outbox: Outbox, clock: Callable[[], datetime]) -> None:
        self._door = door
        self._outbox = outbox
        self._clock = clock

    def show(self, entry: Queued) -> Answer:
        """Show every file that is not shown yet, below the message that it belongs to.

        Errors: none; the first answer that is no success ends it, and a later run goes on from there.
        """
        thread = self._outbox.thread(entry.service, entry.message.incident_id, entry.post.place)
        for number, file in enumerate(shown_files(entry.message)):
            answer = self._show(self._outbox.find(entry.message.key) or entry, number, file, thread)
            if not answer.sent:
                return answer
        return Answer(verdict=DeliveryVerdict.SENT)

    def _show(self, entry: Queued, number: int, file: Attachment, thread: Thread) -> Answer:
        before = _uploads(entry)[number]
        if before.done:
            return Answer(verdict=DeliveryVerdict.SENT)
        if before.begun_at:
            found = self._door.find_file(thread.head.place, thread.head.ts, before.file_id, before.begun_at)
            if found.sent:
                self._keep(entry, number, before.model_copy(update={"done": True}))
            if found.verdict not in MAY_BE_SENT_AGAIN:
                return found
        name = _UNUSUAL.sub("-", file.name)[:NAME_LIMIT_COUNT] or "file.txt"
        content = file.text.encode("utf-8", errors="replace")
        given = upload(self._door, name, content)
        if not given.sent:
            return given
        begun = Upload(file_id=given.ts, begun_at=self._clock())
        self._keep(entry, number, begun)
        answer = self._door.show_file(thread.head.place, thread.head.ts, given.ts, name)
        if answer.verdict is not DeliveryVerdict.DOWN:
            self._keep(entry, number, begun.model_copy(update={"done": True}) if answer.sent else Upload())
        return answer

    def _keep(self, entry: Queued, number: int, changed: Upload) -> None:
        uploads = list(_uploads(entry))
        uploads[number] = changed
        self._outbox.save(entry.model_copy(update={"uploads": tuple(uploads)}))


def upload(door: SlackDoor, name: str, content: bytes) -> Answer:
    """Put a file where Slack says; nobody sees it before it is shown. The answer's `ts` is its id."""
    given, url = door.upload_url(name, len(content))
    if not given.sent:
        return given
    try:
        response = within(door.deadline_s, lambda: _post_bytes(url, content, door.deadline_s))
    except (OSError, ValueError, httpx.HTTPError, httpx.InvalidURL) as error:
        return Answer(verdict=DeliveryVerdict.DOWN, error=type(error).__name__)
    # A page of HTML with 200 is a network's own, and the file went nowhere; Slack says OK.
    taken = response.status_code == 200 and not response.text.lstrip().startswith("<")
    return given if taken else Answer(verdict=DeliveryVerdict.DOWN, error="upload_refused")


def _uploads(entry: Queued) -> tuple[Upload, ...]:
    missing = len(shown_files(entry.message)) - len(entry.uploads)
    return (*entry.uploads, *(Upload() for _ in range(missing)))


def _post_bytes(url: str, content: bytes, timeout_s: float) -> httpx.Response:
    with httpx.Client(timeout=timeout_s, verify=trusted_roots(), headers={"user-agent": USER_AGENT}) as client:
        return client.post(url, content=content)
