"""How a message gets to people: the ways there are, what each answered, and what is still to be sent."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, Field

from tasks.model.diagnosis.diagnosis import Audience
from tasks.model.messages.messages import Message
from tasks.model.values import Value


class RouteKind(StrEnum):
    """Which door a route goes through."""

    SLACK = "slack"
    WEBHOOK = "webhook"
    APPRISE = "apprise"


class Route(Value):
    """One way to one audience. `name` is what people read, `key` tells routes apart, `family` fails as a whole.

    No address of a webhook, a fallback URL or a person is in here: these are secrets, and `place` counts them instead.
    `called` are the ids of Slack that are mentioned; `person` is the key of whose own channel it is.
    """

    kind: RouteKind
    audience: Audience
    name: str
    key: str
    family: str
    place: str
    called: tuple[str, ...] = ()
    person: str = ""


class DeliveryVerdict(StrEnum):
    """What became of one call.

    `down`: no usable answer came, and what was sent may have arrived. All others are certain.
    """

    SENT = "sent"
    DOWN = "down"
    LIMITED = "limited"
    DENIED = "denied"
    NO_PLACE = "no_place"
    BAD_CONTENT = "bad_content"
    GONE = "gone"


# After these nothing can be concluded; after all others it is certain that nothing was shown.
UNCERTAIN = frozenset({DeliveryVerdict.DOWN, DeliveryVerdict.LIMITED})


class Answer(Value):
    """What one call came to. `ts` is the message in Slack, `place` its channel. Units: `retry_after_s` in seconds."""

    verdict: DeliveryVerdict
    error: str = ""
    retry_after_s: float = 0.0
    ts: str = ""
    place: str = ""

    @property
    def sent(self) -> bool:
        """Say whether it is certain to have arrived."""
        return self.verdict is DeliveryVerdict.SENT


class Post(Value):
    """One message in Slack. `begun_at` without `ts` says that it was sent and nobody knows whether it arrived.

    `is_fresh` says that Slack confirmed it at once; without it, it was found there afterwards.
    """

    place: str = ""
    begun_at: AwareDatetime | None = None
    ts: str = ""
    is_fresh: bool = False


class Upload(Value):
    """One file for a thread; with `file_id` its content is there, and it may have been shown already."""

    file_id: str = ""
    begun_at: AwareDatetime | None = None
    done: bool = False


class Queued(Value):
    """One message on its way. It is on disk before anything is sent, and leaves the disk when all is done.

    `instead_of` is the key of a message whose own audience was not reached; `passed_to` who was notified instead.
    """

    service: str
    message: Message
    queued_at: AwareDatetime
    instead_of: str = ""
    passed_to: tuple[Audience, ...] = ()
    delivered_by: str = ""
    shown: bool = False
    post: Post = Post()
    uploads: tuple[Upload, ...] = ()

    @property
    def said_at(self) -> datetime:
        """The moment that it speaks of: a recovery that was queued late is older than what was queued before it."""
        return self.message.as_of or self.queued_at


class Thread(Value):
    """The thread of one incident in one channel; `shown` is what its head said last, `final` that it says the end."""

    service: str
    incident_id: str
    place: str
    head: Post = Post()
    shown: str = ""
    final: bool = False


class Blocked(Value):
    """Until when each route or family of routes is left alone."""

    until: dict[str, AwareDatetime] = Field(default_factory=dict)


class SlackWords(Value):
    """One message as Slack takes it. `key` is kept beside it, unseen, so that it can be found again.

    `plain` is what is said where Slack does not take the blocks: all of it, with the call.
    """

    key: str
    text: str
    plain: str = ""
    blocks: tuple[dict[str, Any], ...] = ()
    broadcast: bool = False

    @property
    def without_blocks(self) -> "SlackWords":
        """Say the same in one text."""
        return self.model_copy(update={"blocks": (), "text": self.plain or self.text})


class TrialStep(Value):
    """One thing that a set-up must be able to do; only what a page needs counts as `needed`."""

    name: str
    passed: bool
    detail: str = ""
    needed: bool = True


class Trial(Value):
    """One way to one audience, tried out."""

    audience: Audience
    channel: str
    steps: tuple[TrialStep, ...]

    @property
    def delivered(self) -> bool:
        """Say whether a page would arrive this way."""
        return bool(self.steps) and all(step.passed for step in self.steps if step.needed)

    @property
    def passed(self) -> bool:
        """Say whether everything works, also what a page can do without."""
        return all(step.passed for step in self.steps)
